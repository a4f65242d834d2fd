"""R30: a provider lies on the public network, whatever way its address is spelt, and is connected to at the address that was checked."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3.util.connection

from chalicelib.doors import addresses
from chalicelib.doors.addresses import ForbiddenAddress
from chalicelib.doors.http import ProviderHttp, Undelivered
from tests.doors.lines import recorder

PORT = 8443
PUBLIC, PUBLIC_6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
SPELLINGS = [
    # loopback, in every form a resolver reads
    "https://127.0.0.1:{port}/", "https://127.1:{port}/", "https://127.0.1:{port}/", "https://2130706433:{port}/", "https://017700000001:{port}/",
    "https://0x7f000001:{port}/", "https://0x7f.1:{port}/", "https://0177.0.0.1:{port}/", "https://0x7F.0x0.0x0.0x1:{port}/", "https://127.0.0.01:{port}/",
    "https://127.255.255.254:{port}/", "https://127.0.0.1.:{port}/", "https://localhost:{port}/", "https://localhost.:{port}/", "https://LOCALHOST:{port}/",
    "https://LocalHost.:{port}/", "https://%6c%6f%63%61%6chost:{port}/", "https://127.0.0.1%2f:{port}/", "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/", "https://１２７.０.０.１:{port}/",
    "https://127。0。0。1:{port}/", "https://127｡0｡0｡1:{port}/", "https://[::1]:{port}/", "https://[0:0:0:0:0:0:0:1]:{port}/", "https://[::0001]:{port}/",
    # unspecified
    "https://[::]:{port}/", "https://0.0.0.0:{port}/", "https://0:{port}/", "https://0.1.2.3:{port}/", "https://0x0:{port}/",
    # an IPv4 address inside an IPv6 one
    "https://[::ffff:127.0.0.1]:{port}/", "https://[::ffff:7f00:1]:{port}/", "https://[::ffff:169.254.169.254]/", "https://[::127.0.0.1]:{port}/",
    "https://[64:ff9b::7f00:1]:{port}/", "https://[64:ff9b::169.254.169.254]/", "https://[64:ff9b:1::1]/", "https://[2002:7f00:1::]:{port}/", "https://[2001::7f00:1]/",
    # the cloud's own
    "https://169.254.169.254/latest/meta-data/", "https://2852039166/", "https://0xa9fea9fe/", "https://0251.0376.0251.0376/", "https://169.254.170.2/v2/credentials",
    "https://127.0.0.1:9001/2018-06-01/runtime/invocation/next", "https://[fd00:ec2::254]/",
    # private, shared, link-local, documentation, multicast, reserved
    "https://10.0.0.1/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.0.1/", "https://100.64.0.1/", "https://100.127.255.255/",
    "https://198.18.0.1/", "https://192.0.2.1/", "https://224.0.0.1/", "https://239.255.255.255/", "https://240.0.0.1/", "https://255.255.255.255/",
    "https://[fd00::1]/", "https://[fc00::1]/", "https://[fe80::1]/", "https://[fe80::1%25lo]/", "https://[fec0::1]/", "https://[ff02::1]/", "https://[5f00::1]/", "https://[2001:db8::1]/", "https://[100::1]/",
    # not what it seems
    "https://provider.test@127.0.0.1:{port}/", "https://user:secret@127.0.0.1:{port}/", "https://127.0.0.1:{port}\\@provider.test/", "https://provider.test\\@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@provider.test/", "https://127.0.0.1:{port}?@provider.test/", "https://@127.0.0.1:{port}/", "https://127.0.0.1:{port} .provider.test/", "https://127.0.0.1\t:{port}/",
    "https://127.0.0.1\r\nHost:{port}/", "https://127.0.0.1\0.provider.test:{port}/", "https:\\\\127.0.0.1:{port}/", "https:///127.0.0.1:{port}/", "https:127.0.0.1:{port}/", "//127.0.0.1:{port}/",
    # another scheme or port
    "http://127.0.0.1:{port}/", "HTTP://127.0.0.1:{port}/", "ftp://127.0.0.1:{port}/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "https+unix://127.0.0.1/", "http://provider.test/",
    "https://127.0.0.1:0/", "https://127.0.0.1:65536/", "https://127.0.0.1:-1/", "https://127.0.0.1:port/", "https://127.0.0.1:{port}:443/", "https://[::1/", "https://", "", "127.0.0.1",
]  # fmt: skip


@pytest.fixture
def dialed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every address a connection was opened to; none is really opened."""
    found: list[str] = []

    def dial(address: tuple[str, int], *_args: Any, **_options: Any) -> socket.socket:
        found.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(urllib3.util.connection, "create_connection", dial)
    yield found


def client(resolver: addresses.Resolver = addresses.resolve, allowed: tuple[str, ...] = ()) -> ProviderHttp:
    return ProviderHttp(allowed_private_hosts=allowed, connect_timeout=2, deadline=2, resolver=resolver)


def send(http: ProviderHttp, url: str) -> Any:
    return http.send("POST", url, headers={}, body=b"client_secret=s")


def test_r30_the_table_is_as_long_as_the_rule_asks() -> None:
    assert len(set(SPELLINGS)) >= 60


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_r30_no_spelling_of_a_private_address_is_called(spelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a listener that is really there: a connection that is not refused would be seen."""
    with recorder() as here:
        real, opened = urllib3.util.connection.create_connection, list[Any]()
        monkeypatch.setattr(urllib3.util.connection, "create_connection", lambda address, *a, **k: opened.append(address) or real(address, *a, **k))

        with pytest.raises((ForbiddenAddress, Undelivered)):
            send(client(), spelling.replace("{port}", str(here.port)))

        assert (here.accepted, opened) == (0, [])


ANSWERS = {
    "private": ["10.0.0.1"],
    "public, then private": [PUBLIC, "127.0.0.1"],
    "private, then public": ["169.254.169.254", PUBLIC],
    "public IPv4, private IPv6": [PUBLIC, "fd00::1"],
    "public IPv6, private IPv4": [PUBLIC_6, "192.168.1.1"],
    "mapped": ["::ffff:10.0.0.1"],
    "with a zone": ["fe80::1%eth0"],
}


@pytest.mark.parametrize("answers", ANSWERS.values(), ids=ANSWERS)
def test_r30_one_private_address_among_a_names_answers_refuses_all(answers: list[str], dialed: list[str]) -> None:
    with pytest.raises(ForbiddenAddress):
        send(client(lambda _host, _port: answers), "https://provider.test/")

    assert dialed == []


def test_r30_a_rebinding_name_is_looked_up_once_and_called_where_it_was_checked(dialed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    def system(host: Any, *args: Any, **options: Any) -> Any:
        ipaddress.ip_address(host)  # anything but a number here would be a second look-up
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", system)
    with pytest.raises(Undelivered):
        send(client(resolver), "https://provider.test/")

    assert (asked, dialed) == (["provider.test"], [PUBLIC])


@pytest.mark.parametrize(("answers", "chosen"), [([PUBLIC_6, PUBLIC], PUBLIC), ([PUBLIC_6], PUBLIC_6)], ids=["both", "IPv6 only"])
def test_ipv4_is_preferred_because_lambda_has_no_other_way_out(answers: list[str], chosen: str, dialed: list[str]) -> None:
    with pytest.raises(Undelivered):
        send(client(lambda _host, _port: answers), "https://provider.test/")

    assert [address.strip("[]") for address in dialed] == [chosen]


ALLOWED = {
    "the host": (("localhost",), "http://localhost:8443/", True),
    "the host, https": (("localhost",), "https://localhost:8443/", True),
    "the host with its port": (("localhost:8443",), "http://localhost:8443/", True),
    "written in capitals": (("localhost",), "http://LOCALHOST:8443/", True),
    "another port": (("localhost:8443",), "http://localhost:8444/", False),
    "the default port is not any port": (("localhost:80",), "http://localhost:8443/", False),
    "the default port": (("localhost:80",), "http://localhost/", True),
    "the address of a listed name": (("localhost",), "http://127.0.0.1:8443/", False),
    "a name below a listed one": (("localhost",), "http://a.localhost:8443/", False),
    "a listed name as a suffix": (("localhost",), "http://notlocalhost:8443/", False),
    "a listed name with a dot": (("localhost",), "http://localhost.:8443/", False),
    "user information": (("localhost",), "http://localhost@localhost:8443/", False),
    "another scheme": (("localhost",), "ftp://localhost:8443/", False),
}


@pytest.mark.parametrize(("allowed", "url", "called"), ALLOWED.values(), ids=ALLOWED)
def test_r30_only_what_the_operator_listed_is_private_and_allowed(allowed: tuple[str, ...], url: str, called: bool, dialed: list[str]) -> None:
    with pytest.raises(Undelivered if called else ForbiddenAddress):
        send(client(lambda _host, _port: ["127.0.0.1"], allowed), url)

    assert dialed == (["127.0.0.1"] if called else [])


@pytest.mark.parametrize("text", [PUBLIC, "8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", PUBLIC_6, "2a00:1450:4001::1", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(text: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "resolver",
    [lambda _h, _p: [], lambda _h, _p: ["no address"], lambda _h, _p: iter(()), addresses.resolve],
    ids=["no answer", "junk", "an empty iterator", "a name that does not exist"],
)
def test_a_name_without_an_address_is_undelivered(resolver: addresses.Resolver, dialed: list[str]) -> None:
    """Not refused: names come back, so this is tried again later."""
    with pytest.raises(Undelivered):
        send(client(resolver), "https://no-such-name.invalid/")

    assert dialed == []


def test_a_refusal_names_the_host_and_no_secret() -> None:
    with pytest.raises(ForbiddenAddress) as caught:
        client().send("POST", "https://127.0.0.1/?token=canary", headers={"Authorization": "canary"}, body=b"canary")

    assert "127.0.0.1" in str(caught.value) and "canary" not in str(caught.value)
