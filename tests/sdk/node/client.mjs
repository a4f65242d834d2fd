// The real @workos-inc/node, and a witness before it that notes each call: options of those that succeeded, class and status of those that did not.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

export const { WorkOS } = await import(new URL("../../node/node_modules/@workos-inc/node/lib/index.mjs", import.meta.url));
export const given = JSON.parse(readFileSync(0, "utf8"));
export const fresh = (word) => `${word}_${randomUUID().replaceAll("-", "").slice(0, 12)}`;
export const slugged = (word) => `${word}-node-${randomUUID().slice(0, 8)}`;
export const RESOURCES = ["pipes", "widgets", "events", "webhooks"];

export const client = (origin, key = given.key, more = { maxRetries: 0 }) => {
  const { hostname, port } = new URL(origin);
  return new WorkOS(key, { apiHostname: hostname, port: Number(port), https: false, ...more });
};

const seen = {};
const note = (method) => (seen[method] ??= { worked: 0, options: new Set(), errors: new Set() });
export const report = () => Object.fromEntries(Object.entries(seen).map(([method, one]) => [method, { worked: one.worked, options: [...one.options], errors: [...one.errors] }]));

/** Calls `pipes.getAccessToken` and the like. */
export async function call(workos, method, ...args) {
  const [resource, name] = method.split(".");
  const noted = note(method);
  try {
    const answer = await workos[resource][name](...args);
    noted.worked += 1;
    if (typeof args[0] === "object") for (const option of Object.keys(args[0])) noted.options.add(option);
    return answer;
  } catch (error) {
    noted.errors.add(`${error.name} ${error.status ?? ""}`.trim());
    throw error;
  }
}

export const stage = client(given.url);
/** `on.pipes.getAccessToken(...)` is noted. */
export const on = Object.fromEntries(RESOURCES.map((resource) => [resource, new Proxy({}, { get: (_, name) => (...args) => call(stage, `${resource}.${name}`, ...args) })]));

/** It fails with that class of the client's own, a request id where the class keeps one, and this code if one is given. */
export async function refused(name, code, promise) {
  try {
    await promise;
  } catch (error) {
    assert.equal(error.name, name, `${error.name} ${error.status} ${error.message}`);
    assert.ok(error.requestID, "a request id");
    if (code) assert.equal(error.code, code);
    return error;
  }
  assert.fail(`no ${name}`);
}

/** All of a list by the client's own paging. */
export const every = async (list) => (await list).autoPagination();
