import assert from "node:assert/strict";
import { test } from "node:test";
import { expiryOf, TokenError, TokenSource } from "../src/token.ts";

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const jwt = (exp?: number, mark = "") => `${encode({ alg: "HS256" })}.${encode({ exp, mark })}.signature`;

test("a token is kept until 30 seconds before its end, and then replaced", async () => {
  let now = 1000;
  let asked = 0;
  const source = new TokenSource(() => jwt(now + 100, String(++asked)), () => now);
  const first = await source.get();
  now = 1069;
  assert.equal(await source.get(), first);
  now = 1070;
  assert.notEqual(await source.get(), first);
  assert.equal(asked, 2);
});

test("many callers at once ask the page once", async () => {
  let asked = 0;
  const source = new TokenSource(async () => {
    asked += 1;
    await Promise.resolve();
    return jwt(99_999_999_999);
  });
  const tokens = await Promise.all([source.get(), source.get(), source.get()]);
  assert.equal(asked, 1);
  assert.equal(new Set(tokens).size, 1);
});

test("a token that was refused is not used again, and one refused late does not cost the one that replaced it", async () => {
  let asked = 0;
  const source = new TokenSource(() => jwt(99_999_999_999, String(++asked)));
  const first = await source.get();
  source.refused(first);
  const second = await source.get();
  assert.notEqual(second, first);
  source.refused(first);
  assert.equal(await source.get(), second);
});

test("a function that fails once is asked again the next time", async () => {
  let broken = true;
  const source = new TokenSource(() => {
    if (broken) throw new Error("backend down");
    return "opaque";
  });
  await assert.rejects(source.get(), TokenError);
  broken = false;
  assert.equal(await source.get(), "opaque");
});

for (const [what, given] of [["an ended token", jwt(999)], ["nothing", ""], ["blanks", "  "], ["no text", 7 as unknown as string]] as const) {
  test(`${what} is an error at once`, async () => {
    await assert.rejects(new TokenSource(given, () => 1000).get(), TokenError);
  });
}

test("a token without an end that can be read is used as it is", async () => {
  for (const token of ["opaque", "a.b.c", `x.${Buffer.from("null").toString("base64url")}.y`, jwt(undefined)]) {
    assert.equal(expiryOf(token), null);
    assert.equal(await new TokenSource(token, () => 1000).get(), token);
  }
});

test("claims in any language are read", () => {
  assert.equal(expiryOf(jwt(1234, "Zoë 日本 ???>>>")), 1234);
});
