// Connected accounts of users and organizations, links and tokens.
import assert from "node:assert/strict";
import { fresh, given, on, refused, slugged } from "./client.mjs";
import { keyed } from "./integrations.mjs";

const GITHUB = "github";
const soon = () => new Date(Math.floor(Date.now() / 1000 + 7200) * 1000);

export const stories = {
  async "a link is made, and a token is fetched"() {
    const { url } = await on.pipes.authorizeDataIntegration({ slug: GITHUB, userId: fresh("user"), organizationId: fresh("org"), connectionOwner: "user", returnTo: given.landing });
    assert.ok(url.startsWith(given.url));
    assert.ok((await on.pipes.authorizeDataIntegration({ slug: "salesforce", userId: fresh("user"), config: { hostname: "login.salesforce.com" } })).url);
    await refused("NotFoundException", undefined, on.pipes.authorizeDataIntegration({ slug: slugged("nothing"), userId: "u" }));
    const answer = await on.pipes.getAccessToken({ provider: GITHUB, userId: given.user, connectionOwner: "user" });
    assert.deepEqual([answer.active, answer.accessToken.object, answer.accessToken.missingScopes], [true, "access_token", []]);
    assert.deepEqual(await on.pipes.getAccessToken({ provider: GITHUB, userId: fresh("user") }), { active: false, error: "not_installed" });
    await refused("NotFoundException", undefined, on.pipes.getAccessToken({ provider: slugged("nothing"), userId: "u" }));
    await refused("UnprocessableEntityException", undefined, on.pipes.getAccessToken({ provider: GITHUB, userId: "" }));
    const account = await on.pipes.getUserConnectedAccount({ userId: given.user, slug: GITHUB });
    assert.deepEqual([account.state, account.authMethod, account.accountIdentifier, account.config], ["connected", "oauth", "583231", {}]);
  },

  async "a user's accounts are brought, changed, told apart and disconnected"() {
    const [userId, organizationId] = [fresh("user"), fresh("org")];
    const owner = { userId, slug: GITHUB, organizationId };
    const tokens = (name) => ({ accessToken: `gho_${name}`, refreshToken: fresh("ghr"), expiresAt: soon(), scopes: ["repo"], state: "connected" });
    const first = await on.pipes.createUserConnectedAccount({ ...owner, ...tokens("one") });
    assert.deepEqual([first.userId, first.organizationId, first.scopes, first.state, first.connectionRole], [userId, organizationId, ["repo"], "connected", "compatibility"]);
    await refused("ConflictException", undefined, on.pipes.createUserConnectedAccount({ ...owner, accessToken: "again" }));
    await refused("UnprocessableEntityException", "invalid_token_combination", on.pipes.createUserConnectedAccount({ userId: fresh("user"), slug: GITHUB, accessToken: "x", expiresAt: soon() }));
    await refused("NotFoundException", undefined, on.pipes.createUserConnectedAccount({ userId, slug: slugged("nothing"), accessToken: "x" }));
    const second = await on.pipes.createUserConnectedAccount({ ...owner, accessToken: "gho_two", connectionIntent: "add" });
    assert.equal(second.connectionRole, "standard");
    const several = { supportsMultipleConnections: true };
    await refused("ConflictException", "account_selection_required", on.pipes.getUserConnectedAccount({ ...owner, ...several }));
    await refused("ConflictException", "account_selection_required", on.pipes.getAccessToken({ provider: GITHUB, userId, organizationId, ...several }));
    assert.equal((await on.pipes.getUserConnectedAccount({ ...owner, ...several, connectedAccountId: second.id })).id, second.id);
    assert.equal((await on.pipes.getAccessToken({ provider: GITHUB, userId, organizationId, ...several, connectedAccountId: second.id })).accessToken.accessToken, "gho_two");
    const changed = await on.pipes.updateUserConnectedAccount({ ...owner, ...several, ...tokens("three"), connectedAccountId: second.id, connectionIntent: "reauthorize" });
    assert.deepEqual([changed.id, changed.scopes], [second.id, ["repo"]]);
    await refused("UnprocessableEntityException", "invalid_token_combination", on.pipes.updateUserConnectedAccount({ ...owner, accessToken: "x", expiresAt: soon() }));
    await refused("NotFoundException", undefined, on.pipes.updateUserConnectedAccount({ userId: fresh("user"), slug: GITHUB, scopes: ["repo"] }));

    const rows = (await on.pipes.listUserDataProviders({ userId, organizationId, ...several })).data;
    const row = rows.find((one) => one.slug === GITHUB);
    assert.deepEqual([row.object, row.name, row.connectionOwner, row.ownership, row.authMethods, row.credentialsType], ["data_provider", "GitHub", "user", "userland_user", ["oauth"], "oauth2"]);
    assert.equal(row.connectedAccount.id, first.id);
    assert.deepEqual(new Set(row.connectedAccounts.map((one) => one.id)), new Set([first.id, second.id]));

    await refused("ConflictException", "account_selection_required", on.pipes.deleteUserConnectedAccount({ ...owner, ...several }));
    assert.equal(await on.pipes.deleteUserConnectedAccount({ ...owner, ...several, connectedAccountId: second.id }), undefined);
    await on.pipes.deleteUserConnectedAccount(owner);
    await refused("NotFoundException", undefined, on.pipes.deleteUserConnectedAccount(owner));
    await refused("NotFoundException", undefined, on.pipes.getUserConnectedAccount(owner));
  },

  async "an organization's accounts are its members'"() {
    const slug = given.shared;
    const [organizationId, userId] = [fresh("org"), fresh("user")];
    const owner = { organizationId, slug };
    const tokens = (name) => ({ accessToken: name, refreshToken: fresh("refresh"), expiresAt: soon(), scopes: ["read"], state: "connected" });
    const first = await on.pipes.createOrganizationConnectedAccount({ ...owner, userId, ...tokens("one"), connectionIntent: "add" });
    assert.deepEqual([first.userId, first.organizationId, first.connectionRole], [null, organizationId, "compatibility"]);
    await refused("ConflictException", undefined, on.pipes.createOrganizationConnectedAccount({ ...owner, userId, accessToken: "again" }));
    await refused("UnprocessableEntityException", "invalid_token_combination", on.pipes.createOrganizationConnectedAccount({ organizationId: fresh("org"), slug, userId, accessToken: "x", expiresAt: soon() }));
    await refused("NotFoundException", undefined, on.pipes.createOrganizationConnectedAccount({ organizationId, slug: slugged("nothing"), userId, accessToken: "x" }));
    const second = await on.pipes.createOrganizationConnectedAccount({ ...owner, userId, accessToken: "two", connectionIntent: "add" });
    const several = { supportsMultipleConnections: true };
    await refused("ConflictException", "account_selection_required", on.pipes.getOrganizationConnectedAccount({ ...owner, ...several }));
    assert.equal((await on.pipes.getOrganizationConnectedAccount({ ...owner, ...several, connectedAccountId: second.id })).id, second.id);
    const changed = await on.pipes.updateOrganizationConnectedAccount({ ...owner, userId, ...several, ...tokens("three"), connectedAccountId: second.id, connectionIntent: "reauthorize" });
    assert.equal(changed.id, second.id);
    await refused("UnprocessableEntityException", "invalid_token_combination", on.pipes.updateOrganizationConnectedAccount({ ...owner, userId, accessToken: "x", expiresAt: soon() }));
    await refused("NotFoundException", undefined, on.pipes.updateOrganizationConnectedAccount({ organizationId: fresh("org"), slug, userId, scopes: ["read"] }));
    const token = await on.pipes.getAccessToken({ provider: slug, userId: fresh("user"), organizationId, connectionOwner: "organization" });
    assert.equal(token.accessToken.accessToken, "one");
    const row = (await on.pipes.listOrganizationDataProviders({ organizationId, ...several })).data.find((one) => one.slug === slug);
    assert.deepEqual([row.connectionOwner, row.ownership, row.connectedAccounts.length], ["organization", "organization", 2]);
    await refused("ConflictException", "account_selection_required", on.pipes.deleteOrganizationConnectedAccount({ ...owner, ...several }));
    await on.pipes.deleteOrganizationConnectedAccount({ ...owner, ...several, connectedAccountId: second.id });
    await on.pipes.deleteOrganizationConnectedAccount(owner);
    await refused("NotFoundException", undefined, on.pipes.deleteOrganizationConnectedAccount(owner));
    await refused("NotFoundException", undefined, on.pipes.getOrganizationConnectedAccount(owner));
  },

  async "ids are opaque, and dots are none"() {
    for (const word of ["ana@acme.test", "a b", "a/b", "ü-ñ-日本", "50%", "a?b#c&d=e", "a+b", "%2e%2e", "...", "a:b"]) {
      const owner = { userId: `${word}${fresh("")}`, slug: GITHUB, organizationId: `${fresh("")}${word}` };
      const made = await on.pipes.createUserConnectedAccount({ ...owner, accessToken: `gho_${word}` });
      assert.deepEqual([made.userId, made.organizationId], [owner.userId, owner.organizationId]);
      assert.equal((await on.pipes.getUserConnectedAccount(owner)).id, made.id);
      assert.equal((await on.pipes.getAccessToken({ provider: GITHUB, userId: owner.userId, organizationId: owner.organizationId })).accessToken.accessToken, `gho_${word}`);
      await on.pipes.deleteUserConnectedAccount(owner);
    }
    for (const word of [".", ".."]) {
      await assert.rejects(on.pipes.deleteUserConnectedAccount({ userId: word, slug: GITHUB }), /segment/);
      await assert.rejects(on.pipes.getDataIntegration({ slug: word }), /segment/);
    }
  },

  async "what is off makes nothing new"() {
    const slug = await keyed();
    await on.pipes.updateDataIntegration({ slug, enabled: false });
    await refused("UnprocessableEntityException", undefined, on.pipes.updateDataIntegrationApiKey({ slug, userId: "u", secret: "sk-of-the-user-1" }));
  },
};
