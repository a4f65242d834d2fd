/** One connection: how it is, and what happened to it. */
import { useState } from "preact/hooks";
import { get, send } from "../api.ts";
import { Icon } from "../icons.tsx";
import { useSession } from "../session.ts";
import { Badge, Button, Card, Confirm, Failed, Header, Notice, Shown, Time, toast, useAction, useLoad } from "../ui.tsx";
import { ago, CREDENTIALS, eventTone, eventWord, HEALTH, sentence, when, type Tone } from "../words.ts";
import type { Connection } from "./connections.tsx";

export interface EventData {
  id: string;
  event: string;
  created_at: string;
  subject: string;
  generation: number;
  data: Record<string, unknown>;
}
type Whole = Connection & { events: EventData[] };
interface Refreshed {
  good: boolean;
  outcome: string;
  provider_says: string | null;
}

const REVOKED: Record<string, string> = {
  revoked: "Disconnected. The provider ended the grant, and the tokens are forgotten.",
  unsupported: "Disconnected. The provider offers no way to end a grant; the tokens are forgotten here.",
  failed: "Disconnected here. The provider did not end the grant; it is tried again for days.",
};

export function ConnectionPage({ reference }: { reference: string }) {
  const path = `/connections/${encodeURIComponent(reference)}`;
  const loaded = useLoad(() => get<Whole>(path), reference);
  const { role } = useSession();
  const [asking, setAsking] = useState(false);
  const [refreshed, setRefreshed] = useState<Refreshed | null>(null);
  const refreshing = useAction();
  return (
    <>
      <a class="back" href="/dashboard/connections">
        <Icon name="arrowLeft" /> Connections
      </a>
      <Shown from={loaded} rows={9}>
        {(data) => (
          <>
            <Header title={`${data.provider} of ${data.user_id ?? data.organization_id ?? "nobody"}`} text={<code>{data.id}</code>}>
              {role === "administrator" && data.state !== "disconnected" ? (
                <>
                  {data.state === "connected" && data.refreshable && !data.handed_over_at ? (
                    <Button
                      icon="refresh"
                      busy={refreshing.busy}
                      onClick={() =>
                        void refreshing.run(async () => {
                          setRefreshed(null);
                          setRefreshed(await send<Refreshed>("POST", `${path}/refresh`));
                          loaded.reload();
                        })
                      }
                    >
                      Refresh now
                    </Button>
                  ) : null}
                  <Button kind="danger" icon="unplug" onClick={() => setAsking(true)}>
                    Disconnect
                  </Button>
                </>
              ) : null}
            </Header>
            <div class="stack">
              {refreshing.error ? <Failed error={refreshing.error} /> : null}
              {refreshed ? (
                <Notice tone={refreshed.good ? "good" : "bad"} title={refreshed.good ? "Refreshed" : "Not refreshed"}>
                  <span>
                    {sentence(refreshed.outcome.replaceAll("_", " "))}
                    {refreshed.provider_says ? `. The provider says: ${refreshed.provider_says}` : ""}.
                  </span>
                </Notice>
              ) : null}
              {data.reason_text ? (
                <Notice tone="warning" title={data.reason_text}>
                  {data.last_error ? <span>The provider's word: {data.last_error}</span> : null}
                </Notice>
              ) : null}
              <Facts data={data} />
              <Card title="What happened" aside={<span class="soft small-text">the last 30 days</span>}>
                <Timeline data={data} />
              </Card>
            </div>
            {asking ? (
              <Confirm
                title="Disconnect it?"
                action="Disconnect"
                onClose={() => setAsking(false)}
                onConfirm={async () => {
                  const { revocation } = await send<{ revocation: string }>("POST", `${path}/disconnect`);
                  setAsking(false);
                  toast(REVOKED[revocation] ?? "Disconnected.");
                  loaded.reload();
                }}
              >
                <p>
                  The grant is ended at {data.provider}, and its tokens are forgotten here. {data.user_id ?? "The organization"} can connect again at any time; your application hears of it.
                </p>
              </Confirm>
            ) : null}
          </>
        )}
      </Shown>
    </>
  );
}

function Facts({ data }: { data: Whole }) {
  const health = HEALTH[data.health] ?? { word: data.health, tone: "quiet" as Tone };
  const facts: [string, preact.ComponentChildren][] = [
    ["State", <Badge tone={health.tone}>{health.word}</Badge>],
    ["Account there", data.display_name ?? data.external_name ?? "not told"],
    ["User", data.user_id ?? "shared by the organization"],
    ["Organization", data.organization_id ?? "none"],
    ["Access token", data.state !== "connected" ? "none" : data.expires_at ? <>ends {ago(data.expires_at)}</> : "does not expire"],
    ["Next refresh", data.refresh_due_at ? <Time at={data.refresh_due_at} /> : "not needed"],
    ["Refreshed", data.refreshed_at ? <><Time at={data.refreshed_at} /> (generation {data.generation})</> : "never"],
    ["Last fetched", data.last_used_at ? <Time at={data.last_used_at} /> : "not yet"],
    ["Connected", data.connected_at ? <Time at={data.connected_at} /> : "never"],
    ["Client", CREDENTIALS[data.authority] ?? data.authority],
  ];
  if (data.reauthorization_expected_at) facts.push(["Has to connect again", <Time at={data.reauthorization_expected_at} />]);
  if (data.failures) facts.push(["Failing", `${data.failures} in a row: ${data.last_error ?? "no answer"}`]);
  return (
    <Card>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {data.scopes_granted.length ? (
          <div class="wide">
            <dt>Granted</dt>
            <dd class="chips">
              {data.scopes_granted.map((each) => (
                <code key={each}>{each}</code>
              ))}
            </dd>
          </div>
        ) : null}
        {data.missing_scopes.length ? (
          <div class="wide">
            <dt>Asked for and not granted</dt>
            <dd class="chips">
              {data.missing_scopes.map((each) => (
                <code key={each}>{each}</code>
              ))}
            </dd>
          </div>
        ) : null}
      </dl>
    </Card>
  );
}

interface Knot {
  at: string;
  tone: Tone;
  title: string;
  text: string;
}

/** What the product was told, and beside it what only the row knows: the last refresh and a failure that goes on. */
function Timeline({ data }: { data: Whole }) {
  const knots: Knot[] = data.events.map((each) => {
    const why = typeof each.data["state_reason"] === "string" ? `Why: ${each.data["state_reason"].replaceAll("_", " ")}.` : "";
    return { at: each.created_at, tone: eventTone(each.event), title: eventWord(each.event), text: [why, `Told as ${each.id}.`].filter(Boolean).join(" ") };
  });
  if (data.refreshed_at && data.refreshed_at !== data.connected_at) knots.push({ at: data.refreshed_at, tone: "good", title: "Refreshed", text: `New tokens, generation ${data.generation}.` });
  if (data.failing_since) knots.push({ at: data.failing_since, tone: "warning", title: "Refreshing fails since then", text: `${data.last_error ?? "No answer"}. ${data.retry_at ? `Tried again ${when(data.retry_at)}.` : ""}` });
  knots.sort((left, right) => right.at.localeCompare(left.at));
  if (!knots.length) return <p class="soft">Nothing in this time.</p>;
  return (
    <ol class="timeline">
      {knots.map((knot) => (
        <li key={knot.at + knot.title}>
          <span class={`knot ${knot.tone}`} aria-hidden="true" />
          <div>
            <strong>{knot.title}</strong>
            <p>{knot.text}</p>
          </div>
          <Time at={knot.at} />
        </li>
      ))}
    </ol>
  );
}
