/** What the element tells its page. Ids and words only, never a token; every event bubbles and leaves the shadow root. */
import type { Integration, Revocation } from "./wire.ts";
export interface StandpipeEvents {
    /** The list was loaded, or loaded again. */
    "standpipe-loaded": {
        integrations: readonly Integration[];
    };
    /** An account was connected, or connected again. */
    "standpipe-connected": {
        provider: string;
        connectedAccountId: string | null;
        reauthorized: boolean;
    };
    /** A connect trip ended without a connection; `reason` is a machine word such as "declined". */
    "standpipe-failed": {
        provider: string;
        reason: string;
    };
    "standpipe-disconnected": {
        provider: string;
        connectedAccountId: string;
        revocation: Revocation;
    };
    /** No live token is to be had: set a new one. */
    "standpipe-token-expired": Record<string, never>;
    /** The list could not be loaded. */
    "standpipe-error": {
        kind: "offline" | "expired" | "forbidden" | "refused" | "failed";
        message: string;
    };
}
export type StandpipeEventName = keyof StandpipeEvents;
export type StandpipeEvent<Name extends StandpipeEventName> = CustomEvent<StandpipeEvents[Name]>;
