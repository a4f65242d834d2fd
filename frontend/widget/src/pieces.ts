/** Small parts the views are made of: icons, buttons, fields. */

import { type Child, type Description, h } from "./dom.ts";
import type { Say } from "./messages.ts";
import type { ConfigField } from "./wire.ts";

const ICONS = {
  check: "M5 12.5l4.5 4.5L19 7.5",
  alert: "M12 7.5v5.5M12 16.4v.1M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  search: "M20 20l-4.2-4.2M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z",
  plug: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
  offline: "M3 3l18 18M8.5 15.6a5 5 0 0 1 5.6-1M5 12a10 10 0 0 1 4.5-2.5M13.5 9.2A10 10 0 0 1 19 12M12 19.2v.1",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M5.5 11h13v9h-13z",
  window: "M4 5h16v14H4zM4 9.5h16",
} as const;
export type IconName = keyof typeof ICONS;

export const icon = (name: IconName): Description => h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", focusable: "false" }, h("path", { d: ICONS[name] }));

export interface ButtonFacts {
  act: string;
  label: string;
  /** For screen readers, starting with the visible words. */
  name?: string;
  look?: "primary" | "plain" | "quiet" | "danger";
  slug?: string;
  account?: string | null;
  sign?: IconName;
  busy?: boolean;
  submit?: boolean;
}

/** Busy is told by aria-disabled, not `disabled`: a button must not lose the focus while it works. */
export function button(facts: ButtonFacts): Description {
  const look = facts.look ?? "plain";
  return h(
    "button",
    {
      key: `${facts.act} ${facts.account ?? ""}`,
      type: facts.submit ? "submit" : "button",
      class: `button ${look}`,
      part: `button ${look}-button`,
      "data-act": facts.act,
      "data-slug": facts.slug,
      "data-account": facts.account,
      "aria-label": facts.name && facts.name !== facts.label ? facts.name : null,
      "aria-disabled": facts.busy ? "true" : null,
    },
    facts.busy ? h("span", { class: "spinner", "aria-hidden": "true" }) : facts.sign ? icon(facts.sign) : null,
    h("span", {}, facts.label),
  );
}

/** A provider's picture, or its first letter. `broken`: addresses that did not load. */
export function picture(name: string, slug: string, url: string | null): Description {
  if (url !== null) return h("span", { class: "picture", part: "icon", key: "picture" }, h("img", { src: url, alt: "", width: 24, height: 24, loading: "lazy", referrerpolicy: "no-referrer", "data-src": url }));
  const hue = [...slug].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 6, 0);
  return h("span", { class: `picture letter hue${hue}`, part: "icon", key: "picture", "aria-hidden": "true" }, [...name.trim()][0]?.toUpperCase() ?? "?");
}

export function notice(tone: string, sign: IconName, ...children: Child[]): Description {
  return h("div", { class: `notice ${tone}`, part: `notice notice-${tone}` }, icon(sign), h("p", {}, ...children));
}

export interface FieldFacts {
  field: ConfigField;
  label: string;
  hint: string | null;
  value: string;
  problem: string | undefined;
  revealed: boolean;
  busy: boolean;
  first: boolean;
}

/** A labelled text field with its hint, its example and what is wrong with it. */
export function input(say: Say, facts: FieldFacts): Description {
  const { field, problem } = facts;
  const id = `field-${field.name}`;
  const example = field.example !== null && !field.secret ? say("example", { example: field.example }) : null;
  const hints = [facts.hint, example].filter((hint) => hint !== null);
  return h(
    "div",
    { class: "field", key: field.name, part: "field" },
    h("label", { for: id }, facts.label, field.required ? null : h("span", { class: "quiet" }, ` (${say("optional")})`)),
    h(
      "div",
      { class: "entry" },
      h("input", {
        id,
        name: field.name,
        class: "input",
        part: "input",
        type: field.secret && !facts.revealed ? "password" : "text",
        value: facts.value,
        placeholder: field.secret ? field.example : null,
        autocomplete: field.secret ? "new-password" : "off",
        autocapitalize: "none",
        spellcheck: "false",
        dir: "auto",
        autofocus: facts.first,
        readonly: facts.busy,
        "aria-required": field.required ? "true" : null,
        "aria-invalid": problem ? "true" : null,
        "aria-describedby": [hints.length > 0 && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || null,
      }),
      field.secret
        ? h(
            "button",
            { type: "button", class: "reveal", "data-act": "reveal", "data-field": field.name, "aria-label": say(facts.revealed ? "concealLabel" : "revealLabel", { field: facts.label }) },
            say(facts.revealed ? "conceal" : "reveal"),
          )
        : null,
    ),
    hints.length > 0
      ? h(
          "div",
          { class: "hint", id: `${id}-hint` },
          hints.map((hint) => h("p", {}, hint)),
        )
      : null,
    problem ? h("p", { class: "wrong", id: `${id}-problem` }, icon("alert"), problem) : null,
  );
}
