/** What every page is made of. */
import type { ComponentChildren, JSX } from "preact";
import { useCallback, useEffect, useId, useRef, useState } from "preact/hooks";
import { Refused } from "./api.ts";
import { Icon, type IconName } from "./icons.tsx";
import { useSession } from "./session.ts";
import { ago, when, type Tone } from "./words.ts";

export interface Loaded<T> {
  data: T | null;
  error: Refused | null;
  loading: boolean;
  reload: () => void;
}

/** What `load` answers, anew whenever `key` changes. What an earlier call answers late is dropped. */
export function useLoad<T>(load: () => Promise<T>, key: string): Loaded<T> {
  const [state, set] = useState<{ data: T | null; error: Refused | null; loading: boolean }>({ data: null, error: null, loading: true });
  const [turn, again] = useState(0);
  useEffect(() => {
    let current = true;
    set((before) => ({ ...before, error: null, loading: true }));
    load().then(
      (data) => current && set({ data, error: null, loading: false }),
      (error: unknown) => current && set((before) => ({ ...before, error: error as Refused, loading: false })),
    );
    return () => {
      current = false;
    };
  }, [key, turn]);
  return { ...state, reload: useCallback(() => again((before) => before + 1), []) };
}

/** One action at a time, with what it is doing and what went wrong. */
export function useAction(): { busy: boolean; error: Refused | null; run: (work: () => Promise<void>) => Promise<void>; clear: () => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Refused | null>(null);
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (raised) {
      setError(raised instanceof Refused ? raised : new Refused("Something went wrong in this page. Reload it.", "page", 0, {}));
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run, clear: () => setError(null) };
}

export function Badge({ tone, children }: { tone: Tone | "accent"; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

type ButtonProps = JSX.IntrinsicElements["button"] & { icon?: IconName; kind?: "primary" | "plain" | "danger" | "bare"; busy?: boolean; small?: boolean };

export function Button({ icon, kind = "plain", busy = false, small = false, children, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} class={`button ${kind}${small ? " small" : ""}`} disabled={Boolean(rest.disabled) || busy} aria-busy={busy}>
      {busy ? <span class="spinner" aria-hidden="true" /> : icon ? <Icon name={icon} /> : null}
      {children}
    </button>
  );
}

export function IconButton({ icon, label, ...rest }: { icon: IconName; label: string } & JSX.IntrinsicElements["button"]) {
  return (
    <button type="button" {...rest} class="icon-button" aria-label={label} title={label}>
      <Icon name={icon} />
    </button>
  );
}

export function Copy({ text, label }: { text: string; label: string }) {
  return (
    <span class="copy">
      <code>{text}</code>
      <CopyButton text={text} label={label} />
    </span>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, set] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => set(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button type="button" class="button small" onClick={() => void navigator.clipboard.writeText(text).then(() => set(true))}>
      <Icon name={copied ? "check" : "copy"} />
      <span aria-live="polite">{copied ? "Copied" : "Copy"}</span>
      <span class="unseen"> {label}</span>
    </button>
  );
}

export function Notice({ tone, title, children }: { tone: Tone; title?: string; children?: ComponentChildren }) {
  const icons: Record<Tone, IconName> = { good: "circleCheck", bad: "circleAlert", warning: "alert", quiet: "info" };
  return (
    <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : undefined}>
      <Icon name={icons[tone]} />
      <div>
        {title ? <strong>{title}</strong> : null}
        {children}
      </div>
    </div>
  );
}

export function Failed({ error, retry }: { error: Refused; retry?: () => void }) {
  return (
    <Notice tone="bad" title="That did not work">
      <p>{error.message}</p>
      {retry ? (
        <Button icon="refresh" onClick={retry}>
          Try again
        </Button>
      ) : null}
    </Notice>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Skeleton({ rows = 4 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="unseen">Loading …</span>
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} class="bone" />
      ))}
    </div>
  );
}

/** Data, or what stands for it while it loads, fails or is not there. */
export function Shown<T>({ from, rows, children }: { from: Loaded<T>; rows?: number; children: (data: T) => ComponentChildren }) {
  if (from.data !== null) {
    return (
      <>
        {from.error ? <Failed error={from.error} retry={from.reload} /> : null}
        {children(from.data)}
      </>
    );
  }
  return from.error ? <Failed error={from.error} retry={from.reload} /> : <Skeleton rows={rows ?? 4} />;
}

export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={when(at)}>
      {ago(at)}
    </time>
  );
}

export function Header({ title, text, children }: { title: string; text?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <header class="head">
      <div>
        <h1 tabIndex={-1}>{title}</h1>
        {text ? <p>{text}</p> : null}
      </div>
      {children ? <div class="head-actions">{children}</div> : null}
    </header>
  );
}

export function Card({ title, aside, children, flush = false }: { title?: string; aside?: ComponentChildren; children: ComponentChildren; flush?: boolean }) {
  return (
    <section class={flush ? "card flush" : "card"}>
      {title ? (
        <div class="card-head">
          <h2>{title}</h2>
          {aside}
        </div>
      ) : null}
      {children}
    </section>
  );
}

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  children: (ids: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ComponentChildren;
}

export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": `${id}-hint`, "aria-invalid": Boolean(error) })}
      <p class={error ? "hint bad" : "hint"} id={`${id}-hint`}>
        {error ?? hint}
      </p>
    </div>
  );
}

export function Switch({ label, checked, onChange, disabled = false }: { label: string; checked: boolean; onChange: (on: boolean) => void; disabled?: boolean }) {
  return (
    <label class="switch">
      <input type="checkbox" role="switch" checked={checked} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

/** A dialog of the browser's own: focus stays inside, Escape closes it, and what is behind it is inert. */
export function Dialog({ title, kind = "box", onClose, children, footer }: { title: ComponentChildren; kind?: "box" | "drawer"; onClose: () => void; children: ComponentChildren; footer?: ComponentChildren }) {
  const own = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    own.current?.showModal();
    // The title, not the button that closes it: a screen reader begins where a person does. A field that asks for it gets the focus itself.
    if (!own.current?.querySelector("[autofocus]")) own.current?.querySelector<HTMLElement>("h2")?.focus();
    return () => before?.focus();
  }, []);
  return (
    <dialog
      ref={own}
      class={kind}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === own.current && onClose()}
    >
      <div class="dialog-inner">
        <header class="dialog-head">
          <h2 id={id} tabIndex={-1}>{title}</h2>
          <IconButton icon="x" label="Close" onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        {footer ? <footer class="dialog-foot">{footer}</footer> : null}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  action: string;
  children: ComponentChildren;
  onConfirm: () => Promise<void>;
  onClose: () => void;
}

export function Confirm({ title, action, children, onConfirm, onClose }: ConfirmProps) {
  const { busy, error, run } = useAction();
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="danger" busy={busy} onClick={() => void run(onConfirm)}>
            {action}
          </Button>
        </>
      }
    >
      {children}
      {error ? <Failed error={error} /> : null}
    </Dialog>
  );
}

/** A provider's picture, or the first letter of a name on a colour that is always the same for it. */
export function Mark({ name, slug }: { name: string; slug?: string }) {
  const icon = useSession().icons[slug ?? ""];
  const [broken, setBroken] = useState(false);
  if (icon && !broken) {
    const looks = icon.dark === icon.light ? [["both", icon.light]] : Object.entries(icon);
    return (
      <span class="mark picture" aria-hidden="true">
        {looks.map(([look, address]) => (
          <img key={look} class={look} src={address} alt="" width={22} height={22} loading="lazy" onError={() => setBroken(true)} />
        ))}
      </span>
    );
  }
  const hue = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 12, 7);
  return (
    <span class={`mark hue-${hue}`} aria-hidden="true">
      {name.charAt(0).toUpperCase()}
    </span>
  );
}

let say: (text: string) => void = () => {};
/** Tells that something was done, for eyes and screen readers alike. */
export function toast(text: string): void {
  say(text);
}

export function Toasts() {
  const [text, set] = useState("");
  useEffect(() => {
    say = set;
  }, []);
  useEffect(() => {
    if (!text) return;
    const timer = setTimeout(() => set(""), 5000);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div class="toasts" role="status">
      {text ? (
        <div class="toast">
          <Icon name="circleCheck" />
          {text}
        </div>
      ) : null}
    </div>
  );
}
