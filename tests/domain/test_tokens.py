"""Tokens on their way into and out of the sealed payload."""

import json
from datetime import timedelta

import pytest

from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import AdditionalToken, TokenSet
from tests.domain.samples import NOW, answer

ODD = "ü✓ +/%&=\"\\'\n"
SETS = {
    "access token only": TokenSet(Secret("at")),
    "with refresh token": TokenSet(Secret("at"), Secret("rt")),
    "odd characters": TokenSet(Secret(ODD), Secret(ODD), {ODD: AdditionalToken(Secret(ODD), Secret(ODD), NOW + timedelta(microseconds=1), (ODD,))}),
    "additional without refresh": TokenSet(Secret("at"), Secret("rt"), {"user": AdditionalToken(Secret("u"))}),
}


@pytest.mark.parametrize("tokens", SETS.values(), ids=SETS)
def test_a_payload_gives_back_the_same_tokens(tokens: TokenSet) -> None:
    payload = json.loads(json.dumps(tokens.to_payload()))

    assert TokenSet.from_payload(payload).to_payload() == tokens.to_payload()


def test_a_payload_of_an_older_shape_still_opens() -> None:
    found = TokenSet.from_payload({"access_token": "at"})

    assert (found.refresh_token, found.additional) == (None, {})


OLD = TokenSet(Secret("at-old"), Secret("rt-old"), {"user": AdditionalToken(Secret("u-old")), "bot": AdditionalToken(Secret("b-old"))})


@pytest.mark.parametrize(("given", "kept"), [("rt-new", "rt-new"), (None, "rt-old")], ids=["rotated", "not told: kept"])
def test_keeping_the_refresh_token(given: str | None, kept: str) -> None:
    """RFC 6749 6."""
    merged = answer(given).keeping(OLD).tokens

    assert (merged.access_token.reveal(), merged.refresh_token.reveal() if merged.refresh_token else None) == ("at-new", kept)


def test_keeping_additional_tokens_the_answer_does_not_have() -> None:
    new = answer()
    new.tokens.additional["user"] = AdditionalToken(Secret("u-new"))

    merged = new.keeping(OLD)

    assert {name: token.access_token.reveal() for name, token in merged.tokens.additional.items()} == {"user": "u-new", "bot": "b-old"}
    assert (merged.expires_at, merged.token_life, merged.problems) == (new.expires_at, new.token_life, new.problems)
