"""A provider's catalogue row with every endpoint pointed at its simulator, and the client that the simulator knows."""

from urllib.parse import urlsplit

from chalicelib.providers.spec import Provider, resolve, with_endpoints

SIMULATED = ("github", "slack", "google", "salesforce")


def simulated(provider: Provider, base_url: str) -> Provider:
    """`{base_url}/simulator/{slug}` and then the provider's real path. A host that `config` chose is gone: the simulator is every host."""

    def change(url: str) -> str:
        return f"{base_url}/simulator/{provider.slug}{urlsplit(url).path}"

    return with_endpoints(resolve(provider, {}), change)


def client_of(slug: str) -> tuple[str, str]:
    """Client id and secret. Not secret at all: they open nothing but a sandbox's own simulator."""
    return f"simulated-{slug}", f"simulated-secret-{slug}"
