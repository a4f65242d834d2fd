/** The sandbox's simulated providers: how each behaves, and what a person would do there. */
import { useState } from "preact/hooks";
import { get, Refused } from "../api.ts";
import { Badge, Button, Card, Failed, Field, Header, Mark, Shown, toast, useAction, useLoad } from "../ui.tsx";
import { plural, sentence } from "../words.ts";

interface Knobs {
  behaviour: string;
  target: string;
  remaining: number;
  seconds: number;
  access_token_seconds: number;
  rotation: boolean;
}
interface Grant {
  id: string;
  account: string;
  scopes: string[];
  ended: string | null;
}
type All = Record<string, { knobs: Knobs; grants: Grant[] }>;

const BEHAVIOURS: [string, string][] = [
  ["normal", "answers as it should"],
  ["slow", "answers slowly"],
  ["500", "fails (500)"],
  ["429", "says it is too much (429)"],
  ["malformed", "sends half an answer"],
];

async function ask<T>(path: string, body?: object): Promise<T> {
  const answer = await fetch(`/simulator${path}`, body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {});
  const said = (await answer.json()) as T & { message?: string };
  if (!answer.ok) throw new Refused(said.message ?? "The simulator did not answer.", "simulator", answer.status, {});
  return said;
}

export function Simulator() {
  const loaded = useLoad(() => ask<All>("/knobs"), "knobs");
  const listed = useLoad(() => get<{ providers: { slug: string; name: string }[] }>("/providers"), "providers");
  const names = Object.fromEntries((listed.data?.providers ?? []).map((each) => [each.slug, each.name]));
  return (
    <>
      <Header title="Simulator" text="Play the provider: let it fail, or end a person's grant there, and watch what Standpipe makes of it.">
        <a class="button" href="/simulator" target="_blank" rel="noopener">
          The whole simulator
        </a>
      </Header>
      <Shown from={loaded}>
        {(all) => (
          <div class="stack">
            {Object.entries(all).map(([slug, { knobs, grants }]) => (
              <Provider key={`${slug} ${JSON.stringify(knobs)}`} slug={slug} name={names[slug] ?? sentence(slug)} knobs={knobs} grants={grants} reload={loaded.reload} />
            ))}
          </div>
        )}
      </Shown>
    </>
  );
}

function Provider({ slug, name, knobs, grants, reload }: { slug: string; name: string; knobs: Knobs; grants: Grant[]; reload: () => void }) {
  const [set, setSet] = useState(knobs);
  const { busy, error, run } = useAction();
  const turn = (body: object, said: string) =>
    void run(async () => {
      await ask(`/${slug}/knobs`, body);
      toast(said);
      reload();
    });
  const live = grants.filter((each) => !each.ended);
  return (
    <Card
      title={name}
      aside={
        <span class="head-actions">
          <Badge tone={knobs.behaviour === "normal" ? "good" : "warning"}>{BEHAVIOURS.find(([word]) => word === knobs.behaviour)?.[1] ?? knobs.behaviour}</Badge>
          <Badge tone="quiet">{plural(live.length, "grant")}</Badge>
        </span>
      }
    >
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          turn({ action: "set", behaviour: set.behaviour, target: set.target, access_token_seconds: String(set.access_token_seconds) }, `${name} is set`);
        }}
      >
        <Field label="It">
          {(ids) => (
            <select {...ids} value={set.behaviour} onChange={(event) => setSet({ ...set, behaviour: event.currentTarget.value })}>
              {BEHAVIOURS.map(([word, text]) => (
                <option key={word} value={word}>
                  {text}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="When asked">
          {(ids) => (
            <select {...ids} value={set.target} onChange={(event) => setSet({ ...set, target: event.currentTarget.value })}>
              <option value="token">for tokens</option>
              <option value="api">at its API</option>
            </select>
          )}
        </Field>
        <Field label="Access tokens live (seconds)">
          {(ids) => <input {...ids} type="number" min={1} value={set.access_token_seconds} onInput={(event) => setSet({ ...set, access_token_seconds: event.currentTarget.valueAsNumber || 1 })} />}
        </Field>
        <Button type="submit" busy={busy}>
          Set
        </Button>
        <Button onClick={() => turn({ action: "reset" }, `${name} is as it was`)}>Reset</Button>
      </form>
      {error ? <Failed error={error} /> : null}
      {live.length ? (
        <div class="table-wrap">
          <table class="stacks">
            <thead>
              <tr>
                <th>Person</th>
                <th>Allowed</th>
                <th>
                  <span class="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {live.map((grant) => (
                <tr key={grant.id}>
                  <td>
                    <span class="who">
                      <Mark name={grant.account} />
                      {grant.account}
                    </span>
                  </td>
                  <td class="soft small-text">{grant.scopes.join(", ")}</td>
                  <td class="right">
                    <span class="head-actions">
                      <Button small onClick={() => turn({ action: "expire_access_token", grant: grant.id }, "Its access token has ended")}>
                        End the token
                      </Button>
                      <Button kind="danger" small onClick={() => turn({ action: "revoke_grant", grant: grant.id }, "The person revoked it")}>
                        Revoke
                      </Button>
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </Card>
  );
}
