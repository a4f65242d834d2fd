"""The public API of the application's backend: authorize, finish, fetch, disconnect, look. WorkOS's own routes and names."""

from collections.abc import Callable
from datetime import timedelta

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.domain.errors import Conflict, Forbidden, NotFound, StandpipeError, Unprocessable
from chalicelib.domain.models import Connection, Owner
from chalicelib.doors import journal
from chalicelib.engine.tokens import Inactive, Live, Tokens
from chalicelib.web import token_query, wire
from chalicelib.web.edge import Request, answer, route, unprocessable

api = Blueprint(__name__)


@route(api, "/data-integrations/{slug}/token", ["POST"])
def fetch_token(request: Request, slug: str) -> Response:
    """A live access token, or why there is none."""
    query = token_query.read(request.json())
    owner = Owner(user_id=query.user_id, organization_id=query.organization_id)
    return _token_answer(
        request, slug, owner, lambda tokens: tokens.answer(owner, slug, connection_id=query.connected_account_id, min_ttl=timedelta(seconds=query.min_ttl), seconds_left=request.seconds_left)
    )


@route(api, "/data-integrations/{slug}/token/rejected", ["POST"])
def token_rejected(request: Request, slug: str) -> Response:
    """The provider answered 401 to this generation."""
    from chalicelib.web import bodies

    body = bodies.read(bodies.RejectedBody, request.json())
    owner = Owner(user_id=body.user_id, organization_id=body.organization_id)
    return _token_answer(request, slug, owner, lambda tokens: tokens.rejected(owner, slug, body.generation, connection_id=body.connected_account_id, seconds_left=request.seconds_left))


def _token_answer(request: Request, slug: str, owner: Owner, ask: Callable[[Tokens], Live | Inactive]) -> Response:
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
            user=owner.user_id,
            organization=owner.organization_id,
            generation=connection.generation if connection else None,
        )
    return answer(wire.token_answer(result))


@route(api, "/data-integrations/{slug}/authorize", ["POST"])
def authorize(request: Request, slug: str) -> Response:
    """A link that lets one person connect one account."""
    from chalicelib.web import bodies

    body = bodies.read(bodies.AuthorizeBody, request.json())
    if (body.code_challenge is None) != (body.code_challenge_method is None):
        raise unprocessable("code_challenge", "and 'code_challenge_method' go together.", "incomplete")
    owner = Owner(user_id=body.user_id, organization_id=body.organization_id)
    if body.connected_account_id is not None:
        _connection(owner, slug, body.connected_account_id)
    begun = wiring.engine().connect.begin(
        owner, slug, return_to=body.return_to, challenge=body.code_challenge, config=body.config, display_name=body.account_display_name, user_display_name=body.user_display_name
    )
    return answer({"url": begun.url, "state": begun.state, **({"completion": "finish_required"} if begun.finish_required else {})})


@route(api, "/data-integrations/finish", ["POST"])
def finish(request: Request) -> Response:
    """The application vouches for the person who came back; only now is the code exchanged."""
    from chalicelib.engine.authorization_response import FlowError
    from chalicelib.web import bodies

    body = bodies.read(bodies.FinishBody, request.json())
    try:
        connection = wiring.engine().connect.finish(body.connect_code, body.code_verifier, state=body.state, user_id=body.user_id)
    except FlowError as error:
        raise _refused_finish(error.kind, error.provider_code) from None
    return answer({"connected_account": wire.connected_account(connection, wiring.engine().registrations.name_of(connection.slug))})


def _refused_finish(kind: str, provider_code: str) -> StandpipeError:
    if kind == "other_account":
        return Forbidden("The person signed in with another account than the one connected before. Disconnect that one first.", "other_account")
    if kind == "configuration_changed":
        return Conflict("The settings of the provider were changed while the person was connecting. Nothing was connected; start again with POST …/authorize.", kind)
    detail = f" ({provider_code})" if provider_code else ""
    return Unprocessable(f"The provider did not give tokens for this code{detail}. Nothing was changed; start again with POST …/authorize.", kind)


@route(api, "/user_management/users/{user_id}/connected_accounts/{slug}", ["GET"])
def get_connected_account(request: Request, user_id: str, slug: str) -> Response:
    connection = _connection(_owner(request, user_id), slug, request.one("connected_account_id"))
    return answer(wire.connected_account(connection, wiring.engine().registrations.name_of(slug)))


@route(api, "/user_management/users/{user_id}/connected_accounts/{slug}", ["DELETE"])
def delete_connected_account(request: Request, user_id: str, slug: str) -> Response:
    """Revokes at the provider and forgets here; the header says what became of the grant there."""
    owner = _owner(request, user_id)
    _connection(owner, slug, request.one("connected_account_id"))
    revoked = wiring.engine().disconnect.disconnect(owner, slug, seconds_left=request.seconds_left)
    return answer("", status=204, headers={"Standpipe-Revocation": revoked})


@route(api, "/user_management/users/{user_id}/data_providers", ["GET"])
def list_data_providers(request: Request, user_id: str) -> Response:
    """Every enabled provider, with this user's accounts."""
    from chalicelib.web import wire_registrations

    engine = wiring.engine()
    connections: dict[str, list[Connection]] = {}
    for connection in engine.store.connections(_owner(request, user_id)):
        if connection.state != "disconnected":
            connections.setdefault(connection.slug, []).append(connection)
    shown = [r for r in engine.registrations.all() if r.enabled or r.slug in connections]
    return answer({"object": "list", "data": [wire_registrations.data_provider(r, engine.registrations, connections.get(r.slug, [])) for r in shown]})


@route(api, "/healthz", ["GET"], caller="anyone")
def health(request: Request) -> Response:
    """Whether the code runs; it looks at nothing."""
    return answer({"status": "ok"})


def _owner(request: Request, user_id: str) -> Owner:
    query = token_query.read({"user_id": user_id, "organization_id": request.one("organization_id")})
    return Owner(user_id=query.user_id, organization_id=query.organization_id)


def _connection(owner: Owner, slug: str, connected_account_id: str | None) -> Connection:
    connection = wiring.engine().store.connection(owner, slug)
    if connection is None or connection.state == "disconnected" or (connected_account_id is not None and connection.id != connected_account_id):
        raise NotFound("There is no such connected account.", "connected_account_not_found")
    return connection
