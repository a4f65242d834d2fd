/** Webhook endpoints: made, paused, sent again what they missed, and every call with what came of it. */
import { useEffect, useState } from "preact/hooks";
import { get, send, type Refused } from "../api.ts";
import { useSession } from "../session.ts";
import { Badge, Button, Card, Confirm, Copy, Dialog, Empty, Failed, Field, Notice, Shown, Skeleton, Time, toast, useAction, useLoad } from "../ui.tsx";
import { eventWord, plural } from "../words.ts";

export interface Endpoint {
  id: string;
  url: string;
  events: string[];
  organization_id: string | null;
  status: "enabled" | "disabled";
  reason: string | null;
  secret_last_four: string;
  failing_since: string | null;
  missed_since: string | null;
  created_at: string;
}
interface Delivery {
  id: string;
  event_id: string;
  event: string;
  attempt: number;
  outcome: string;
  status: number | null;
  error: string | null;
  milliseconds: number;
  at: string;
  next_at: string | null;
}

export function Webhooks() {
  const { role } = useSession();
  const loaded = useLoad(() => get<{ endpoints: Endpoint[]; types: string[] }>("/webhooks"), "webhooks");
  const [making, setMaking] = useState(false);
  const [shown, setShown] = useState<Endpoint | null>(null);
  const [deleting, setDeleting] = useState<Endpoint | null>(null);
  const { error, run } = useAction();
  const act = (work: () => Promise<unknown>, said: string) =>
    void run(async () => {
      await work();
      toast(said);
      loaded.reload();
    });
  const may = role === "administrator";
  const make = may ? (
    <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>
      Add an endpoint
    </Button>
  ) : null;
  return (
    <div class="stack">
      {error ? <Failed error={error} /> : null}
      <Shown from={loaded}>
        {(data) =>
          data.endpoints.length ? (
            <>
              <div class="head-actions">{make}</div>
              {data.endpoints.map((each) => (
                <Card key={each.id} title={each.url} aside={<Status endpoint={each} />}>
                  <div class="stack">
                    <p class="soft small-text">
                      {each.events.length === data.types.length ? "Every event" : each.events.map(eventWord).join(", ")}
                      {each.organization_id ? ` of ${each.organization_id}` : ""} · signed with a secret that ends in {each.secret_last_four || "…"}
                    </p>
                    {each.failing_since ? (
                      <Notice tone="warning">
                        <span>
                          Calls fail since <Time at={each.failing_since} />. They are repeated for days, then the endpoint is paused.
                        </span>
                      </Notice>
                    ) : null}
                    {each.missed_since ? (
                      <Notice tone="warning">
                        <span>
                          It missed events since <Time at={each.missed_since} />. {each.status === "enabled" ? "Send them again when it is ready." : "Enable it, then send them again."}
                        </span>
                      </Notice>
                    ) : null}
                    <div class="head-actions">
                      <Button onClick={() => setShown(each)}>Deliveries</Button>
                      {may ? (
                        <>
                          {each.status === "enabled" ? (
                            <Button onClick={() => act(() => send("PUT", `/webhooks/${each.id}`, { status: "disabled" }), "Paused")}>Pause</Button>
                          ) : (
                            <Button onClick={() => act(() => send("PUT", `/webhooks/${each.id}`, { status: "enabled" }), "Enabled")}>Enable</Button>
                          )}
                          {each.missed_since && each.status === "enabled" ? (
                            <Button icon="refresh" onClick={() => act(() => send("POST", `/webhooks/${each.id}/replay`), "They are on their way")}>
                              Send what it missed
                            </Button>
                          ) : null}
                          <Button kind="danger" icon="trash" onClick={() => setDeleting(each)}>
                            Delete
                          </Button>
                        </>
                      ) : null}
                    </div>
                  </div>
                </Card>
              ))}
            </>
          ) : (
            <Card>
              <Empty icon="webhook" title="No webhook endpoint yet">
                <p>Events go to the SNS topic in any case. An endpoint gets them over HTTPS as well, signed, and repeated until it answers.</p>
                {make}
              </Empty>
            </Card>
          )
        }
      </Shown>
      {making && loaded.data ? (
        <Make
          types={loaded.data.types}
          onClose={() => {
            setMaking(false);
            loaded.reload();
          }}
        />
      ) : null}
      {shown ? <Deliveries endpoint={shown} onClose={() => setShown(null)} /> : null}
      {deleting ? (
        <Confirm
          title="Delete this endpoint?"
          action="Delete"
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await send("DELETE", `/webhooks/${deleting.id}`);
            setDeleting(null);
            loaded.reload();
            toast("Deleted");
          }}
        >
          <p>
            Nothing more is sent to <code>{deleting.url}</code>, and what waits for it is dropped.
          </p>
        </Confirm>
      ) : null}
    </div>
  );
}

function Status({ endpoint }: { endpoint: Endpoint }) {
  if (endpoint.status === "disabled") return <Badge tone={endpoint.reason ? "bad" : "quiet"}>{endpoint.reason === "gone" ? "Gone (410)" : endpoint.reason ? "Paused: it kept failing" : "Paused"}</Badge>;
  return endpoint.failing_since ? <Badge tone="warning">Failing</Badge> : <Badge tone="good">Enabled</Badge>;
}

function Make({ types, onClose }: { types: string[]; onClose: () => void }) {
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState(types);
  const [secret, setSecret] = useState<string | null>(null);
  const { busy, error, run } = useAction();
  if (secret) {
    return (
      <Dialog title="Endpoint added" onClose={onClose} footer={<Button kind="primary" onClick={onClose}>I have stored it</Button>}>
        <Notice tone="warning" title="This is the only time the secret is shown">
          <span>Your server checks the signature of each call with it.</span>
        </Notice>
        <Copy text={secret} label="the secret" />
      </Dialog>
    );
  }
  return (
    <Dialog title="Add a webhook endpoint" onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void run(async () => setSecret((await send<{ secret: string }>("POST", "/webhooks", { url, events })).secret));
        }}
      >
        <Field label="Address" hint="https, and reachable from the internet.">
          {(ids) => <input {...ids} type="url" required placeholder="https://" value={url} autofocus onInput={(event) => setUrl(event.currentTarget.value.trim())} />}
        </Field>
        <fieldset>
          <legend class="legend">Events</legend>
          <div class="scopes">
            {types.map((type) => (
              <label class="scope" key={type}>
                <input type="checkbox" checked={events.includes(type)} onChange={(event) => setEvents(types.filter((each) => (each === type ? event.currentTarget.checked : events.includes(each))))} />
                <span>
                  {eventWord(type)}
                  <code>{type}</code>
                </span>
              </label>
            ))}
          </div>
        </fieldset>
        {error ? <Failed error={error} /> : null}
        <div class="head-actions">
          <Button type="submit" kind="primary" busy={busy} disabled={!events.length}>
            Add it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Deliveries({ endpoint, onClose }: { endpoint: Endpoint; onClose: () => void }) {
  const [found, setFound] = useState<Delivery[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);
  const [error, setError] = useState<Refused | null>(null);
  const more = async (from: string | null) => {
    setBusy(true);
    setError(null);
    try {
      const page = await get<{ deliveries: Delivery[]; cursor: string | null }>(`/webhooks/${endpoint.id}/deliveries`, { cursor: from });
      setFound((before) => [...before, ...page.deliveries]);
      setCursor(page.cursor);
    } catch (raised) {
      setError(raised as Refused);
    }
    setBusy(false);
  };
  useEffect(() => void more(null), []);
  return (
    <Dialog kind="drawer" title="Deliveries" onClose={onClose}>
      <p class="soft small-text">
        Calls of <code>{endpoint.url}</code>, newest first.
      </p>
      {error ? <Failed error={error} retry={() => void more(cursor)} /> : null}
      {found.length ? (
        <ol class="timeline">
          {found.map((each) => (
            <li key={each.id}>
              <span class={`knot ${each.outcome === "delivered" ? "good" : each.outcome === "failed" ? "warning" : "bad"}`} aria-hidden="true" />
              <div>
                <strong>{eventWord(each.event)}</strong>
                <p>
                  {each.outcome.replaceAll("_", " ")} · {each.status ?? each.error ?? "no answer"} · {plural(each.milliseconds, "ms", "ms")} · try {each.attempt}
                  {each.next_at ? <> · next <Time at={each.next_at} /></> : null}
                </p>
              </div>
              <Time at={each.at} />
            </li>
          ))}
        </ol>
      ) : busy ? (
        <Skeleton />
      ) : error ? null : (
        <Empty icon="webhook" title="Nothing was sent yet" />
      )}
      {cursor ? (
        <Button busy={busy} onClick={() => void more(cursor)}>
          Show older ones
        </Button>
      ) : null}
    </Dialog>
  );
}
