/**
 * Proof that the window we opened is the one that goes to the provider: our page there must be told a secret by its opener, and say so.
 * Only that window, at exactly the address we sent it to, is talked to or believed; whoever else posts messages is not heard.
 */
export interface Handoff {
    /** The window that was opened. */
    popup: {
        postMessage(message: unknown, targetOrigin: string): void;
    };
    /** Where it was sent. */
    url: string;
    handoffToken: string;
    redirectToken: string;
}
export interface HandoffPorts {
    /** Calls back for every message this page receives; returns how to stop. */
    listen(heard: (message: {
        origin: string;
        source: unknown;
        data: unknown;
    }) => void): () => void;
    /** Calls back every so many milliseconds; returns how to stop. */
    every(milliseconds: number, tick: () => void): () => void;
}
export declare const INTERVAL = 100;
export declare const TIMES = 100;
export declare const HANDOFF_PORTS: HandoffPorts;
/** "taken": the page has it. "silent": it never answered. "stopped": `signal` fired first. */
export declare function handOff(given: Handoff, ports: HandoffPorts, signal: AbortSignal): Promise<"taken" | "silent" | "stopped">;
