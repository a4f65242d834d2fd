/**
 * Child process: node-oidc-provider as an authorization server on 127.0.0.1.
 *
 * Rule: configuration comes as one JSON line on stdin (so no secret is in argv or the environment), the endpoints go
 * as one JSON line to stdout, and the process ends when stdin ends, so a killed test run leaves no server behind.
 * Who logs in and what they decide: header X-Peer-User / X-Peer-Deny, else login_hint ("deny" declines), else the
 * default set by POST /__browser.
 */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

// The packages live in tests/node, beside this folder and not above it, where a bare import would look.
const require = createRequire(new URL('../node/package.json', import.meta.url));
const oidc = await import(pathToFileURL(require.resolve('oidc-provider')));
const { default: Provider, interactionPolicy } = oidc;

const DEFAULTS = {
  client_id: 'standpipe-test',
  client_secret: 'test-secret', // printable ASCII only: the server refuses anything else (RFC 6749 VSCHAR)
  redirect_uris: ['http://127.0.0.1/callback'],
  extra_clients: [], // [{client_id, client_secret, redirect_uris}]
  auth_method: 'client_secret_basic',
  scopes: ['openid', 'offline_access', 'read', 'write'],
  rotate: true,
  issue_refresh: 'always', // always | offline_access | never
  access_token_seconds: 3600,
  refresh_token_seconds: 14 * 24 * 3600,
  code_seconds: 60,
  pkce_required: true,
  serialize: true,
  default_user: 'alice',
  deny_description: 'the user said no',
  port: 0,
};

const lines = createInterface({ input: process.stdin });
const options = { ...DEFAULTS, ...JSON.parse((await lines[Symbol.asyncIterator]().next()).value || '{}') };
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();

// ---- storage: the shipped memory adapter keeps 1,000 entries only, and we must reach in to expire and revoke.
const rows = new Map();
class Adapter {
  constructor(model) { this.model = model; }
  key(id) { return `${this.model}:${id}`; }
  async upsert(id, payload) { rows.set(this.key(id), { model: this.model, id, payload: { ...payload } }); }
  async find(id) { return rows.get(this.key(id))?.payload; }
  async findByUid(uid) { return this.first((payload) => payload.uid === uid); }
  async findByUserCode(code) { return this.first((payload) => payload.userCode === code); }
  async destroy(id) { rows.delete(this.key(id)); }
  async consume(id) { rows.get(this.key(id)).payload.consumed = Math.floor(Date.now() / 1000); }
  first(test) { return [...rows.values()].find((row) => row.model === this.model && test(row.payload))?.payload; }
  async revokeByGrantId(grantId) {
    for (const [key, row] of rows) if (row.model === this.model && row.payload.grantId === grantId) rows.delete(key);
  }
}

function revokeUser(user) {
  const grants = [...rows.values()].filter((row) => row.model === 'Grant' && row.payload.accountId === user);
  const ids = new Set(grants.map((row) => row.id));
  for (const [key, row] of rows) {
    if (ids.has(row.payload.grantId) || (row.model === 'Grant' && ids.has(row.id))) rows.delete(key);
  }
  return ids.size;
}

function expireAccessTokens() {
  const tokens = [...rows.values()].filter((row) => row.model === 'AccessToken');
  for (const row of tokens) row.payload.exp = 1;
  return tokens.length;
}

// ---- what the user wants
const browser = { user: options.default_user, deny: false };
function decision(req, hint) {
  return {
    user: req.headers['x-peer-user'] || (hint && hint !== 'deny' ? hint : browser.user),
    deny: 'x-peer-deny' in req.headers || hint === 'deny' || browser.deny,
  };
}

const policy = interactionPolicy.base();
// One browser, two people: a session of somebody else than wanted is no login.
policy.get('login').checks.add(new interactionPolicy.Check('other_user', 'another user is wanted', (ctx) => {
  const wanted = decision(ctx.req, ctx.oidc.params.login_hint).user;
  return ctx.oidc.session.accountId !== wanted && !ctx.oidc.result?.login;
}));

// ---- the server
const server = createServer({ keepAliveTimeout: 60000 }); // longer than any client keeps an idle connection
await new Promise((resolve) => { server.listen(options.port, '127.0.0.1', 512, resolve); });
const issuer = `http://127.0.0.1:${server.address().port}`;

const clientOf = (client) => ({
  client_id: client.client_id,
  client_secret: client.client_secret,
  redirect_uris: client.redirect_uris,
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: client.auth_method ?? options.auth_method,
});
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(issuer, {
  adapter: Adapter,
  clients: [clientOf(options), ...options.extra_clients.map(clientOf)],
  cookies: { keys: [randomBytes(16).toString('hex')] },
  jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256', kid: 'peer' }] },
  scopes: options.scopes,
  clockTolerance: 0,
  pkce: { required: () => options.pkce_required },
  rotateRefreshToken: options.rotate,
  issueRefreshToken: async (ctx, client, code) => options.issue_refresh === 'always'
    || (options.issue_refresh === 'offline_access' && code.scopes.has('offline_access')),
  expiresWithSession: async () => false,
  // Each consent is a grant of its own: connections of one user must be able to die one by one.
  loadExistingGrant: async (ctx) => (ctx.oidc.result?.consent?.grantId
    ? ctx.oidc.provider.Grant.find(ctx.oidc.result.consent.grantId) : undefined),
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { policy, url: async (ctx, interaction) => `/interaction/${interaction.uid}` },
  features: { devInteractions: { enabled: false }, revocation: { enabled: true }, userinfo: { enabled: true } },
  ttl: {
    AccessToken: options.access_token_seconds,
    RefreshToken: options.refresh_token_seconds,
    AuthorizationCode: options.code_seconds,
    Grant: 30 * 24 * 3600, IdToken: 3600, Interaction: 3600, Session: 14 * 24 * 3600,
  },
});
// Clients are checked when first used; a wrong one must fail the start, not some request of a test.
for (const { client_id: id } of [options, ...options.extra_clients]) await provider.Client.find(id);
provider.on('server_error', (ctx, error) => console.error('server_error', error.stack));

// ---- counters; secrets only as a short hash to compare by
const ROLES = { '/token': 'token', '/token/revocation': 'revoke', '/auth': 'authorize', '/me': 'userinfo' };
const requests = [];
let last = Promise.resolve();
provider.use(async (ctx, next) => {
  const role = ROLES[ctx.path];
  if (!role) return next();
  const entry = { time: Date.now() / 1000 };
  // The server reads `consumed`, awaits, then sets it: two requests at once may both pass. A strict provider locks
  // the row first; `serialize` (default) gives us that one.
  const before = last;
  let done = () => {};
  if (options.serialize && ctx.method === 'POST' && role !== 'authorize') {
    last = new Promise((resolve) => { done = resolve; });
    await before;
  }
  try {
    return await next();
  } finally {
    done();
    const body = ctx.oidc?.body ?? {};
    const credential = body.refresh_token || body.code || body.token;
    const basic = ctx.get('authorization').startsWith('Basic ');
    requests.push({
      role,
      path: ctx.path,
      method: ctx.method,
      grant_type: body.grant_type ?? null,
      auth: basic ? 'basic' : 'client_secret' in body ? 'post' : 'none',
      params: Object.keys(body).sort(),
      accept: ctx.get('accept') || null,
      content_type: ctx.get('content-type') || null,
      redirect_uri: body.redirect_uri ?? null,
      credential_hash: credential ? createHash('sha256').update(credential).digest('hex').slice(0, 16) : null,
      status: ctx.status,
      ...entry,
    });
  }
});

// ---- the user's side: log in, then consent or decline, without a page
async function interact(req, res) {
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  const { user, deny } = decision(req, params.login_hint);
  if (deny) {
    const result = { error: 'access_denied', error_description: options.deny_description };
    return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  }
  if (prompt.name === 'login') {
    return provider.interactionFinished(req, res, { login: { accountId: user } }, { mergeWithLastSubmission: false });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '));
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(req, res, { consent }, { mergeWithLastSubmission: true });
}

async function control(req) {
  let text = '';
  for await (const part of req) text += part;
  const body = text ? JSON.parse(text) : {};
  if (req.url === '/__hits' && req.method === 'DELETE') requests.length = 0;
  if (req.url === '/__hits') return { requests };
  if (req.url === '/__browser') return Object.assign(browser, body);
  if (req.url === '/__revoke_user') return { revoked: revokeUser(body.user) };
  if (req.url === '/__expire') return { expired: expireAccessTokens() };
  return { error: 'unknown control route' };
}

const oauth = provider.callback();
server.on('request', (req, res) => {
  const fail = (error) => { console.error(error.stack); res.statusCode = 500; res.end(String(error)); };
  if (req.url.startsWith('/interaction/')) return interact(req, res).catch(fail);
  if (!req.url.startsWith('/__')) return oauth(req, res);
  return control(req).then((answer) => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(answer));
  }).catch(fail);
});

console.log(JSON.stringify({
  base_url: issuer,
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  revocation_endpoint: `${issuer}/token/revocation`,
  userinfo_endpoint: `${issuer}/me`,
}));
