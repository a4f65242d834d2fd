// Data integrations, API keys and client credentials.
import assert from "node:assert/strict";
import { every, fresh, given, on, refused, slugged } from "./client.mjs";

const OWN = { type: "custom", clientId: "client-of-acme", clientSecret: "secret-of-acme-9876" };
const ENDPOINTS = { authorizationUrl: "https://id.acme.example/authorize", tokenUrl: "https://id.acme.example/token" };
const machine = () => ({ clientId: given.machine.client_id, clientSecret: given.machine.client_secret });

export async function keyed(ownership = "user") {
  const slug = slugged("keyed");
  await on.pipes.createDataIntegration({ provider: slug, ownership, enabled: true, authMethods: ["api_key"], customProvider: { name: "Keyed" } });
  return slug;
}

async function machines(ownership = "user") {
  const slug = slugged("machines");
  await on.pipes.createDataIntegration({ provider: slug, ownership, enabled: true, authMethods: ["client_credentials"], scopes: ["read"], customProvider: { name: "Machines", tokenUrl: given.tokenUrl } });
  return slug;
}

export const stories = {
  async "a custom provider is made, read, changed and deleted"() {
    const provider = slugged("acme");
    const customProvider = { name: "Acme", ...ENDPOINTS, refreshTokenUrl: "https://id.acme.example/refresh", pkceEnabled: false, requestScopeSeparator: ",", scopesRequired: true, clientSecretRequired: true, additionalAuthorizationParameters: { audience: "api" }, tokenBodyContentType: "application/json", authenticateVia: "basic_auth_header" };
    const made = await on.pipes.createDataIntegration({ provider, ownership: "user", description: "Ours", enabled: true, scopes: ["read"], authMethods: ["oauth"], credentials: OWN, customProvider });
    assert.deepEqual([made.object, made.slug, made.ownership, made.description, made.enabled, made.state], ["data_integration", provider, "user", "Ours", true, "valid"]);
    assert.deepEqual(made.credentials, { type: "custom", clientId: "client-of-acme", redactedClientSecret: "9876" });
    assert.deepEqual(made.customProvider, customProvider);
    assert.ok(made.createdAt instanceof Date && !Number.isNaN(made.createdAt.valueOf()));
    assert.deepEqual(await on.pipes.getDataIntegration({ slug: provider }), made);
    const changed = await on.pipes.updateDataIntegration({ slug: provider, description: "Theirs", enabled: false, scopes: ["write"], credentials: { ...OWN, clientSecret: "another-secret-1111" }, customProvider: { name: "Renamed" } });
    assert.deepEqual([changed.description, changed.enabled, changed.scopes, changed.customProvider.name, changed.credentials.redactedClientSecret], ["Theirs", false, ["write"], "Renamed", "1111"]);
    await refused("ConflictException", undefined, on.pipes.createDataIntegration({ provider, scopes: ["read"], credentials: OWN, customProvider }));
    await refused("UnprocessableEntityException", undefined, on.pipes.updateDataIntegration({ slug: provider, scopes: ["a scope with spaces"] }));
    assert.equal(await on.pipes.deleteDataIntegration({ slug: provider }), undefined);
    for (const name of ["getDataIntegration", "updateDataIntegration", "deleteDataIntegration"]) await refused("NotFoundException", undefined, on.pipes[name]({ slug: provider }));
    await refused("NotFoundException", undefined, on.pipes.createDataIntegration({ provider: slugged("nothing") }));
    await refused("UnprocessableEntityException", undefined, on.pipes.createDataIntegration({ provider: slugged("acme"), customProvider: { name: "No endpoints" } }));
  },

  async "an organization-owned root is another one"() {
    const provider = slugged("acme");
    const made = await on.pipes.createDataIntegration({ provider, ownership: "organization", enabled: true, scopes: ["read"], credentials: OWN, customProvider: { name: "Acme", ...ENDPOINTS } });
    assert.equal(made.ownership, "organization");
    assert.equal((await on.pipes.getOrganizationDataIntegration({ slug: provider })).id, made.id);
    const changed = await on.pipes.updateOrganizationDataIntegration({ slug: provider, description: "Theirs", enabled: false, scopes: ["write"], credentials: { ...OWN, clientSecret: "another-secret-1111" }, customProvider: { name: "Renamed" } });
    assert.deepEqual([changed.description, changed.enabled, changed.scopes, changed.customProvider.name], ["Theirs", false, ["write"], "Renamed"]);
    await refused("UnprocessableEntityException", undefined, on.pipes.updateOrganizationDataIntegration({ slug: provider, scopes: ["a scope with spaces"] }));
    await on.pipes.createOrganizationConnectedAccount({ organizationId: fresh("org"), slug: provider, userId: "u", accessToken: "t" });
    await refused("ConflictException", undefined, on.pipes.updateOrganizationDataIntegration({ slug: provider, credentials: { type: "custom", clientId: "other", clientSecret: "another-secret-2222" } }));
    const unused = await keyed("organization");
    assert.equal(await on.pipes.deleteOrganizationDataIntegration({ slug: unused }), undefined);
    for (const name of ["getOrganizationDataIntegration", "updateOrganizationDataIntegration", "deleteOrganizationDataIntegration"]) await refused("NotFoundException", undefined, on.pipes[name]({ slug: unused }));
  },

  async "a first API key comes with its integration, and config with a provider that declares it"() {
    const provider = slugged("keyed");
    const [userId, organizationId] = [fresh("user"), fresh("org")];
    const apiKey = { secret: "sk-of-the-tenant-1234", userId, organizationId };
    const made = await on.pipes.createDataIntegration({ provider, enabled: true, authMethods: ["api_key"], apiKey, customProvider: { name: "Keyed" } });
    assert.deepEqual([made.redirectUri, made.credentials, made.installation.userId, made.installation.organizationId, made.installation.apiKeyLast4], ["", null, userId, organizationId, "1234"]);
    await on.pipes.updateDataIntegration({ slug: provider, apiKey: { ...apiKey, secret: "sk-rotated-5678" } });
    assert.equal((await on.pipes.getUserConnectedAccount({ userId, slug: provider, organizationId })).apiKeyLast4, "5678");
    const shared = await keyed("organization");
    await on.pipes.updateOrganizationDataIntegration({ slug: shared, apiKey });
    assert.equal((await on.pipes.getOrganizationConnectedAccount({ organizationId, slug: shared })).apiKeyLast4, "1234");
    const tenant = await on.pipes.createDataIntegration({ provider: "salesforce", ownership: "organization", config: { hostname: "acme.my.salesforce.com" } });
    assert.deepEqual(tenant.config, { hostname: "acme.my.salesforce.com" });
    await on.pipes.deleteOrganizationDataIntegration({ slug: "salesforce" });
  },

  async "lists are paged by the client"() {
    const mine = [await keyed(), await keyed(), await keyed()];
    const first = await on.pipes.listDataIntegrations({ limit: 2 });
    assert.deepEqual(first.data.map((one) => one.slug), mine.slice(1).reverse());
    const second = await on.pipes.listDataIntegrations({ limit: 2, after: first.listMetadata.after, order: "desc" });
    assert.equal(second.data[0].slug, mine[0]);
    assert.deepEqual((await on.pipes.listDataIntegrations({ limit: 2, before: second.listMetadata.before })).data, first.data);
    const all = await every(on.pipes.listDataIntegrations());
    assert.deepEqual(all.slice(0, 3).map((one) => one.slug), mine.reverse());
    assert.equal(new Set(all.map((one) => one.id)).size, all.length);
    assert.deepEqual((await every(on.pipes.listDataIntegrations({ order: "asc" }))).map((one) => one.id), all.map((one) => one.id).reverse());
    for (const ownership of ["user", "organization"]) assert.deepEqual([...new Set((await every(on.pipes.listDataIntegrations({ ownership }))).map((one) => one.ownership))], [ownership]);
    await refused("UnprocessableEntityException", undefined, on.pipes.listDataIntegrations({ limit: 101 }));
  },

  async "API keys are entered, rotated, added and vended"() {
    const slug = await keyed();
    const userId = fresh("user");
    const made = await on.pipes.updateDataIntegrationApiKey({ slug, userId, secret: "sk-first-1111", organizationId: undefined });
    assert.deepEqual([made.authMethod, made.apiKeyLast4, made.state, made.connectionRole, made.userId], ["api_key", "1111", "connected", "compatibility", userId]);
    const again = await on.pipes.updateDataIntegrationApiKey({ slug, userId, secret: "sk-second-2222", connectedAccountId: made.id, connectionIntent: "reauthorize", connectionOwner: "user" });
    assert.deepEqual([again.id, again.apiKeyLast4], [made.id, "2222"]);
    const added = await on.pipes.createDataIntegrationApiKey({ slug, userId, secret: "sk-third-3333", connectionIntent: "add" });
    assert.equal(added.connectionRole, "standard");
    const vended = await on.pipes.createDataIntegrationCredential({ slug, userId, connectedAccountId: added.id, supportsMultipleConnections: true, connectionOwner: "user" });
    assert.deepEqual(vended, { active: true, credential: { authMethod: "api_key", object: "credential", value: "sk-third-3333", config: {} } });
    await refused("ConflictException", "account_selection_required", on.pipes.createDataIntegrationCredential({ slug, userId, supportsMultipleConnections: true }));
    await refused("UnprocessableEntityException", "auth_method_mismatch", on.pipes.getAccessToken({ provider: slug, userId }));
    const shared = await keyed("organization");
    const owner = { userId, organizationId: fresh("org"), connectionOwner: "organization" };
    const theirs = await on.pipes.createDataIntegrationApiKey({ slug: shared, ...owner, secret: "sk-shared-4444", connectionIntent: "add" });
    assert.deepEqual([theirs.userId, theirs.organizationId], [null, owner.organizationId]);
    await on.pipes.updateDataIntegrationApiKey({ slug: shared, ...owner, secret: "sk-shared-5555" });
    assert.equal((await on.pipes.createDataIntegrationCredential({ slug: shared, ...owner })).credential.value, "sk-shared-5555");
    for (const name of ["updateDataIntegrationApiKey", "createDataIntegrationApiKey"]) await refused("NotFoundException", undefined, on.pipes[name]({ slug: slugged("nothing"), userId, secret: "sk-1111", connectionIntent: name.startsWith("create") ? "add" : undefined }));
    await refused("NotFoundException", undefined, on.pipes.createDataIntegrationCredential({ slug: slugged("nothing"), userId }));
    await refused("UnprocessableEntityException", undefined, on.pipes.createDataIntegrationCredential({ slug, userId: "" }));
    for (let number = 0; number < 18; number += 1) await on.pipes.createDataIntegrationApiKey({ slug, userId, secret: `sk-number-${1000 + number}`, connectionIntent: "add" });
    await refused("ConflictException", "connected_account_limit_reached", on.pipes.createDataIntegrationApiKey({ slug, userId, secret: "sk-one-more", connectionIntent: "add" }));
  },

  async "client credentials are entered, rotated, added and vended"() {
    const slug = await machines();
    const owner = { userId: fresh("user"), organizationId: fresh("org"), connectionOwner: "user" };
    const made = await on.pipes.createDataIntegrationClientCredential({ slug, ...owner, ...machine(), config: {}, connectionIntent: "add" });
    assert.deepEqual([made.authMethod, made.clientId, made.clientSecretLast4, made.connectionRole], ["client_credentials", given.machine.client_id, given.machine.client_secret.slice(-4), "compatibility"]);
    const again = await on.pipes.updateDataIntegrationClientCredentials({ slug, ...owner, ...machine(), config: {}, connectedAccountId: made.id, connectionIntent: "reauthorize" });
    assert.equal(again.id, made.id);
    const { credential } = await on.pipes.createDataIntegrationCredential({ slug, userId: owner.userId, organizationId: owner.organizationId });
    assert.deepEqual([credential.authMethod, credential.scopes, credential.missingScopes, credential.metadata, credential.config], ["client_credentials", ["read"], [], {}, {}]);
    assert.match(credential.value, /^machine-token-/);
    await refused("UnprocessableEntityException", undefined, on.pipes.updateDataIntegrationClientCredentials({ slug, userId: fresh("user"), clientId: "nobody", clientSecret: "wrong-wrong" }));
    await refused("NotFoundException", undefined, on.pipes.updateDataIntegrationClientCredentials({ slug: slugged("nothing"), userId: "u", ...machine() }));
    await refused("NotFoundException", undefined, on.pipes.createDataIntegrationClientCredential({ slug: slugged("nothing"), userId: "u", ...machine(), connectionIntent: "add" }));
  },
};
