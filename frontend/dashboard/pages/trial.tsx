/** The trial of a provider: connect, refresh and revoke on a throwaway connection, each step with what came of it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get, send } from "../api.ts";
import { Icon, type IconName } from "../icons.tsx";
import { Button, Failed, Field, Notice, useAction } from "../ui.tsx";
import type { SetUpData } from "./set-up.tsx";

interface Step {
  name: "connect" | "refresh" | "revoke";
  verdict: "waiting" | "passed" | "failed" | "skipped";
  text: string;
  milliseconds?: number;
}

const NAMES = ["connect", "refresh", "revoke"] as const;
const AHEAD: Record<string, string> = { connect: "Allow access at the provider.", refresh: "Use the refresh token once.", revoke: "End the grant and forget the tokens." };
const ICONS: Record<string, IconName> = { passed: "circleCheck", failed: "circleX", skipped: "minus", ahead: "minus" };
const POLL = 1200;

export function Trial({ data, unsaved }: { data: SetUpData; unsaved: boolean }) {
  const path = `/providers/${encodeURIComponent(data.slug)}/trial`;
  const [steps, setSteps] = useState<Step[]>([]);
  const [url, setUrl] = useState<string | null>(null);
  const [working, setWorking] = useState<string | null>(null);
  const [config, setConfig] = useState<Record<string, string>>({});
  const { busy, error, run } = useAction();
  const alive = useRef(true);
  useEffect(() => () => void (alive.current = false), []);

  const follow = async () => {
    for (;;) {
      const { steps: found } = await get<{ steps: Step[] }>(path);
      if (!alive.current) return;
      setSteps(found);
      if (found[0]?.verdict !== "waiting") break;
      await new Promise((done) => setTimeout(done, POLL));
      if (!alive.current) return;
    }
    setUrl(null);
    for (const step of ["refresh", "revoke"] as const) {
      const now = await get<{ steps: Step[] }>(path);
      if (now.steps[0]?.verdict !== "passed") return;
      setWorking(step);
      setSteps((await send<{ steps: Step[] }>("POST", `${path}/${step}`)).steps);
      setWorking(null);
    }
  };
  const begin = () => {
    // Opened in the click itself, or the browser takes it for a pop-up nobody asked for. Without an opener the window could not be led to its address.
    const opened = window.open("about:blank", "_blank", "width=520,height=720");
    void run(async () => {
      try {
        const begun = await send<{ url: string; steps: Step[] }>("POST", path, { config });
        setSteps(begun.steps);
        setUrl(begun.url);
        if (opened) {
          opened.opener = null;
          opened.location.href = begun.url;
        }
      } catch (raised) {
        opened?.close();
        throw raised;
      }
      try {
        await follow();
      } finally {
        setWorking(null);
      }
    });
  };
  const missing = data.config_fields.filter((field) => !data.config[field.name] && !field.default);
  const failed = steps.find((step) => step.verdict === "failed");
  const over = steps.length === 3 || failed;
  return (
    <>
      <p class="soft small-text">
        Connects, refreshes and revokes a throwaway connection, so that no user is the first to find out. People need not be able to connect it yet. Your application hears of it as the user <code>standpipe-trial</code>.
      </p>
      {missing.length ? (
        <div class="form">
          {missing.map((field) => (
            <Field key={field.name} label={field.label} hint={field.example ? `For example ${field.example}.` : field.description}>
              {(ids) => <input {...ids} value={config[field.name] ?? ""} onInput={(event) => setConfig({ ...config, [field.name]: event.currentTarget.value.trim() })} />}
            </Field>
          ))}
        </div>
      ) : null}
      {steps.length ? (
        <ol class="trial" aria-live="polite">
          {NAMES.map((name, index) => {
            const step = steps[index];
            const running = working === name || step?.verdict === "waiting";
            const verdict = step?.verdict ?? "ahead";
            return (
              <li key={name} class={verdict}>
                {running ? <span class="spinner" aria-hidden="true" /> : <Icon name={ICONS[verdict] ?? "minus"} />}
                <div>
                  <strong>{name}</strong>
                  <p>{step?.text ?? (working === name ? "Asking the provider …" : AHEAD[name])}</p>
                </div>
                <span class="soft small-text number">{step?.milliseconds !== undefined ? `${step.milliseconds} ms` : step && !running ? step.verdict : ""}</span>
              </li>
            );
          })}
        </ol>
      ) : null}
      {error ? <Failed error={error} /> : null}
      {over && !busy ? (
        failed ? (
          <Notice tone="bad" title="It does not work yet" />
        ) : (
          <Notice tone="good" title={`${data.name} works`}>
            <span>The throwaway connection is gone again.</span>
          </Notice>
        )
      ) : null}
      <div class="head-actions">
        <Button icon="flask" busy={busy} disabled={unsaved || !data.credentials} onClick={begin}>
          {steps.length && over ? "Test again" : "Test this provider"}
        </Button>
        {url ? (
          <a class="button" href={url} target="_blank" rel="noreferrer noopener">
            Open the window again
          </a>
        ) : null}
      </div>
      {unsaved || !data.credentials ? <p class="hint">{unsaved ? "Save first: a trial uses what is stored." : "Enter its client id and secret, and save, to try it."}</p> : null}
    </>
  );
}
