"""The people of the simulated providers. Their ids never change, so that a reconnect as somebody else can be told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """`key` is what the consent page sends; `id` and `org` are the provider's own ids."""

    key: str
    id: str
    name: str
    email: str
    org: str = ""
    org_name: str = ""

    @property
    def shown(self) -> str:
        return self.email or self.name


ACCOUNTS: dict[str, tuple[Account, ...]] = {
    "github": (
        Account("octocat", "583231", "The Octocat", "octocat@example.com"),
        Account("hubot", "480938", "Hubot", "hubot@example.com"),
    ),
    "slack": (
        Account("ada", "U0ADA00001", "Ada Lovelace", "ada@acme.example", "T0ACME0001", "Acme"),
        Account("grace", "U0GRACE001", "Grace Hopper", "grace@initech.example", "T0INITECH1", "Initech"),
    ),
    "google": (
        Account("ada", "110169484474386276334", "Ada Lovelace", "ada@acme.example", "acme.example"),
        Account("grace", "107769484474386276335", "Grace Hopper", "grace.hopper@gmail.example"),
    ),
    "salesforce": (
        Account("ada", "0055g00000AdaAdAAA", "Ada Lovelace", "ada@acme.example", "00D5g000000AcmeEAG", "Acme"),
        Account("grace", "0055g00000GracEAAA", "Grace Hopper", "grace@initech.example", "00D5g00000IniteEAG", "Initech"),
    ),
}


EVERYWHERE = (
    Account("ada", "1000001", "Ada Lovelace", "ada@acme.example", "2000001", "Acme"),
    Account("grace", "1000002", "Grace Hopper", "grace@initech.example", "2000002", "Initech"),
)
# Who is behind a grant that no person gave on a page.
CLIENT = Account("client", "1000008", "A client of its own", "", "2000001", "Acme")
KEY = Account("key", "1000009", "An API key", "", "2000001", "Acme")


def people(slug: str) -> tuple[Account, ...]:
    """Whom the consent page offers."""
    return ACCOUNTS.get(slug, EVERYWHERE)


def account(slug: str, key: str) -> Account | None:
    return next((one for one in people(slug) if one.key == key), None)


def person_of(slug: str, key: str) -> Account:
    """The account of a grant, which was checked when it was given."""
    return next(one for one in (*people(slug), CLIENT, KEY) if one.key == key)
