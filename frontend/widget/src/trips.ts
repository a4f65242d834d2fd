/**
 * Trips to a provider: in a window of their own; in a new tab or this one, when there may be no window or it cannot be reached.
 * At most one is under way; a new one ends the one before.
 */

import { ApiError } from "./api.ts";
import { connectIn, type Popup, type Result, resultOf } from "./connect.ts";
import { details, type Controller } from "./controller.ts";
import { HANDOFF_PORTS } from "./handoff.ts";
import { ending } from "./messages.ts";
import type { ConnectDialog } from "./state.ts";
import type { Integration } from "./wire.ts";

export interface Trip {
  found: Integration;
  accountId: string | null;
  intent: ConnectDialog["intent"];
  config: Record<string, string>;
  name: string;
}

const REMEMBERED = "standpipe-connections";

export class Trips {
  #under: AbortController | null = null;
  /** The trip whose link is offered, and the state that link belongs to, once there is a link. */
  #offered: { trip: Trip; state: string | null } | null = null;
  #apart = false;

  constructor(private readonly controller: Controller) {}

  stop(): void {
    this.#under?.abort();
    this.#under = null;
    this.#offered = null;
    if (this.controller.state.waiting) this.controller.set({ waiting: null }, this.controller.state.waiting.slug);
  }

  /** Called in the click itself. */
  async go(trip: Trip): Promise<void> {
    const { signal } = this.#begin();
    // Once a window was out of reach, the next one is sent to the page that asks the person, which needs no opener.
    const popup = openWindow(this.#apart ? "about:blank" : `${this.controller.base}/pipes/redirecting`);
    if (popup === null) return this.#offer(trip, "blocked");
    this.#wait(trip, false);
    const unwatch = watch(popup, (closed) => !signal.aborted && this.#wait(trip, closed));
    try {
      const result = this.#apart ? await this.#goApart(trip, popup, signal) : await connectIn(popup, body(trip), this.#ports(trip), signal);
      unwatch();
      if (result.kind === "connected") popup.close();
      if (!signal.aborted) await this.#end(trip, result);
    } catch (error) {
      void arrived(popup).then(() => popup.close());
      if (!signal.aborted) this.controller.set({ waiting: null, notice: { tone: "bad", text: this.controller.problem(error) } });
      if (!(error instanceof ApiError)) throw error;
    } finally {
      unwatch();
    }
  }

  async #goApart(trip: Trip, popup: Popup, signal: AbortSignal): Promise<Result> {
    const started = await this.#ports(trip).authorize({ ...body(trip), requireHandoff: false });
    if (popup.closed || signal.aborted) return { kind: signal.aborted ? "stopped" : "severed" };
    popup.location.replace(started.url);
    return resultOf(started.state, this.#ports(trip), signal);
  }

  /** A link the person opens: no browser blocks that. */
  async #offer(trip: Trip, why: "blocked" | "severed"): Promise<void> {
    const { signal } = this.#begin();
    if (why === "severed") this.#apart = true;
    this.#offered = { trip, state: null };
    this.controller.set({ waiting: null, dialog: { kind: "continue", slug: trip.found.slug, why, url: null, sameTab: window.top === window, problem: null, busy: false } });
    try {
      const started = await this.controller.api.authorize(trip.found.slug, { ...body(trip), requireHandoff: false });
      if (signal.aborted) return;
      this.#offered = { trip, state: started.state };
      this.controller.setDialog("continue", { url: started.url });
    } catch (error) {
      if (!signal.aborted) this.controller.setDialog("continue", { problem: this.controller.problem(error) });
    }
  }

  /** The offered link was followed. */
  async follow(): Promise<void> {
    const offered = this.#offered;
    if (!offered?.state) return;
    const { trip, state } = offered;
    const { signal } = this.#begin();
    this.controller.set({ dialog: null });
    this.#wait(trip, false);
    const result = await resultOf(state, this.#ports(trip), signal);
    if (!signal.aborted) await this.#end(trip, result);
  }

  /** On in this tab, whether the link is there yet or not: the page is left, and the result told by the next one (`resume`). */
  async leave(): Promise<void> {
    const offered = this.#offered;
    const signal = this.#under?.signal;
    if (!offered || !signal) return;
    const { trip } = offered;
    this.controller.setDialog("continue", { busy: true, problem: null });
    const { authorize } = this.#ports(trip);
    const wanted = { ...body(trip), requireHandoff: false };
    try {
      // A page that is no registered return URL is not returned to; the trip then ends on a page that says so.
      const started = await authorize({ ...wanted, return_to: this.controller.host.returnTo() }).catch((error: unknown) => {
        if (error instanceof ApiError && error.kind === "refused") return authorize(wanted);
        throw error;
      });
      if (signal.aborted) return; // the dialog was closed meanwhile, or the link followed
      remember({ base: this.controller.base, slug: trip.found.slug, state: started.state, reauthorized: trip.intent === "reauthorize" });
      location.assign(started.url);
    } catch (error) {
      this.controller.setDialog("continue", { busy: false, problem: this.controller.problem(error) });
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Back on a page that was left for a trip: tells how it ended. */
  async resume(): Promise<void> {
    const left = recall(this.controller.base);
    const found = left && this.controller.find(left.slug);
    if (!left || !found) return;
    const status = await this.controller.api.status(left.slug, left.state).catch(() => null);
    const trip: Trip = { found, accountId: null, intent: left.reauthorized ? "reauthorize" : "connect", config: {}, name: "" };
    if (!status?.done) return;
    await this.#end(trip, status.kind === "connected" ? { kind: "connected", accountId: status.accountId } : { kind: "failed", reason: status.kind, message: status.message });
  }

  async #end(trip: Trip, result: Result): Promise<void> {
    const { controller } = this;
    const { slug, name } = trip.found;
    if (result.kind === "severed") return this.#offer(trip, "severed");
    controller.set({ waiting: null }, slug);
    if (result.kind === "stopped") return;
    const before = new Set(controller.find(slug)?.accounts.map(({ id }) => id));
    await controller.load(slug);
    if (result.kind === "connected") {
      const reauthorized = trip.intent === "reauthorize";
      const fresh = controller.find(slug)?.accounts.find(({ id }) => !before.has(id))?.id ?? null;
      controller.notify("good", reauthorized ? "reauthorizedNotice" : "connectedNotice", { provider: name });
      controller.host.emit("standpipe-connected", { provider: slug, connectedAccountId: trip.accountId ?? result.accountId ?? fresh, reauthorized });
    } else {
      controller.set({ notice: { tone: result.reason === "declined" ? "warn" : "bad", text: result.message ?? controller.host.say(ending(result.reason), { provider: name }) } });
      controller.host.emit("standpipe-failed", { provider: slug, reason: result.reason });
    }
  }

  #begin(): AbortController {
    this.#under?.abort();
    this.#offered = null;
    this.#under = new AbortController();
    return this.#under;
  }

  #wait(trip: Trip, closed: boolean): void {
    this.controller.set({ waiting: { slug: trip.found.slug, accountId: trip.accountId, closed } });
  }

  #ports(trip: Trip) {
    const { api } = this.controller;
    return {
      ...HANDOFF_PORTS,
      authorize: (wanted: Parameters<typeof api.authorize>[1]) => api.authorize(trip.found.slug, wanted),
      status: (state: string) => api.status(trip.found.slug, state),
      arrived,
      wait,
    };
  }
}

const body = (trip: Trip) => details(trip, trip.config, trip.name);

function openWindow(url: string): (Popup & Window) | null {
  const width = 560;
  const height = 760;
  const left = Math.max(0, Math.round(window.screenX + (window.outerWidth - width) / 2));
  const top = Math.max(0, Math.round(window.screenY + (window.outerHeight - height) / 2));
  const opened = window.open(url, "_blank", `popup,width=${width},height=${height},left=${left},top=${top}`);
  return opened === null || opened.closed ? null : opened;
}

/** A window begins with an empty page that we may read; once we may not, the one it was opened for is there. */
async function arrived(popup: Popup): Promise<void> {
  for (let waited = 0; waited < 5000 && !popup.closed; waited += 50) {
    try {
      if ((popup as Popup & Window).location.href !== "about:blank") return;
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Says when the window is closed, or looks so because it went where we cannot see it. */
function watch(popup: Popup, changed: (closed: boolean) => void): () => void {
  let was = false;
  const timer = setInterval(() => {
    if (popup.closed !== was) changed((was = popup.closed));
  }, 1000);
  return () => clearInterval(timer);
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      removeEventListener("focus", done);
      document.removeEventListener("visibilitychange", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
    addEventListener("focus", done);
    document.addEventListener("visibilitychange", done);
  });
}

interface Left {
  base: string;
  slug: string;
  state: string;
  reauthorized: boolean;
}

// Storage may be forbidden; then the page that comes back says nothing, and its list is still true.
function remember(left: Left): void {
  try {
    sessionStorage.setItem(REMEMBERED, JSON.stringify(left));
  } catch {
    return;
  }
}

function recall(base: string): Left | null {
  try {
    const left = JSON.parse(sessionStorage.getItem(REMEMBERED) ?? "null") as Left | null;
    if (left?.base !== base) return null;
    sessionStorage.removeItem(REMEMBERED);
    return left;
  } catch {
    return null;
  }
}
