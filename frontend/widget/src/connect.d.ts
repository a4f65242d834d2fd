/**
 * One trip to the provider in a window of its own, from the click to the result.
 * The result is always asked of the server: a window may lose its opener, be closed, or live in another process, and none of that matters.
 */
import { type AuthorizeBody } from "./api.ts";
import { type HandoffPorts } from "./handoff.ts";
import type { Started, Status } from "./wire.ts";
export interface Popup {
    readonly closed: boolean;
    readonly location: {
        replace(url: string): void;
    };
    close(): void;
    postMessage(message: unknown, targetOrigin: string): void;
}
export interface ConnectPorts extends HandoffPorts {
    authorize(body: AuthorizeBody): Promise<Started>;
    status(state: string): Promise<Status>;
    /** Resolves after so many milliseconds, or when the signal fires, or when the page is looked at again. */
    wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}
/** severed: the window was opened, and we cannot reach it (the host page's COOP, an in-app browser, or the person closed it). */
export type Result = {
    kind: "connected";
    accountId: string | null;
} | {
    kind: "failed";
    reason: string;
    message: string | null;
} | {
    kind: "severed";
} | {
    kind: "stopped";
};
export declare const POLL = 1500;
/** Milliseconds a link lives; a result later than that cannot come. */
export declare const LIFE: number;
/** `popup` shows the server's waiting page already, opened in the click itself. Raises ApiError when the server refuses to begin. */
export declare function connectIn(popup: Popup, body: Omit<AuthorizeBody, "requireHandoff">, ports: ConnectPorts, signal: AbortSignal): Promise<Result>;
/** Asks until there is a result, the link has ended, or `signal` fires. */
export declare function resultOf(state: string, ports: Pick<ConnectPorts, "status" | "wait">, signal: AbortSignal): Promise<Result>;
