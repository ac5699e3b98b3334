// Who is logged in.

import { getJson, request } from "./http";

export interface Session {
  readonly authenticated: boolean;
  readonly name: string;
  readonly proof: string;
  readonly scopes: readonly string[];
  readonly password_needed: boolean;
}

const PATH = "/api/vedette/v1/session";

export const getSession = (signal?: AbortSignal): Promise<Session> => getJson<Session>(PATH, signal);

export async function logIn(name: string, password: string): Promise<void> {
  await request(PATH, { method: "POST", json: { name, password } });
}

export async function logOut(): Promise<void> {
  await request(PATH, { method: "DELETE" });
}
