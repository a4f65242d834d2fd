"""The quick reader of a fetch's body takes nothing that the full rules refuse, and reads what they read."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.errors import Unprocessable
from chalicelib.web import bodies, token_query
from tests.cloud import ROOT

IDS = st.one_of(st.text(max_size=4), st.sampled_from(["u" * 255, "u" * 256, "a\nb", "a\x7f", "\ud800", "🔥", " "]), st.none(), st.integers(), st.booleans(), st.lists(st.text(), max_size=1))
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "user_id": IDS,
        "organization_id": IDS,
        "connected_account_id": IDS,
        "connection_owner": st.sampled_from(["user", "organization", "", None, 1]),
        "min_ttl": st.one_of(st.integers(-1, 86401), st.sampled_from([None, True, "60", 60.0, 0.5, float("nan")])),
        "unknown": st.integers(),
    },
)


def outcome(read: Any) -> Any:
    try:
        body = read()
    except Unprocessable as error:
        return error.code, error.message, error.errors
    return body.user_id, body.organization_id, body.connected_account_id, body.min_ttl


@settings(max_examples=1000, deadline=None)
@given(BODIES)
def test_both_readers_say_the_same(given_body: dict[str, Any]) -> None:
    assert outcome(lambda: token_query.read(given_body)) == outcome(lambda: bodies.read(bodies.TokenBody, given_body))


@pytest.mark.parametrize("library", ["pydantic", "jinja2", "requests"])
def test_a_fresh_container_does_not_import_what_a_fetch_does_not_use(library: str) -> None:
    """Each costs a tenth of the first answer or more (`make bench`)."""
    done = subprocess.run([sys.executable, "-c", f"import sys, app; sys.exit({library!r} in sys.modules)"], cwd=ROOT)

    assert done.returncode == 0, f"`import app` imports {library}"
