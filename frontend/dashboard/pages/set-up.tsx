/** Setting a provider up: what to do there, what to enter here, and the trial that shows it works. */
import { useState } from "preact/hooks";
import { get, queryOf, send } from "../api.ts";
import { Icon } from "../icons.tsx";
import { useSession } from "../session.ts";
import { Badge, Button, Confirm, Copy, CopyButton, Dialog, Failed, Field, Mark, Notice, Skeleton, Switch, toast, useAction, useLoad } from "../ui.tsx";
import { ago } from "../words.ts";
import { Trial } from "./trial.tsx";
import { EndpointFields, type CustomProvider } from "./wizard.tsx";

export interface SetUpData {
  id: string;
  slug: string;
  ownership: "userland_user" | "organization";
  name: string;
  custom: boolean;
  provider_description: string;
  description: string;
  enabled: boolean;
  redirect_uri: string;
  setup: string[];
  notes: string[];
  documentation: string[];
  client_id: string | null;
  secrets: { last_four: string; created_at: string }[];
  client_secret_required: boolean;
  credentials: string | null;
  sandbox_credentials: "shared" | "simulator" | null;
  scopes: string[] | null;
  default_scopes: string[];
  available_scopes: { name: string; description: string; required: boolean; token: string }[];
  auth_methods: string[];
  available_auth_methods: string[];
  config: Record<string, string>;
  config_fields: { name: string; label: string; description: string; default: string | null; example: string }[];
  pkce: boolean;
  revocable: boolean;
  rotation: string;
  custom_provider: CustomProvider | null;
}

type Ownership = SetUpData["ownership"];
const METHODS: Record<string, [string, string]> = {
  oauth: ["Sign-in at the provider", "OAuth: people allow access in their browser."],
  api_key: ["API key", "People paste a key they made at the provider."],
  client_credentials: ["Client credentials", "People enter a client id and secret of their own."],
};

interface Props {
  slug: string;
  name: string;
  known: string[] | null;
  onChanged: () => void;
  onClose: () => void;
}

export function SetUp({ slug, name, known, onChanged, onClose }: Props) {
  const session = useSession();
  const [ownership, setOwnership] = useState<Ownership>(known?.length === 1 && known[0] === "organization" ? "organization" : "userland_user");
  const isThere = known?.includes(ownership) ?? null;
  const path = `/providers/${encodeURIComponent(slug)}`;
  // A registration is made as soon as somebody begins: its redirect URI is the first thing the provider asks for.
  const loaded = useLoad(
    async () => {
      if (known === null) return null;
      const may = session.role === "administrator";
      if (isThere || !may) return get<SetUpData>(path, { ownership });
      const made = await send<SetUpData>("POST", path + queryOf({ ownership }));
      onChanged();
      return made;
    },
    `${slug} ${ownership} ${known !== null}`,
  );
  if (!loaded.data || loaded.data.ownership !== ownership) {
    return (
      <Dialog kind="drawer" title={name} onClose={onClose}>
        {loaded.error ? loaded.error.status === 404 && session.role === "viewer" ? <Notice tone="quiet" title="Not set up yet" /> : <Failed error={loaded.error} retry={loaded.reload} /> : <Skeleton rows={9} />}
      </Dialog>
    );
  }
  return <Form key={loaded.data.id} given={loaded.data} setOwnership={setOwnership} onChanged={onChanged} onClose={onClose} />;
}

function Form({ given, setOwnership, onChanged, onClose }: { given: SetUpData; setOwnership: (to: Ownership) => void; onChanged: () => void; onClose: () => void }) {
  const session = useSession();
  const may = session.role === "administrator";
  const [data, setData] = useState(given);
  const [own, setOwn] = useState(Boolean(given.client_id) || !given.sandbox_credentials);
  const [clientId, setClientId] = useState(given.client_id ?? "");
  const [secret, setSecret] = useState("");
  const [scopes, setScopes] = useState<string[]>(given.scopes ?? given.default_scopes);
  const [description, setDescription] = useState(given.description);
  const [enabled, setEnabled] = useState(given.enabled);
  const [config, setConfig] = useState(given.config);
  const [methods, setMethods] = useState(given.auth_methods);
  const [custom, setCustom] = useState(given.custom_provider);
  const [changed, setChanged] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [forgetting, setForgetting] = useState(false);
  const { busy, error, run, clear } = useAction();
  const path = `/providers/${encodeURIComponent(data.slug)}`;
  const query = queryOf({ ownership: data.ownership });
  const touch = <T,>(set: (value: T) => void) => (value: T) => {
    set(value);
    setChanged(true);
    clear();
  };
  const touchSecret = touch(setSecret);

  const save = () =>
    run(async () => {
      const body: Record<string, unknown> = { enabled, description, config };
      const inherited = data.scopes === null && scopes.join() === data.default_scopes.join();
      if (!inherited) body["scopes"] = scopes;
      if (methods.join() !== data.auth_methods.join()) body["auth_methods"] = methods;
      if (own && clientId.trim() && (clientId.trim() !== data.client_id || secret)) body["credentials"] = { type: "custom", client_id: clientId.trim(), ...(secret ? { client_secret: secret } : {}) };
      if (custom && JSON.stringify(custom) !== JSON.stringify(data.custom_provider)) body["custom_provider"] = custom;
      const saved = await send<SetUpData>("PUT", path + query, body);
      setData(saved);
      setSecret("");
      setChanged(false);
      onChanged();
      toast(`${saved.name} is saved`);
    });

  const usesOauth = methods.includes("oauth");
  return (
    <Dialog
      kind="drawer"
      onClose={onClose}
      title={
        <>
          <Mark name={data.name} slug={data.slug} />
          {data.name}
          {data.enabled ? <Badge tone="good">Enabled</Badge> : <Badge tone="quiet">Not enabled</Badge>}
        </>
      }
      footer={
        may ? (
          <>
            <span class="left">
              <Button kind="bare" icon="trash" onClick={() => setRemoving(true)}>
                Remove
              </Button>
            </span>
            <Button onClick={onClose}>Close</Button>
            <Button kind="primary" busy={busy} onClick={() => void save()}>
              Save
            </Button>
          </>
        ) : undefined
      }
    >
      <div class="segments" role="group" aria-label="Whose connections">
        <button type="button" aria-pressed={data.ownership === "userland_user"} onClick={() => setOwnership("userland_user")}>
          Each person's own
        </button>
        <button type="button" aria-pressed={data.ownership === "organization"} onClick={() => setOwnership("organization")}>
          Shared by an organization
        </button>
      </div>
      {error ? <Failed error={error} /> : null}
      <div>
        {data.available_auth_methods.length > 1 ? (
          <section class="part">
            <h3>How people connect</h3>
            <div class="choices">
              {data.available_auth_methods.map((method) => (
                <label class="choice" key={method}>
                  <input type="checkbox" checked={methods.includes(method)} disabled={!may} onChange={(event) => touch(setMethods)(data.available_auth_methods.filter((each) => (each === method ? event.currentTarget.checked : methods.includes(each))))} />
                  <span>
                    <strong>{METHODS[method]?.[0] ?? method}</strong>
                    <small>{METHODS[method]?.[1]}</small>
                  </span>
                </label>
              ))}
            </div>
          </section>
        ) : null}
        {usesOauth ? (
          <>
            {data.sandbox_credentials ? (
              <section class="part">
                <h3>Credentials</h3>
                <div class="choices" role="radiogroup" aria-label="Credentials">
                  <label class="choice">
                    <input type="radio" name="credentials" checked={!own} disabled={!may || Boolean(data.client_id)} onChange={() => touch(setOwn)(false)} />
                    <span>
                      <strong>{data.sandbox_credentials === "shared" ? "The sandbox's shared credentials" : "Simulated credentials"}</strong>
                      <small>
                        {data.sandbox_credentials === "shared" ? "A real OAuth app that the whole sandbox shares." : `A simulated ${data.name} in this sandbox: nothing to set up, and it can be told to fail.`}
                        {data.client_id ? " Remove the credentials of your own app to go back to these." : ""}
                      </small>
                    </span>
                  </label>
                  <label class="choice">
                    <input type="radio" name="credentials" checked={own} disabled={!may} onChange={() => touch(setOwn)(true)} />
                    <span>
                      <strong>My own OAuth app</strong>
                      <small>What production uses.</small>
                    </span>
                  </label>
                </div>
              </section>
            ) : null}
            {own ? (
              <>
                <AtProvider data={data} />
                <section class="part">
                  <h3>From there, enter here</h3>
                  <div class="form">
                    <Field label="Client ID" error={error?.fields["credentials.client_id"] ? error.message : undefined}>
                      {(ids) => <input {...ids} value={clientId} disabled={!may} autocomplete="off" spellcheck={false} onInput={(event) => touch(setClientId)(event.currentTarget.value)} />}
                    </Field>
                    <Field
                      label="Client secret"
                      error={error?.fields["credentials.client_secret"] ? error.message : undefined}
                      hint={
                        data.secrets.length
                          ? `Stored, sealed: ${data.secrets.map((each) => `${each.last_four ? `…${each.last_four}` : "one"} since ${ago(each.created_at)}`).join(" and ")}. A new one is used first, and the one before it goes on until the next.`
                          : "Sealed as soon as it arrives, and never shown again."
                      }
                    >
                      {(ids) => (
                        <input {...ids} type="password" value={secret} disabled={!may} autocomplete="new-password" placeholder={data.secrets.length ? "Leave empty to keep the stored one" : ""} onInput={(event) => touchSecret(event.currentTarget.value)} />
                      )}
                    </Field>
                    {may && data.client_id ? (
                      <div class="head-actions">
                        <Button kind="danger" small onClick={() => setForgetting(true)}>
                          Remove credentials
                        </Button>
                      </div>
                    ) : null}
                  </div>
                </section>
              </>
            ) : null}
            <Scopes data={data} chosen={scopes} choose={touch(setScopes)} disabled={!may} />
          </>
        ) : null}
        {data.config_fields.length ? (
          <section class="part">
            <h3>Where it is</h3>
            <p class="soft small-text">Leave a field empty to have whoever connects fill it in.</p>
            <div class="form">
              {data.config_fields.map((field) => (
                <Field key={field.name} label={field.label} hint={`${field.description}${field.example ? ` For example ${field.example}.` : ""}`} error={error?.fields[`config.${field.name}`] ? error.message : undefined}>
                  {(ids) => (
                    <input
                      {...ids}
                      value={config[field.name] ?? ""}
                      placeholder={field.default ?? ""}
                      disabled={!may}
                      onInput={(event) => {
                        const { [field.name]: _, ...rest } = config;
                        const value = event.currentTarget.value.trim();
                        touch(setConfig)(value ? { ...rest, [field.name]: value } : rest);
                      }}
                    />
                  )}
                </Field>
              ))}
            </div>
          </section>
        ) : null}
        {custom ? (
          <section class="part">
            <h3>Its addresses</h3>
            <p class="soft small-text">Changing where the client secret is sent asks for the secret again.</p>
            <EndpointFields value={custom} onChange={touch(setCustom)} errors={error?.fields ?? {}} disabled={!may} />
          </section>
        ) : null}
        <section class="part">
          <h3>What people see</h3>
          <Field label="Description" hint="Shown in the widget. Left empty, the catalogue's own words are shown.">
            {(ids) => <textarea {...ids} maxLength={500} value={description} disabled={!may} placeholder={data.provider_description} onInput={(event) => touch(setDescription)(event.currentTarget.value)} />}
          </Field>
          <Switch label="People can connect it" checked={enabled} disabled={!may} onChange={touch(setEnabled)} />
        </section>
        {usesOauth && may ? (
          <section class="part">
            <h3>Test this provider</h3>
            {data.ownership === "organization" ? (
              <p class="soft small-text">A trial is of the registration for each person's own connections.</p>
            ) : (
              <Trial data={data} unsaved={changed} />
            )}
          </section>
        ) : null}
        {data.notes.length || data.documentation.length ? (
          <section class="part">
            <details class="quiet">
              <summary>Good to know about {data.name}</summary>
              <ul>
                {data.notes.map((note) => (
                  <li key={note}>{note}</li>
                ))}
                {data.documentation.map((url) => (
                  <li key={url}>{/^https:\/\//.test(url) ? <a href={url} target="_blank" rel="noreferrer noopener">{url.replace(/^https:\/\//, "")}</a> : url}</li>
                ))}
              </ul>
            </details>
          </section>
        ) : null}
      </div>
      {removing ? (
        <Confirm
          title={`Remove ${data.name}?`}
          action="Remove"
          onClose={() => setRemoving(false)}
          onConfirm={async () => {
            await send("DELETE", path + query);
            onChanged();
            toast(`${data.name} is removed`);
            onClose();
          }}
        >
          <p>Its client id, secret and redirect URI are forgotten. It is refused while anybody is connected.</p>
        </Confirm>
      ) : null}
      {forgetting ? (
        <Confirm
          title={`Remove the credentials of ${data.name}?`}
          action="Remove credentials"
          onClose={() => setForgetting(false)}
          onConfirm={async () => {
            const left = await send<SetUpData>("DELETE", `${path}/client${query}`);
            setData(left);
            setClientId("");
            setSecret("");
            setOwn(!left.sandbox_credentials);
            setForgetting(false);
            onChanged();
            toast(`The credentials of ${data.name} are removed`);
          }}
        >
          <p>
            The client id and its secrets are forgotten here; at {data.name} the app stays as it is. The redirect URI stays, too. {data.sandbox_credentials ? "" : "Nobody can connect until there are others. "}It is refused while anybody is connected.
          </p>
        </Confirm>
      ) : null}
    </Dialog>
  );
}

function AtProvider({ data }: { data: SetUpData }) {
  const before = data.setup;
  return (
    <section class="part">
      <h3>At {data.name}</h3>
      <ol class="steps">
        {(before.length ? before : [`Register an OAuth app at ${data.name} with the redirect URI ${data.redirect_uri}`]).map((step) => {
          const [head, ...tail] = step.split(data.redirect_uri);
          return (
            <li key={step}>
              <div>
                {head}
                {tail.length ? (
                  <>
                    <code class="inline">{data.redirect_uri}</code>
                    {tail.join(data.redirect_uri)}
                    <CopyButton text={data.redirect_uri} label="the redirect URI" />
                  </>
                ) : null}
              </div>
            </li>
          );
        })}
      </ol>
      {before.length && !before.some((step) => step.includes(data.redirect_uri)) ? (
        <div class="field">
          <span class="legend">Redirect URI</span>
          <Copy text={data.redirect_uri} label="the redirect URI" />
        </div>
      ) : null}
    </section>
  );
}

function Scopes({ data, chosen, choose, disabled }: { data: SetUpData; chosen: string[]; choose: (scopes: string[]) => void; disabled: boolean }) {
  const [wanted, setWanted] = useState("");
  const known = new Set(data.available_scopes.map((each) => each.name));
  const others = chosen.filter((each) => !known.has(each));
  const [free, setFree] = useState(others.join(" "));
  const shown = data.available_scopes.filter((each) => `${each.name} ${each.description}`.toLowerCase().includes(wanted.toLowerCase()));
  const toggle = (name: string, on: boolean) => choose(on ? [...chosen, name] : chosen.filter((each) => each !== name));
  return (
    <section class="part">
      <h3>
        What it may do <span class="soft small-text">· {chosen.length} chosen</span>
      </h3>
      {data.available_scopes.length > 8 ? (
        <div class="searchbar">
          <Icon name="search" />
          <input type="search" aria-label="Search the scopes" placeholder={`Search ${data.available_scopes.length} scopes`} value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
        </div>
      ) : null}
      {shown.length ? (
        <div class="scopes" role="group" aria-label="Scopes" tabIndex={shown.length > 6 ? 0 : undefined}>
          {shown.map((scope) => (
            <label class="scope" key={scope.name}>
              <input type="checkbox" checked={scope.required || chosen.includes(scope.name)} disabled={disabled || scope.required} onChange={(event) => toggle(scope.name, event.currentTarget.checked)} />
              <span>
                {scope.description}
                {scope.required ? " (always asked for)" : ""}
                <code>{scope.name}</code>
              </span>
            </label>
          ))}
        </div>
      ) : null}
      <Field label={known.size ? "Other scopes" : "Scopes"} hint="As the provider spells them, with spaces between.">
        {(ids) => (
          <input
            {...ids}
            value={free}
            disabled={disabled}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => {
              setFree(event.currentTarget.value);
              choose([...chosen.filter((each) => known.has(each)), ...event.currentTarget.value.split(/\s+/).filter(Boolean)]);
            }}
          />
        )}
      </Field>
    </section>
  );
}
