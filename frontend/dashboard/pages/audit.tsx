/** Who changed what, newest first. */
import { useEffect, useState } from "preact/hooks";
import { get, type Refused } from "../api.ts";
import { Button, Card, Empty, Failed, Header, Skeleton, Time } from "../ui.tsx";
import { actorWord, sentence } from "../words.ts";

interface Entry {
  id: string;
  at: string;
  actor: string;
  action: string;
  facts: Record<string, unknown>;
}

export function Audit() {
  const [entries, setEntries] = useState<Entry[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);
  const [error, setError] = useState<Refused | null>(null);
  const more = async (from: string | null) => {
    setBusy(true);
    setError(null);
    try {
      const page = await get<{ entries: Entry[]; cursor: string | null }>("/audit", { cursor: from });
      setEntries((before) => (from ? [...before, ...page.entries] : page.entries));
      setCursor(page.cursor);
    } catch (raised) {
      setError(raised as Refused);
    }
    setBusy(false);
  };
  useEffect(() => void more(null), []);
  return (
    <>
      <Header title="Audit" text="Every change an administrator made, here or by the API, under the identity it was made with." />
      {error ? <Failed error={error} retry={() => void more(cursor)} /> : null}
      <Card flush>
        {entries.length ? (
          <div class="table-wrap">
            <table class="stacks">
              <thead>
                <tr>
                  <th>What</th>
                  <th>Who</th>
                  <th>With</th>
                  <th>When</th>
                </tr>
              </thead>
              <tbody>
                {entries.map((entry) => (
                  <tr key={entry.id}>
                    <td class="what">
                      <strong>{sentence(entry.action.replace(/[._]/g, " ").replace(/^api /, "API "))}</strong>
                    </td>
                    <td data-label="Who" title={entry.actor}>
                      {actorWord(entry.actor)}
                    </td>
                    <td class="with soft small-text">
                      {Object.entries(entry.facts)
                        .filter(([, value]) => value !== null && value !== false)
                        .map(([name, value]) => `${name.replaceAll("_", " ")}: ${Array.isArray(value) ? value.join(", ") : String(value)}`)
                        .join(" · ")}
                    </td>
                    <td data-label="When" class="soft">
                      <Time at={entry.at} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ) : busy ? (
          <Skeleton rows={6} />
        ) : error ? null : (
          <Empty icon="scroll" title="No change in the last two weeks" />
        )}
        {cursor ? (
          <div class="more">
            <Button busy={busy} onClick={() => void more(cursor)}>
              Look further back
            </Button>
          </div>
        ) : null}
      </Card>
    </>
  );
}
