/**
 * What the server answers, read into shapes the widget can rely on.
 * Everything is optional on the way in: an older or newer server must not break the list. Nothing here is trusted as markup or as a link.
 */

export type AuthMethod = "oauth" | "api_key" | "client_credentials";
export type AccountState = "connected" | "needs_reauthorization" | "disconnected";

export interface Account {
  id: string;
  state: AccountState;
  /** A machine word: why it needs reauthorization. */
  reason: string | null;
  /** The same as a sentence for the person. */
  message: string | null;
  name: string | null;
  identifier: string | null;
  authMethod: AuthMethod;
  keyLast4: string | null;
  secretLast4: string | null;
  scopes: string[];
  missingScopes: string[];
  /** ISO 8601; when a known limit will end the grant. */
  reauthorizationExpectedAt: string | null;
  /** Sentences worth knowing that are no reason to act at once. */
  warnings: string[];
  createdAt: string | null;
}

export interface ConfigField {
  name: string;
  label: string;
  description: string | null;
  pattern: string | null;
  example: string | null;
  default: string | null;
  required: boolean;
  secret: boolean;
}

/** Can the person do this? Absent on the wire means yes. */
export interface Capabilities {
  connect: boolean;
  add: boolean;
  updateCredentials: boolean;
  reauthorize: boolean;
  disconnect: boolean;
}

export interface Integration {
  id: string;
  slug: string;
  name: string;
  description: string | null;
  ownership: "userland_user" | "organization";
  iconUrl: string | null;
  iconDarkUrl: string | null;
  authMethods: AuthMethod[];
  configFields: ConfigField[];
  config: Record<string, string>;
  /** What is asked for with each method that needs no browser trip. */
  apiKey: ConfigField;
  clientId: ConfigField;
  clientSecret: ConfigField;
  capabilities: Capabilities;
  accounts: Account[];
}

export interface Started {
  url: string;
  redirectToken: string;
  handoffToken: string;
  state: string;
}

export type Status = { done: false } | { done: true; kind: string; message: string | null; accountId: string | null };

export type Revocation = "revoked" | "failed" | "unsupported";

type Json = Record<string, unknown>;

export const record = (value: unknown): Json => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const words = (value: unknown): string[] => list(value).filter((word): word is string => typeof word === "string");

const METHODS: readonly AuthMethod[] = ["oauth", "api_key", "client_credentials"];
const method = (value: unknown): AuthMethod => METHODS.find((known) => known === value) ?? "oauth";

/** The widget's list; rows without id or slug are passed over. */
export function readIntegrations(answer: unknown): Integration[] {
  return list(record(answer)["data"]).map(record).filter((row) => text(row["id"]) && text(row["slug"])).map(integration);
}

function integration(row: Json): Integration {
  const slug = row["slug"] as string;
  const installed = record(row["installation"]);
  const accounts = list(row["connected_accounts"]).map(record);
  const shown = accounts.length > 0 || !text(installed["id"]) ? accounts : [installed];
  const methods = list(row["authMethods"]).map(method);
  const credentials = record(row["clientCredentials"]);
  return {
    id: row["id"] as string,
    slug,
    name: text(row["name"]) ?? slug,
    description: text(row["description"]),
    ownership: row["ownership"] === "organization" ? "organization" : "userland_user",
    iconUrl: text(row["iconUrl"]),
    iconDarkUrl: text(row["iconDarkUrl"]),
    authMethods: methods.length > 0 ? [...new Set(methods)] : ["oauth"],
    configFields: list(row["configFields"]).map(record).filter((found) => text(found["name"])).map((found) => field(found)),
    config: Object.fromEntries(Object.entries(record(row["config"])).filter((entry): entry is [string, string] => typeof entry[1] === "string")),
    apiKey: { ...field(record(row["apiKey"]), "secret"), secret: true },
    clientId: field({ ...credentials, ...part(credentials, "clientId", "client_id") }, "client_id"),
    clientSecret: { ...field(part(credentials, "clientSecret", "client_secret"), "client_secret"), secret: true },
    capabilities: capabilities(record(row["capabilities"])),
    accounts: shown.filter((account) => text(account["id"]) && account["state"] !== "disconnected").map(account),
  };
}

/** A field's facts, given as an object (`clientId: {label}`) or flat (`clientIdLabel`). */
function part(facts: Json, camel: string, snake: string): Json {
  const nested = facts[camel] ?? facts[snake];
  if (typeof nested === "string") return { label: nested };
  return { label: facts[`${camel}Label`] ?? facts[`${snake}_label`], ...record(nested) };
}

function field(row: Json, name = ""): ConfigField {
  return {
    name: name || (text(row["name"]) ?? ""),
    label: text(row["label"]) ?? "",
    description: text(row["description"]),
    pattern: text(row["pattern"]),
    example: text(row["example"]),
    default: text(row["default"]),
    required: row["required"] !== false,
    secret: row["secret"] === true,
  };
}

function capabilities(row: Json): Capabilities {
  return {
    connect: row["canConnect"] !== false,
    add: row["canAddAccount"] !== false && row["canConnect"] !== false,
    updateCredentials: row["canUpdateCredentials"] !== false,
    reauthorize: row["canReauthorize"] !== false,
    disconnect: row["canDisconnect"] !== false,
  };
}

function account(row: Json): Account {
  return {
    id: row["id"] as string,
    state: row["state"] === "needs_reauthorization" ? "needs_reauthorization" : "connected",
    reason: text(row["state_reason"]) ?? text(row["reason"]),
    message: text(row["message"]),
    name: text(row["account_display_name"]),
    identifier: text(row["account_identifier"]),
    authMethod: method(row["auth_method"]),
    keyLast4: text(row["api_key_last_4"]),
    secretLast4: text(row["client_secret_last_4"]),
    scopes: words(row["scopes"]),
    missingScopes: words(row["missing_scopes"]),
    reauthorizationExpectedAt: text(row["reauthorization_expected_at"]),
    warnings: list(row["warnings"]).map((warning) => text(record(warning)["message"])).filter((message) => message !== null),
    createdAt: text(row["created_at"]) ?? text(row["createdAt"]),
  };
}

/** Raises TypeError when the answer lacks what the next step needs. */
export function readStarted(answer: unknown): Started {
  const row = record(answer);
  const url = text(row["url"]);
  if (!url || !isWebAddress(url)) throw new TypeError("The answer names no page to go to.");
  return { url, redirectToken: text(row["redirectToken"]) ?? "", handoffToken: text(row["handoffToken"]) ?? "", state: text(row["state"]) ?? "" };
}

/** `outcome` is a word, or an object with `kind`. */
export function readStatus(answer: unknown): Status {
  const row = record(answer);
  const outcome = row["outcome"];
  const told = record(outcome);
  const kind = text(outcome) ?? text(told["kind"]) ?? text(told["outcome"]);
  if (kind === null) return row["isConnecting"] === false ? { done: true, kind: "ended", message: null, accountId: null } : { done: false };
  return { done: true, kind, message: text(told["message"]) ?? text(row["message"]), accountId: text(told["connected_account_id"]) ?? text(row["connected_account_id"]) };
}

export function readRevocation(answer: unknown): Revocation {
  const word = record(answer)["revocation"];
  return word === "revoked" || word === "failed" ? word : "unsupported";
}

/** http or https only: an address from an answer is never run as a script. */
export function isWebAddress(url: string, base?: string): boolean {
  try {
    return ["https:", "http:"].includes(new URL(url, base).protocol);
  } catch {
    return false;
  }
}
