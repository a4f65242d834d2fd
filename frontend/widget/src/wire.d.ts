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
export type Status = {
    done: false;
} | {
    done: true;
    kind: string;
    message: string | null;
    accountId: string | null;
};
export type Revocation = "revoked" | "failed" | "unsupported";
type Json = Record<string, unknown>;
export declare const record: (value: unknown) => Json;
/** The widget's list; rows without id or slug are passed over. */
export declare function readIntegrations(answer: unknown): Integration[];
/** Raises TypeError when the answer lacks what the next step needs. */
export declare function readStarted(answer: unknown): Started;
/** `outcome` is a word, or an object with `kind`. */
export declare function readStatus(answer: unknown): Status;
export declare function readRevocation(answer: unknown): Revocation;
/** http or https only: an address from an answer is never run as a script. */
export declare function isWebAddress(url: string, base?: string): boolean;
export {};
