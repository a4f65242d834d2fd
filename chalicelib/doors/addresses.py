"""Which network addresses a provider may have. Every address a name resolves to is checked, and the connection goes to one that was checked."""

import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Iterable[str]]

# Beyond what Python's `is_global` refuses: ranges that carry another address inside them, so that a public
# looking one can lead to a private one (NAT64, 6to4, Teredo), and IPv6 segment routing.
_CARRIERS = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/23", "5f00::/16", "192.88.99.0/24", "3fff::/20")]
# All that is handed out for the public network (IANA); what lies outside is local, obsolete (fec0::) or not yet known.
_GLOBAL_UNICAST_6 = ipaddress.ip_network("2000::/3")


class ForbiddenAddress(Exception):
    """The URL leads where a provider may not be. The text says what is wrong with it, never a secret."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, as the operating system knows them."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _GLOBAL_UNICAST_6:
            return False
    if any(address.version == net.version and address in net for net in _CARRIERS):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def check_url(url: str, allowed_private_hosts: Collection[str]) -> tuple[str, int, bool]:
    """Host, port and whether the host is on the operator's allow list (as `host` or `host:port`). Raises ForbiddenAddress.

    Only what needs no network; `pick` does the rest.
    """
    try:
        parts = urlsplit(url)
        port = (443 if parts.scheme == "https" else 80) if parts.port is None else parts.port
    except ValueError:
        raise ForbiddenAddress("not a valid URL") from None
    host = parts.hostname or ""
    if not host or not port or parts.username is not None or parts.password is not None or any(c in url for c in "\\\r\n\t\0 "):
        raise ForbiddenAddress("not a valid URL")
    listed = host in allowed_private_hosts or f"{host}:{port}" in allowed_private_hosts
    if parts.scheme != "https" and not (listed and parts.scheme == "http"):
        raise ForbiddenAddress("a provider is called over https only")
    return host, port, listed


def pick(host: str, port: int, listed: bool, resolver: Resolver) -> str:
    """The address to connect to. Raises ForbiddenAddress if any address of the name is not public, OSError if there is none."""
    # inet_aton reads '0x7f.1', '2130706433' and '017700000001' as addresses; the resolver does too, so its answer is what is checked.
    found = [ipaddress.ip_address(text.split("%")[0]) for text in resolver(host, port)]
    if not found:
        raise OSError("the name has no address")
    if not listed and not all(is_public(address) for address in found):
        raise ForbiddenAddress(f"{host} leads to an address that is not public; a sandbox may allow it in STANDPIPE_ALLOWED_PRIVATE_HOSTS")
    # Lambda has no way out over IPv6 unless its network was built for it.
    return str(sorted(found, key=lambda address: address.version)[0])
