/** The list: every provider with its accounts, what is wrong with them, and what can be done. */

import { type Child, type Description, h } from "./dom.ts";
import { day, type Say } from "./messages.ts";
import { button, icon, type IconName, notice, picture } from "./pieces.ts";
import { matching, SEARCH_FROM, type State } from "./state.ts";
import type { Account, Integration } from "./wire.ts";

export interface Look {
  say: Say;
  locale: string;
  /** The headings': one below the page's heading above the widget. */
  level: number;
  /** A provider's picture that can be shown, or null. */
  pictureOf(found: Integration): string | null;
}

export function list(state: State, look: Look): Description[] {
  const { say } = look;
  if (state.phase === "loading") return skeleton();
  if (state.phase !== "ready") return [card(state, look)];
  const all = state.integrations.length + state.shared.length;
  if (all === 0) return [...banner(state, say), empty(look.level, "plug", say("emptyTitle"), say("emptyText"))];
  const [shown, shared] = [matching(state.integrations, state.query), matching(state.shared, state.query)];
  return [
    ...banner(state, say),
    all >= SEARCH_FROM
      ? h("div", { class: "search", key: "search" }, icon("search"), h("input", { type: "search", class: "input", part: "input search", "data-input": "query", value: state.query, "aria-label": say("search"), placeholder: say("search"), autocomplete: "off" }))
      : null,
    shown.length + shared.length === 0 ? h("p", { class: "nothing", key: "nothing" }, say("noMatch", { query: state.query })) : null,
    shown.length > 0 ? h("ul", { class: "providers", role: "list", part: "list", key: "providers" }, shown.map((found) => provider(found, state, look))) : null,
    shared.length > 0 ? sharedList(shared, look) : null,
  ].filter((part): part is Description => part !== null);
}

function banner(state: State, say: Say): Description[] {
  if (state.stale === null) return [];
  return [h("div", { class: "banner", key: "stale" }, notice("warn", state.stale === "offline" ? "offline" : "alert", say(state.stale === "offline" ? "offlineNotice" : "staleNotice")), button({ act: "retry", label: say("retry"), look: "quiet" }))];
}

/** What just happened. Lives in a live region that is always there, so that it is read aloud. */
export function news(state: State, say: Say): Description[] {
  if (state.notice === null) return [];
  const { tone, text } = state.notice;
  return [h("div", { class: "news" }, notice(tone, tone === "good" ? "check" : "alert", text), h("button", { type: "button", class: "dismiss", "data-act": "dismiss", "aria-label": say("dismiss") }, icon("close")))];
}

function skeleton(): Description[] {
  const row = (key: number) => h("li", { class: "provider", key }, h("div", { class: "head" }, h("span", { class: "bone square" }), h("div", { class: "about" }, h("span", { class: "bone short" }), h("span", { class: "bone long" })), h("span", { class: "bone pill" })));
  return [h("ul", { class: "providers skeleton", part: "list skeleton", "aria-hidden": "true", key: "skeleton" }, [0, 1, 2].map(row))];
}

function card(state: State, { say, level }: Look): Description {
  const retry = button({ act: "retry", label: say("retry"), look: "plain" });
  if (state.phase === "offline") return empty(level, "offline", say("offlineTitle"), say("offlineText"), retry);
  if (state.phase === "expired") return empty(level, "lock", say("expiredTitle"), say("expiredText"), retry);
  if (state.phase === "forbidden") return empty(level, "lock", say("forbiddenTitle"), state.detail || say("forbiddenText"), retry);
  return empty(level, "alert", say("errorTitle"), state.detail || say("errorText"), retry);
}

function empty(level: number, sign: IconName, title: string, text: string, action: Child = null): Description {
  return h("div", { class: "empty", part: "empty", key: `empty ${title}` }, h("span", { class: "sign" }, icon(sign)), h(`h${level}`, { class: "title" }, title), h("p", {}, text), action);
}

function provider(found: Integration, state: State, look: Look): Description {
  const { say } = look;
  const count = found.accounts.length;
  const waiting = state.waiting?.slug === found.slug && state.waiting.accountId === null;
  const sort = { slug: found.slug, account: null };
  return h(
    "li",
    { class: "provider", part: "provider", key: found.slug, "data-provider": found.slug },
    h(
      "div",
      { class: "head" },
      picture(found.name, found.slug, look.pictureOf(found)),
      h(
        "div",
        { class: "about" },
        h(`h${look.level}`, { class: "name", part: "name", tabindex: -1, "data-name": found.slug }, h("bdi", {}, found.name)),
        found.description ? h("p", { class: "description", part: "description" }, h("bdi", {}, found.description)) : null,
        found.ownership === "organization" ? h("p", { class: "quiet" }, say("shared")) : null,
      ),
      h(
        "div",
        { class: "side" },
        count === 0 && !waiting ? h("span", { class: "state none", part: "state state-not-connected" }, say("stateNotConnected")) : null,
        waiting ? cancel(found, say) : null,
        waiting && !state.waiting?.closed
          ? button({ ...sort, act: "connect", label: say("waiting"), look: "plain", busy: true })
          : count === 0
            ? found.capabilities.connect && button({ ...sort, act: "connect", label: say("connect"), name: say("connectTo", { provider: found.name }), look: "plain" })
            : found.capabilities.add && button({ ...sort, act: "connect", label: say("addAccount"), name: say("addAccountTo", { provider: found.name }), look: "quiet", sign: "plus" }),
      ),
    ),
    waiting ? waitingLine(found, state, say) : null,
    count > 0 ? h("ul", { class: "accounts", role: "list", part: "accounts" }, found.accounts.map((account) => accountRow(found, account, state, look))) : null,
  );
}

function sharedList(shared: readonly Integration[], look: Look): Description {
  const { say, level } = look;
  return h(
    "div",
    { class: "shared", key: "shared", part: "shared" },
    h(`h${level}`, { class: "title" }, say("sharedTitle")),
    h("p", { class: "quiet" }, say("sharedText")),
    h("ul", { class: "providers", role: "list", part: "list" }, shared.map((found) => sharedRow(found, look))),
  );
}

/** To look at only: what an administrator has connected, and whether it can be used. */
function sharedRow(found: Integration, look: Look): Description {
  const { say } = look;
  return h(
    "li",
    { class: "provider", part: "provider", key: found.slug, "data-shared": found.slug },
    h("div", { class: "head" }, picture(found.name, found.slug, look.pictureOf(found)), h("div", { class: "about" }, h(`h${Math.min(look.level + 1, 6)}`, { class: "name", part: "name" }, h("bdi", {}, found.name)), found.description ? h("p", { class: "description", part: "description" }, h("bdi", {}, found.description)) : null)),
    h(
      "ul",
      { class: "accounts", role: "list", part: "accounts" },
      found.accounts.map((account) => {
        const usable = account.state === "connected";
        return h(
          "li",
          { class: "account", part: "account", key: account.id },
          h("p", { class: "account-name", part: "account-name" }, h("bdi", {}, called(account, found, say)), h("span", { class: `state ${usable ? "good" : "warn"}`, part: `state state-${usable ? "available" : "needs-administrator"}` }, icon(usable ? "check" : "alert"), say(usable ? "stateAvailable" : "stateNeedsAdministrator"))),
        );
      }),
    ),
  );
}

const waitingLine = (found: Integration, state: State, say: Say): Description => h("p", { class: "waiting", key: "waiting" }, icon("window"), say(state.waiting?.closed ? "closedText" : "waitingText", { provider: found.name }));
const cancel = (found: Integration, say: Say): Description => button({ act: "cancel-trip", slug: found.slug, label: say("cancel"), name: say("cancelConnecting", { provider: found.name }), look: "quiet" });

/** What a person calls this account. */
export function called(account: Account, found: Integration, say: Say): string {
  if (account.name || account.identifier) return account.name ?? account.identifier ?? "";
  if (account.authMethod === "api_key") return say("apiKeyAccount");
  if (account.authMethod === "client_credentials") return say("clientAccount");
  return say("accountTitle", { provider: found.name });
}

/** A provider's own numbers tell a person nothing, except which of two accounts of one name it is. */
const tells = (account: Account, found: Integration): boolean => account.identifier?.includes("@") === true || found.accounts.some((other) => other !== account && other.name === account.name);

function accountRow(found: Integration, account: Account, state: State, look: Look): Description {
  const { say } = look;
  const broken = account.state === "needs_reauthorization";
  const waiting = state.waiting?.slug === found.slug && state.waiting.accountId === account.id;
  const name = called(account, found, say);
  const values = { account: name, provider: found.name };
  const facts = [
    account.identifier && account.identifier !== name && tells(account, found) ? h("bdi", {}, account.identifier) : null,
    account.keyLast4 ? say("apiKeyEnding", { last4: account.keyLast4 }) : null,
    account.secretLast4 ? say("clientEnding", { last4: account.secretLast4 }) : null,
    account.createdAt && !broken ? say("connectedOn", { date: day(account.createdAt, look.locale) }) : null,
  ].filter((fact) => fact !== null);
  return h(
    "li",
    { class: `account${broken ? " broken" : ""}`, part: "account", key: account.id, "data-account-row": account.id },
    h(
      "div",
      { class: "line" },
      h(
        "div",
        { class: "who" },
        h("p", { class: "account-name", part: "account-name" }, h("bdi", {}, name), h("span", { class: `state ${broken ? "bad" : "good"}`, part: `state state-${broken ? "needs-reauthorization" : "connected"}` }, icon(broken ? "alert" : "check"), say(broken ? "stateNeedsReauthorization" : "stateConnected"))),
        facts.length > 0 ? h("p", { class: "facts" }, facts.map((fact) => h("span", {}, fact))) : null,
      ),
      h("div", { class: "acts" }, waiting ? cancel(found, say) : null, ...renewals(found, account, waiting && !state.waiting?.closed, values, say), found.capabilities.disconnect && !waiting ? button({ act: "disconnect", slug: found.slug, account: account.id, label: say("disconnect"), name: say("disconnectAccount", values), look: "quiet" }) : null),
    ),
    waiting ? waitingLine(found, state, say) : null,
    warningsOf(found, account, look),
  );
}

function renewals(found: Integration, account: Account, waiting: boolean, values: Record<string, string>, say: Say): Child[] {
  const facts = { slug: found.slug, account: account.id };
  const due = account.state === "needs_reauthorization" || account.missingScopes.length > 0 || account.reauthorizationExpectedAt !== null;
  if (account.authMethod === "oauth") {
    if (waiting) return [button({ ...facts, act: "reauthorize", label: say("waiting"), look: "plain", busy: true })];
    if (!due || !found.capabilities.reauthorize) return [];
    return [button({ ...facts, act: "reauthorize", label: say("reauthorize"), name: say("reauthorizeAccount", values), look: account.state === "connected" ? "plain" : "primary" })];
  }
  if (!found.capabilities.updateCredentials) return [];
  const key = account.authMethod === "api_key";
  const look = account.state === "connected" ? "quiet" : "primary";
  return [button({ ...facts, act: "reauthorize", label: say(key ? "updateKey" : "updateCredentials"), name: say(key ? "updateKeyOf" : "updateCredentialsOf", values), look })];
}

function warningsOf(found: Integration, account: Account, { say, locale }: Look): Description[] {
  const provider = found.name;
  if (account.state === "needs_reauthorization") return [notice("bad", "alert", account.message ?? say(account.authMethod === "oauth" ? "brokenText" : "brokenKeyText", { provider }))];
  const until = day(account.reauthorizationExpectedAt, locale);
  const told = [account.missingScopes.length > 0 ? say("missingScopes", { scopes: account.missingScopes.join(", ") }) : "", until ? say("expectedUntil", { provider, date: until }) : "", ...account.warnings];
  return told.filter(Boolean).map((text) => notice("warn", "alert", text));
}
