/** `<standpipe-connections>`: attributes and properties in, events out, and the page's clicks brought to the controller. */
import { type Messages } from "./messages.ts";
import { type Phase } from "./state.ts";
import { type TokenProvider } from "./token.ts";
import { type Integration } from "./wire.ts";
export type Filter = string | readonly string[] | ((integration: Integration) => boolean) | null;
export type Theme = "light" | "dark" | "auto";
declare const Base: typeof HTMLElement;
export declare class StandpipeConnections extends Base {
    #private;
    static readonly observedAttributes: string[];
    /** A widget token, or a function that gets one from the page's own backend; it is asked again before the token ends. */
    get token(): TokenProvider | null;
    set token(token: TokenProvider | null);
    /** Address of the Standpipe deployment. */
    get baseUrl(): string;
    set baseUrl(url: string);
    /** Slugs to show, in this order ("github, slack"), or a function that decides. */
    get filter(): Filter;
    set filter(filter: Filter);
    get theme(): Theme;
    set theme(theme: Theme);
    /** For dates and the direction of writing; without it the page's language. */
    get locale(): string;
    set locale(locale: string);
    /** Words to show instead of the English ones. */
    get messages(): Messages;
    set messages(messages: Messages);
    /** Where a trip in this tab comes back to; must be a registered return URL. Without it this page. */
    get returnTo(): string;
    set returnTo(url: string);
    get phase(): Phase;
    /** Loads the list again. */
    refresh(): Promise<void>;
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(name: string, old: string | null, value: string | null): void;
}
/** Makes the element known to the page; safe to call twice, and on a server. */
export declare function define(name?: string): void;
declare global {
    interface HTMLElementTagNameMap {
        "standpipe-connections": StandpipeConnections;
    }
}
export {};
