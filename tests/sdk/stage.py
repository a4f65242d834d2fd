"""What a test of a client has in hand: the client, ids nobody else uses, people, and integrations of every kind.

Rule: everything is made through the client that is tested, so that a helper is a test too.
"""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from workos._errors import APIError
from workos.pipes.models import CustomProviderDefinition, DataIntegrationCredentialsInput

from tests.sdk.peer import Machines
from tests.sdk.person import Person
from tests.sdk.witness import Witness

Kind = TypeVar("Kind", bound=APIError)
GITHUB = "github"  # seeded, and simulated with the accounts octocat and hubot
_numbers = itertools.count(1)


@dataclass
class At:
    """`client` is what is tested; `stranger` is the same with a key nobody made."""

    kind: str
    url: str
    landing: str
    client: Witness
    stranger: Witness
    bound: Callable[[str], Witness]
    """The same with a key that is bound to this organization."""
    machines: Machines
    made: list[tuple[str, str]] = field(default_factory=list)

    @property
    def pipes(self) -> Any:
        return self.client.pipes

    def new(self, word: str) -> str:
        return f"{word}_{uuid.uuid4().hex[:12]}"

    def slug(self, word: str) -> str:
        return f"{word}-{self.kind}-{next(_numbers)}-{uuid.uuid4().hex[:6]}"

    def person(self) -> Person:
        return Person(self.url)

    def connect(self, user: str, *, account: str = "octocat", slug: str = GITHUB, **more: Any) -> Any:
        """The whole trip; the connected account as the client reads it."""
        begun = self.pipes.authorize_data_integration(slug, user_id=user, **more)
        self.person().connect(begun.url, account)
        return self.pipes.get_user_connected_account(user, slug)

    def custom(self, method: str = "oauth", *, ownership: str = "user", **more: Any) -> str:
        """A provider of our own for one method; returns its slug."""
        slug = self.slug(method.replace("_", "-"))
        if method == "oauth":
            endpoints = {"authorization_url": f"{self.url}/simulator/github/login/oauth/authorize", "token_url": f"{self.url}/simulator/github/login/oauth/access_token"}
            more.setdefault("credentials", DataIntegrationCredentialsInput(type="custom", client_id="client-of-acme", client_secret="secret-of-acme-4321"))  # type: ignore[arg-type]
        else:
            endpoints = {"token_url": self.machines.token_url} if method == "client_credentials" else {}
        definition = CustomProviderDefinition(name=f"Acme {method}", **endpoints)  # type: ignore[arg-type]
        made = self.pipes.create_data_integration(provider=slug, ownership=ownership, enabled=True, auth_methods=[method], custom_provider=definition, **more)
        assert (made.slug, made.enabled, made.auth_methods, made.ownership) == (slug, True, [method], ownership)
        self.made.append((slug, ownership))
        return slug

    def credentials(self) -> dict[str, str]:
        """A client of the machines' server."""
        client = self.new("machine")
        self.machines.clients[client] = f"secret-{uuid.uuid4().hex}"
        return {"client_id": client, "client_secret": self.machines.clients[client]}

    def refused(self, kind: type[Kind], code: str | None, call: Callable[..., Any], *given: Any, **named: Any) -> Kind:
        """The call raises that class of the client's own, with a message, a request id and (where one is documented) this code."""
        with pytest.raises(kind) as caught:
            call(*given, **named)
        error = caught.value
        assert type(error) is kind and error.request_id and error.message, error
        assert code is None or error.code == code, error
        return error


CASES: list[Callable[[At], None]] = []


def case(function: Callable[[At], None]) -> Callable[[At], None]:
    """One story to be told with every Python client."""
    CASES.append(function)
    return function
