// The part of a URL after the question mark: plain `key=value` pairs that people can read and write; a key may repeat.

export type Search = Record<string, string | string[] | undefined>;

export function parseSearch(text: string): Search {
  const found: Search = {};
  const params = new URLSearchParams(text.startsWith("?") ? text.slice(1) : text);
  for (const key of new Set(params.keys())) {
    const values = params.getAll(key);
    found[key] = values.length > 1 ? values : values[0];
  }
  return found;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(key, String(one));
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

/** What a key holds, as text; undefined where there is none. */
export function textOf(search: Record<string, unknown>, key: string): string | undefined {
  const value = search[key];
  if (typeof value === "string") return value;
  return Array.isArray(value) && typeof value[0] === "string" ? value[0] : undefined;
}

/** What a key holds, as a list. */
export function listOf(search: Record<string, unknown>, key: string): string[] {
  const value = search[key];
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}
