"""A provider's catalogue row with every endpoint pointed at its simulator, and the client that the simulator knows."""

from urllib.parse import urlsplit

from chalicelib.providers import catalogue
from chalicelib.providers.spec import Provider, resolve, with_endpoints

SIMULATED = catalogue.slugs()
REFUSED = "refused"
"""An API key or a client secret with this word in it is refused, any other accepted: a sandbox gives out none of its own."""


def simulated(provider: Provider, base_url: str) -> Provider:
    """`{base_url}/simulator/{slug}` and then the provider's real path. A host that `config` chose is gone: the simulator is every host, and what is not chosen is the example."""

    def change(url: str) -> str:
        return f"{base_url}/simulator/{provider.slug}{urlsplit(url).path}"

    return with_endpoints(resolve(provider, {field.name: field.default or field.example for field in provider.config}), change)


def client_of(slug: str) -> tuple[str, str]:
    """Client id and secret. Not secret at all: they open nothing but a sandbox's own simulator."""
    return f"simulated-{slug}", f"simulated-secret-{slug}"
