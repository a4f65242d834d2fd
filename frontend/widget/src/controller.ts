/** What happens when: loading, the forms, disconnecting. Owns the state; knows no elements. Trips to a provider are in trips.ts. */

import { Api, ApiError, type CredentialBody } from "./api.ts";
import { ACCOUNT_NAME } from "./dialogs.ts";
import type { StandpipeEventName, StandpipeEvents } from "./events.ts";
import type { MessageName, Say } from "./messages.ts";
import { check, type ConnectDialog, type Dialog, fieldsOf, LONGEST, methodsOf, type Notice, type Problem, START, type State } from "./state.ts";
import { Trips } from "./trips.ts";
import type { AuthMethod, Integration } from "./wire.ts";

export interface Host {
  /** Shows the state; `focus` names a provider to put the focus on if nothing else has it. */
  render(state: State, focus?: string): void;
  emit<Name extends StandpipeEventName>(name: Name, detail: StandpipeEvents[Name]): void;
  say: Say;
  /** The integrations to show, in their order. */
  arrange(all: Integration[]): Integration[];
  /** Is what the organization shares to be shown, too? */
  showsShared(): boolean;
  /** Where a trip in this tab comes back to. */
  returnTo(): string;
}

export class Controller {
  state: State = START;
  readonly trips: Trips;
  #load = 0;

  constructor(
    readonly host: Host,
    readonly api: Api,
    readonly base: string,
  ) {
    this.trips = new Trips(this);
  }

  set(change: Partial<State>, focus?: string): void {
    this.state = { ...this.state, ...change };
    this.host.render(this.state, focus);
  }

  /** Changes the open dialog, if it still is the one that was meant. */
  setDialog<Kind extends Dialog["kind"]>(kind: Kind, change: Partial<Extract<Dialog, { kind: Kind }>>): void {
    const { dialog } = this.state;
    if (dialog?.kind === kind) this.set({ dialog: { ...dialog, ...change } as Dialog });
  }

  find(slug: string): Integration | undefined {
    return this.state.integrations.find((found) => found.slug === slug);
  }

  /** Loads the list. What is shown stays while it is loaded again, and if that fails. */
  async load(focus?: string): Promise<void> {
    this.#load += 1;
    const load = this.#load;
    if (this.state.phase !== "ready") this.set({ phase: "loading", detail: null });
    try {
      // What is only to be looked at keeps nobody from their own: if it cannot be read, what was last known stays.
      const known = [...this.state.shared];
      const [own, organizations] = await Promise.all([this.api.integrations(), this.host.showsShared() ? this.api.shared().catch(() => known) : []]);
      if (load !== this.#load) return;
      const [integrations, shared] = [this.host.arrange(own), this.host.arrange(organizations)];
      this.set({ phase: "ready", detail: null, stale: null, integrations, shared, dialog: this.state.dialog }, focus);
      this.host.emit("standpipe-loaded", { integrations });
    } catch (error) {
      if (load !== this.#load) return;
      this.#failedToLoad(error);
    }
  }

  #failedToLoad(error: unknown): void {
    const { kind, message } = error instanceof ApiError ? error : new ApiError("failed");
    if (kind === "expired" || kind === "forbidden") this.set({ phase: kind, detail: kind === "forbidden" ? message : null, integrations: [], shared: [], dialog: null });
    else if (this.state.phase === "ready") this.set({ stale: kind === "offline" ? "offline" : "failed" });
    else this.set({ phase: kind === "offline" ? "offline" : "error", detail: kind === "refused" ? message : null });
    if (kind === "expired") this.host.emit("standpipe-token-expired", {});
    this.host.emit("standpipe-error", { kind, message });
    if (!(error instanceof ApiError)) throw error;
  }

  notify(tone: Notice["tone"], name: MessageName, values: Record<string, string>): void {
    this.set({ notice: { tone, text: this.host.say(name, values) } });
  }

  /** What to tell the person about a call that failed. */
  problem(error: unknown): string {
    if (!(error instanceof ApiError)) return this.host.say("problem");
    if (error.kind === "offline") return this.host.say("problemOffline");
    if (error.kind === "expired") return this.host.say("problemExpired");
    if (error.kind === "failed") return this.host.say("problem");
    return error.message || this.host.say("problem");
  }

  /** Connect, add or reauthorize was clicked. Stays synchronous up to the window's opening: browsers allow one for a click only. */
  begin(slug: string, accountId: string | null): void {
    const found = this.find(slug);
    if (!found) return;
    const account = found.accounts.find(({ id }) => id === accountId);
    const intent = account ? "reauthorize" : found.accounts.length > 0 ? "add" : "connect";
    const methods = methodsOf(found, account);
    const method = methods[0] ?? "oauth";
    const dialog: ConnectDialog = { kind: "connect", slug, accountId, intent, method, problems: {}, problem: null, busy: false, revealed: [] };
    this.set({ notice: null });
    if (methods.length === 1 && method === "oauth" && fieldsOf(found, dialog).length === 0) void this.trips.go({ found, accountId, intent, config: {}, name: "" });
    else this.set({ dialog });
  }

  choose(method: AuthMethod): void {
    this.setDialog("connect", { method, problems: {}, problem: null });
  }

  reveal(name: string): void {
    const { dialog } = this.state;
    if (dialog?.kind !== "connect") return;
    this.setDialog("connect", { revealed: dialog.revealed.includes(name) ? dialog.revealed.filter((other) => other !== name) : [...dialog.revealed, name] });
  }

  close(): void {
    const { dialog } = this.state;
    if (dialog === null || (dialog.kind !== "continue" && dialog.busy)) return;
    if (dialog.kind === "continue") this.trips.stop();
    this.set({ dialog: null }, dialog.slug);
  }

  /** The connect dialog was submitted with these values. Returns the first field that is wrong. */
  submit(values: Record<string, string>): string | null {
    const { dialog } = this.state;
    const found = dialog && this.find(dialog.slug);
    if (dialog?.kind !== "connect" || dialog.busy || !found) return null;
    const fields = fieldsOf(found, dialog);
    const wrong = check(fields, values);
    const told = (name: string, what: Problem) => {
      if (what !== "wrong") return this.host.say(what === "missing" ? "required" : "tooLong", { count: LONGEST });
      const example = fields.find((field) => field.name === name)?.example;
      return this.host.say(example ? "wrongPatternExample" : "wrongPattern", { example: example ?? "" });
    };
    const problems = Object.entries(wrong).map(([name, what]) => [name, told(name, what)]);
    this.setDialog("connect", { problems: Object.fromEntries(problems) as Record<string, string>, problem: null });
    const first = fields.find((field) => field.name in wrong);
    if (first) return first.name;
    const config = dialog.intent === "reauthorize" ? {} : Object.fromEntries(found.configFields.map(({ name }) => [name, values[name] ?? ""]).filter(([, value]) => value !== ""));
    const name = values[ACCOUNT_NAME] ?? "";
    if (dialog.method === "oauth") {
      this.set({ dialog: null });
      void this.trips.go({ found, accountId: dialog.accountId, intent: dialog.intent, config, name });
    } else {
      void this.#save(found, dialog, values, config, name);
    }
    return null;
  }

  async #save(found: Integration, dialog: ConnectDialog, values: Record<string, string>, config: Record<string, string>, name: string): Promise<void> {
    const more: CredentialBody = { ...details(dialog, config, name) };
    this.setDialog("connect", { busy: true });
    try {
      const id =
        dialog.method === "api_key"
          ? await this.api.putKey(found.slug, { ...more, secret: values["secret"] ?? "" })
          : await this.api.putCredentials(found.slug, { ...more, client_id: values["client_id"] ?? "", client_secret: values["client_secret"] ?? "" });
      this.set({ dialog: null }, found.slug);
      this.notify("good", dialog.intent === "reauthorize" ? "updatedNotice" : "connectedNotice", { provider: found.name });
      this.host.emit("standpipe-connected", { provider: found.slug, connectedAccountId: dialog.accountId ?? id, reauthorized: dialog.intent === "reauthorize" });
      await this.load();
    } catch (error) {
      const names = error instanceof ApiError ? error.fields.map((field) => field.replace(/^config\./, "")) : [];
      const known = fieldsOf(found, dialog).filter((field) => names.includes(field.name));
      const text = this.problem(error);
      this.setDialog("connect", { busy: false, problem: known.length === 1 ? null : text, problems: Object.fromEntries(known.map((field) => [field.name, known.length === 1 ? text : this.host.say("refusedField")])) });
    }
  }

  askToDisconnect(slug: string, accountId: string): void {
    this.set({ notice: null, dialog: { kind: "disconnect", slug, accountId, problem: null, busy: false } });
  }

  async disconnect(): Promise<void> {
    const { dialog } = this.state;
    const found = dialog && this.find(dialog.slug);
    if (dialog?.kind !== "disconnect" || dialog.busy || !found) return;
    this.setDialog("disconnect", { busy: true, problem: null });
    try {
      const revocation = await this.api.disconnect(dialog.accountId);
      if (this.state.waiting?.accountId === dialog.accountId) this.trips.stop();
      const told: MessageName = revocation === "revoked" ? "revokedNotice" : revocation === "failed" ? "revocationFailedNotice" : "revocationUnsupportedNotice";
      this.set({ dialog: null });
      this.notify(revocation === "revoked" ? "good" : "warn", told, { provider: found.name });
      this.host.emit("standpipe-disconnected", { provider: found.slug, connectedAccountId: dialog.accountId, revocation });
      await this.load(found.slug);
    } catch (error) {
      this.setDialog("disconnect", { busy: false, problem: this.problem(error) });
    }
  }
}

/** What a request says about the account it is for. */
export function details(trip: { intent: ConnectDialog["intent"]; accountId: string | null }, config: Record<string, string>, name: string): Omit<CredentialBody, "secret" | "client_id" | "client_secret"> {
  return {
    ...(Object.keys(config).length > 0 ? { config } : {}),
    ...(trip.intent === "connect" ? {} : { connection_intent: trip.intent }),
    ...(trip.accountId === null ? {} : { connected_account_id: trip.accountId }),
    ...(name === "" ? {} : { account_display_name: name }),
  };
}
