/** Addresses of the dashboard: `/dashboard/<page>/<what>?<filter>`. */
import { useEffect, useState } from "preact/hooks";

export interface Place {
  page: string;
  what: string | null;
  query: URLSearchParams;
}

export function placeOf(location: Location): Place {
  const [, page = "", what = null] = location.pathname.replace(/^\/dashboard/, "").split("/");
  return { page: page || "overview", what: what ? decodeURIComponent(what) : null, query: new URLSearchParams(location.search) };
}

export function go(path: string, { replace = false } = {}): void {
  history[replace ? "replaceState" : "pushState"](null, "", `/dashboard${path}`);
  dispatchEvent(new PopStateEvent("popstate"));
}

export function usePlace(): Place {
  const [place, set] = useState(() => placeOf(location));
  useEffect(() => {
    const moved = () => set(placeOf(location));
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);
  return place;
}

/** For links: a plain click stays in this page, any other is the browser's. */
export function onLink(event: MouseEvent): void {
  const anchor = (event.target as Element).closest("a");
  if (!anchor || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || anchor.target) return;
  const url = new URL(anchor.href);
  if (url.origin !== location.origin || !url.pathname.startsWith("/dashboard")) return;
  event.preventDefault();
  go(url.pathname.replace(/^\/dashboard/, "") + url.search);
}
