/** Refresh outcomes, a bar an hour or a day. Also a table, for who does not see bars. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { count, when } from "./words.ts";

export const LINES = ["refreshed", "failed", "misconfigured", "ended"] as const;
export const LINE_WORDS: Record<(typeof LINES)[number], string> = {
  refreshed: "Refreshed",
  failed: "Failed, tried again",
  misconfigured: "Our credentials refused",
  ended: "Ended by the provider",
};
export interface Bar {
  at: string;
  counts: Partial<Record<(typeof LINES)[number], number>>;
}

const HEIGHT = 180;
const BOTTOM = 22;
const LEFT = 44;

export function totalOf(bar: Bar): number {
  return LINES.reduce((sum, line) => sum + (bar.counts[line] ?? 0), 0);
}

/** A round number not below the highest bar. */
function top(highest: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(1, highest)));
  return [1, 2, 5, 10].map((each) => each * unit).find((each) => each >= highest) ?? highest;
}

export function Chart({ bars, label, unit }: { bars: Bar[]; label: string; unit: "hour" | "day" }) {
  const own = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(720);
  useLayoutEffect(() => {
    const seen = new ResizeObserver(([entry]) => entry && setWidth(Math.max(240, Math.round(entry.contentRect.width))));
    if (own.current) seen.observe(own.current);
    return () => seen.disconnect();
  }, []);
  const ceiling = top(Math.max(1, ...bars.map(totalOf)));
  const slot = (width - LEFT) / bars.length;
  const scale = (HEIGHT - BOTTOM - 8) / ceiling;
  const base = HEIGHT - BOTTOM;
  const every = Math.ceil(bars.length / (width < 480 ? 4 : 8));
  const short = (at: string) => new Intl.DateTimeFormat("en-GB", unit === "hour" ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" }).format(new Date(at));
  return (
    <>
      <svg ref={own} class="chart" viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={label}>
        {[0, 0.5, 1].map((part) => (
          <g key={part}>
            <line class="axis" x1={LEFT} x2={width} y1={base - part * ceiling * scale} y2={base - part * ceiling * scale} />
            {part * ceiling === Math.floor(part * ceiling) ? (
              <text x={LEFT - 8} y={base - part * ceiling * scale + 4} text-anchor="end">
                {count(part * ceiling)}
              </text>
            ) : null}
          </g>
        ))}
        {bars.map((bar, index) => {
          let y = base;
          return (
            <g key={bar.at}>
              <title>{`${when(bar.at)}: ${LINES.filter((line) => bar.counts[line]).map((line) => `${LINE_WORDS[line]} ${count(bar.counts[line] ?? 0)}`).join(", ") || "nothing was due"}`}</title>
              <rect class="hit" x={LEFT + index * slot} y={8} width={slot} height={base - 8} />
              {LINES.map((line) => {
                const height = (bar.counts[line] ?? 0) * scale;
                y -= height;
                return height ? <rect key={line} class={line} x={LEFT + index * slot + slot * 0.14} y={y} width={slot * 0.72} height={height} rx={Math.min(2, slot / 6)} /> : null;
              })}
              {index % every === 0 ? (
                <text x={LEFT + index * slot + slot / 2} y={HEIGHT - 5} text-anchor="middle">
                  {short(bar.at)}
                </text>
              ) : null}
            </g>
          );
        })}
      </svg>
      <div class="unseen">
        <table>
          <caption>{label}</caption>
          <thead>
            <tr>
              <th>{unit === "hour" ? "Hour" : "Day"}</th>
              {LINES.map((line) => (
                <th key={line}>{LINE_WORDS[line]}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {bars
              .filter((bar) => totalOf(bar))
              .map((bar) => (
                <tr key={bar.at}>
                  <td>{when(bar.at)}</td>
                  {LINES.map((line) => (
                    <td key={line}>{bar.counts[line] ?? 0}</td>
                  ))}
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
