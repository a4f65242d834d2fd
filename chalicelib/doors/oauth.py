"""The door to providers' authorization servers: RFC 6749 requests built, sent through the guarded client, and answers made sane."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from math import inf
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

from chalicelib.domain.errors import GrantRefused, ProviderError, ProviderUnavailable
from chalicelib.domain.secret import Secret
from chalicelib.domain.settings import PROVIDER_DEADLINE
from chalicelib.domain.tokens import AdditionalToken, ExternalIdentity, TokenAnswer, TokenSet
from chalicelib.doors import identity, token_answers, verdicts
from chalicelib.doors.addresses import ForbiddenAddress
from chalicelib.doors.http import Answer, AnswerLost, ProviderHttp, Undelivered
from chalicelib.providers.spec import RESERVED_PARAMETERS, ClientCredentials, Identity, Provider, Token, Verify

Revoked = Literal["revoked", "failed", "unsupported"]
TRY_AGAIN = timedelta(minutes=5)
REVOKE_SECONDS = PROVIDER_DEADLINE + 1
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True)
class Credentials:
    """Our client at a provider."""

    client_id: str
    client_secret: Secret | None = None


class OAuth:
    """Speaks to any provider of the vocabulary. Holds no state."""

    def __init__(self, http: ProviderHttp) -> None:
        self._http = http

    def authorization_url(self, provider: Provider, client_id: str, redirect_uri: str, scopes: tuple[str, ...], state: str, code_verifier: str) -> str:
        """Where the browser is sent (RFC 6749 4.1.1). Reserved parameters are written last, each exactly once."""
        authorization = provider.authorization
        user_scopes = {scope.name for scope in provider.scopes if scope.token == "user"} if authorization.user_scope_parameter else set()
        main = [scope for scope in scopes if scope not in user_scopes]
        parameters = dict(authorization.parameters)
        if user := [scope for scope in scopes if scope in user_scopes]:
            parameters[authorization.user_scope_parameter] = authorization.scope_separator.join(user)
        if main:
            parameters[authorization.scope_parameter] = authorization.scope_separator.join(main)
        parameters |= {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "state": state}
        if authorization.code_challenge_method == "S256":
            parameters |= {"code_challenge": code_challenge(code_verifier), "code_challenge_method": "S256"}
        endpoint = urlsplit(authorization.endpoint)
        taken = RESERVED_PARAMETERS | set(parameters)
        own_query = [(name, value) for name, value in parse_qsl(endpoint.query, keep_blank_values=True) if name not in taken]
        return endpoint._replace(query=urlencode([*own_query, *parameters.items()])).geturl()

    def exchange(self, provider: Provider, credentials: Credentials, code: str, code_verifier: str, redirect_uri: str, now: datetime) -> TokenAnswer:
        """A code for tokens (RFC 6749 4.1.3). Raises a ProviderError; never repeated, because a code is single use."""
        parameters = {**provider.token.parameters, "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if provider.authorization.code_challenge_method == "S256":
            parameters["code_verifier"] = code_verifier
        fields = self._token_request(provider, provider.token.endpoint, credentials, parameters, now)
        answer = token_answers.of_fields(provider, fields, now, provider.lifetimes.access_token)
        return replace(answer, identity=identity.of_answer(provider, fields) or self._identity(provider, answer.tokens.access_token))

    def refresh(self, provider: Provider, credentials: Credentials, tokens: TokenSet, now: datetime) -> TokenAnswer:
        """New tokens for a refresh token (RFC 6749 6), merged over the old ones. Raises a ProviderError.

        Every additional token with a refresh token of its own is refreshed as well; one that fails is reported in `problems`
        and never costs the main one.
        """
        assert tokens.refresh_token is not None
        answer = self._refreshed(provider, credentials, tokens.refresh_token, now)
        additional, problems, ends = dict(answer.tokens.additional), list[str](), list[datetime]()
        for name, token in tokens.additional.items():
            if name in additional:
                continue
            additional[name] = token
            if token.refresh_token is None:
                continue
            try:
                other = self._refreshed(provider, credentials, token.refresh_token, now)
            except GrantRefused as error:
                problems.append(f"{name}: {error.provider_code}")
                del additional[name]
            except ProviderError as error:
                problems.append(f"{name}: {error.provider_code or 'unavailable'}")
                # To be tried again before it ends and not when the main one is due, but not at every fetch either.
                ends += [max(token.expires_at, now + TRY_AGAIN)] if token.expires_at else []
            else:
                additional[name] = AdditionalToken(other.tokens.access_token, other.tokens.refresh_token or token.refresh_token, other.expires_at, other.scopes or token.scopes)
                ends += [other.expires_at] if other.expires_at else []
        kept = replace(tokens, additional={})
        merged = replace(answer, tokens=replace(answer.tokens, additional=additional), problems=tuple(problems)).keeping(kept)
        if merged.scopes is not None:
            # The answer tells the main token's scopes; the grant's are those of all its tokens.
            merged = replace(merged, scopes=tuple(dict.fromkeys([*merged.scopes, *(scope for token in merged.tokens.additional.values() for scope in token.scopes)])))
        if not (merged.expires_at and ends):
            return merged
        # With the life that is left of whichever ends first: the margin of a longer one would have it due at once, for ever.
        soonest = min([merged.expires_at, *ends])
        return replace(merged, expires_at=soonest, token_life=min(merged.token_life, int((soonest - now).total_seconds())))

    def revoke(self, provider: Provider, credentials: Credentials, tokens: TokenSet, seconds_left: Callable[[], float] = lambda: inf) -> Revoked:
        """Ends the grant at the provider by its recipe (RFC 7009 by default). Never raises: the outcome is the answer.

        Where a call ends one token only, each token of the grant is revoked, and all must go for it to be revoked.
        """
        if provider.revocation.endpoint is None:
            return "unsupported"
        each = [tokens]
        if provider.revocation.ends == "token":
            each += [TokenSet(other.access_token, other.refresh_token) for other in tokens.additional.values()]
        outcomes = [seconds_left() > REVOKE_SECONDS and self._revoke_one(provider, provider.revocation.endpoint, credentials, one) for one in each]
        return "revoked" if all(outcomes) else "failed"

    def _revoke_one(self, provider: Provider, endpoint: str, credentials: Credentials, tokens: TokenSet) -> bool:
        recipe = provider.revocation
        wanted = tokens.refresh_token if recipe.token == "refresh_token" and tokens.refresh_token else tokens.access_token
        access = tokens.access_token.reveal()
        url = endpoint.replace("{client_id}", quote(credentials.client_id, safe=""))
        if recipe.recipe == "bearer":
            headers, body = {"Accept": "application/json", "Authorization": f"Bearer {access}"}, b""  # without a type: Dropbox refuses one it does not expect, though there is no body
        elif recipe.recipe == "basic_json":
            headers, body = {**_JSON, "Authorization": _basic(credentials, urlencode_parts=False)}, json.dumps({"access_token": access}).encode()
        else:
            hint = "refresh_token" if wanted is tokens.refresh_token else "access_token"
            headers, body = _encoded(provider.token, credentials if recipe.client_authentication else None, {"token": wanted.reveal(), "token_type_hint": hint})
        try:
            answer = self._http.send(recipe.method, url, headers=headers, body=body)
        except (ForbiddenAddress, Undelivered, AnswerLost):
            return False
        parsed = verdicts.parse(answer)
        if parsed is None and answer.body.strip():
            return False  # a maintenance page has status 200 too; RFC 7009 answers with nothing, or with JSON
        fields = parsed or {}
        gone = answer.status in recipe.gone_statuses or any(fields.get(name) in recipe.gone_errors for name in ("error", "code", "message"))
        good = 200 <= answer.status < 300 and fields.get("ok", True) is not False and not fields.get("error")
        return good or gone

    def client_credentials(self, provider: Provider, credentials: Credentials, scopes: tuple[str, ...], now: datetime) -> TokenAnswer:
        """A token for a client of its own (RFC 6749 4.4). Raises a ProviderError. A refresh token is dropped: the client fetches the next token as it did this one."""
        method = provider.client_credentials
        parameters = {"grant_type": "client_credentials", **method.parameters}
        if scopes and method.scope_parameter:
            parameters[method.scope_parameter] = method.scope_separator.join(scopes)
        fields = self._token_request(provider, method.endpoint or provider.token.endpoint, credentials, parameters, now, method)
        answer = token_answers.of_fields(provider, fields, now, method.expires_in)
        return replace(answer, tokens=TokenSet(answer.tokens.access_token), refresh_expires_at=None, identity=identity.of_answer(provider, fields))

    def check_api_key(self, provider: Provider, secret: Secret) -> tuple[bool | None, ExternalIdentity | None]:
        """Whether the provider takes this key, and whose it is: True, False by the provider's own word, None = cannot be told. Never raises."""
        verify = provider.api_key.verify
        key = secret.reveal()
        if verify is None or not (key.isascii() and key.isprintable()):
            return None, None  # what does not fit a header is not sent
        if verify.send == "bearer":
            header = {"Authorization": f"Bearer {key}"}
        elif verify.send == "header":
            header = {verify.header: f"{verify.prefix}{key}"}
        else:
            pair = f"{key}:" if verify.send == "basic_username" else f"{verify.username}:{key}"
            header = {"Authorization": "Basic " + b64encode(pair.encode()).decode()}
        answer = self._ask(verify, header)
        if answer is None:
            return None, None
        if answer.status in verify.refused_statuses:
            return False, None
        fields = verdicts.parse(answer) or {}
        if not 200 <= answer.status < 300 or fields.get("ok") is False or fields.get("errors"):
            return None, None  # Slack says no with 200, GraphQL as well, and not only of keys
        return True, identity.of_fields(verify, fields)

    def still_accepted(self, provider: Provider, access_token: Secret) -> bool | None:
        """Whether the provider takes this access token now, where it has an endpoint that tells; None = cannot be told."""
        answer = self._ask(provider.identity, _bearer(access_token))
        if answer is None:
            return None
        fields = verdicts.parse(answer) or {}
        if answer.status == 200 and fields.get("ok") is False:
            # Slack says everything with 200; only some of its words are about the token.
            return False if provider.errors.get(str(fields.get("error"))) == "grant_dead" else None
        if answer.status == 401:
            return False
        return True if 200 <= answer.status < 300 and not fields.get("errors") else None

    def _identity(self, provider: Provider, access_token: Secret) -> ExternalIdentity | None:
        if not identity.is_asked_for(provider):
            return None
        answer = self._ask(provider.identity, _bearer(access_token))
        return identity.of_fields(provider.identity, verdicts.parse(answer) or {}) if answer is not None and answer.status == 200 else None

    def _ask(self, where: Identity | Verify, credential: dict[str, str]) -> Answer | None:
        """The answer to a request with the credential in a header; None without an endpoint, or if there came no answer."""
        if where.endpoint is None:
            return None
        headers = {"Accept": "application/json", **where.headers, **({"Content-Type": "application/json"} if where.body else {}), **credential}
        try:
            return self._http.send(where.method, where.endpoint, headers=headers, body=where.body.encode())
        except (ForbiddenAddress, Undelivered, AnswerLost):
            return None

    def _refreshed(self, provider: Provider, credentials: Credentials, refresh_token: Secret, now: datetime) -> TokenAnswer:
        parameters = {**provider.token.refresh_parameters, "grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
        fields = self._token_request(provider, provider.token.refresh_endpoint or provider.token.endpoint, credentials, parameters, now)
        return token_answers.of_fields(provider, fields, now, provider.lifetimes.access_token)

    def _token_request(self, provider: Provider, endpoint: str, credentials: Credentials, parameters: dict[str, str], now: datetime, how: Token | ClientCredentials | None = None) -> dict[str, Any]:
        headers, body = _encoded(how or provider.token, credentials, parameters)
        try:
            answer = self._http.send("POST", endpoint, headers=headers, body=body)
        except ForbiddenAddress as error:
            raise ProviderUnavailable(str(error), provider_code="forbidden_address") from None
        except Undelivered as error:
            raise ProviderUnavailable(str(error), provider_code="unreachable") from None
        except AnswerLost as error:
            raise ProviderUnavailable(str(error), provider_code="answer_lost", in_doubt=True) from None
        return verdicts.read(provider, answer, now)


def _encoded(how: Token | ClientCredentials, credentials: Credentials | None, parameters: dict[str, str]) -> tuple[dict[str, str], bytes]:
    headers = {**(_JSON if how.body == "json" else _FORM), **how.headers}
    if credentials is not None:
        if how.authentication == "client_secret_basic" and credentials.client_secret:
            headers["Authorization"] = _basic(credentials, urlencode_parts=how.urlencode_basic)
        else:
            parameters = {**parameters, "client_id": credentials.client_id}
            if how.authentication == "client_secret_post" and credentials.client_secret:
                parameters["client_secret"] = credentials.client_secret.reveal()
    return headers, json.dumps(parameters).encode() if how.body == "json" else urlencode(parameters).encode()


def code_challenge(code_verifier: str) -> str:
    """S256 of RFC 7636 4.2."""
    return urlsafe_b64encode(sha256(code_verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def _bearer(access_token: Secret) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token.reveal()}"}


def _basic(credentials: Credentials, *, urlencode_parts: bool) -> str:
    """RFC 6749 2.3.1: id and secret are form-urlencoded first, or one with a colon or a plus cannot be told apart."""
    secret = credentials.client_secret.reveal() if credentials.client_secret else ""
    parts = [quote_plus(part) if urlencode_parts else part for part in (credentials.client_id, secret)]
    return "Basic " + b64encode(":".join(parts).encode()).decode()
