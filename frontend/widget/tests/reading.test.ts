import assert from "node:assert/strict";
import { test } from "node:test";
import { day, directionOf, ending, ENGLISH, speaker } from "../src/messages.ts";
import { check, matching } from "../src/state.ts";
import { type ConfigField, readIntegrations, readRevocation, readStatus } from "../src/wire.ts";

test("an answer of any shape gives a list", () => {
  for (const answer of [null, [], "x", {}, { data: null }, { data: {} }, { data: [null, 7, {}, { id: "x" }, { slug: "y" }] }]) assert.deepEqual(readIntegrations(answer), []);
});

test("a row with the bare least is a row", () => {
  const [row] = readIntegrations({ data: [{ id: "i", slug: "acme", connected_accounts: [{ id: "a" }, { id: "gone", state: "disconnected" }, {}], iconUrl: 7, capabilities: null }] });
  assert.equal(row?.name, "acme");
  assert.deepEqual(row?.authMethods, ["oauth"]);
  assert.deepEqual(row?.accounts.map(({ id, state, scopes }) => [id, state, scopes]), [["a", "connected", []]]);
  assert.equal(row?.iconUrl, null);
  assert.equal(row?.capabilities.disconnect, true);
});

test("WorkOS's own single installation is an account", () => {
  const [row] = readIntegrations({ data: [{ id: "i", slug: "acme", installation: { id: "a", state: "needs_reauthorization" }, authMethods: ["api_key", "api_key", "odd"] }] });
  assert.deepEqual(row?.accounts.map(({ id, state }) => [id, state]), [["a", "needs_reauthorization"]]);
  assert.deepEqual(row?.authMethods, ["api_key", "oauth"]);
});

test("how far a trip is, in words or objects", () => {
  assert.deepEqual(readStatus({ isConnecting: true }), { done: false });
  assert.deepEqual(readStatus({ isConnecting: true, outcome: null }), { done: false });
  assert.equal((readStatus({ isConnecting: false, outcome: "connected" }) as { kind: string }).kind, "connected");
  assert.equal((readStatus({ isConnecting: false, outcome: { kind: "declined" } }) as { kind: string }).kind, "declined");
  assert.equal((readStatus({ isConnecting: false, outcome: null }) as { kind: string }).kind, "ended");
});

test("a revocation nobody vouches for is not called one", () => {
  assert.deepEqual(["revoked", "failed", "odd", undefined].map((revocation) => readRevocation({ revocation })), ["revoked", "failed", "unsupported", "unsupported"]);
});

const field = (more: Partial<ConfigField>): ConfigField => ({ name: "subdomain", label: "", description: null, pattern: null, example: null, default: null, required: true, secret: false, ...more });

test("fields are checked whole, and a pattern no browser reads is left to the server", () => {
  assert.deepEqual(check([field({ pattern: "[a-z]+|x" })], { subdomain: "acme" }), {});
  assert.deepEqual(check([field({ pattern: "[a-z]+|x" })], { subdomain: "acme!" }), { subdomain: "wrong" });
  assert.deepEqual(check([field({ pattern: "(?P<n>a" })], { subdomain: "whatever" }), {});
  assert.deepEqual(check([field({ pattern: "x+" })], { subdomain: "x".repeat(4096) }), {});
  assert.deepEqual(check([field({ pattern: "x+" })], { subdomain: "x".repeat(4097) }), { subdomain: "long" });
  assert.deepEqual(check([field({})], {}), { subdomain: "missing" });
  assert.deepEqual(check([field({ required: false, pattern: "[a-z]+" })], { subdomain: "" }), {});
});

test("words may be replaced one by one, and values never are", () => {
  const say = speaker({ connect: "Verbinden", connectedNotice: "{provider}? {provider}! {nothing}" });
  assert.equal(say("connect"), "Verbinden");
  assert.equal(say("disconnect"), ENGLISH.disconnect);
  assert.equal(say("connectedNotice", { provider: "{account}$&" }), "{account}$&? {account}$&! {nothing}");
});

test("every end has words", () => {
  for (const kind of ["declined", "link_expired", "provider_error", "other_account", "ended", "something_new"]) assert.ok(ENGLISH[ending(kind)]);
});

test("languages know their direction, and a locale nobody knows still has days", () => {
  assert.deepEqual(["ar", "he-IL", "fa", "en", "de-CH", ""].map(directionOf), ["rtl", "rtl", "rtl", "ltr", "ltr", "ltr"]);
  assert.equal(day("2026-11-25T12:00:00.000Z", "en-US"), "Nov 25, 2026");
  assert.match(day("2026-11-25T12:00:00.000Z", "not a locale!"), /2026/);
  assert.deepEqual([day(null, "en"), day("yesterday", "en")], ["", ""]);
});

test("searching finds every word, in any order", () => {
  const integrations = readIntegrations({ data: [{ id: "1", slug: "github", name: "GitHub", description: "Code and issues" }, { id: "2", slug: "slack", name: "Slack" }] });
  const found = (query: string) => matching(integrations, query).map(({ slug }) => slug);
  assert.deepEqual([found("issues git"), found("SLACK"), found(""), found("zzz")], [["github"], ["slack"], ["github", "slack"], []]);
});
