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
    query: string;
    notice: Notice | null;
    /** The list is older than the last try to renew it. */
    stale: "offline" | "failed" | null;
    /** The trip under way: at most one. */
    waiting: {
        slug: string;
        accountId: string | null;
        closed: boolean;
    } | null;
    dialog: Dialog | null;
}
export declare const START: State;
/** From how many integrations on there is a search field. */
export declare const SEARCH_FROM = 9;
export declare function matching(state: State): readonly Integration[];
/** The methods to choose from, or the one an existing account has. */
export declare function methodsOf(found: Integration, account: Account | undefined): readonly AuthMethod[];
/** What a form asks for, in order. Config fields are asked for when a connection is made; one that is made again keeps them. */
export declare function fieldsOf(found: Integration, dialog: ConnectDialog): ConfigField[];
/** "missing" or "wrong", by field name. A pattern no browser understands is left to the server. */
export declare function check(fields: readonly ConfigField[], values: Record<string, string>): Record<string, "missing" | "wrong">;
