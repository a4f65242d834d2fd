/** Times, numbers and the server's words, as people read them. */

const number = new Intl.NumberFormat("en-US");
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3600], ["minute", 60]];

export function count(value: number): string {
  return number.format(value);
}

export function dollars(value: number): string {
  return new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: value < 100 ? 2 : 0 }).format(value);
}

export function when(at: string): string {
  return moment.format(new Date(at));
}

/** "3 minutes ago", "in 2 hours"; a date where that says more. */
export function ago(at: string, now = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  if (Math.abs(seconds) > 30 * 86_400) return moment.format(new Date(at));
  for (const [unit, length] of UNITS) if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  return seconds > 0 ? "in a moment" : "just now";
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

export type Tone = "good" | "bad" | "warning" | "quiet";

export const HEALTH: Record<string, { word: string; tone: Tone }> = {
  healthy: { word: "Connected", tone: "good" },
  connected: { word: "Connected", tone: "good" },
  failing: { word: "Refresh failing", tone: "warning" },
  degraded: { word: "Degraded", tone: "bad" },
  misconfigured: { word: "Credentials refused", tone: "bad" },
  handed_over: { word: "Handed over", tone: "quiet" },
  needs_reauthorization: { word: "Needs reauthorization", tone: "bad" },
  disconnected: { word: "Disconnected", tone: "quiet" },
};

export const CREDENTIALS: Record<string, string> = { own: "Own app", shared: "Shared credentials", simulator: "Simulated", organization: "Organization's app" };

const EVENTS: Record<string, string> = {
  "pipes.connected_account.connected": "Connected",
  "pipes.connected_account.disconnected": "Disconnected",
  "pipes.connected_account.reauthorization_needed": "Reauthorization needed",
  "pipes.connected_account.connection_failed": "Connecting failed",
  "pipes.connected_account.recovered": "Recovered",
  "pipes.connected_account.degraded": "Degraded",
  "pipes.connected_account.reauthorization_expected": "Will need reauthorization",
  "provider.misconfigured": "Provider refuses our credentials",
};
const TONES: Record<string, Tone> = { connected: "good", recovered: "good", disconnected: "quiet", reauthorization_expected: "warning", degraded: "warning" };

export function eventWord(type: string): string {
  const last = type.slice(type.lastIndexOf(".") + 1).replaceAll("_", " ");
  return EVENTS[type] ?? last.charAt(0).toUpperCase() + last.slice(1);
}

export function eventTone(type: string): Tone {
  return TONES[type.slice(type.lastIndexOf(".") + 1)] ?? "bad";
}

/** The last part of an IAM name: who a person knows themselves as. */
export function actorWord(actor: string): string {
  return actor.startsWith("arn:") ? actor.split(":").slice(5).join(":") || actor : actor;
}

export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
