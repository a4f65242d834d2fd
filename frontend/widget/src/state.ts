/** What the widget knows at one moment; the view is a function of it. */

import type { Account, AuthMethod, ConfigField, Integration } from "./wire.ts";

export type Phase = "loading" | "ready" | "error" | "offline" | "expired" | "forbidden";

export interface ConnectDialog {
  kind: "connect";
  slug: string;
  accountId: string | null;
  intent: "connect" | "add" | "reauthorize";
  method: AuthMethod;
  /** By field name. */
  problems: Record<string, string>;
  problem: string | null;
  busy: boolean;
  revealed: readonly string[];
}
export interface DisconnectDialog {
  kind: "disconnect";
  slug: string;
  accountId: string;
  problem: string | null;
  busy: boolean;
}
export interface ContinueDialog {
  kind: "continue";
  slug: string;
  why: "blocked" | "severed";
  /** A link for a new tab, once the server made one. */
  url: string | null;
  sameTab: boolean;
  problem: string | null;
  busy: boolean;
}
export type Dialog = ConnectDialog | DisconnectDialog | ContinueDialog;

export interface Notice {
  tone: "good" | "warn" | "bad";
  text: string;
}

export interface State {
  phase: Phase;
  /** The server's own words for the phase, if it has any. */
  detail: string | null;
  integrations: readonly Integration[];
  /** What the organization shares, to look at. */
  shared: readonly Integration[];
  query: string;
  notice: Notice | null;
  /** The list is older than the last try to renew it. */
  stale: "offline" | "failed" | null;
  /** The trip under way: at most one. */
  waiting: { slug: string; accountId: string | null; closed: boolean } | null;
  dialog: Dialog | null;
}

export const START: State = { phase: "loading", detail: null, integrations: [], shared: [], query: "", notice: null, stale: null, waiting: null, dialog: null };

/** From how many integrations on there is a search field. */
export const SEARCH_FROM = 9;

export function matching(all: readonly Integration[], query: string): readonly Integration[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((found) => {
    const text = `${found.name} ${found.slug} ${found.description ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** The methods to choose from, or the one an existing account has. */
export function methodsOf(found: Integration, account: Account | undefined): readonly AuthMethod[] {
  return account ? [account.authMethod] : found.authMethods;
}

/** What a form asks for, in order. Config fields are asked for when a connection is made; one that is made again keeps them. */
export function fieldsOf(found: Integration, dialog: ConnectDialog): ConfigField[] {
  const config = dialog.intent === "reauthorize" ? [] : found.configFields;
  if (dialog.method === "api_key") return [...config, found.apiKey];
  if (dialog.method === "client_credentials") return [...config, found.clientId, found.clientSecret];
  return config;
}

/** Characters: no key or secret of a provider is longer, and what is was pasted by mistake. */
export const LONGEST = 4096;
export type Problem = "missing" | "long" | "wrong";

/** What is wrong, by field name. A pattern no browser understands is left to the server. */
export function check(fields: readonly ConfigField[], values: Record<string, string>): Record<string, Problem> {
  const problems: Record<string, Problem> = {};
  for (const field of fields) {
    const value = values[field.name] ?? "";
    if (value === "") {
      if (field.required) problems[field.name] = "missing";
    } else if (value.length > LONGEST) {
      problems[field.name] = "long";
    } else if (field.pattern !== null && !fits(field.pattern, value)) {
      problems[field.name] = "wrong";
    }
  }
  return problems;
}

function fits(pattern: string, value: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(value);
  } catch {
    return true;
  }
}
