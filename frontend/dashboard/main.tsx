/** The dashboard: its frame, who is signed in, and which page is shown. */
import "./dashboard.css";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, onSignedOut, send, useToken, type Refused } from "./api.ts";
import { Icon, type IconName } from "./icons.tsx";
import { Audit } from "./pages/audit.tsx";
import { ConnectionPage } from "./pages/connection.tsx";
import { Connections } from "./pages/connections.tsx";
import { Events } from "./pages/events.tsx";
import { Keys } from "./pages/keys.tsx";
import { Overview } from "./pages/overview.tsx";
import { Providers } from "./pages/providers.tsx";
import { Settings } from "./pages/settings.tsx";
import { SignedOut, SignIn } from "./pages/sign-in.tsx";
import { Simulator } from "./pages/simulator.tsx";
import { onLink, usePlace, type Place } from "./router.ts";
import { SessionContext, type Session } from "./session.ts";
import { applyTheme, nextTheme, theme } from "./theme.ts";
import { Badge, Empty, Failed, IconButton, Skeleton, Toasts } from "./ui.tsx";
import { actorWord } from "./words.ts";

const PAGES: [string, string, IconName][] = [
  ["overview", "Overview", "gauge"],
  ["providers", "Providers", "plug"],
  ["connections", "Connections", "link"],
  ["events", "Events", "activity"],
  ["keys", "API keys", "key"],
  ["audit", "Audit", "scroll"],
  ["settings", "Settings", "settings"],
];

function page(place: Place) {
  switch (place.page) {
    case "overview":
      return <Overview />;
    case "providers":
      return <Providers what={place.what} />;
    case "connections":
      return place.what ? <ConnectionPage key={place.what} reference={place.what} /> : <Connections query={place.query} />;
    case "events":
      return <Events what={place.what} query={place.query} />;
    case "keys":
      return <Keys />;
    case "audit":
      return <Audit />;
    case "settings":
      return <Settings />;
    case "simulator":
      return <Simulator />;
  }
  return (
    <Empty icon="search" title="There is no such page">
      <a href="/dashboard">Back to the overview</a>
    </Empty>
  );
}

function Brand({ session }: { session: Session }) {
  return (
    <div class="brand">
      <span class="brand-mark">
        <Icon name="plug" />
      </span>
      <div>
        Standpipe
        <small>{session.app_name}</small>
      </div>
    </div>
  );
}

function Frame({ session }: { session: Session }) {
  const place = usePlace();
  const [open, setOpen] = useState(false);
  const [look, setLook] = useState(theme());
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const title = PAGES.find(([name]) => name === place.page)?.[1] ?? "Simulator";
  useEffect(() => {
    document.title = `${title} · Standpipe`;
    setOpen(false);
    if (first.current) first.current = false;
    else {
      scrollTo(0, 0);
      main.current?.querySelector<HTMLElement>("h1")?.focus();
    }
  }, [place.page, place.what]);
  const pages: typeof PAGES = session.environment === "sandbox" ? [...PAGES, ["simulator", "Simulator", "flask"]] : PAGES;
  return (
    <div class="frame" onClick={onLink}>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="topbar">
        <Brand session={session} />
        <Badge tone={session.environment === "sandbox" ? "warning" : "accent"}>{session.stage}</Badge>
        <IconButton icon={open ? "x" : "menu"} label={open ? "Close the menu" : "Open the menu"} aria-expanded={open} aria-controls="side" onClick={() => setOpen(!open)} />
      </header>
      <aside class={open ? "side open" : "side"} id="side" aria-label="Menu and session">
        <Brand session={session} />
        <nav class="nav" aria-label="Pages">
          {pages.map(([name, word, icon]) => (
            <a key={name} href={name === "overview" ? "/dashboard" : `/dashboard/${name}`} aria-current={place.page === name ? "page" : undefined}>
              <Icon name={icon} />
              {word}
            </a>
          ))}
        </nav>
        <div class="side-foot">
          <div class="row">
            <span>
              <Badge tone={session.environment === "sandbox" ? "warning" : "accent"}>{session.environment}</Badge> {session.stage}
            </span>
          </div>
          <div class="row">
            <span title={session.actor}>
              {actorWord(session.actor)}
              {session.role === "viewer" ? " (may look only)" : ""}
            </span>
          </div>
          <div class="row">
            <IconButton icon={look === "dark" ? "sun" : "moon"} label={look === "dark" ? "Light colours" : "Dark colours"} onClick={() => setLook(nextTheme())} />
            <IconButton icon="logOut" label="Sign out" onClick={() => void send("POST", "/sign-out").then(() => location.assign("/dashboard"))} />
          </div>
        </div>
      </aside>
      <main class="main" id="main" ref={main} tabIndex={-1}>
        {page(place)}
      </main>
      <Toasts />
    </div>
  );
}

function Dashboard() {
  const [session, set] = useState<Session | null>(null);
  const [error, fail] = useState<Refused | null>(null);
  const [out, setOut] = useState(false);
  const load = () => {
    fail(null);
    get<Session>("/session").then(
      (found) => {
        useToken(found.csrf);
        set(found);
        setOut(false);
      },
      (refused: Refused) => refused.status !== 401 && fail(refused),
    );
  };
  useEffect(() => {
    onSignedOut(() => setOut(true));
    load();
  }, []);
  if (out) return <SignedOut />;
  if (error)
    return (
      <div class="gate">
        <main class="card">
          <Failed error={error} retry={load} />
        </main>
      </div>
    );
  return session ? (
    <SessionContext.Provider value={session}>
      <Frame session={session} />
    </SessionContext.Provider>
  ) : (
    <Skeleton rows={6} />
  );
}

applyTheme();
const root = document.getElementById("dashboard");
if (root) render(location.pathname === "/dashboard/sign-in" ? <SignIn /> : <Dashboard />, root);
