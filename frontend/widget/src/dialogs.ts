/** What is asked in a dialog: how to connect, whether to disconnect, where to go on when the window could not be used. */

import { type Description, h } from "./dom.ts";
import type { MessageName, Say } from "./messages.ts";
import { button, icon, input, notice, picture } from "./pieces.ts";
import { type ConnectDialog, type ContinueDialog, type DisconnectDialog, fieldsOf, methodsOf, type State } from "./state.ts";
import { called, type Look } from "./view.ts";
import type { AuthMethod, ConfigField, Integration } from "./wire.ts";

const METHOD: Record<AuthMethod, MessageName> = { oauth: "methodOauth", api_key: "methodApiKey", client_credentials: "methodClientCredentials" };

/** The name of the field an account's name is entered in; no provider's config field may begin with an underscore. */
export const ACCOUNT_NAME = "_account_name";

export function dialog(state: State, look: Look): Description[] {
  const open = state.dialog;
  const found = state.integrations.find((integration) => integration.slug === open?.slug);
  if (open === null || found === undefined) return [];
  if (open.kind === "connect") return [connectForm(open, found, look)];
  if (open.kind === "disconnect") return [disconnectForm(open, found, look)];
  return [continueForm(open, found, look)];
}

function frame(kind: string, title: string, found: Integration, look: Look, body: (Description | null)[], buttons: (Description | null)[]): Description {
  return h(
    "form",
    { class: "form", key: kind, "data-form": kind, novalidate: true, autocomplete: "off" },
    h("header", {}, picture(found.name, found.slug, look.pictureOf(found)), h("h2", { id: "dialog-title", tabindex: -1 }, title), h("button", { type: "button", class: "dismiss", "data-act": "close", "aria-label": look.say("close") }, icon("close"))),
    h("div", { class: "body" }, body),
    h("footer", {}, buttons),
  );
}

const trouble = (problem: string | null): Description => h("div", { role: "alert", key: "trouble" }, problem ? notice("bad", "alert", problem) : null);

function connectForm(open: ConnectDialog, found: Integration, look: Look): Description {
  const { say } = look;
  const provider = found.name;
  const account = found.accounts.find(({ id }) => id === open.accountId);
  const methods = methodsOf(found, account);
  const fields = fieldsOf(found, open);
  const title = say(open.intent === "add" ? "addTitle" : open.intent === "reauthorize" ? "reauthorizeTitle" : "connectTitle", { provider });
  const named = open.intent === "add" ? [nameField()] : [];
  const asked = [...fields, ...named];
  return frame(
    "connect",
    title,
    found,
    look,
    [
      trouble(open.problem),
      methods.length > 1
        ? h(
            "fieldset",
            { class: "methods" },
            h("legend", {}, say("methodLegend")),
            methods.map((method) =>
              h("label", { class: "method", key: method }, h("input", { type: "radio", name: "_method", value: method, checked: method === open.method, "data-input": "method" }), h("span", {}, say(METHOD[method], { provider }))),
            ),
          )
        : null,
      ...asked.map((field, index) =>
        input(say, {
          field,
          label: labelOf(field, found, say),
          hint: field.name === ACCOUNT_NAME ? say("accountNameText") : [field.description, field.secret ? say("secretText") : null].filter(Boolean).join(" ") || null,
          value: found.config[field.name] ?? field.default ?? "",
          problem: open.problems[field.name],
          revealed: open.revealed.includes(field.name),
          busy: open.busy,
          first: index === 0 && methods.length === 1,
        }),
      ),
      open.method === "oauth" ? h("p", { class: "quiet", key: "oauth" }, say("oauthText", { provider })) : null,
    ],
    [
      button({ act: "close", label: say("cancel") }),
      open.method === "oauth"
        ? button({ act: "submit", label: say("continueTo", { provider }), look: "primary", submit: true })
        : button({ act: "submit", label: say(open.busy ? "saving" : open.intent === "reauthorize" ? "save" : "connect"), look: "primary", submit: true, busy: open.busy }),
    ],
  );
}

function labelOf(field: ConfigField, found: Integration, say: Say): string {
  if (field.name === ACCOUNT_NAME) return say("accountNameLabel");
  if (field.label && field.label !== field.name) return field.label;
  if (field === found.apiKey) return say("apiKeyLabel");
  if (field === found.clientId) return say("clientIdLabel");
  if (field === found.clientSecret) return say("clientSecretLabel");
  return field.name;
}

const nameField = (): ConfigField => ({ name: ACCOUNT_NAME, label: "", description: null, pattern: null, example: null, default: null, required: false, secret: false });

function disconnectForm(open: DisconnectDialog, found: Integration, look: Look): Description {
  const { say } = look;
  const account = found.accounts.find(({ id }) => id === open.accountId);
  const values = { provider: found.name, account: account ? called(account, found, say) : say("anonymousAccount") };
  return frame(
    "disconnect",
    say("disconnectTitle", values),
    found,
    look,
    [trouble(open.problem), h("p", { key: "text" }, say(account && account.authMethod !== "oauth" ? "disconnectSecretText" : "disconnectText", values))],
    [button({ act: "close", label: say("cancel") }), button({ act: "submit", label: say(open.busy ? "disconnecting" : "disconnect"), look: "danger", submit: true, busy: open.busy })],
  );
}

function continueForm(open: ContinueDialog, found: Integration, look: Look): Description {
  const { say } = look;
  const provider = found.name;
  const link = open.url
    ? h("a", { key: "link", class: "button primary", part: "button primary-button", href: open.url, target: "_blank", rel: "noopener noreferrer", "data-act": "tab", "data-slug": found.slug }, icon("window"), h("span", {}, say("openTab")))
    : button({ act: "none", label: say("preparing"), look: "primary", busy: true });
  return frame(
    "continue",
    say(open.why === "blocked" ? "blockedTitle" : "severedTitle"),
    found,
    look,
    [trouble(open.problem), h("p", { key: "text" }, say(open.why === "blocked" ? "blockedText" : "severedText", { provider }))],
    [open.sameTab ? button({ act: "same-tab", label: say("sameTab"), busy: open.busy }) : null, open.problem && !open.url ? null : link],
  );
}
