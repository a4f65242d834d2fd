/**
 * Every word the widget shows. A host replaces any of them (`element.messages = { connect: "Verbinden" }`); what it leaves out stays English.
 * {placeholders} are filled with text, never with markup.
 */

export const ENGLISH = {
  title: "Connected accounts",
  loading: "Loading your connections",
  loaded: "Integrations: {count}",
  search: "Search integrations",
  noMatch: "Nothing matches “{query}”.",
  emptyTitle: "No integrations yet",
  emptyText: "As soon as there is something to connect, it appears here.",
  errorTitle: "Your connections could not be loaded",
  errorText: "Something on our side did not answer. Your connections themselves are not affected.",
  offlineTitle: "You are offline",
  offlineText: "Your connections appear here as soon as you are back online.",
  offlineNotice: "You are offline. This is what was last known.",
  staleNotice: "This list could not be brought up to date just now.",
  expiredTitle: "Your session has expired",
  expiredText: "Reload this page or sign in again to see your connections.",
  forbiddenTitle: "You may not see this",
  forbiddenText: "Ask an administrator for access.",
  retry: "Try again",
  stateConnected: "Connected",
  stateNeedsReauthorization: "Needs attention",
  stateNotConnected: "Not connected",
  connect: "Connect",
  connectTo: "Connect {provider}",
  addAccount: "Add account",
  addAccountTo: "Add account: {provider}",
  reauthorize: "Reauthorize",
  reauthorizeAccount: "Reauthorize {account} at {provider}",
  updateKey: "Update key",
  updateKeyOf: "Update key: {account}, {provider}",
  updateCredentials: "Update credentials",
  updateCredentialsOf: "Update credentials: {account}, {provider}",
  disconnect: "Disconnect",
  disconnectAccount: "Disconnect {account} from {provider}",
  cancel: "Cancel",
  cancelConnecting: "Cancel connecting {provider}",
  close: "Close",
  dismiss: "Dismiss",
  waiting: "Waiting for you…",
  waitingText: "Finish in the window that opened. This page notices by itself.",
  closedText: "Still at {provider}? Just finish there. If you closed the window, start again.",
  anonymousAccount: "your account",
  accountTitle: "{provider} account",
  apiKeyAccount: "API key",
  apiKeyEnding: "API key ending in {last4}",
  clientAccount: "Client credentials",
  clientEnding: "Client secret ending in {last4}",
  connectedOn: "Connected {date}",
  shared: "Shared with your organization",
  sharedTitle: "Shared by your organization",
  sharedText: "Everybody in your organization can use these. Administrators look after them.",
  stateAvailable: "Available",
  stateNeedsAdministrator: "Needs an administrator",
  brokenText: "{provider} no longer accepts this connection. Reauthorize it to go on.",
  brokenKeyText: "{provider} no longer accepts this key. Enter a new one to go on.",
  missingScopes: "Not granted: {scopes}. Reauthorize to allow it.",
  expectedUntil: "{provider} ends this connection on {date}. Reauthorize before then.",
  connectTitle: "Connect {provider}",
  addTitle: "Add another {provider} account",
  reauthorizeTitle: "Reauthorize {provider}",
  methodLegend: "How do you want to connect?",
  methodOauth: "Sign in at {provider}",
  methodApiKey: "API key",
  methodClientCredentials: "Client credentials",
  oauthText: "A window opens where you sign in at {provider} and allow access.",
  secretText: "It is stored encrypted, and never shown again.",
  apiKeyLabel: "API key",
  clientIdLabel: "Client ID",
  clientSecretLabel: "Client secret",
  accountNameLabel: "Name of this account",
  accountNameText: "So that you can tell your accounts apart.",
  optional: "optional",
  example: "For example {example}",
  reveal: "Show",
  conceal: "Hide",
  revealLabel: "Show {field}",
  concealLabel: "Hide {field}",
  continueTo: "Continue to {provider}",
  save: "Save",
  saving: "Saving…",
  required: "Enter a value.",
  tooLong: "This is too long: at most {count} characters.",
  wrongPattern: "This does not look right.",
  wrongPatternExample: "This does not look right. It should look like {example}.",
  refusedField: "This was not accepted.",
  blockedTitle: "Your browser kept the window closed",
  blockedText: "Continue at {provider} in a new tab. This page notices when you are done.",
  severedTitle: "One more click",
  severedText: "The window was closed, or your browser keeps it apart from this page. Continue at {provider} in a new tab. If an empty window is left over, close it.",
  openTab: "Continue in a new tab",
  sameTab: "Continue in this tab",
  preparing: "One moment…",
  disconnectTitle: "Disconnect {provider}?",
  disconnectText: "This application loses its access to {account}, and the access is revoked at {provider}. You can connect again at any time.",
  disconnectSecretText: "What is stored of {account} is deleted. The key itself stays valid until you delete it at {provider}.",
  disconnecting: "Disconnecting…",
  connectedNotice: "{provider} is connected.",
  reauthorizedNotice: "{provider} is connected again.",
  updatedNotice: "{provider} is up to date.",
  revokedNotice: "{provider} is disconnected, and its access was revoked at {provider}.",
  revocationFailedNotice: "{provider} is disconnected here, but {provider} did not confirm that access was revoked. Remove the access in your {provider} settings too.",
  revocationUnsupportedNotice: "{provider} is disconnected here, and what was stored is deleted. To end access there as well, remove it in your {provider} settings.",
  failedNotice: "{provider} was not connected. Try again in a moment.",
  failedDeclined: "Nothing was connected: access to {provider} was declined.",
  failedExpired: "The link to {provider} has expired. Start again.",
  failedOtherAccount: "That is another {provider} account than the one to reauthorize. Nothing was changed.",
  failedProvider: "{provider} reported a problem. Try again in a moment.",
  failedBrowser: "It was finished in another browser, so nothing was connected. Start again, and stay in this one.",
  problem: "That did not work just now. Try again in a moment.",
  problemOffline: "You are offline. Try again when you are back.",
  problemExpired: "Your session has expired. Reload this page or sign in again.",
} as const;

export type MessageName = keyof typeof ENGLISH;
export type Messages = Partial<Record<MessageName, string>>;
export type Say = (name: MessageName, values?: Record<string, string | number>) => string;

/** A function that says things in the host's words. */
export function speaker(own: Messages): Say {
  return (name, values = {}) => {
    const template = own[name] ?? ENGLISH[name];
    return template.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole));
  };
}

const ENDINGS: Record<string, MessageName> = {
  declined: "failedDeclined",
  link_expired: "failedExpired",
  link_used: "failedExpired",
  ended: "failedExpired",
  other_account: "failedOtherAccount",
  provider_error: "failedProvider",
  exchange_failed: "failedProvider",
  wrong_browser: "failedBrowser",
};

/** What to say of a trip that ended without a connection; `reason` is the server's word for it. */
export const ending = (reason: string): MessageName => ENDINGS[reason] ?? "failedNotice";

const RIGHT_TO_LEFT = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "ku-arab", "ps", "sd", "ug", "ur", "yi"]);

export const directionOf = (locale: string): "rtl" | "ltr" => (RIGHT_TO_LEFT.has(locale.toLowerCase().split("-")[0] ?? "") ? "rtl" : "ltr");

/** A day in the reader's way of writing; empty for what is no date, and never an error for a locale nobody knows. */
export function day(iso: string | null, locale: string): string {
  const date = new Date(iso ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return "";
  try {
    return new Intl.DateTimeFormat(locale || undefined, { dateStyle: "medium" }).format(date);
  } catch {
    return new Intl.DateTimeFormat(undefined, { dateStyle: "medium" }).format(date);
  }
}
