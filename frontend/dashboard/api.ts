/** The dashboard's calls to its own server. Rule: a change carries the session's token in a header; an answer that says "signed out" is told to whoever listens. */

export class Refused extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly status: number,
    readonly fields: Record<string, string>,
  ) {
    super(message);
  }
}

let csrf = "";
let signedOut: () => void = () => {};

export function useToken(token: string): void {
  csrf = token;
}

export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

type Query = Record<string, string | null | undefined>;

export function queryOf(query: Query): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

export function get<T>(path: string, query: Query = {}): Promise<T> {
  return call<T>("GET", path + queryOf(query));
}

export function send<T>(method: "POST" | "PUT" | "DELETE", path: string, body: object = {}): Promise<T> {
  return call<T>(method, path, body);
}

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const headers: Record<string, string> = body ? { "Content-Type": "application/json", "X-CSRF-Token": csrf } : {};
  let answer: Response;
  try {
    answer = await fetch(`/dashboard/api${path}`, { method, headers, credentials: "same-origin", ...(body ? { body: JSON.stringify(body) } : {}) });
  } catch {
    throw new Refused("Standpipe cannot be reached. Check your connection and try again.", "offline", 0, {});
  }
  let said: unknown;
  try {
    said = await answer.json();
  } catch {
    said = {};
  }
  if (answer.ok) return said as T;
  const { message, code, errors } = said as { message?: string; code?: string; errors?: { field: string; code: string }[] };
  if (answer.status === 401) signedOut();
  const fields = Object.fromEntries((errors ?? []).map((each) => [each.field, each.code]));
  throw new Refused(message ?? `The server answered ${answer.status}.`, code ?? "unknown", answer.status, fields);
}
