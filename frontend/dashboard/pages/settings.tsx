/** What the deployment is configured with, how to change it, and the sessions. */
import { useState } from "preact/hooks";
import { get, send } from "../api.ts";
import { useSession } from "../session.ts";
import { Button, Card, Confirm, Copy, Header, Notice, Shown, useLoad } from "../ui.tsx";
import { when } from "../words.ts";

interface Setting {
  name: string;
  value: string | number | boolean | string[];
  title: string;
  text: string;
}

export function Settings() {
  const session = useSession();
  const loaded = useLoad(() => get<{ stage: string; environment: string; settings: Setting[] }>("/settings"), "settings");
  const [ending, setEnding] = useState(false);
  return (
    <>
      <Header title="Settings" text="What this stage was deployed with. It is changed in its configuration and a deployment, so every change has an author and can be taken back." />
      <Shown from={loaded} rows={9}>
        {(data) => (
          <div class="stack">
            <Card title="To change one">
              <div class="stack">
                <p class="soft small-text">
                  Set it for the stage in <code>.chalice/config.json</code> under <code>environment_variables</code>, then deploy.
                  {data.environment === "sandbox" ? " The sandbox on your machine takes it from its own environment when it starts." : ""}
                </p>
                <Copy text={`make deploy STAGE=${data.stage}`} label="the command" />
              </div>
            </Card>
            <Card flush>
              <div class="table-wrap">
                <table class="stacks">
                  <thead>
                    <tr>
                      <th>Setting</th>
                      <th>Value</th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.settings.map((each) => (
                      <tr key={each.name}>
                        <td>
                          <span class="who">
                            <div>
                              <strong>{each.title}</strong>
                              <small>{each.text}</small>
                              <small>
                                <code>{each.name}</code>
                              </small>
                            </div>
                          </span>
                        </td>
                        <td>
                          <Value value={each.value} />
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            </Card>
            <Card title="Sessions">
              <div class="stack">
                <p class="soft small-text">You are signed in as {session.actor} until {when(session.expires_at)}.</p>
                {session.role === "administrator" ? (
                  <div class="head-actions">
                    <Button kind="danger" icon="logOut" onClick={() => setEnding(true)}>
                      End all sessions
                    </Button>
                  </div>
                ) : (
                  <Notice tone="quiet">
                    <span>You may look and change nothing.</span>
                  </Notice>
                )}
              </div>
            </Card>
          </div>
        )}
      </Shown>
      {ending ? (
        <Confirm
          title="End all sessions?"
          action="End all"
          onClose={() => setEnding(false)}
          onConfirm={async () => {
            await send("DELETE", "/sessions");
            location.assign("/dashboard");
          }}
        >
          <p>Everybody who has the dashboard open is signed out at once, you too. Whoever has the AWS credentials can make a new link.</p>
        </Confirm>
      ) : null}
    </>
  );
}

function Value({ value }: { value: Setting["value"] }) {
  if (Array.isArray(value))
    return value.length ? (
      <span class="chips">
        {value.map((each) => (
          <code key={each}>{each}</code>
        ))}
      </span>
    ) : (
      <span class="soft">none</span>
    );
  return typeof value === "boolean" ? <>{value ? "on" : "off"}</> : <code>{String(value)}</code>;
}
