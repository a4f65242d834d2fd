/** How the stage is: connections, refreshes, what wants attention, and what it costs. */
import { useState } from "preact/hooks";
import { get } from "../api.ts";
import { Chart, LINE_WORDS, LINES, totalOf, type Bar } from "../chart.tsx";
import { Card, Header, Mark, Notice, Shown, Time, useLoad } from "../ui.tsx";
import { count, dollars, plural, type Tone } from "../words.ts";

type Counts = Record<string, number>;
interface OverviewData {
  connections: { counts: Record<string, Counts>; as_of: string | null; whole: boolean };
  names: Record<string, string>;
  refreshes: { at: string; providers: Record<string, Counts> }[];
  cost: { total: number; parts: { what: string; dollars: number }[]; assumed: string[] };
  attention: { severity: "bad" | "warning" | "note"; text: string; todo: string; slug: string | null; page: string | null }[];
}

const TONES: Record<string, Tone> = { bad: "bad", warning: "warning", note: "quiet" };

export function Overview() {
  const overview = useLoad(() => get<OverviewData>("/overview"), "overview");
  return (
    <>
      <Header title="Overview" text="Every connection of this stage, and how it is kept alive." />
      <Shown from={overview} rows={10}>
        {(data) => <Panels data={data} />}
      </Shown>
    </>
  );
}

function Panels({ data }: { data: OverviewData }) {
  const all = Object.values(data.connections.counts);
  const sum = (...names: string[]) => all.reduce((total, counts) => total + names.reduce((part, name) => part + (counts[name] ?? 0), 0), 0);
  const troubled = sum("failing", "misconfigured");
  const as = data.connections.as_of;
  return (
    <>
      {data.connections.whole ? null : (
        <div class="stack">
          <Notice tone="quiet" title="The first count is under way">
            <p>A stage of this size is counted once a day by the pass that looks at every row. Its first one is not through yet.</p>
          </Notice>
        </div>
      )}
      <div class="stats">
        <Stat word="Connected" value={sum("connected")} note={as ? <>counted <Time at={as} /></> : `${plural(all.length, "provider")}`} href="/dashboard/connections?state=connected" />
        <Stat word="Need reauthorization" value={sum("needs_reauthorization")} tone={sum("needs_reauthorization") ? "bad" : ""} note="a person has to connect again" href="/dashboard/connections?state=needs_reauthorization" />
        <Stat word="Refresh failing" value={troubled} tone={troubled ? "warning" : ""} note="tried again by the clock" />
        <Stat word="Idle" value={sum("idle")} note="kept alive, not fetched" />
      </div>
      <div class="columns">
        <div class="stack">
          <Refreshes hours={data.refreshes} />
          <ByProvider data={data} />
        </div>
        <div class="stack">
          <Card title="Needs attention">
            {data.attention.length ? (
              <ul class="todo">
                {data.attention.map((each) => (
                  <li key={each.text}>
                    <Notice tone={TONES[each.severity] ?? "quiet"}>
                      <strong>{each.text}</strong>
                      <span>{each.todo}</span>
                      {each.page ? <a href={`/dashboard/${each.page}${each.slug && each.page === "providers" ? `/${each.slug}` : ""}`}>Go there</a> : null}
                    </Notice>
                  </li>
                ))}
              </ul>
            ) : (
              <Notice tone="good" title="All is well">
                <span>Nothing asks for you.</span>
              </Notice>
            )}
          </Card>
          <Card title="Cost of the month">
            <p class="big">{dollars(data.cost.total)}</p>
            <p class="soft small-text">An estimate at AWS's list prices for {plural(sum("connected", "needs_reauthorization"), "connection")}.</p>
            <dl class="costs">
              {data.cost.parts.map((part) => (
                <div key={part.what}>
                  <dt>{part.what}</dt>
                  <dd>{dollars(part.dollars)}</dd>
                </div>
              ))}
            </dl>
            <details class="quiet">
              <summary>What is assumed</summary>
              <ul>
                {data.cost.assumed.map((each) => (
                  <li key={each}>{each}</li>
                ))}
              </ul>
            </details>
          </Card>
        </div>
      </div>
    </>
  );
}

function Stat({ word, value, note, tone = "", href }: { word: string; value: number; note: preact.ComponentChildren; tone?: string; href?: string }) {
  const inner = (
    <>
      <span>{word}</span>
      <strong>{count(value)}</strong>
      <small>{note}</small>
    </>
  );
  return href ? (
    <a class={`stat ${tone}`} href={href}>
      {inner}
    </a>
  ) : (
    <div class={`stat ${tone}`}>{inner}</div>
  );
}

function summed(hours: OverviewData["refreshes"]): Bar["counts"] {
  const counts: Bar["counts"] = {};
  for (const hour of hours) for (const lines of Object.values(hour.providers)) for (const line of LINES) if (lines[line]) counts[line] = (counts[line] ?? 0) + lines[line];
  return counts;
}

function Refreshes({ hours }: { hours: OverviewData["refreshes"] }) {
  const [span, setSpan] = useState<"hour" | "day">("hour");
  const bars: Bar[] = [];
  if (span === "hour") for (const hour of hours.slice(-24)) bars.push({ at: hour.at, counts: summed([hour]) });
  else for (let at = hours.length; at > 0; at -= 24) bars.unshift({ at: hours[Math.max(0, at - 24)]!.at, counts: summed(hours.slice(Math.max(0, at - 24), at)) });
  const total = bars.reduce((sum, bar) => sum + totalOf(bar), 0);
  return (
    <Card
      title="Refreshes by the clock"
      aside={
        <div class="segments" role="group" aria-label="Time shown">
          <button type="button" aria-pressed={span === "hour"} onClick={() => setSpan("hour")}>
            24 hours
          </button>
          <button type="button" aria-pressed={span === "day"} onClick={() => setSpan("day")}>
            7 days
          </button>
        </div>
      }
    >
      <Chart bars={bars} unit={span} label={`Refreshes in the last ${span === "hour" ? "24 hours, by the hour" : "7 days, by the day"}: ${plural(total, "connection")}`} />
      <ul class="legend-row">
        {LINES.map((line) => (
          <li key={line}>
            <span class={`dot ${line}`} aria-hidden="true" />
            {LINE_WORDS[line]} <strong class="number">{count(bars.reduce((sum, bar) => sum + (bar.counts[line] ?? 0), 0))}</strong>
          </li>
        ))}
      </ul>
      {total === 0 ? <p class="soft small-text">Nothing was due in this time. Tokens that a fetch renewed are not counted here.</p> : null}
    </Card>
  );
}

function ByProvider({ data }: { data: OverviewData }) {
  const rows = Object.entries(data.connections.counts)
    .map(([slug, counts]) => ({ slug, name: data.names[slug] ?? slug, good: (counts["connected"] ?? 0) - (counts["failing"] ?? 0) - (counts["misconfigured"] ?? 0), warn: (counts["failing"] ?? 0) + (counts["misconfigured"] ?? 0), bad: counts["needs_reauthorization"] ?? 0 }))
    .sort((left, right) => right.good + right.warn + right.bad - left.good - left.warn - left.bad);
  return (
    <Card title="Connections by provider" flush>
      {rows.length ? (
        <div class="table-wrap">
          <table>
            <thead>
              <tr>
                <th>Provider</th>
                <th>Health</th>
                <th class="right">Connected</th>
                <th class="right">To reauthorize</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => {
                const all = Math.max(1, row.good + row.warn + row.bad);
                return (
                  <tr key={row.slug} class="goes">
                    <td>
                      <span class="who">
                        <Mark name={row.name} slug={row.slug} />
                        <a class="row-link" href={`/dashboard/connections?provider=${encodeURIComponent(row.slug)}`}>
                          {row.name}
                        </a>
                      </span>
                    </td>
                    <td>
                      <div class="meter" role="img" aria-label={`${row.good} healthy, ${row.warn} failing, ${row.bad} to reauthorize`}>
                        <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                          <rect class="good" width={(100 * row.good) / all} height="8" />
                          <rect class="warn" x={(100 * row.good) / all} width={(100 * row.warn) / all} height="8" />
                          <rect class="bad" x={(100 * (row.good + row.warn)) / all} width={(100 * row.bad) / all} height="8" />
                        </svg>
                      </div>
                    </td>
                    <td class="right number">{count(row.good + row.warn)}</td>
                    <td class="right number">{count(row.bad)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      ) : (
        <p class="empty">Nobody is connected yet.</p>
      )}
    </Card>
  );
}
