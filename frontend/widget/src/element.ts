/** `<standpipe-connections>`: attributes and properties in, events out, and the page's clicks brought to the controller. */

import { Api } from "./api.ts";
import { Controller } from "./controller.ts";
import { dialog } from "./dialogs.ts";
import { type Description, h, patch } from "./dom.ts";
import type { StandpipeEventName, StandpipeEvents } from "./events.ts";
import { hear } from "./gestures.ts";
import { directionOf, type Messages, type Say, speaker } from "./messages.ts";
import { type Phase, START, type State } from "./state.ts";
import { styles } from "./styles.ts";
import { TokenSource, type TokenProvider } from "./token.ts";
import { list, type Look, news } from "./view.ts";
import { type Integration, isWebAddress } from "./wire.ts";

export type Filter = string | readonly string[] | ((integration: Integration) => boolean) | null;
export type Theme = "light" | "dark" | "auto";

/** Where this script came from, if a page loaded it from a Standpipe by a plain script element. */
const HOME = typeof document === "undefined" ? "" : ((document.currentScript as HTMLScriptElement | null)?.src.match(/^(https?:.+)\/static\/[^/]*$/)?.[1] ?? "");

const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement; // a server renders no elements, but may import this
const FRESH = 5000; // milliseconds a list is not asked for again when the page is looked at
const PROPERTIES = ["token", "baseUrl", "filter", "shared", "theme", "locale", "messages", "returnTo", "headingLevel"] as const;

export class StandpipeConnections extends Base {
  static readonly observedAttributes = ["token", "base-url", "filter", "shared", "theme", "locale", "dir", "lang", "heading-level"];

  #root: ShadowRoot | null = null;
  #controller: Controller | null = null;
  #state: State = START;
  #token: TokenProvider | null = null;
  #filter: Filter = null;
  #messages: Messages = {};
  #say: Say = speaker({});
  #broken = new Set<string>();
  #loadedAt = 0;
  #scheduled = false;
  #ended = new AbortController();

  /** A widget token, or a function that gets one from the page's own backend; it is asked again before the token ends. */
  get token(): TokenProvider | null {
    return this.#token;
  }
  set token(token: TokenProvider | null) {
    if (token === this.#token) return;
    this.#token = token;
    this.#restart();
  }

  /** Address of the Standpipe deployment. */
  get baseUrl(): string {
    return this.getAttribute("base-url") ?? HOME;
  }
  set baseUrl(url: string) {
    this.setAttribute("base-url", url);
  }

  /** Slugs to show, in this order ("github, slack"), or a function that decides. */
  get filter(): Filter {
    return this.#filter;
  }
  set filter(filter: Filter) {
    this.#filter = filter;
    this.#restart();
  }

  /** Also list what the person's organization has connected for its members. */
  get shared(): boolean {
    return this.hasAttribute("shared");
  }
  set shared(shared: boolean) {
    this.toggleAttribute("shared", Boolean(shared));
  }

  get theme(): Theme {
    const theme = this.getAttribute("theme");
    return theme === "light" || theme === "dark" ? theme : "auto";
  }
  set theme(theme: Theme) {
    this.setAttribute("theme", theme);
  }

  /** For dates and the direction of writing; without it the page's language. */
  get locale(): string {
    return this.getAttribute("locale") ?? (this.closest<HTMLElement>("[lang]")?.lang || document.documentElement.lang || navigator.language);
  }
  set locale(locale: string) {
    this.setAttribute("locale", locale);
  }

  /** Words to show instead of the English ones. */
  get messages(): Messages {
    return this.#messages;
  }
  set messages(messages: Messages) {
    this.#messages = messages;
    this.#say = speaker(messages);
    this.#render(this.#state);
  }

  /** Where a trip in this tab comes back to; must be a registered return URL. Without it this page. */
  get returnTo(): string {
    return this.getAttribute("return-to") ?? location.href;
  }
  set returnTo(url: string) {
    this.setAttribute("return-to", url);
  }

  /** 1 to 6: of the headings in the list. 3, if the widget stands under a heading of level 2. */
  get headingLevel(): number {
    const level = Number(this.getAttribute("heading-level"));
    return level >= 1 && level <= 6 ? Math.floor(level) : 3;
  }
  set headingLevel(level: number) {
    this.setAttribute("heading-level", String(level));
  }

  get phase(): Phase {
    return this.#state.phase;
  }

  /** Loads the list again. */
  async refresh(): Promise<void> {
    await this.#load();
  }

  connectedCallback(): void {
    // Properties set before the element was defined hide the accessors; they are set again, now through them.
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete (this as Record<string, unknown>)[name];
      Object.assign(this, { [name]: value });
    }
    if (this.#root === null) this.#build();
    this.#ended = new AbortController();
    const { signal } = this.#ended;
    const look = () => {
      if (document.visibilityState === "visible" && Date.now() - this.#loadedAt > FRESH) void this.#load();
    };
    addEventListener("focus", look, { signal });
    document.addEventListener("visibilitychange", look, { signal });
    addEventListener("online", () => void this.#load(), { signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#render(this.#state), { signal });
    this.#restart();
  }

  disconnectedCallback(): void {
    this.#ended.abort();
    this.#controller?.trips.stop();
    this.#controller = null;
  }

  attributeChangedCallback(name: string, old: string | null, value: string | null): void {
    if (old === value) return;
    if (name === "token") this.token = value;
    else if (name === "filter") this.filter = value;
    else if (name === "base-url" || name === "shared") this.#restart();
    else this.#render(this.#state);
  }

  #build(): void {
    this.#root = this.attachShadow({ mode: "open", delegatesFocus: false });
    this.#root.adoptedStyleSheets = [styles()];
    for (const type of ["click", "submit", "input", "change", "cancel", "error"]) this.#root.addEventListener(type, (event) => this.#heard(event), true);
  }

  /** Begins anew when what the list depends on changed; several changes in one turn begin once. */
  #restart(): void {
    if (!this.isConnected || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (this.isConnected) this.#begin();
    });
  }

  #begin(): void {
    this.#controller?.trips.stop();
    this.#controller = null;
    this.#render(START);
    const base = this.baseUrl.replace(/\/+$/, "");
    if (!this.#token || base === "" || !isWebAddress(base, document.baseURI)) return;
    const address = new URL(base, document.baseURI).href.replace(/\/+$/, "");
    let controller: Controller | null = null;
    const current = () => controller !== null && controller === this.#controller;
    controller = new Controller(
      {
        render: (state, focus) => current() && this.#render(state, focus),
        emit: (name, detail) => current() && this.#emit(name, detail),
        say: (...words) => this.#say(...words),
        arrange: (found) => this.#arrange(found),
        showsShared: () => this.shared,
        returnTo: () => this.returnTo,
      },
      new Api(address, new TokenSource(this.#token)),
      address,
    );
    this.#controller = controller;
    void this.#load().then(() => controller.trips.resume());
  }

  async #load(): Promise<void> {
    this.#loadedAt = Date.now();
    await this.#controller?.load();
  }

  #arrange(all: Integration[]): Integration[] {
    const filter = this.#filter;
    if (typeof filter === "function") return all.filter(filter);
    const slugs = (typeof filter === "string" ? filter.split(",") : [...(filter ?? [])]).map((slug) => slug.trim()).filter(Boolean);
    return slugs.length === 0 ? all : slugs.flatMap((slug) => all.filter((found) => found.slug === slug));
  }

  #emit<Name extends StandpipeEventName>(name: Name, detail: StandpipeEvents[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

  #render(state: State, focus?: string): void {
    this.#state = state;
    const root = this.#root;
    if (root === null) return;
    const { locale } = this;
    const look: Look = { say: this.#say, locale, level: this.headingLevel, pictureOf: (found) => this.#pictureOf(found) };
    const box = root.querySelector("dialog");
    // Closed before the list changes: the browser gives the focus back to the button that opened it.
    if (state.dialog === null && box?.open) box.close();
    const dir = this.hasAttribute("dir") || !this.hasAttribute("locale") ? null : directionOf(locale);
    patch(root, this.#describe(state, look, dir));
    this.dataset["state"] = state.phase === "ready" && state.integrations.length + state.shared.length === 0 ? "empty" : state.phase;
    const made = root.querySelector("dialog");
    if (state.dialog !== null && made && !made.open) {
      made.showModal();
      (made.querySelector<HTMLElement>("[autofocus]") ?? made.querySelector<HTMLElement>("[name=_method]:checked") ?? made.querySelector<HTMLElement>("h2"))?.focus();
    }
    if (focus !== undefined && root.activeElement === null && (document.activeElement === document.body || document.activeElement === null)) {
      [...root.querySelectorAll<HTMLElement>("[data-name]")].find((name) => name.dataset["name"] === focus)?.focus();
    }
  }

  #describe(state: State, look: Look, dir: string | null): Description[] {
    const { say } = look;
    const told = state.phase === "loading" ? say("loading") : state.phase === "ready" ? say("loaded", { count: state.integrations.length + state.shared.length }) : "";
    return [
      h(
        "section",
        { class: "root", part: "root", dir, "aria-label": say("title"), "aria-busy": state.phase === "loading" ? "true" : null, key: "root" },
        h("div", { class: "hidden", role: "status", key: "told" }, told),
        h("div", { role: "status", key: "news" }, news(state, say)),
        h("div", { key: "list", role: state.phase === "ready" || state.phase === "loading" ? null : "alert" }, list(state, look)),
      ),
      h("dialog", { part: "dialog", dir, "aria-labelledby": "dialog-title", key: "dialog", open: this.#root?.querySelector("dialog")?.open ?? false }, dialog(state, look)),
    ];
  }

  #pictureOf(found: Integration): string | null {
    const dark = this.theme === "dark" || (this.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    const url = dark ? (found.iconDarkUrl ?? found.iconUrl) : found.iconUrl;
    if (url === null || !this.#controller) return null;
    const address = URL.canParse(url, `${this.#controller.base}/`) ? new URL(url, `${this.#controller.base}/`) : null;
    const shows = address !== null && (["https:", "http:"].includes(address.protocol) || url.startsWith("data:image/"));
    return shows && !this.#broken.has(address.href) ? address.href : null;
  }

  #heard(event: Event): void {
    const { target } = event;
    if (event.type === "error" && target instanceof HTMLImageElement) {
      this.#broken.add(target.src);
      this.#render(this.#state);
    } else {
      hear(event, this.#controller, () => void this.#load());
    }
  }
}

/** Makes the element known to the page; safe to call twice, and on a server. */
export function define(name = "standpipe-connections"): void {
  if (typeof customElements !== "undefined" && !customElements.get(name)) customElements.define(name, StandpipeConnections);
}

declare global {
  interface HTMLElementTagNameMap {
    "standpipe-connections": StandpipeConnections;
  }
}
