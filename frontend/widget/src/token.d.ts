/**
 * Where the widget token comes from: a string, or the host's function, asked again before the token ends.
 * The token is kept in memory only, and read for nothing but its end; the server alone judges it.
 */
export type TokenProvider = string | (() => string | Promise<string>);
/** Seconds before its end at which a token is replaced. */
export declare const AHEAD = 30;
export declare class TokenError extends Error {
}
/** `exp` of a JWT, in seconds since 1970; null if it has none that can be read. */
export declare function expiryOf(token: string): number | null;
export declare class TokenSource {
    #private;
    private readonly provider;
    private readonly now;
    constructor(provider: TokenProvider, now?: () => number);
    /** Can a refused token be replaced by asking again? */
    get renewable(): boolean;
    /** A token with time left. Many callers at once ask the host once. Raises TokenError. */
    get(): Promise<string>;
    /** The server refused `token`. If that is still the one held, the next `get` asks anew. */
    refused(token: string): void;
}
