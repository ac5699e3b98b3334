// Requests to this server's API, and its errors in one shape whichever dialect they come in.

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
  ) {
    super(message);
  }
}

type Listener = () => void;
const sessionEndListeners = new Set<Listener>();

/** Be told when the server no longer knows who asks. */
export function onSessionEnd(listener: Listener): () => void {
  sessionEndListeners.add(listener);
  return () => sessionEndListeners.delete(listener);
}

const unreachableListeners = new Set<Listener>();

/** Be told when the server does not answer at all. */
export function onUnreachable(listener: Listener): () => void {
  unreachableListeners.add(listener);
  return () => unreachableListeners.delete(listener);
}

/** Whether an error may pass by itself: the server does not answer, or is busy with itself. */
export function mayPass(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 502);
}

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly form?: Readonly<Record<string, string | readonly string[]>>;
  readonly json?: unknown;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: options.accept ?? "application/json" };
  let body: BodyInit | undefined;
  if (options.form) body = formOf(options.form);
  if (options.json !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(options.json);
  }
  let response: Response;
  try {
    response = await fetch(path, {
      method: options.method ?? (body === undefined ? "GET" : "POST"),
      headers,
      credentials: "same-origin",
      ...(body === undefined ? {} : { body }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    if (!path.endsWith("/session")) for (const listener of unreachableListeners) listener();
    throw new ApiError(0, "unreachable", "Vedette does not answer. It may be restarting; this page tries again.");
  }
  if (response.ok) return response;
  const error = await errorOf(response);
  if (error.status === 401 && !path.endsWith("/session")) for (const listener of sessionEndListeners) listener();
  throw error;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request(path, signal ? { signal } : {})).json()) as T;
}

async function errorOf(response: Response): Promise<ApiError> {
  const said: unknown = await response.json().catch(() => null);
  const { error, errorType, detail, kind, title } = (said ?? {}) as Record<string, unknown>;
  const message = [error, detail, title].find((text): text is string => typeof text === "string");
  const named = [errorType, kind].find((text): text is string => typeof text === "string");
  return new ApiError(response.status, named ?? "", message ?? `${response.status} ${response.statusText}`);
}

function formOf(fields: Readonly<Record<string, string | readonly string[]>>): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    for (const one of typeof value === "string" ? [value] : value) form.append(name, one);
  return form;
}
