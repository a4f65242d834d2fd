/** A provider that is in no catalogue: found by its own metadata where it has some, entered by hand otherwise. */
import { useState } from "preact/hooks";
import { send } from "../api.ts";
import { Button, Dialog, Failed, Field, Notice, Switch, useAction } from "../ui.tsx";

export interface CustomProvider {
  name?: string | null;
  authorization_url?: string | null;
  token_url?: string | null;
  refresh_token_url?: string | null;
  revocation_url?: string | null;
  userinfo_url?: string | null;
  issuer?: string | null;
  pkce_enabled?: boolean | null;
  authenticate_via?: "basic_auth_header" | "request_body" | null;
  request_scope_separator?: string | null;
  client_secret_required?: boolean | null;
}
interface Discovered {
  found_at: string;
  fields: CustomProvider;
  scopes: string[];
  notes: string[];
}

const ADDRESSES: [keyof CustomProvider, string, string][] = [
  ["authorization_url", "Authorization endpoint", "Where people are sent to allow access."],
  ["token_url", "Token endpoint", "Where codes and refresh tokens are exchanged."],
  ["revocation_url", "Revocation endpoint", "Optional. Ends a grant at the provider (RFC 7009)."],
  ["userinfo_url", "Userinfo endpoint", "Optional. Tells whose account it is."],
  ["issuer", "Issuer", "Optional. Checked against what the provider says it is (RFC 9207)."],
];

export function EndpointFields({ value, onChange, errors, disabled = false }: { value: CustomProvider; onChange: (value: CustomProvider) => void; errors: Record<string, string>; disabled?: boolean }) {
  return (
    <div class="form">
      {ADDRESSES.map(([name, label, hint]) => (
        <Field key={name} label={label} hint={hint} error={errors[`custom_provider.${name}`] ? "This is not an address it may have." : undefined}>
          {(ids) => <input {...ids} type="url" inputMode="url" spellcheck={false} disabled={disabled} value={(value[name] as string | null) ?? ""} placeholder="https://" onInput={(event) => onChange({ ...value, [name]: event.currentTarget.value.trim() || null })} />}
        </Field>
      ))}
      <Field label="The client secret is sent" hint="Most providers take either.">
        {(ids) => (
          <select {...ids} disabled={disabled} value={value.authenticate_via ?? "request_body"} onChange={(event) => onChange({ ...value, authenticate_via: event.currentTarget.value as "request_body" })}>
            <option value="request_body">in the body</option>
            <option value="basic_auth_header">in the Authorization header (Basic)</option>
          </select>
        )}
      </Field>
      <Switch label="PKCE" checked={value.pkce_enabled ?? true} disabled={disabled} onChange={(on) => onChange({ ...value, pkce_enabled: on })} />
    </div>
  );
}

function slugOf(name: string): string {
  return name
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);
}

export function Wizard({ onClose, onMade }: { onClose: () => void; onMade: (slug: string) => void }) {
  const [step, setStep] = useState<"find" | "check">("find");
  const [issuer, setIssuer] = useState("");
  const [found, setFound] = useState<Discovered | null>(null);
  const [name, setName] = useState("");
  const [slug, setSlug] = useState("");
  const [provider, setProvider] = useState<CustomProvider>({ pkce_enabled: true, authenticate_via: "request_body" });
  const [clientId, setClientId] = useState("");
  const [secret, setSecret] = useState("");
  const [scopes, setScopes] = useState("");
  const finding = useAction();
  const making = useAction();
  const called = slug || slugOf(name);

  const discover = () =>
    finding.run(async () => {
      const discovered = await send<Discovered>("POST", "/discovery", { issuer });
      setFound(discovered);
      setProvider({ ...provider, ...discovered.fields });
      setScopes(discovered.scopes.filter((each) => ["openid", "profile", "email", "offline_access"].includes(each)).join(" "));
      if (!name) setName(new URL(issuer).hostname.replace(/^(www|login|auth|accounts|id|sso)\./, ""));
      setStep("check");
    });
  const make = () =>
    making.run(async () => {
      const wanted = scopes.split(/\s+/).filter(Boolean);
      await send("PUT", `/providers/${encodeURIComponent(called)}`, {
        custom_provider: { ...provider, name },
        ...(wanted.length ? { scopes: wanted } : {}),
        ...(clientId ? { credentials: { type: "custom", client_id: clientId.trim(), ...(secret ? { client_secret: secret } : {}) } } : {}),
      });
      onMade(called);
    });

  if (step === "find") {
    return (
      <Dialog title="Add a custom provider" onClose={onClose}>
        <p class="soft">Most OAuth 2.0 and OpenID Connect providers publish their addresses. Give the address of theirs, and the rest is looked up.</p>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void discover();
          }}
        >
          <Field label="Address of the authorization server" hint="Its issuer, for example https://login.example.com">
            {(ids) => <input {...ids} type="url" required inputMode="url" placeholder="https://" value={issuer} autofocus onInput={(event) => setIssuer(event.currentTarget.value.trim())} />}
          </Field>
          {finding.error ? <Failed error={finding.error} /> : null}
          <div class="head-actions">
            <Button type="submit" kind="primary" icon="search" busy={finding.busy}>
              Look it up
            </Button>
            <Button onClick={() => setStep("check")}>Enter everything by hand</Button>
          </div>
        </form>
      </Dialog>
    );
  }
  return (
    <Dialog
      kind="drawer"
      title="Add a custom provider"
      onClose={onClose}
      footer={
        <>
          <span class="left">
            <Button icon="arrowLeft" onClick={() => setStep("find")}>
              Back
            </Button>
          </span>
          <Button kind="primary" busy={making.busy} disabled={!called || !provider.authorization_url || !provider.token_url} onClick={() => void make()}>
            Add it
          </Button>
        </>
      }
    >
      {found ? (
        <Notice tone="good" title="Found">
          <span>{found.found_at}</span>
        </Notice>
      ) : null}
      {found?.notes.map((note) => (
        <Notice key={note} tone="warning">
          {note}
        </Notice>
      ))}
      {making.error ? <Failed error={making.error} /> : null}
      <div class="form">
        <div class="pair">
          <Field label="Name" hint="What people see.">
            {(ids) => <input {...ids} required maxLength={100} value={name} onInput={(event) => setName(event.currentTarget.value)} />}
          </Field>
          <Field label="Short name" hint="What your application calls it.">
            {(ids) => <input {...ids} pattern="[a-z0-9][a-z0-9\-]*" spellcheck={false} value={called} onInput={(event) => setSlug(slugOf(event.currentTarget.value))} />}
          </Field>
        </div>
        <EndpointFields value={provider} onChange={setProvider} errors={making.error?.fields ?? {}} />
        <div class="pair">
          <Field label="Client ID" hint="May be entered later, with the redirect URI at hand.">
            {(ids) => <input {...ids} autocomplete="off" spellcheck={false} value={clientId} onInput={(event) => setClientId(event.currentTarget.value)} />}
          </Field>
          <Field label="Client secret" hint="Sealed as soon as it arrives.">
            {(ids) => <input {...ids} type="password" autocomplete="new-password" value={secret} onInput={(event) => setSecret(event.currentTarget.value)} />}
          </Field>
        </div>
        <Field label="Scopes" hint={found?.scopes.length ? `It offers ${found.scopes.slice(0, 12).join(", ")}${found.scopes.length > 12 ? " …" : ""}.` : "With spaces between."}>
          {(ids) => <input {...ids} spellcheck={false} value={scopes} onInput={(event) => setScopes(event.currentTarget.value)} />}
        </Field>
      </div>
    </Dialog>
  );
}
