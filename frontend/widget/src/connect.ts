/**
 * One trip to the provider in a window of its own, from the click to the result.
 * The result is always asked of the server: a window may lose its opener, be closed, or live in another process, and none of that matters.
 */

import { ApiError, type AuthorizeBody } from "./api.ts";
import { handOff, type HandoffPorts } from "./handoff.ts";
import type { Started, Status } from "./wire.ts";

export interface Popup {
  readonly closed: boolean;
  readonly location: { replace(url: string): void };
  close(): void;
  postMessage(message: unknown, targetOrigin: string): void;
}

export interface ConnectPorts extends HandoffPorts {
  authorize(body: AuthorizeBody): Promise<Started>;
  status(state: string): Promise<Status>;
  /** Resolves when the window shows the waiting page, or may never do so. */
  arrived(popup: Popup): Promise<void>;
  /** Resolves after so many milliseconds, or when the signal fires, or when the page is looked at again. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** severed: the window was opened, and we cannot reach it (the host page's COOP, an in-app browser, or the person closed it). */
export type Result =
  | { kind: "connected"; accountId: string | null }
  | { kind: "failed"; reason: string; message: string | null }
  | { kind: "severed" }
  | { kind: "stopped" };

export const POLL = 1500;
/** Milliseconds a link lives; a result later than that cannot come. */
export const LIFE = 10 * 60_000;

/** `popup` shows the server's waiting page already, opened in the click itself. Raises ApiError when the server refuses to begin. */
export async function connectIn(popup: Popup, body: Omit<AuthorizeBody, "requireHandoff">, ports: ConnectPorts, signal: AbortSignal): Promise<Result> {
  let started: Started;
  try {
    started = await ports.authorize({ ...body, requireHandoff: true });
  } catch (error) {
    void ports.arrived(popup).then(() => popup.close());
    throw error;
  }
  // Sent on or closed while its first page is just coming in, a window may stay as it is.
  await ports.arrived(popup);
  if (signal.aborted) {
    popup.close();
    return { kind: "stopped" };
  }
  if (popup.closed) return { kind: "severed" };
  popup.location.replace(started.url);
  const inner = new AbortController();
  const stop = () => inner.abort();
  signal.addEventListener("abort", stop);
  const silence = handOff({ popup, ...started }, ports, inner.signal).then((how): Result | Promise<never> => (how === "silent" ? { kind: "severed" } : new Promise(() => {})));
  try {
    return await Promise.race([silence, resultOf(started.state, ports, inner.signal)]);
  } finally {
    signal.removeEventListener("abort", stop);
    inner.abort();
  }
}

/** Asks until there is a result, the link has ended, or `signal` fires. */
export async function resultOf(state: string, ports: Pick<ConnectPorts, "status" | "wait">, signal: AbortSignal): Promise<Result> {
  let unexplained = false;
  for (let waited = 0; !signal.aborted && waited < LIFE; waited += POLL) {
    await ports.wait(POLL, signal);
    if (signal.aborted) break;
    const status = await ports.status(state).catch((error: unknown) => {
      // Nothing was decided by a call that got no answer; a state the server no longer knows has ended.
      if (error instanceof ApiError && error.kind !== "refused") return { done: false } as const;
      return { done: true, kind: "link_expired", message: null, accountId: null } as const;
    });
    if (!status.done) continue;
    if (status.kind === "failed" && !unexplained) {
      unexplained = true; // how it failed is written a moment after that it did
      continue;
    }
    if (status.kind === "connected") return { kind: "connected", accountId: status.accountId };
    return { kind: "failed", reason: status.kind, message: status.message };
  }
  return signal.aborted ? { kind: "stopped" } : { kind: "failed", reason: "link_expired", message: null };
}
