/** Connections, found by whose they are, by provider or by id. A page at a time, however many there are. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get, Refused } from "../api.ts";
import { Icon } from "../icons.tsx";
import { go } from "../router.ts";
import { Badge, Button, Card, Empty, Failed, Field, Header, Mark, Skeleton, Time, useLoad } from "../ui.tsx";
import { HEALTH, count } from "../words.ts";

export interface Connection {
  reference: string;
  id: string;
  slug: string;
  provider: string;
  user_id: string | null;
  organization_id: string | null;
  account: string;
  role: string;
  auth_method: string;
  display_name: string | null;
  external_name: string | null;
  external_account_id: string | null;
  state: string;
  reason: string | null;
  reason_text: string | null;
  health: string;
  generation: number;
  refreshable: boolean;
  scopes_granted: string[];
  missing_scopes: string[];
  failures: number;
  failing_since: string | null;
  last_error: string | null;
  retry_at: string | null;
  expires_at: string | null;
  refresh_due_at: string | null;
  reauthorization_expected_at: string | null;
  handed_over_at: string | null;
  created_at: string;
  connected_at: string | null;
  refreshed_at: string | null;
  last_used_at: string | null;
  authority: string;
}
interface Page {
  connections: Connection[];
  looked_at: number;
  cursor: string | null;
}

const ENOUGH = 25;

export function Connections({ query }: { query: URLSearchParams }) {
  const asked = Object.fromEntries(["user_id", "organization_id", "provider", "state", "id"].map((name) => [name, query.get(name) ?? ""])) as Record<string, string>;
  const key = query.toString();
  const [form, setForm] = useState(asked);
  const seen = useRef(key);
  useEffect(() => {
    // Only when the address changes: at first, somebody may have typed already.
    if (seen.current !== key) setForm(asked);
    seen.current = key;
  }, [key]);
  const providers = useLoad(() => get<{ providers: { slug: string; name: string; registrations: unknown[] }[] }>("/providers"), "providers");
  const names = providers.data?.providers.filter((each) => each.registrations.length) ?? [];
  const look = (next: Record<string, string>) => {
    const given = Object.entries(next).filter(([, value]) => value.trim());
    go(`/connections${given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, value.trim()]))}` : ""}`);
  };
  const field = (name: string, label: string, placeholder: string) => (
    <Field label={label}>{(ids) => <input {...ids} value={form[name] ?? ""} placeholder={placeholder} spellcheck={false} autocomplete="off" onInput={(event) => setForm({ ...form, [name]: event.currentTarget.value })} />}</Field>
  );
  const choose = (name: string, value: string) => {
    const next = { ...form, [name]: value };
    setForm(next);
    look(next);
  };
  return (
    <>
      <Header title="Connections" text="Accounts that people connected. Tokens are never shown, here or anywhere in the dashboard." />
      <form
        class="filters"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          look(form);
        }}
      >
        {field("user_id", "User", "user_…")}
        {field("organization_id", "Organization", "org_…")}
        <Field label="Provider">
          {(ids) => (
            <select {...ids} value={form["provider"]} onChange={(event) => choose("provider", event.currentTarget.value)}>
              <option value="">All</option>
              {names.map((each) => (
                <option key={each.slug} value={each.slug}>
                  {each.name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="State">
          {(ids) => (
            <select {...ids} value={form["state"]} onChange={(event) => choose("state", event.currentTarget.value)}>
              <option value="">Any</option>
              <option value="connected">Connected</option>
              <option value="needs_reauthorization">Needs reauthorization</option>
              {form["user_id"] || form["organization_id"] ? <option value="disconnected">Disconnected</option> : null}
            </select>
          )}
        </Field>
        {field("id", "Connection id", "data_installation_…")}
        <Button type="submit" kind="primary" icon="search">
          Search
        </Button>
        {key ? (
          <Button kind="bare" onClick={() => go("/connections")}>
            Clear
          </Button>
        ) : null}
      </form>
      <List key={key} asked={asked} />
    </>
  );
}

/** Goes on by itself while a filter leaves a page short, and says how far it looked. */
function List({ asked }: { asked: Record<string, string> }) {
  const [found, setFound] = useState<Connection[]>([]);
  const [looked, setLooked] = useState(0);
  const [cursor, setCursor] = useState<string | null>(null);
  const [state, setState] = useState<"busy" | "idle">("busy");
  const [error, setError] = useState<Refused | null>(null);
  const stop = useRef(false);
  const alive = useRef(true);
  const more = async (from: string | null) => {
    stop.current = false;
    setState("busy");
    setError(null);
    let next = from;
    let got = 0;
    try {
      do {
        const page: Page = await get<Page>("/connections", { ...asked, cursor: next });
        if (!alive.current) return;
        got += page.connections.length;
        setFound((before) => [...before, ...page.connections]);
        setLooked((before) => before + page.looked_at);
        next = page.cursor;
        setCursor(next);
      } while (next && got < ENOUGH && !stop.current);
    } catch (raised) {
      if (alive.current) setError(raised as Refused);
    }
    if (alive.current) setState("idle");
  };
  useEffect(() => {
    void more(null);
    return () => {
      alive.current = false;
    };
  }, []);
  const busy = state === "busy";
  return (
    <Card flush>
      {found.length ? (
        <div class="table-wrap">
          <table class="stacks">
            <thead>
              <tr>
                <th>Provider</th>
                <th>Owner</th>
                <th>Account there</th>
                <th>State</th>
                <th>Refreshed</th>
              </tr>
            </thead>
            <tbody>
              {found.map((each) => (
                <Row key={each.reference} connection={each} />
              ))}
            </tbody>
          </table>
        </div>
      ) : busy ? (
        <Skeleton rows={6} />
      ) : error ? null : (
        <Empty icon="link" title="No connection fits">
          <p>Nothing like that is connected. A user within an organization is found with both.</p>
        </Empty>
      )}
      {error ? <Failed error={error} retry={() => void more(cursor)} /> : null}
      {found.length || (busy && looked > 100) ? (
        <div class="more" role="status">
          {busy ? (
            <>
              <span class="spinner" aria-hidden="true" /> {looked > 100 ? `Looked at ${count(looked)} …` : "Loading …"}
              {looked > 100 ? <Button onClick={() => (stop.current = true)}>Stop</Button> : null}
            </>
          ) : (
            <>
              {count(found.length)} shown
              {cursor ? <Button onClick={() => void more(cursor)}>Show more</Button> : null}
            </>
          )}
        </div>
      ) : null}
    </Card>
  );
}

function Row({ connection }: { connection: Connection }) {
  const health = HEALTH[connection.health] ?? { word: connection.health, tone: "quiet" as const };
  return (
    <tr class="goes">
      <td>
        <span class="who">
          <Mark name={connection.provider} slug={connection.slug} />
          <div>
            <a class="row-link" href={`/dashboard/connections/${connection.reference}`}>
              {connection.provider}
            </a>
            {connection.role === "standard" ? <small>one of several accounts</small> : null}
          </div>
        </span>
      </td>
      <td data-label="Owner">
        <Owner connection={connection} />
      </td>
      <td data-label="Account there">{connection.display_name ?? connection.external_name ?? <span class="soft">not told</span>}</td>
      <td data-label="State">
        <Badge tone={health.tone}>{health.word}</Badge>
      </td>
      <td data-label="Refreshed" class="soft">
        {connection.refreshed_at ? <Time at={connection.refreshed_at} /> : "never"}
      </td>
    </tr>
  );
}

export function Owner({ connection }: { connection: Connection }) {
  return (
    <span class="who">
      <div>
        {connection.user_id ?? (
          <>
            <Icon name="link" /> {connection.organization_id}
          </>
        )}
        {connection.organization_id ? <small>{connection.user_id ? `in ${connection.organization_id}` : "shared by the organization"}</small> : null}
      </div>
    </span>
  );
}
