"""The dialect of every provider that has none of its own: the endpoints, names and lives of its file, and otherwise what the RFCs say.

Any API key and any client of its own is taken, except one with the word `refused` in its secret. Taken once, it is a grant like
a person's, so that it can be revoked on the overview page as well.
"""

import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

from chalicelib.providers.spec import PLACEHOLDER, Provider, Verify
from chalicelib.simulator import authorize
from chalicelib.simulator.accounts import CLIENT, KEY, Account, person_of
from chalicelib.simulator.catalogue import REFUSED, client_of
from chalicelib.simulator.dialect import Dialect, Route
from chalicelib.simulator.grants import NoAccess, Problem, Refused, access, authenticate, end_by_token, issue, presented, random_text, redeem, use_refresh_token
from chalicelib.simulator.messages import Sandbox, SimulatorRequest, SimulatorResponse, json_answer
from chalicelib.simulator.state import Grant

REFRESH_SECONDS = 30 * 86400  # where the answer tells an end and the file does not say which
OFFLINE = {"offline_access", "refresh_token"}
ERRORS: dict[Problem, tuple[int, str]] = {
    "client": (401, "invalid_client"),
    "client_secret": (401, "invalid_client"),
    "grant_type": (400, "unsupported_grant_type"),
    "request": (400, "invalid_request"),
}


def speak(provider: Provider) -> tuple[Dialect, tuple[Route, ...]]:
    """`provider` as its file says it, placeholders not filled: one in a path stands for one segment."""
    by_method = provider.client_credentials if "client_credentials" in provider.auth_methods else None
    dialect = Dialect(
        provider.slug,
        provider.name,
        urlsplit(provider.authorization.endpoint).path,
        scope_separator=provider.authorization.scope_separator,
        user_scope_parameter=provider.authorization.user_scope_parameter,
        issuer_path=urlsplit(provider.authorization.issuer).path if provider.authorization.issuer else None,
        throttled={"error": "temporarily_unavailable", "error_description": "Too many requests"},
        client_credentials_grant=by_method.parameters.get("grant_type", "client_credentials") if by_method else "",
        can_be_endless="oauth" in provider.auth_methods,
        own=False,
    )
    spoken = _Spoken(provider, dialect)
    routes = {(route.method, route.path): route for route in [*(authorize.routes(dialect) if dialect.authorize_path else ()), *spoken.routes()]}
    return dialect, tuple(routes.values())


@dataclass(frozen=True)
class _Spoken:
    provider: Provider
    dialect: Dialect

    def routes(self) -> list[Route]:
        provider, verify = self.provider, self.provider.api_key.verify
        asked = [(url, "POST", "token", self.token) for url in (provider.token.endpoint, provider.token.refresh_endpoint, provider.client_credentials.endpoint)]
        asked += [(provider.revocation.endpoint, provider.revocation.method, "revocation", self.revoke), (provider.identity.endpoint, provider.identity.method, "api", self.who)]
        asked += [(verify.endpoint, verify.method, "api", self.who)] if verify else []
        return [Route(method, urlsplit(url).path, kind, handler) for url, method, kind, handler in asked if url]  # type: ignore[arg-type]

    def token(self, sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
        grant_type = request.fields().get("grant_type", "")
        try:
            if grant_type and grant_type == self.dialect.client_credentials_grant:
                return json_answer(self._access(sandbox, self._client_grant(sandbox, request)))
            authenticate(request, self.provider.slug)
            if grant_type == "authorization_code":
                grant, _facts = redeem(sandbox, request, self.provider.slug)
                return json_answer({**self._refreshable(sandbox, grant), **self._identity(sandbox, grant)})
            if grant_type == "refresh_token":
                used = use_refresh_token(sandbox, request, self.provider.slug)
                return json_answer(self._refreshable(sandbox, used.grant) if used.rotated else self._access(sandbox, used.grant))
            raise Refused("grant_type")
        except Refused as refused:
            status, word = ERRORS.get(refused.problem, (400, "invalid_grant"))
            return json_answer({"error": word, "error_description": f"simulated: {refused.problem.replace('_', ' ')}"}, status)

    def revoke(self, sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
        recipe = self.provider.revocation
        if recipe.recipe == "basic_json" or (recipe.recipe == "rfc7009" and recipe.client_authentication):
            try:
                authenticate(request, self.provider.slug)
            except Refused as refused:
                return json_answer({"error": "invalid_client", "error_description": f"simulated: {refused.problem}"}, 401)
        fields = request.fields()
        wanted = {"bearer": request.bearer() or "", "basic_json": fields.get("access_token", "")}.get(recipe.recipe, fields.get("token", ""))
        ended = end_by_token(sandbox, wanted, self.provider.slug, everywhere=recipe.ends == "user")
        if ended or recipe.recipe == "rfc7009":  # RFC 7009 2.2: what is unknown is as good as revoked
            return json_answer({})
        return json_answer({"error": "invalid_token"}, recipe.gone_statuses[0] if recipe.gone_statuses else 400)

    def who(self, sandbox: Sandbox, request: SimulatorRequest, _: dict[str, str]) -> SimulatorResponse:
        """Whose access token or API key it is."""
        slug, bearer, verify = self.provider.slug, request.bearer(), self.provider.api_key.verify
        try:
            return json_answer(self._about(access(sandbox, bearer, slug)[0]))
        except NoAccess as refused:
            ours = refused.problem in ("expired", "revoked") or (bearer or "").startswith(self._prefix())
        key = _key(verify, request) if verify and not ours else ""
        if verify is None or not key:
            return json_answer({"error": "invalid_token", "message": "simulated: unauthorized"}, 401)
        grant = self._known(sandbox, f"{slug} key {key}", KEY)
        if REFUSED in key.lower() or grant.ended:
            return json_answer({"error": "invalid_key", "message": "simulated: this key is refused"}, verify.refused_statuses[0])
        return json_answer(self._about(grant))

    def _client_grant(self, sandbox: Sandbox, request: SimulatorRequest) -> Grant:
        """The grant of a client that a customer entered. Raises Refused."""
        method, fields = self.provider.client_credentials, request.fields()
        client_id, secret = presented(request)
        if not client_id or not secret or REFUSED in secret.lower():
            raise Refused("client_secret")
        for name, value in method.parameters.items():
            asked, fixed = fields.get(name, ""), not PLACEHOLDER.search(value)
            if not asked or PLACEHOLDER.search(asked) or (fixed and asked != value):
                raise Refused("request")
        grant = self._known(sandbox, f"{self.provider.slug} client {client_id} {secret}", CLIENT)
        if grant.ended:
            raise Refused("client")
        scopes = tuple(part for part in fields.get(method.scope_parameter, "").split(method.scope_separator) if part) if method.scope_parameter else ()
        grant = replace(grant, scopes=scopes, refreshed_at=sandbox.now.isoformat())
        sandbox.state.save_grant(grant, sandbox.now)
        return grant

    def _known(self, sandbox: Sandbox, secret: str, account: Account) -> Grant:
        """The grant of a secret, which begins when it is first seen."""
        facts = sandbox.state.token(secret)
        if facts and (grant := sandbox.state.grant(facts["grant"])):
            return grant
        grant = Grant(f"{sandbox.now:%Y%m%dT%H%M%S%f}{random_text(6)}", self.provider.slug, account.key, (), (), sandbox.now.isoformat())
        if REFUSED not in secret.lower():
            sandbox.state.save_grant(grant, sandbox.now)
            sandbox.state.save_token(secret, {"kind": account.key, "slug": grant.slug, "grant": grant.id}, sandbox.now, 0)
        return grant

    def _access(self, sandbox: Sandbox, grant: Grant) -> dict[str, Any]:
        knobs = sandbox.state.knobs(self.provider.slug)
        endless = not knobs.expiring and grant.account != CLIENT.key
        token = issue(sandbox, grant, f"{self._prefix()}{random_text(40)}", kind="access", seconds=0 if endless else knobs.access_token_seconds)
        told = {} if endless else {"expires_in": knobs.access_token_seconds}
        return {"access_token": token, "token_type": "Bearer", **told, **({"scope": " ".join(grant.scopes)} if grant.scopes else {})}

    def _refreshable(self, sandbox: Sandbox, grant: Grant) -> dict[str, Any]:
        body = self._access(sandbox, grant)
        asks = OFFLINE & {scope.name for scope in self.provider.scopes}
        if "expires_in" not in body or (asks and not asks & set(grant.scopes)):
            return body
        lifetimes = self.provider.lifetimes
        field = lifetimes.refresh_expires_in_field
        seconds = lifetimes.refresh_token or lifetimes.refresh_token_idle or (REFRESH_SECONDS if field else 0)
        body["refresh_token"] = issue(sandbox, grant, f"simulated_refresh_{random_text(60)}", kind="refresh", seconds=seconds)
        return {**body, **({field: seconds} if field else {})}

    def _identity(self, sandbox: Sandbox, grant: Grant) -> dict[str, Any]:
        """What the answer to a code tells beside the tokens: whose account it is, and the facts that are kept."""
        identity, person = self.provider.identity, person_of(self.provider.slug, grant.account)
        fields = {path: person.org if path.endswith("_id") else person.org_name for path in self.provider.metadata.values()}
        if identity.source == "token_answer":
            fields |= _values(person, identity.account_id, identity.name, identity.team)
        body = _nested(fields)
        if identity.source == "id_token":
            body["id_token"] = _signed(sandbox, self.provider.slug, _nested(_values(person, identity.account_id, identity.name, identity.team)))
        return body

    def _about(self, grant: Grant) -> dict[str, Any]:
        person = person_of(self.provider.slug, grant.account)
        fields: dict[str, str] = {}
        for paths in (self.provider.identity, self.provider.api_key.verify):
            if paths is not None:
                fields = {**_values(person, paths.account_id, paths.name, paths.team), **fields}
        return _nested(fields)

    def _prefix(self) -> str:
        return f"simulated_{self.provider.slug}_"


def _key(verify: Verify, request: SimulatorRequest) -> str:
    if verify.send == "bearer":
        return request.bearer() or ""
    if verify.send == "header":
        value = request.headers.get(verify.header.lower(), "")
        # A bearer token in the place of a key is somebody's token, and none of ours.
        return "" if verify.header.lower() == "authorization" and request.bearer() and not verify.prefix else value.removeprefix(verify.prefix)
    name, password = request.basic() or ("", "")
    if verify.send == "basic_username":
        return name
    fixed = not PLACEHOLDER.search(verify.username)
    return password if not fixed or compare_digest(name.encode(), verify.username.encode()) else ""


def _values(person: Account, account_id: str, names: tuple[str, ...], team: str) -> dict[str, str]:
    """What stands at each path; a name may be the id as well."""

    def named(path: str) -> str:
        word = path.rpartition(".")[2].lower()
        if "mail" in word or "username" in word:
            return person.shown
        return person.org_name if "workspace" in word else person.name

    values = {path: named(path) for path in names}
    values |= {path: person.id for path in [account_id] if path and "username" not in path}
    return {**values, **({team: person.org} if team else {})}


def _nested(values: dict[str, str]) -> dict[str, Any]:
    """`{"a.b": 1}` as `{"a": {"b": 1}}`."""
    body: dict[str, Any] = {}
    for path, value in values.items():
        *outer, last = path.split(".")
        place = body
        for name in outer:
            place = place.setdefault(name, {})
        place[last] = value
    return body


def _signed(sandbox: Sandbox, slug: str, claims: dict[str, Any]) -> str:
    """An ID token, by HS256 and the client secret (OpenID Connect Core 10.1): a sandbox needs no key pair for what its client need not check (3.1.3.7)."""

    def part(raw: bytes) -> str:
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    client_id, secret = client_of(slug)
    now = int(sandbox.now.timestamp())
    full = {"iss": sandbox.url(slug), "aud": client_id, "sub": claims.get("sub", "simulated"), **claims, "iat": now, "exp": now + 3600}
    signed = ".".join(part(json.dumps(each).encode()) for each in ({"alg": "HS256", "typ": "JWT"}, full))
    return f"{signed}.{part(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"
