/** The list: every provider with its accounts, what is wrong with them, and what can be done. */
import { type Description } from "./dom.ts";
import { type Say } from "./messages.ts";
import { type State } from "./state.ts";
import type { Account, Integration } from "./wire.ts";
export interface Look {
    say: Say;
    locale: string;
    /** A provider's picture that can be shown, or null. */
    pictureOf(found: Integration): string | null;
}
export declare function list(state: State, look: Look): Description[];
/** What just happened. Lives in a live region that is always there, so that it is read aloud. */
export declare function news(state: State, say: Say): Description[];
/** What a person calls this account. */
export declare function called(account: Account, found: Integration, say: Say): string;
