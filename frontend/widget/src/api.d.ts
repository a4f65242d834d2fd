/**
 * The server's private widget API. Calls are made with the widget token alone: no cookies, so nothing here can be forged by another site
 * or stopped by a browser that blocks third-party cookies.
 */
import { type TokenSource } from "./token.ts";
import { type Integration, type Revocation, type Started, type Status } from "./wire.ts";
/** offline: no answer · expired: the token is dead · forbidden: a live token may not · refused: the server said what is wrong · failed: it could not. */
export type ErrorKind = "offline" | "expired" | "forbidden" | "refused" | "failed";
export declare class ApiError extends Error {
    readonly kind: ErrorKind;
    readonly code: string | null;
    /** Names of the fields the server did not like. */
    readonly fields: readonly string[];
    constructor(kind: ErrorKind, message?: string, code?: string | null, 
    /** Names of the fields the server did not like. */
    fields?: readonly string[]);
}
export interface AuthorizeBody {
    requireHandoff: boolean;
    return_to?: string;
    config?: Record<string, string>;
    connection_intent?: "add" | "reauthorize";
    connected_account_id?: string;
    account_display_name?: string;
}
export interface CredentialBody extends Omit<AuthorizeBody, "requireHandoff" | "return_to"> {
    secret?: string;
    client_id?: string;
    client_secret?: string;
}
export interface Ports {
    fetch: typeof fetch;
    online(): boolean;
    wait(milliseconds: number): Promise<void>;
}
export declare const PORTS: Ports;
export declare class Api {
    #private;
    private readonly base;
    private readonly token;
    private readonly ports;
    constructor(base: string, token: TokenSource, ports?: Ports);
    integrations(): Promise<Integration[]>;
    authorize(slug: string, body: AuthorizeBody): Promise<Started>;
    status(slug: string, state: string): Promise<Status>;
    putKey(slug: string, body: CredentialBody): Promise<string | null>;
    putCredentials(slug: string, body: CredentialBody): Promise<string | null>;
    disconnect(accountId: string): Promise<Revocation>;
}
