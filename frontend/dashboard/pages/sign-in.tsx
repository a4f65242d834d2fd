/** Before anybody is signed in: the link's own page, and what to do without one. */
import { useEffect, useRef, useState } from "preact/hooks";
import { send } from "../api.ts";
import { Icon } from "../icons.tsx";
import { Button, Failed, useAction } from "../ui.tsx";

function Gate({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <div class="gate">
      <main class="card">
        <span class="brand-mark">
          <Icon name="plug" />
        </span>
        <h1>{title}</h1>
        {children}
      </main>
    </div>
  );
}

function HowTo() {
  return (
    <>
      <p class="soft">Make a link with your own AWS credentials. It works once, for five minutes.</p>
      <pre>
        <code>make dashboard STAGE=…</code>
      </pre>
    </>
  );
}

/** The link's token is in the fragment. It is taken out of the address at once and spent by a click: whoever previews links opens none. */
export function SignIn() {
  const token = useRef(location.hash.slice(1));
  const [spent, setSpent] = useState(false);
  const { busy, error, run } = useAction();
  useEffect(() => {
    document.title = "Sign in · Standpipe";
    history.replaceState(null, "", location.pathname);
  }, []);
  if (!token.current || spent) {
    return (
      <Gate title="Sign in">
        {error ? <Failed error={error} /> : null}
        <HowTo />
      </Gate>
    );
  }
  return (
    <Gate title="Sign in to Standpipe">
      <p class="soft">You will be signed in on this browser for eight hours. What you change is noted under your AWS identity.</p>
      <Button
        kind="primary"
        busy={busy}
        autofocus
        onClick={() =>
          void run(async () => {
            try {
              await send("POST", "/sign-in", { token: token.current });
            } catch (raised) {
              setSpent(true);
              throw raised;
            }
            location.replace("/dashboard");
          })
        }
      >
        Sign in
      </Button>
    </Gate>
  );
}

export function SignedOut() {
  return (
    <Gate title="You are signed out">
      <HowTo />
      <p class="soft small-text">
        Elsewhere than in the sandbox name the stage, and use <code>python -m ops dashboard --stage …</code> where there is no make.
      </p>
    </Gate>
  );
}
