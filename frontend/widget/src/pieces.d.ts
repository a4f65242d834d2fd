/** Small parts the views are made of: icons, buttons, fields. */
import { type Child, type Description } from "./dom.ts";
import type { Say } from "./messages.ts";
import type { ConfigField } from "./wire.ts";
declare const ICONS: {
    readonly check: "M5 12.5l4.5 4.5L19 7.5";
    readonly alert: "M12 7.5v5.5M12 16.4v.1M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z";
    readonly plus: "M12 5v14M5 12h14";
    readonly close: "M6 6l12 12M18 6L6 18";
    readonly search: "M20 20l-4.2-4.2M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z";
    readonly plug: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4";
    readonly offline: "M3 3l18 18M8.5 15.6a5 5 0 0 1 5.6-1M5 12a10 10 0 0 1 4.5-2.5M13.5 9.2A10 10 0 0 1 19 12M12 19.2v.1";
    readonly lock: "M7 11V8a5 5 0 0 1 10 0v3M5.5 11h13v9h-13z";
    readonly window: "M4 5h16v14H4zM4 9.5h16";
};
export type IconName = keyof typeof ICONS;
export declare const icon: (name: IconName) => Description;
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
export declare function button(facts: ButtonFacts): Description;
/** A provider's picture, or its first letter. `broken`: addresses that did not load. */
export declare function picture(name: string, slug: string, url: string | null): Description;
export declare function notice(tone: string, sign: IconName, ...children: Child[]): Description;
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
export declare function input(say: Say, facts: FieldFacts): Description;
export {};
