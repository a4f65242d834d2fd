/**
 * Trips to a provider: in a window of their own; in a new tab or this one, when there may be no window or it cannot be reached.
 * At most one is under way; a new one ends the one before.
 */
import { type Controller } from "./controller.ts";
import type { ConnectDialog } from "./state.ts";
import type { Integration } from "./wire.ts";
export interface Trip {
    found: Integration;
    accountId: string | null;
    intent: ConnectDialog["intent"];
    config: Record<string, string>;
    name: string;
}
export declare class Trips {
    #private;
    private readonly controller;
    constructor(controller: Controller);
    stop(): void;
    /** Called in the click itself. */
    go(trip: Trip): Promise<void>;
    /** The offered link was followed. */
    follow(): Promise<void>;
    /** On in this tab: the page is left, and the result told by the next one (`resume`). */
    leave(): Promise<void>;
    /** Back on a page that was left for a trip: tells how it ended. */
    resume(): Promise<void>;
}
