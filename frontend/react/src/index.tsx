/**
 * `<StandpipeConnections>` for React 18 and later: props become the element's properties, its events call functions.
 * Functions and arrays may be written inline: a new one on every render does not load the list again.
 */

import "@standpipe/connections";
import type { Filter, Integration, Messages, StandpipeConnections as Element, StandpipeEventName, StandpipeEvents, Theme, TokenProvider } from "@standpipe/connections";
import { createElement, type CSSProperties, forwardRef, useEffect, useImperativeHandle, useRef } from "react";

export type { Filter, Integration, Messages, StandpipeEvents, Theme, TokenProvider };
export type StandpipeConnectionsElement = Element;

type Told<Name extends StandpipeEventName> = (detail: StandpipeEvents[Name]) => void;

export interface StandpipeConnectionsProps {
  token: TokenProvider;
  baseUrl: string;
  filter?: Filter;
  shared?: boolean;
  theme?: Theme;
  locale?: string;
  dir?: "ltr" | "rtl" | "auto";
  messages?: Messages;
  returnTo?: string;
  headingLevel?: number;
  id?: string;
  className?: string;
  style?: CSSProperties;
  onLoaded?: Told<"standpipe-loaded">;
  onConnected?: Told<"standpipe-connected">;
  onFailed?: Told<"standpipe-failed">;
  onDisconnected?: Told<"standpipe-disconnected">;
  onTokenExpired?: Told<"standpipe-token-expired">;
  onError?: Told<"standpipe-error">;
}

export const StandpipeConnections = forwardRef<Element, StandpipeConnectionsProps>(function StandpipeConnections(props, ref) {
  const element = useRef<Element>(null);
  const latest = useRef(props);
  latest.current = props;
  useImperativeHandle(ref, () => element.current as Element, []);

  const { messages, filter } = props;
  const token = typeof props.token === "function" ? "function" : props.token;
  const filtered = typeof filter === "function" ? "function" : Array.isArray(filter) ? filter.join(",") : ((filter as string | null | undefined) ?? null);

  useEffect(() => {
    if (!element.current) return;
    element.current.token = token === "function" ? () => ask(latest.current.token) : token;
  }, [token]);
  useEffect(() => {
    if (!element.current) return;
    element.current.filter = filtered === "function" ? (found) => keeps(latest.current.filter, found) : filtered;
  }, [filtered]);
  useEffect(() => {
    if (element.current) element.current.messages = messages ?? {};
  }, [messages]);
  useEffect(() => {
    const given = element.current;
    if (!given) return;
    const ended = new AbortController();
    const tell = <Name extends StandpipeEventName>(name: Name, called: (props: StandpipeConnectionsProps) => Told<Name> | undefined) =>
      given.addEventListener(name, (event) => called(latest.current)?.((event as CustomEvent<StandpipeEvents[Name]>).detail), { signal: ended.signal });
    tell("standpipe-loaded", ({ onLoaded }) => onLoaded);
    tell("standpipe-connected", ({ onConnected }) => onConnected);
    tell("standpipe-failed", ({ onFailed }) => onFailed);
    tell("standpipe-disconnected", ({ onDisconnected }) => onDisconnected);
    tell("standpipe-token-expired", ({ onTokenExpired }) => onTokenExpired);
    tell("standpipe-error", ({ onError }) => onError);
    return () => ended.abort();
  }, []);

  const { baseUrl, shared, theme, locale, dir, returnTo, headingLevel, id, className, style } = props;
  return createElement("standpipe-connections", { ref: element, "base-url": baseUrl, shared: shared ? "" : undefined, theme, locale, dir, "return-to": returnTo, "heading-level": headingLevel, id, class: className, style });
});

async function ask(token: TokenProvider): Promise<string> {
  return typeof token === "function" ? token() : token;
}

function keeps(filter: Filter | undefined, found: Integration): boolean {
  return typeof filter === "function" ? filter(found) : true;
}
