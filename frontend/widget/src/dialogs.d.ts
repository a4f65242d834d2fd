/** What is asked in a dialog: how to connect, whether to disconnect, where to go on when the window could not be used. */
import { type Description } from "./dom.ts";
import { type State } from "./state.ts";
import { type Look } from "./view.ts";
/** The name of the field an account's name is entered in; no provider's config field may begin with an underscore. */
export declare const ACCOUNT_NAME = "_account_name";
export declare function dialog(state: State, look: Look): Description[];
