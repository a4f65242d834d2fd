/**
 * Proof that the window we opened is the one that goes to the provider: our page there must be told a secret by its opener, and say so.
 * Only that window, at exactly the address we sent it to, is talked to or believed; whoever else posts messages is not heard.
 */

export interface Handoff {
  /** The window that was opened. */
  popup: { readonly closed: boolean; postMessage(message: unknown, targetOrigin: string): void };
  /** Where it was sent. */
  url: string;
  handoffToken: string;
  redirectToken: string;
}

export interface HandoffPorts {
  /** Calls back for every message this page receives; returns how to stop. */
  listen(heard: (message: { origin: string; source: unknown; data: unknown }) => void): () => void;
  /** Calls back every so many milliseconds; returns how to stop. */
  every(milliseconds: number, tick: () => void): () => void;
}

export const INTERVAL = 100;
export const TIMES = 100;

export const HANDOFF_PORTS: HandoffPorts = {
  listen(heard) {
    const listener = (event: MessageEvent) => heard(event);
    addEventListener("message", listener);
    return () => removeEventListener("message", listener);
  },
  every(milliseconds, tick) {
    const timer = setInterval(tick, milliseconds);
    return () => clearInterval(timer);
  },
};

/** "taken": the page has it. "silent": it never answered, or it is out of reach: closed, or cut off from us. "stopped": `signal` fired first. */
export function handOff(given: Handoff, ports: HandoffPorts, signal: AbortSignal): Promise<"taken" | "silent" | "stopped"> {
  const { origin } = new URL(given.url);
  const message = { handoffToken: given.handoffToken, redirectToken: given.redirectToken };
  return new Promise((resolve) => {
    let posted = 0;
    const end = (how: "taken" | "silent" | "stopped") => {
      unlisten();
      untick();
      signal.removeEventListener("abort", stop);
      resolve(how);
    };
    const stop = () => end("stopped");
    const unlisten = ports.listen(({ origin: from, source, data }) => {
      const answered = typeof data === "object" && data !== null ? (data as { redirectToken?: unknown }).redirectToken : undefined;
      if (from === origin && source === given.popup && answered === given.redirectToken) end("taken");
    });
    const untick = ports.every(INTERVAL, () => {
      if (posted === TIMES || given.popup.closed) return end("silent");
      posted += 1;
      given.popup.postMessage(message, origin);
    });
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });
}
