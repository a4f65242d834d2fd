/** The catalogue: what is set up, what could be, and the way to a provider that is in no catalogue. */
import { useState } from "preact/hooks";
import { get } from "../api.ts";
import { Icon } from "../icons.tsx";
import { go } from "../router.ts";
import { useSession } from "../session.ts";
import { Badge, Button, Empty, Header, Mark, Shown, useLoad } from "../ui.tsx";
import { CREDENTIALS } from "../words.ts";
import { SetUp } from "./set-up.tsx";
import { Wizard } from "./wizard.tsx";

interface Listed {
  slug: string;
  name: string;
  description: string;
  custom: boolean;
  auth_methods: string[];
  registrations: { ownership: string; enabled: boolean; credentials: string | null; created_at: string }[];
  trouble: { kind: "misconfigured" | "unavailable"; error: string | null } | null;
}

export function Providers({ what }: { what: string | null }) {
  const session = useSession();
  const listed = useLoad(() => get<{ providers: Listed[] }>("/providers"), "providers");
  const [wanted, setWanted] = useState("");
  const [wizard, setWizard] = useState(false);
  const open = (slug: string | null) => go(slug ? `/providers/${encodeURIComponent(slug)}` : "/providers");
  return (
    <>
      <Header title="Providers" text="The services that people can connect their accounts of.">
        {session.role === "administrator" ? (
          <Button icon="wand" onClick={() => setWizard(true)}>
            Custom provider
          </Button>
        ) : null}
      </Header>
      <Shown from={listed} rows={8}>
        {({ providers }) => {
          const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
          const found = providers.filter((each) => words.every((word) => `${each.name} ${each.slug} ${each.description}`.toLowerCase().includes(word)));
          const ready = found.filter((each) => each.registrations.length);
          const others = found.filter((each) => !each.registrations.length);
          return (
            <>
              <div class="filters">
                <div class="searchbar">
                  <Icon name="search" />
                  <input type="search" aria-label="Search the catalogue" placeholder={`Search ${providers.length} providers`} value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
                </div>
              </div>
              <p class="unseen" role="status">
                {found.length} found
              </p>
              {ready.length ? <Group title="Set up" note={String(ready.length)} providers={ready} open={open} /> : null}
              {others.length ? <Group title="Catalogue" note={`${others.length} to choose from`} providers={others} open={open} /> : null}
              {found.length ? null : (
                <Empty icon="search" title={`Nothing in the catalogue is called “${wanted}”`}>
                  <p>Any OAuth 2.0 provider can be added: its addresses are often found by themselves.</p>
                  {session.role === "administrator" ? (
                    <Button icon="wand" kind="primary" onClick={() => setWizard(true)}>
                      Add a custom provider
                    </Button>
                  ) : null}
                </Empty>
              )}
            </>
          );
        }}
      </Shown>
      {what ? (
        <SetUp
          key={what}
          slug={what}
          known={listed.data?.providers.find((each) => each.slug === what)?.registrations.map((each) => each.ownership) ?? null}
          name={listed.data?.providers.find((each) => each.slug === what)?.name ?? what}
          onChanged={listed.reload}
          onClose={() => open(null)}
        />
      ) : null}
      {wizard ? (
        <Wizard
          onClose={() => setWizard(false)}
          onMade={(slug) => {
            setWizard(false);
            listed.reload();
            open(slug);
          }}
        />
      ) : null}
    </>
  );
}

function Group({ title, note, providers, open }: { title: string; note: string; providers: Listed[]; open: (slug: string) => void }) {
  return (
    <section>
      <h2 class="section-title">
        {title} <span>{note}</span>
      </h2>
      <div class="grid">
        {providers.map((each) => (
          <button type="button" class="provider" key={each.slug} onClick={() => open(each.slug)}>
            <span class="provider-top">
              <Mark name={each.name} slug={each.slug} />
              <strong>{each.name}</strong>
            </span>
            <p>{each.description || "A provider of your own."}</p>
            <span class="badges">
              <State provider={each} />
            </span>
          </button>
        ))}
      </div>
    </section>
  );
}

function State({ provider }: { provider: Listed }) {
  const { registrations, trouble, custom } = provider;
  if (!registrations.length) return <span class="soft small-text">Not set up</span>;
  const enabled = registrations.filter((each) => each.enabled);
  const without = enabled.some((each) => !each.credentials) && provider.auth_methods.includes("oauth");
  const credentials = registrations.find((each) => each.credentials)?.credentials;
  return (
    <>
      {trouble?.kind === "misconfigured" ? <Badge tone="bad">Credentials refused</Badge> : trouble ? <Badge tone="warning">Does not answer</Badge> : null}
      {without ? <Badge tone="warning">No credentials</Badge> : enabled.length ? <Badge tone="good">Enabled</Badge> : <Badge tone="quiet">Not enabled</Badge>}
      {credentials ? <Badge tone="quiet">{CREDENTIALS[credentials] ?? credentials}</Badge> : null}
      {registrations.some((each) => each.ownership === "organization") ? <Badge tone="accent">Shared by organizations</Badge> : null}
      {custom ? <Badge tone="accent">Custom</Badge> : null}
    </>
  );
}
