import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, type AuthorizeBody } from "../src/api.ts";
import { connectIn, type ConnectPorts, LIFE, POLL, resultOf } from "../src/connect.ts";
import type { Status } from "../src/wire.ts";

const connected: Status = { done: true, kind: "connected", message: null, accountId: "data_installation_1" };

function stage(statuses: (Status | Error)[]) {
  const went: string[] = [];
  const bodies: AuthorizeBody[] = [];
  const popup = { closed: false, location: { replace: (url: string) => void went.push(url) }, close: () => (popup.closed = true), postMessage: () => {} };
  let tick: (() => void) | null = null;
  const ports: ConnectPorts = {
    authorize: async (body) => {
      bodies.push(body);
      return { url: "https://pipes.acme.test/connect/x", handoffToken: "secret", redirectToken: "here", state: "state_1" };
    },
    status: async () => {
      const status = statuses.shift() ?? { done: false };
      if (status instanceof Error) throw status;
      return status;
    },
    wait: () => new Promise((resolve) => setImmediate(resolve)),
    arrived: async () => {},
    listen: () => () => {},
    every: (_, each) => {
      tick = each;
      return () => (tick = null);
    },
  };
  return { popup, ports, went, bodies, silence: () => Array.from({ length: 101 }, () => tick?.()) };
}

const quiet = () => new AbortController().signal;

test("the window is sent on, and the result is the server's", async () => {
  const { popup, ports, went, bodies } = stage([{ done: false }, { done: false }, connected]);
  const result = await connectIn(popup, { connection_intent: "add" }, ports, quiet());
  assert.deepEqual(result, { kind: "connected", accountId: "data_installation_1" });
  assert.deepEqual(went, ["https://pipes.acme.test/connect/x"]);
  assert.deepEqual(bodies, [{ connection_intent: "add", requireHandoff: true }]);
});

test("a window that closes on the way changes nothing: it may only have gone where we cannot see it", async () => {
  const { popup, ports } = stage([{ done: false }, { done: false }, connected]);
  const { status } = ports;
  ports.status = (state) => {
    popup.closed = true;
    return status(state);
  };
  assert.equal((await connectIn(popup, {}, ports, quiet())).kind, "connected");
});

test("a window that is out of reach before it was sent on is severed", async () => {
  const { popup, ports, went } = stage([]);
  popup.closed = true;
  assert.deepEqual(await connectIn(popup, {}, ports, quiet()), { kind: "severed" });
  assert.deepEqual(went, []);
});

test("a page that never hears us is severed", async () => {
  const { popup, ports, silence } = stage([]);
  const result = connectIn(popup, {}, ports, quiet());
  await new Promise((resolve) => setImmediate(resolve));
  silence();
  assert.deepEqual(await result, { kind: "severed" });
});

test("a refused start closes the window and is told", async () => {
  const { popup, ports } = stage([]);
  ports.authorize = async () => {
    throw new ApiError("refused", "That provider is off.");
  };
  await assert.rejects(connectIn(popup, {}, ports, quiet()), { message: "That provider is off." });
  assert.equal(popup.closed, true);
});

test("declining is told as such", async () => {
  const { popup, ports } = stage([{ done: true, kind: "declined", message: null, accountId: null }]);
  assert.deepEqual(await connectIn(popup, {}, ports, quiet()), { kind: "failed", reason: "declined", message: null });
});

test("a call without an answer decides nothing; a state nobody knows has ended", async () => {
  const { ports } = stage([new ApiError("offline"), new ApiError("failed"), new ApiError("expired"), connected]);
  assert.equal((await resultOf("state_1", ports, quiet())).kind, "connected");
  const gone = stage([new ApiError("refused")]);
  assert.deepEqual(await resultOf("state_1", gone.ports, quiet()), { kind: "failed", reason: "link_expired", message: null });
});

test("asking ends with the link's life", async () => {
  let asked = 0;
  const ports = { status: async (): Promise<Status> => ((asked += 1), { done: false }), wait: async () => {} };
  assert.deepEqual(await resultOf("state_1", ports, quiet()), { kind: "failed", reason: "link_expired", message: null });
  assert.equal(asked, LIFE / POLL);
});

test("whoever cancels hears nothing more", async () => {
  const stop = new AbortController();
  const { popup, ports } = stage([]);
  const result = connectIn(popup, {}, ports, stop.signal);
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  assert.deepEqual(await result, { kind: "stopped" });
});

test("that it failed is asked once more, for how", async () => {
  const failed = (kind: string): Status => ({ done: true, kind, message: null, accountId: null });
  const told = stage([failed("failed"), failed("declined")]);
  assert.deepEqual(await resultOf("state_1", told.ports, quiet()), { kind: "failed", reason: "declined", message: null });
  const never = stage([failed("failed"), failed("failed")]);
  assert.deepEqual(await resultOf("state_1", never.ports, quiet()), { kind: "failed", reason: "failed", message: null });
});
