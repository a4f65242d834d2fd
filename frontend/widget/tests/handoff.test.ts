import assert from "node:assert/strict";
import { test } from "node:test";
import { handOff, type HandoffPorts, TIMES } from "../src/handoff.ts";

type Message = { origin: string; source: unknown; data: unknown };

function stage() {
  const posted: { message: unknown; origin: string }[] = [];
  const popup = { closed: false, postMessage: (message: unknown, origin: string) => void posted.push({ message, origin }) };
  let heard: ((message: Message) => void) | null = null;
  let tick: (() => void) | null = null;
  const ports: HandoffPorts = {
    listen(listener) {
      heard = listener;
      return () => (heard = null);
    },
    every(_, each) {
      tick = each;
      return () => (tick = null);
    },
  };
  const stop = new AbortController();
  const result = handOff({ popup, url: "https://pipes.acme.test/connect/x", handoffToken: "secret", redirectToken: "here" }, ports, stop.signal);
  return { posted, popup, result, stop, tick: () => tick?.(), say: (message: Message) => heard?.(message), listening: () => heard !== null || tick !== null };
}

const ORIGIN = "https://pipes.acme.test";

test("the secret goes to the exact origin of the page, and ends when that window says it has it", async () => {
  const { posted, popup, result, tick, say, listening } = stage();
  tick();
  tick();
  say({ origin: ORIGIN, source: popup, data: { redirectToken: "here" } });
  assert.equal(await result, "taken");
  assert.deepEqual(posted, Array(2).fill({ message: { handoffToken: "secret", redirectToken: "here" }, origin: ORIGIN }));
  assert.equal(listening(), false);
});

test("nobody else is believed", async () => {
  const { popup, result, stop, say, listening } = stage();
  for (const message of [
    { origin: "https://evil.test", source: popup, data: { redirectToken: "here" } },
    { origin: ORIGIN, source: {}, data: { redirectToken: "here" } },
    { origin: ORIGIN, source: null, data: { redirectToken: "here" } },
    { origin: ORIGIN, source: popup, data: { redirectToken: "there" } },
    { origin: ORIGIN, source: popup, data: "here" },
    { origin: ORIGIN, source: popup, data: null },
    { origin: `${ORIGIN}.evil.test`, source: popup, data: { redirectToken: "here" } },
  ])
    say(message);
  assert.equal(listening(), true);
  stop.abort();
  assert.equal(await result, "stopped");
});

test("a page that never answers is told a hundred times, and no more", async () => {
  const { posted, result, tick, listening } = stage();
  for (let count = 0; count <= TIMES + 5; count += 1) tick();
  assert.equal(await result, "silent");
  assert.equal(posted.length, TIMES);
  assert.equal(listening(), false);
});

test("a window that is cut off or closed before it answered is told nothing more", async () => {
  const { posted, popup, result, tick } = stage();
  tick();
  popup.closed = true;
  tick();
  assert.equal(await result, "silent");
  assert.equal(posted.length, 1);
});
