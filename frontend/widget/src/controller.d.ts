/** What happens when: loading, the forms, disconnecting. Owns the state; knows no elements. Trips to a provider are in trips.ts. */
import { Api, type CredentialBody } from "./api.ts";
import type { StandpipeEventName, StandpipeEvents } from "./events.ts";
import type { MessageName, Say } from "./messages.ts";
import { type ConnectDialog, type Dialog, type Notice, type State } from "./state.ts";
import { Trips } from "./trips.ts";
import type { AuthMethod, Integration } from "./wire.ts";
export interface Host {
    /** Shows the state; `focus` names a provider to put the focus on if nothing else has it. */
    render(state: State, focus?: string): void;
    emit<Name extends StandpipeEventName>(name: Name, detail: StandpipeEvents[Name]): void;
    say: Say;
    /** The integrations to show, in their order. */
    arrange(all: Integration[]): Integration[];
    /** Where a trip in this tab comes back to. */
    returnTo(): string;
}
export declare class Controller {
    #private;
    readonly host: Host;
    readonly api: Api;
    readonly base: string;
    state: State;
    readonly trips: Trips;
    constructor(host: Host, api: Api, base: string);
    set(change: Partial<State>, focus?: string): void;
    /** Changes the open dialog, if it still is the one that was meant. */
    setDialog<Kind extends Dialog["kind"]>(kind: Kind, change: Partial<Extract<Dialog, {
        kind: Kind;
    }>>): void;
    find(slug: string): Integration | undefined;
    /** Loads the list. What is shown stays while it is loaded again, and if that fails. */
    load(focus?: string): Promise<void>;
    notify(tone: Notice["tone"], name: MessageName, values: Record<string, string>): void;
    /** What to tell the person about a call that failed. */
    problem(error: unknown): string;
    /** Connect, add or reauthorize was clicked. Stays synchronous up to the window's opening: browsers allow one for a click only. */
    begin(slug: string, accountId: string | null): void;
    choose(method: AuthMethod): void;
    reveal(name: string): void;
    close(): void;
    /** The connect dialog was submitted with these values. Returns the first field that is wrong. */
    submit(values: Record<string, string>): string | null;
    askToDisconnect(slug: string, accountId: string): void;
    disconnect(): Promise<void>;
}
/** What a request says about the account it is for. */
export declare function details(trip: {
    intent: ConnectDialog["intent"];
    accountId: string | null;
}, config: Record<string, string>, name: string): Omit<CredentialBody, "secret" | "client_id" | "client_secret">;
