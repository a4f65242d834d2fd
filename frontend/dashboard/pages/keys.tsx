/** API keys of the application's backend: made and shown once, revoked. */
import { useState } from "preact/hooks";
import { get, send } from "../api.ts";
import { useSession } from "../session.ts";
import { ago } from "../words.ts";
import { Badge, Button, Card, Confirm, Copy, Dialog, Empty, Failed, Field, Header, Notice, Shown, Time, toast, useAction, useLoad } from "../ui.tsx";

interface Key {
  id: string;
  name: string;
  organization_id: string | null;
  created_at: string;
  revoked_at: string | null;
  /** To about a day. */
  last_used_at: string | null;
}

export function Keys() {
  const { role } = useSession();
  const loaded = useLoad(() => get<{ keys: Key[] }>("/keys"), "keys");
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const make =
    role === "administrator" ? (
      <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>
        Make a key
      </Button>
    ) : null;
  return (
    <>
      <Header title="API keys" text="What your backend authenticates with. Several may live at once, which is how one is replaced without a gap.">
        {make}
      </Header>
      <Shown from={loaded}>
        {({ keys }) => (
          <Card flush>
            {keys.length ? (
              <div class="table-wrap">
                <table class="stacks">
                  <thead>
                    <tr>
                      <th>Name</th>
                      <th>Reaches</th>
                      <th>Made</th>
                      <th>Last used</th>
                      <th>State</th>
                      <th>
                        <span class="unseen">Actions</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {keys.map((key) => (
                      <tr key={key.id}>
                        <td>
                          <span class="who">
                            <div>
                              <strong>{key.name}</strong>
                              <small>
                                <code>sk_{key.id}_…</code>
                              </small>
                            </div>
                          </span>
                        </td>
                        <td data-label="Reaches">{key.organization_id ? <>only {key.organization_id}</> : "everything"}</td>
                        <td data-label="Made" class="soft">
                          <Time at={key.created_at} />
                        </td>
                        <td data-label="Last used" class="soft">
                          {key.last_used_at ? <LastUsed at={key.last_used_at} /> : "never"}
                        </td>
                        <td data-label="State">
                          {key.revoked_at ? <Badge tone="quiet">Revoked</Badge> : <Badge tone="good">Live</Badge>}
                        </td>
                        <td class="right">
                          {key.revoked_at || role !== "administrator" ? null : (
                            <Button kind="danger" small onClick={() => setRevoking(key)} aria-label={`Revoke ${key.name}`}>
                              Revoke
                            </Button>
                          )}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            ) : (
              <Empty icon="key" title="No key yet">
                <p>Your backend needs one to fetch tokens.</p>
                {make}
              </Empty>
            )}
          </Card>
        )}
      </Shown>
      {making ? (
        <Make
          onClose={() => {
            setMaking(false);
            loaded.reload();
          }}
        />
      ) : null}
      {revoking ? (
        <Confirm
          title={`Revoke “${revoking.name}”?`}
          action="Revoke"
          onClose={() => setRevoking(null)}
          onConfirm={async () => {
            await send("DELETE", `/keys/${revoking.id}`);
            setRevoking(null);
            loaded.reload();
            toast("Revoked. It stops working within half a minute.");
          }}
        >
          <p>Whoever uses it gets nothing more, within half a minute. This cannot be undone.</p>
        </Confirm>
      ) : null}
    </>
  );
}

/** A day is all that is noted of it, so it is shown no closer. */
function LastUsed({ at }: { at: string }) {
  return <time dateTime={at}>{Date.now() - Date.parse(at) < 86_400_000 ? "in the last day" : ago(at)}</time>;
}

function Make({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [organization, setOrganization] = useState("");
  const [key, setKey] = useState<string | null>(null);
  const { busy, error, run } = useAction();
  if (key) {
    return (
      <Dialog title="Your new key" onClose={onClose} footer={<Button kind="primary" onClick={onClose}>I have stored it</Button>}>
        <Notice tone="warning" title="This is the only time the key is shown">
          <span>Only a hash of it is kept. Put it where your backend reads its secrets.</span>
        </Notice>
        <Copy text={key} label="the key" />
      </Dialog>
    );
  }
  return (
    <Dialog title="Make an API key" onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void run(async () => setKey((await send<{ key: string }>("POST", "/keys", { name, organization_id: organization.trim() || null })).key));
        }}
      >
        <Field label="Name" hint="Which service will use it.">
          {(ids) => <input {...ids} required maxLength={100} value={name} autofocus onInput={(event) => setName(event.currentTarget.value)} />}
        </Field>
        <Field label="Only for one organization" hint="Optional. The key then reaches what belongs to this organization and nothing else.">
          {(ids) => <input {...ids} maxLength={255} placeholder="org_…" spellcheck={false} value={organization} onInput={(event) => setOrganization(event.currentTarget.value)} />}
        </Field>
        {error ? <Failed error={error} /> : null}
        <div class="head-actions">
          <Button type="submit" kind="primary" busy={busy}>
            Make it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
