"""The public API of the application's backend: fetch a token or a credential, authorize, finish. WorkOS's own routes and names."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import Forbidden, InvalidRequest, StandpipeError
from chalicelib.domain.models import AUTH_METHODS, Connection, Owner
from chalicelib.doors import journal
from chalicelib.engine.tokens import Inactive, Live, Tokens
from chalicelib.web import token_query, wire
from chalicelib.web.edge import Request, answer, route, unprocessable
from chalicelib.web.owners import of_body

if TYPE_CHECKING:
    from chalicelib.domain.models import AuthMethod
    from chalicelib.web.bodies import RejectedBody

api = Blueprint(__name__)
TOKENS: "tuple[AuthMethod, ...]" = ("oauth", "client_credentials")


@route(api, "/data-integrations/{slug}/token", ["POST"], body="TokenBody", returns="TokenAnswer")
def fetch_token(request: Request, slug: str) -> Response:
    """A live access token, or why there is none."""
    return _fetch(request, slug, TOKENS, wire.token_answer)


@route(api, "/data-integrations/{slug}/credentials", ["POST"], body="TokenBody", returns="CredentialsAnswer")
def fetch_credentials(request: Request, slug: str) -> Response:
    """What to show the provider, whichever way the account is connected: an access token, or the API key."""
    return _fetch(request, slug, AUTH_METHODS, wire.credentials_answer)


@route(api, "/data-integrations/{slug}/token/rejected", ["POST"], body="RejectedBody", returns="TokenAnswer")
def token_rejected(request: Request, slug: str) -> Response:
    """The provider answered 401 to this generation."""
    return _rejected(request, slug, TOKENS, wire.token_answer)


@route(api, "/data-integrations/{slug}/credentials/rejected", ["POST"], body="RejectedBody", returns="CredentialsAnswer")
def credentials_rejected(request: Request, slug: str) -> Response:
    """As for a token."""
    return _rejected(request, slug, AUTH_METHODS, wire.credentials_answer)


Shape = Callable[[Live | Inactive], Mapping[str, object]]


def _fetch(request: Request, slug: str, methods: "tuple[AuthMethod, ...]", shape: Shape) -> Response:
    query = token_query.read(request.json())
    owner = of_body(request, query.user_id, query.organization_id, query.connection_owner)

    def ask(tokens: Tokens) -> Live | Inactive:
        return tokens.answer(
            owner,
            slug,
            connection_id=query.connected_account_id,
            several=query.supports_multiple_connections,
            methods=methods,
            min_ttl=timedelta(seconds=query.min_ttl),
            seconds_left=request.seconds_left,
        )

    return _token_answer(request, slug, owner, query.user_id, ask, shape)


def _rejected(request: Request, slug: str, methods: "tuple[AuthMethod, ...]", shape: Shape) -> Response:
    from chalicelib.web import bodies

    body: RejectedBody = bodies.read(bodies.RejectedBody, request.json())
    owner = of_body(request, body.user_id, body.organization_id, body.connection_owner)

    def ask(tokens: Tokens) -> Live | Inactive:
        return tokens.rejected(
            owner, slug, body.generation, connection_id=body.connected_account_id, several=body.supports_multiple_connections is True, methods=methods, seconds_left=request.seconds_left
        )

    return _token_answer(request, slug, owner, body.user_id, ask, shape)


def _token_answer(request: Request, slug: str, owner: Owner, user_id: str, ask: Callable[[Tokens], Live | Inactive], shape: Shape) -> Response:
    """Every read leaves a line that says who read what and how it ended, a refused one too (rule R22)."""
    connection: Connection | None = None
    outcome = "internal_error"
    try:
        result = ask(wiring.engine().tokens)
        connection = result.connection
        outcome = "active" if isinstance(result, Live) else result.error
    except StandpipeError as error:
        outcome = error.code
        raise
    finally:
        journal.write(
            "token_read",
            request=request.id,
            key=request.key_id,
            outcome=outcome,
            connection=connection.id if connection else None,
            provider=slug,
            user=user_id,
            organization=owner.organization_id,
            generation=connection.generation if connection else None,
        )
    return answer(shape(result))


@route(api, "/data-integrations/{slug}/authorize", ["POST"], body="AuthorizeBody", returns="AuthorizeAnswer")
def authorize(request: Request, slug: str) -> Response:
    """A link that lets one person connect one account."""
    from chalicelib.engine.begin import Wanted
    from chalicelib.web import bodies

    body = bodies.read(bodies.AuthorizeBody, request.json())
    if body.code_challenge is None and body.code_challenge_method is not None:
        raise unprocessable("code_challenge_method", "goes with 'code_challenge'.", "incomplete")
    if body.connection_intent != "reauthorize" and body.connected_account_id is not None:
        raise unprocessable("connected_account_id", "names an account there is; it goes with connection_intent 'reauthorize'.", "not_allowed")
    if body.connection_intent == "reauthorize" and body.connected_account_id is None:
        raise unprocessable("connected_account_id", "is required with connection_intent 'reauthorize': which account is it?", "required")
    owner = of_body(request, body.user_id, body.organization_id, body.connection_owner)
    begun = wiring.engine().connect.begin(
        owner,
        slug,
        Wanted(
            return_to=body.return_to,
            challenge=body.code_challenge,
            config=body.config,
            display_name=body.account_display_name,
            user_display_name=body.user_display_name,
            acting_user_id=body.user_id if owner.user_id is None else None,
            intent=body.connection_intent,
            connection_id=body.connected_account_id,
        ),
    )
    return answer({"url": begun.url, "state": begun.state, **({"completion": "finish_required"} if begun.finish_required else {})})


@route(api, "/data-integrations/finish", ["POST"], body="FinishBody", returns="FinishAnswer", errors=(403,))
def finish(request: Request) -> Response:
    """The application vouches for the person who came back; only now is the code exchanged."""
    from chalicelib.engine.authorization_response import FlowError
    from chalicelib.web import bodies

    body = bodies.read(bodies.FinishBody, request.json())
    try:
        connection = wiring.engine().connect.finish(body.connect_code, body.code_verifier, state=body.state, user_id=body.user_id, organization_id=request.organization_id)
    except FlowError as error:
        raise _refused_finish(error.kind, error.provider_code) from None
    return answer({"connected_account": wire.connected_account(connection, wiring.engine().registrations.name_of(connection.slug))})


def _refused_finish(kind: str, provider_code: str) -> StandpipeError:
    """WorkOS's clients know 400, 401 and 403 here."""
    if kind == "other_account":
        return Forbidden("The person signed in with another account than the one connected before. Disconnect that one first, or add this one with connection_intent 'add'.", "other_account")
    if kind == "configuration_changed":
        return InvalidRequest("The settings of the provider were changed while the person was connecting. Nothing was connected; start again with POST …/authorize.", "invalid_data_integration")
    if kind == "try_again":
        return InvalidRequest("The connection was changed from somewhere else at the same moment. Start again with POST …/authorize.", "concurrent_request")
    detail = f" ({provider_code})" if provider_code else ""
    return InvalidRequest(f"The provider did not give tokens for this code{detail}. Nothing was changed; start again with POST …/authorize.", "authorization_code_exchange_error")


@route(api, "/healthz", ["GET"], caller="anyone", returns="Health")
def health(request: Request) -> Response:
    """Whether the code runs; it looks at nothing."""
    return answer({"status": "ok"})
