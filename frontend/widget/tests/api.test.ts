import assert from "node:assert/strict";
import { test } from "node:test";
import { Api, type ApiError, type Ports } from "../src/api.ts";
import { TokenSource, type TokenProvider } from "../src/token.ts";

type Answer = Response | Error;
const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

function stage(answers: Answer[], token: TokenProvider = "opaque") {
  const sent: { url: string; init: RequestInit }[] = [];
  const pauses: number[] = [];
  const ports: Ports = {
    fetch: async (url, init) => {
      sent.push({ url: String(url), init: init ?? {} });
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new TypeError("Failed to fetch");
      return answer;
    },
    online: () => true,
    wait: async (milliseconds) => void pauses.push(milliseconds),
  };
  return { api: new Api("https://pipes.acme.test", new TokenSource(token), ports), sent, pauses };
}

const kind = (expected: ApiError["kind"]) => (error: unknown) => (error as ApiError).kind === expected;
const auth = (init: RequestInit) => (init.headers as Record<string, string>)["Authorization"];

test("no cookie, no cache, no redirect, and the token where it belongs", async () => {
  const { api, sent } = stage([json(200, { data: [] })]);
  await api.integrations();
  assert.equal(sent[0]?.url, "https://pipes.acme.test/_widgets/DataIntegrations/mine");
  const init = sent[0]?.init ?? {};
  assert.deepEqual([init.credentials, init.cache, init.redirect, auth(init)], ["omit", "no-store", "error", "Bearer opaque"]);
});

test("403 asks the page for another token, once", async () => {
  let asked = 0;
  const ask = () => `token${++asked}`;
  const good = stage([json(403, { message: "expired" }), json(200, { data: [] })], ask);
  assert.deepEqual(await good.api.integrations(), []);
  assert.deepEqual(good.sent.map(({ init }) => auth(init)), ["Bearer token1", "Bearer token2"]);
  const never = stage([json(403, { message: "Not yours." }), json(403, { message: "Not yours." })], ask);
  await assert.rejects(never.api.integrations(), (error: ApiError) => error.kind === "forbidden" && error.message === "Not yours.");
  assert.equal(never.sent.length, 2);
});

test("403 with a token nobody can renew is an ended session", async () => {
  await assert.rejects(stage([json(403, { message: "no" })]).api.integrations(), kind("expired"));
});

test("a page that gives no token is an ended session, and nothing is sent", async () => {
  const { api, sent } = stage([], () => Promise.reject(new Error("signed out")));
  await assert.rejects(api.integrations(), kind("expired"));
  assert.equal(sent.length, 0);
});

test("what changes nothing is tried three times; what changes something once", async () => {
  const reading = stage([json(500, {}), new TypeError("Failed to fetch"), json(200, { data: [] })]);
  assert.deepEqual(await reading.api.integrations(), []);
  assert.equal(reading.pauses.length, 2);
  const failing = stage([json(502, {}), json(502, {}), json(502, {}), json(200, { data: [] })]);
  await assert.rejects(failing.api.integrations(), kind("failed"));
  const writing = stage([json(500, {}), json(200, { success: true })]);
  await assert.rejects(writing.api.disconnect("data_installation_1"), kind("failed"));
  assert.equal(writing.sent.length, 1);
});

test("the server's sentence and its fields come through", async () => {
  const { api } = stage([json(422, { message: "That is no key.", code: "validation_error", errors: [{ field: "secret", code: "invalid" }, 7] })]);
  await assert.rejects(api.putKey("acme", { secret: "x" }), (error: ApiError) => error.kind === "refused" && error.message === "That is no key." && error.fields.join() === "secret");
});

test("200 that is no JSON is a failure, not an empty list", async () => {
  await assert.rejects(stage([new Response("<html>"), new Response("<html>"), new Response("<html>")]).api.integrations(), kind("failed"));
});

test("names in addresses are escaped", async () => {
  const { api, sent } = stage([json(200, { success: true, revocation: "revoked" })]);
  assert.equal(await api.disconnect("../../x?y"), "revoked");
  assert.equal(sent[0]?.url, "https://pipes.acme.test/_widgets/DataIntegrations/installations/..%2F..%2Fx%3Fy");
});

test("a link that would run as a script is refused", async () => {
  await assert.rejects(stage([json(200, { url: "javascript:alert(1)", state: "s" })]).api.authorize("acme", { requireHandoff: true }), kind("failed"));
});
