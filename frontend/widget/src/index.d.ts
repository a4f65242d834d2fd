/** The package: importing it defines `<standpipe-connections>`. */
export { define, type Filter, StandpipeConnections, type Theme } from "./element.ts";
export type { StandpipeEvent, StandpipeEventName, StandpipeEvents } from "./events.ts";
export { ENGLISH, type MessageName, type Messages } from "./messages.ts";
export type { Phase } from "./state.ts";
export type { TokenProvider } from "./token.ts";
export type { Account, AccountState, AuthMethod, Capabilities, ConfigField, Integration, Revocation } from "./wire.ts";
