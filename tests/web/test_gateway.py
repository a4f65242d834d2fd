"""The harness itself: events as API Gateway makes them."""

from collections.abc import Iterator

import pytest
import requests

from tests.web.gateway import Gateway
from tests.web.people import Site


@pytest.mark.parametrize(
    ("method", "path", "resource", "parameters"),
    [
        ("POST", "/data-integrations/finish", "/data-integrations/finish", {}),
        ("GET", "/data-integrations/finish", "/data-integrations/finish", {}),
        ("GET", "/data-integrations/github", "/data-integrations/{slug}", {"slug": "github"}),
        ("POST", "/data-integrations/a%2Fb/token", "/data-integrations/{slug}/token", {"slug": "a%2Fb"}),
        ("GET", "/nowhere/at/all", "/{proxy+}", {"proxy": "nowhere/at/all"}),
        ("GET", "/", "/", {}),
        ("GET", "/simulator", "/simulator", {}),
        ("GET", "/simulator/github/user", "/simulator/{proxy+}", {"proxy": "github/user"}),
    ],
)
def test_the_most_specific_resource_serves_a_path(gateway_once: Gateway, method: str, path: str, resource: str, parameters: dict[str, str]) -> None:
    assert gateway_once.resource(method, path) == (resource, parameters)


def test_an_event_keeps_the_raw_path_and_every_value(gateway_once: Gateway) -> None:
    event = gateway_once.event("GET", "/data-integrations/a%20b?x=1&x=%C3%A9&y=%ff", [("X-A", "1"), ("X-A", "2")], b"\xff", "id")
    assert event is not None
    assert (event["path"], event["pathParameters"]) == ("/data-integrations/a%20b", {"slug": "a%20b"})
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "é"], "y": ["\ufffd"]} and event["queryStringParameters"]["x"] == "é"
    assert event["multiValueHeaders"] == {"X-A": ["1", "2"]} and event["headers"] == {"X-A": "2"}
    assert (event["body"], event["isBase64Encoded"]) == ("/w==", True)


@pytest.fixture
def served(site: Site) -> Iterator[str]:
    with site.gateway.served() as url:
        yield url


def test_a_method_that_no_resource_has_is_the_gateways_own_refusal(served: str, site: Site) -> None:
    assert site.gateway("OPTIONS", "/data-integrations").status == 403
    with requests.Session() as session:
        answer = session.get(f"{served}/healthz", timeout=10)
        assert answer.json() == {"status": "ok"} and answer.headers["X-Content-Type-Options"] == "nosniff"
        assert session.get(f"{served}/data-integrations", timeout=10).status_code == 401
        assert session.get(f"{served}/data-integrations", headers={"Authorization": f"Bearer {site.key}"}, timeout=10).status_code == 200
