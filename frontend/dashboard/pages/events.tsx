/** What the product was told: the log, the topic it is published to, and the webhook endpoints that hear of it. */
import { useEffect, useState } from "preact/hooks";
import { get, send, type Refused } from "../api.ts";
import { Icon } from "../icons.tsx";
import { go } from "../router.ts";
import { useSession } from "../session.ts";
import { Badge, Button, Card, Copy, Dialog, Empty, Failed, Field, Header, Notice, Shown, Skeleton, Time, toast, useAction, useLoad } from "../ui.tsx";
import { eventTone, eventWord } from "../words.ts";
import type { EventData } from "./connection.tsx";
import { Webhooks, type Endpoint } from "./webhooks.tsx";

interface Page {
  events: EventData[];
  cursor: string | null;
  types: string[];
  topic_arn: string;
}

export function Events({ what, query }: { what: string | null; query: URLSearchParams }) {
  const webhooks = what === "webhooks";
  return (
    <>
      <Header title="Events" text="What your application is told, at least once each and for thirty days." />
      <div class="filters">
        <div class="segments" role="group" aria-label="What is shown">
          <button type="button" aria-pressed={!webhooks} onClick={() => go("/events")}>
            Log
          </button>
          <button type="button" aria-pressed={webhooks} onClick={() => go("/events/webhooks")}>
            Webhooks
          </button>
        </div>
      </div>
      {webhooks ? <Webhooks /> : <Log key={query.toString()} type={query.get("type") ?? ""} />}
    </>
  );
}

function Log({ type }: { type: string }) {
  const [events, setEvents] = useState<EventData[]>([]);
  const [page, setPage] = useState<Page | null>(null);
  const [busy, setBusy] = useState(true);
  const [error, setError] = useState<Refused | null>(null);
  const [again, setAgain] = useState<EventData | null>(null);
  const more = async (cursor: string | null) => {
    setBusy(true);
    setError(null);
    try {
      const next = await get<Page>("/events", { type, cursor });
      setPage(next);
      setEvents((before) => (cursor ? [...before, ...next.events] : next.events));
    } catch (raised) {
      setError(raised as Refused);
    }
    setBusy(false);
  };
  useEffect(() => void more(null), []);
  return (
    <div class="stack">
      <div class="filters">
        <Field label="Type">
          {(ids) => (
            <select {...ids} value={type} onChange={(event) => go(event.currentTarget.value ? `/events?type=${event.currentTarget.value}` : "/events")}>
              <option value="">All</option>
              {(page?.types ?? []).map((each) => (
                <option key={each} value={each}>
                  {eventWord(each)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Button icon="refresh" onClick={() => void more(null)}>
          Look again
        </Button>
      </div>
      {error ? <Failed error={error} retry={() => void more(null)} /> : null}
      <Card flush>
        {events.length ? (
          <div class="table-wrap">
            <table class="stacks">
              <thead>
                <tr>
                  <th>Event</th>
                  <th>Of</th>
                  <th>When</th>
                  <th>
                    <span class="unseen">Details</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {events.map((each) => (
                  <Row key={each.id} event={each} onReplay={() => setAgain(each)} />
                ))}
              </tbody>
            </table>
          </div>
        ) : busy ? (
          <Skeleton rows={6} />
        ) : (
          <Empty icon="activity" title="Nothing happened yet">
            <p>As soon as somebody connects, it is written here and told to your application.</p>
          </Empty>
        )}
        {page?.cursor ? (
          <div class="more">
            <Button busy={busy} onClick={() => void more(page.cursor)}>
              Show older ones
            </Button>
          </div>
        ) : null}
      </Card>
      {page ? (
        <Card title="The SNS topic">
          <p class="soft small-text">Every event is published here. Subscribe a queue, a function or an address of yours; filters may name the event, the provider and the organization.</p>
          <Copy text={page.topic_arn} label="the topic's ARN" />
        </Card>
      ) : null}
      {again ? <Replay event={again} onClose={() => setAgain(null)} /> : null}
    </div>
  );
}

function Row({ event, onReplay }: { event: EventData; onReplay: () => void }) {
  const [open, setOpen] = useState(false);
  const { role } = useSession();
  const of = (event.data["user_id"] ?? event.data["organization_id"] ?? event.subject) as string;
  return (
    <>
      <tr>
        <td>
          <Badge tone={eventTone(event.event)}>{eventWord(event.event)}</Badge>
        </td>
        <td data-label="Of">
          <span class="who">
            <div>
              {of}
              <small>{String(event.data["provider_slug"] ?? "")}</small>
            </div>
          </span>
        </td>
        <td data-label="When" class="soft">
          <Time at={event.created_at} />
        </td>
        <td class="right">
          <Button kind="bare" small aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Hide" : "Details"}
          </Button>
        </td>
      </tr>
      {open ? (
        <tr>
          <td colSpan={4}>
            <div class="stack">
              <pre class="json" tabIndex={0}>
                {JSON.stringify({ id: event.id, event: event.event, created_at: event.created_at, data: event.data }, null, 2)}
              </pre>
              {role === "administrator" ? (
                <div class="head-actions">
                  <Button icon="refresh" onClick={onReplay}>
                    Send everything after this again
                  </Button>
                </div>
              ) : null}
            </div>
          </td>
        </tr>
      ) : null}
    </>
  );
}

function Replay({ event, onClose }: { event: EventData; onClose: () => void }) {
  const endpoints = useLoad(() => get<{ endpoints: Endpoint[] }>("/webhooks"), "webhooks");
  const [chosen, setChosen] = useState("");
  const { busy, error, run } = useAction();
  return (
    <Dialog title="Send again" onClose={onClose}>
      <Shown from={endpoints}>
        {(data) => {
          const live = data.endpoints.filter((each) => each.status === "enabled");
          const to = chosen || live[0]?.id;
          return live.length && to ? (
            <div class="form">
              <p>
                Everything that was told after <code>{event.id}</code> is sent once more, in order, under the same ids.
              </p>
              <Field label="To">
                {(ids) => (
                  <select {...ids} value={to} onChange={(change) => setChosen(change.currentTarget.value)}>
                    {live.map((each) => (
                      <option key={each.id} value={each.id}>
                        {each.url}
                      </option>
                    ))}
                  </select>
                )}
              </Field>
              {error ? <Failed error={error} /> : null}
              <Button
                kind="primary"
                busy={busy}
                onClick={() =>
                  void run(async () => {
                    await send("POST", `/webhooks/${to}/replay`, { after: event.id });
                    toast("They are on their way");
                    onClose();
                  })
                }
              >
                Send again
              </Button>
            </div>
          ) : (
            <Notice tone="quiet" title="There is no webhook endpoint to send to">
              <span>
                <Icon name="webhook" /> Subscribers of the SNS topic read what they missed from GET /events.
              </span>
            </Notice>
          );
        }}
      </Shown>
    </Dialog>
  );
}
