// Widget tokens, events, webhook endpoints and their deliveries; and what the client does by itself.
import assert from "node:assert/strict";
import { client, call, every, fresh, given, on, refused, stage } from "./client.mjs";

const TYPES = ["pipes.connected_account.connected", "pipes.connected_account.disconnected"];

export const stories = {
  async "a widget token is made"() {
    const { token } = await on.widgets.createToken({ userId: fresh("user"), organizationId: fresh("org"), scopes: ["widgets:pipes:manage"] });
    const claims = JSON.parse(atob(token.split(".")[1]));
    assert.deepEqual(claims.permissions, ["widgets:pipes:manage"]);
    await refused("UnprocessableEntityException", undefined, on.widgets.createToken({ userId: fresh("user"), organizationId: fresh("org"), scopes: ["widgets:nothing:manage"] }));
  },

  async "events are listed"() {
    const within = { events: TYPES, organizationId: given.organization, rangeStart: "2020-01-01T00:00:00.000Z", rangeEnd: "2100-01-01T00:00:00.000Z" };
    const { data, listMetadata } = await on.events.listEvents({ ...within, limit: 1, order: "asc" });
    assert.deepEqual([data[0].event, data[0].data.userId ?? data[0].data.user_id], [TYPES[0], given.member]);
    const next = await on.events.listEvents({ ...within, after: listMetadata.after });
    assert.equal(next.data[0].event, TYPES[1]);
    await refused("UnprocessableEntityException", undefined, on.events.listEvents({ events: TYPES, limit: 101 }));
  },

  async "webhook endpoints are kept"() {
    const endpointUrl = `https://hooks.acme.example/${fresh("node")}`;
    const made = await on.webhooks.createWebhookEndpoint({ endpointUrl, events: TYPES });
    assert.deepEqual([made.object, made.endpointUrl, made.status, made.events], ["webhook_endpoint", endpointUrl, "enabled", TYPES]);
    assert.ok(made.secret && made.createdAt instanceof Date);
    await refused("ConflictException", undefined, on.webhooks.createWebhookEndpoint({ endpointUrl, events: TYPES }));
    const changed = await on.webhooks.updateWebhookEndpoint({ id: made.id, endpointUrl: `${endpointUrl}/moved`, status: "disabled", events: TYPES.slice(1) });
    assert.deepEqual([changed.endpointUrl, changed.status, changed.events], [`${endpointUrl}/moved`, "disabled", TYPES.slice(1)]);
    const other = await on.webhooks.createWebhookEndpoint({ endpointUrl, events: TYPES });
    await refused("ConflictException", undefined, on.webhooks.updateWebhookEndpoint({ id: other.id, endpointUrl: `${endpointUrl}/moved` }));
    assert.deepEqual((await every(on.webhooks.listWebhookEndpoints())).slice(0, 2).map((one) => one.id), [other.id, made.id]);
    assert.equal((await on.webhooks.listWebhookEndpoints({ limit: 1, after: other.id })).data[0].id, made.id);
    assert.equal((await on.webhooks.listWebhookEndpoints({ limit: 1, before: made.id })).data[0].id, other.id);
    assert.equal((await on.webhooks.listWebhookEndpoints({ limit: 100, order: "asc" })).data.at(-1).id, other.id);
    await refused("UnprocessableEntityException", undefined, on.webhooks.createWebhookEndpoint({ endpointUrl: "not a url", events: TYPES }));
    await refused("UnprocessableEntityException", undefined, on.webhooks.updateWebhookEndpoint({ id: made.id, status: "sleeping" }));
    for (const { id } of [made, other]) assert.equal(await on.webhooks.deleteWebhookEndpoint({ id }), undefined);
    await refused("NotFoundException", undefined, on.webhooks.deleteWebhookEndpoint({ id: made.id }));
    await refused("NotFoundException", undefined, on.webhooks.updateWebhookEndpoint({ id: made.id, status: "enabled" }));
  },

  async "a delivery is verified"() {
    const { body, signature, secret } = given.delivery;
    const event = await on.webhooks.constructEvent({ payload: body, sigHeader: signature, secret, tolerance: 600_000 });
    assert.equal(event.event, TYPES[0]);
    assert.equal(await on.webhooks.verifyHeader({ payload: body, sigHeader: signature, secret, tolerance: 600_000 }), true);
    const [timestamp, hash] = stage.webhooks.getTimestampAndSignatureHash(signature);
    assert.equal(await on.webhooks.computeSignature(timestamp, body, secret), hash);
    await on.webhooks.getTimestampAndSignatureHash(signature);
    assert.deepEqual(await on.webhooks.parseVerifiedPayload(body), JSON.parse(body));
    for (const wrong of [{ secret: "another" }, { payload: `${body} ` }, { tolerance: -1_000 }, { sigHeader: "nonsense" }])
      await assert.rejects(on.webhooks.constructEvent({ payload: body, sigHeader: signature, secret, tolerance: 600_000, ...wrong }), { name: "SignatureVerificationException" });
  },

  async "the same key twice makes one thing, another body with it is refused"() {
    const path = `/user_management/users/${fresh("user")}/connected_accounts/github`;
    const send = (accessToken) => stage.post(path, { access_token: accessToken, connection_intent: "add" }, { idempotencyKey: given.idempotencyKey });
    const [first, second] = [await send("gho_1"), await send("gho_1")];
    assert.equal(first.data.id, second.data.id);
    await refused("ConflictException", "idempotency_key_conflict", send("gho_2"));
  },

  async "an answer that was lost is given again, and Retry-After is waited for"() {
    const behind = client(given.lossy, given.key, {});
    const owner = { userId: fresh("user"), slug: "github" };
    const made = await behind.pipes.createUserConnectedAccount({ ...owner, accessToken: "gho_1" }); // without its key the second would be a conflict
    assert.equal((await on.pipes.getUserConnectedAccount(owner)).id, made.id);
    const began = performance.now();
    assert.equal((await behind.pipes.getAccessToken({ provider: "slack", userId: owner.userId })).error, "not_installed");
    assert.ok(performance.now() - began >= 2000, "twice a second, as the answers said");
  },

  async "every method tells a wrong key, a throttle and an outage by its own classes"() {
    const outcomes = { 401: "UnauthorizedException", 429: "RateLimitExceededException", 500: "GenericServerException" };
    for (const [status, name] of Object.entries(outcomes)) {
      const other = status === "401" ? client(given.url, "sk_nobody_made_this") : client(`${given.outage}:${given.ports[status]}`);
      for (const [method, options] of Object.entries(given.least)) {
        const error = await call(other, method, options).then(() => assert.fail(`${method} took ${status}`), (caught) => caught);
        assert.equal(error.name, name, `${method}: ${error}`);
      }
    }
  },
};
