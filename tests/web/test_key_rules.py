"""Rules R24 and R25: who may ask, and that nobody reaches another owner's anything. Over every route: test_access_matrix.py."""

import ast
from pathlib import Path

import pytest

from chalicelib import wiring
from tests.engine.scenes import SLUG
from tests.web.gateway import Answer
from tests.web.people import Site, journal, somebody
from tests.web.test_connect_rules import parked

UNKNOWN = f"sk_{'0' * 26}_{'x' * 43}"


def asked(site: Site, header: str | None) -> Answer:
    return site.gateway("POST", "/data-integrations/github/token", headers={} if header is None else {"Authorization": header}, body={"user_id": "u1"})


def test_r24_every_refusal_of_a_key_looks_the_same(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    record, revoked = wiring.engine().api_keys.create("revoked")
    assert wiring.engine().api_keys.revoke(record.id)
    good = site.key
    headers = [
        None, "", "Bearer", "Bearer ", "Bearer  ", f"Bearer {UNKNOWN}", f"Bearer {revoked}", f"Basic {good}", good, f"Token {good}", f"Bearer {good}x", f"Bearer {good[:-1]}",
        f"Bearer {good[:-1]}{'A' if good[-1] != 'A' else 'B'}", f"Bearer {good.upper()}", f"Bearer {good}, Bearer {good}", f"Bearer {good} {good}", "Bearer sk_", "Bearer \u00e9" * 3, f"Bearer {'x' * 8000}", f"Bearer {good.replace('sk_', 'pk_')}",
        f"Bearer sk_{record.id}_{good.split('_', 2)[2]}",
    ]  # fmt: skip
    answers = [asked(site, header) for header in headers]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.body for answer in answers}) == 1
    for answer in answers:
        assert answer.json()["code"] == "unauthorized" and answer.one("WWW-Authenticate") == 'Bearer realm="standpipe"'
        assert {name: value for name, value in answer.headers.items() if name != "x-request-id"} == {name: value for name, value in answers[0].headers.items() if name != "x-request-id"}
    assert len(journal(capsys.readouterr().out, "refused")) == len(headers)
    assert asked(site, f"Bearer {good}").status == 404  # no such provider: the key was good
    assert asked(site, f"bearer {good}").status == 404  # the scheme's case does not matter (RFC 9110 11.1)


def test_r24_a_revoked_key_is_refused_by_every_new_container(site: Site) -> None:
    record, key = wiring.engine().api_keys.create("second")
    assert site.api("GET", "/data-integrations", key=key).status == 200
    assert wiring.engine().api_keys.revoke(record.id)
    assert site.api("GET", "/data-integrations", key=key).status == 401
    wiring.engine.cache_clear()
    assert site.api("GET", "/data-integrations", key=key).status == 401


def test_r24_two_keys_live_at_once_so_that_one_can_replace_the_other_without_a_gap(site: Site) -> None:
    _record, new = wiring.engine().api_keys.create("new")
    for key in (site.key, new):
        assert site.api("GET", "/data-integrations", key=key).status == 200
    wiring.engine().api_keys.revoke(site.key.split("_")[1])
    assert site.api("GET", "/data-integrations").status == 401
    assert site.api("GET", "/data-integrations", key=new).status == 200


def test_r24_a_key_is_random_and_only_its_hash_is_kept(site: Site) -> None:
    assert len(site.key.split("_", 2)[2]) == 43  # 256 bits
    stored = repr(site.rows())
    assert site.key not in stored and site.key.split("_", 2)[2] not in stored


def test_r24_keys_and_bindings_are_compared_in_constant_time(here: Path) -> None:
    """`==` on a digest would be flagged in any file; here: that the places which must compare do it with compare_digest."""
    for file in ("domain/ids.py", "engine/connect.py", "web/pages.py"):
        tree = ast.parse((here.parent / "chalicelib" / file).read_text())
        assert any(isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "compare_digest" for node in ast.walk(tree)), file


def test_r25_another_owners_connect_code_connects_it_to_its_own_owner_only(at_django: Site) -> None:
    """The owner comes from the frozen flow, not from who finishes it."""
    connect_code, _state = parked(at_django, victim := somebody())
    body = {"connect_code": connect_code, "code_verifier": "w" * 43, "user_id": somebody()}
    assert at_django.api("POST", "/data-integrations/finish", body).status == 403
    assert at_django.connections() == [] and at_django.token(victim)["error"] == "not_installed"


def test_r25_ids_with_the_tables_own_separators_reach_nobody_else(at_django: Site) -> None:
    """An owner is a key of the table: none can be spelled so that it reads as another."""
    at_django.connect(victim := somebody(), organization_id="org_a")
    for user, organization in (
        (f"org_a#{victim}", None),
        (victim, "org_a#"),
        ("-", f"org_a#{victim}"),
        (f"{victim}#connection#{SLUG}", "org_a"),
        (victim, "org%5Fa"),
        (victim, "ORG_A"),
        (f"{victim} ", "org_a"),
        (f"%{ord(victim[0]):x}{victim[1:]}", "org_a"),
    ):
        more = {} if organization is None else {"organization_id": organization}
        assert at_django.token(user, **more)["active"] is False
    assert at_django.token(victim, organization_id="org_a")["active"] is True
    assert at_django.token(victim)["active"] is False
