"""What a complete answer means: every row of the table that decides between a dead grant and patience."""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import GrantRefused, ProviderError, ProviderUnavailable, ProviderWeird, RegistrationRefused
from chalicelib.doors import verdicts
from chalicelib.doors.http import Answer
from chalicelib.providers import catalogue
from chalicelib.providers.spec import Provider
from tests.doors.rows import provider

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAIN = provider()
# The words of providers that have no catalogue file yet, as one would declare them.
DIALECTS = {
    "hubspot": provider(errors={"BAD_REFRESH_TOKEN": "grant_dead", "BAD_CLIENT_ID": "registration", "BAD_CLIENT_SECRET": "registration"}),
    "atlassian": provider(errors={"unauthorized_client": "grant_dead", "access_denied": "registration"}),
    "x": provider(errors={"invalid_request": "grant_dead"}),
    "zoho": provider(errors={"invalid_code": "grant_dead"}),
}


def row(slug: str) -> Provider:
    found = DIALECTS.get(slug) or catalogue.load(slug)
    assert found is not None
    return found


def reply(status: int, body: Any = b"", **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def refusal(row: Provider, answer: Answer) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        verdicts.read(row, answer, NOW)
    return caught.value


def error(word: str, status: int = 400, **more: Any) -> Answer:
    return reply(status, {"error": word, **more})


DEAD: dict[str, tuple[Provider, Answer]] = {
    "RFC invalid_grant": (PLAIN, error("invalid_grant")),
    "invalid_grant as 401": (PLAIN, error("invalid_grant", 401)),
    "invalid_grant as 403": (PLAIN, error("invalid_grant", 403)),
    "invalid_grant with a 200": (PLAIN, error("invalid_grant", 200)),
    "invalid_grant form-encoded": (PLAIN, reply(400, "error=invalid_grant&error_description=gone")),
    "interaction_required": (PLAIN, error("interaction_required", suberror="basic_action")),
    "consent_required": (PLAIN, error("consent_required")),
    "GitHub 200 bad_refresh_token": (row("github"), error("bad_refresh_token", 200)),
    "GitHub 200 form-encoded": (row("github"), reply(200, "error=bad_refresh_token&error_description=x", content_type="application/x-www-form-urlencoded")),
    **{f"Slack {word}": (row("slack"), reply(200, {"ok": False, "error": word})) for word in ("invalid_refresh_token", "token_revoked", "token_expired", "account_inactive", "invalid_auth")},
    "Salesforce expired": (row("salesforce"), error("invalid_grant", error_description="expired access/refresh token")),
    "Salesforce inactive_user": (row("salesforce"), error("inactive_user")),
    "Salesforce inactive_org": (row("salesforce"), error("inactive_org")),
    "Google": (row("google"), error("invalid_grant", error_description="Token has been expired or revoked.")),
    "HubSpot status": (row("hubspot"), reply(400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"})),
    "Atlassian 403": (row("atlassian"), error("unauthorized_client", 403, error_description="refresh_token is invalid")),
    "X invalid_request": (row("x"), error("invalid_request", error_description="Value passed for the token was invalid.")),
    "Zoom": (PLAIN, reply(400, {"reason": "Invalid Token!", "error": "invalid_grant"})),
    "Zoho 200": (row("zoho"), error("invalid_code", 200)),
}
OURS: dict[str, tuple[Provider, Answer]] = {
    "invalid_client": (PLAIN, error("invalid_client", 401)),
    "invalid_client as 400": (PLAIN, error("invalid_client")),
    "401 without a word": (PLAIN, reply(401)),
    "401 with a page": (PLAIN, reply(401, "<html>", content_type="text/html")),
    "401 with an unknown word": (PLAIN, error("no_idea", 401)),
    "unauthorized_client": (PLAIN, error("unauthorized_client")),
    "unsupported_grant_type": (PLAIN, error("unsupported_grant_type")),
    "invalid_scope": (PLAIN, error("invalid_scope")),
    "invalid_request": (PLAIN, error("invalid_request")),
    "GitHub 200 incorrect_client_credentials": (row("github"), error("incorrect_client_credentials", 200)),
    "Slack bad_client_secret": (row("slack"), reply(200, {"ok": False, "error": "bad_client_secret"})),
    "Slack invalid_client_id": (row("slack"), reply(200, {"ok": False, "error": "invalid_client_id"})),
    "Salesforce invalid_client_id": (row("salesforce"), error("invalid_client_id")),
    "HubSpot BAD_CLIENT_ID": (row("hubspot"), reply(400, {"status": "BAD_CLIENT_ID"})),
    "HubSpot BAD_CLIENT_SECRET": (row("hubspot"), reply(400, {"status": "BAD_CLIENT_SECRET"})),
    "Microsoft, our secret expired": (PLAIN, error("invalid_client", 401, error_codes=[7000222])),
    "Atlassian 401 access_denied": (row("atlassian"), error("access_denied", 401)),
}
LATER: dict[str, tuple[Provider, Answer]] = {
    **{f"status {status}": (PLAIN, reply(status)) for status in (408, 425, 429)},
    "a throttle's body is not believed": (PLAIN, error("invalid_grant", 429)),
    "temporarily_unavailable": (PLAIN, error("temporarily_unavailable")),
    "slow_down": (PLAIN, error("slow_down")),
    **{f"Slack {word}": (row("slack"), reply(200, {"ok": False, "error": word})) for word in ("internal_error", "ratelimited", "service_unavailable")},
    "Salesforce login_rate_exceeded": (row("salesforce"), error("login_rate_exceeded")),
}
DOWN = {f"status {status}": (PLAIN, reply(status, b"<html>")) for status in (500, 502, 503, 504, 520, 599)} | {
    "its body is not believed": (PLAIN, error("invalid_grant", 500)),
    "not even a token in it": (PLAIN, reply(500, {"access_token": "at"})),
}
DEEP = b"[" * 100_000
# answer -> may the refresh token have been spent?
WEIRD: dict[str, tuple[Answer, bool]] = {
    "200 without a token": (reply(200, {}), True),
    "200 with only a status word": (reply(200, {"status": "ok"}), True),
    "201 without a token": (reply(201, {"token_type": "bearer"}), True),
    "200 access_token null": (reply(200, {"access_token": None}), True),
    "200 access_token empty": (reply(200, {"access_token": ""}), True),
    "200 access_token a number": (reply(200, {"access_token": 7}), True),
    "200 a page": (reply(200, "<html><body>x=1</body></html>", content_type="text/html"), True),
    "200 plain text": (reply(200, "down for maintenance"), True),
    "200 empty": (reply(200), True),
    "204": (reply(204), True),
    "200 JSON array": (reply(200, [{"access_token": "at"}]), True),
    "200 JSON string": (reply(200, '"access_token=at"'), True),
    "200 JSON null": (reply(200, "null"), True),
    "200 not UTF-8": (reply(200, b'{"access_token":"\xff"}'), True),
    "200 half JSON": (reply(200, '{"access_token":"a'), True),
    "200 a hundred thousand brackets": (reply(200, DEEP), True),
    "200 a hundred thousand objects": (reply(200, b'{"a":' * 100_000), True),
    "200 a number of 5000 digits": (reply(200, b'{"expires_in":' + b"9" * 5000 + b"}"), True),
    "200 gzip nobody asked for": (reply(200, b"\x1f\x8b\x08\x00"), True),
    "200 with an unknown error": (reply(200, {"ok": False, "error": "no_idea"}), False),
    "200 a token beside an error": (reply(200, {"access_token": "at", "error": "no_idea"}), False),
    "400 empty": (reply(400), False),
    "400 unknown word": (error("no_idea"), False),
    "400 error is an object": (reply(400, {"error": {"code": "invalid_grant"}}), False),
    "403 a page": (reply(403, "<html>", content_type="text/html"), False),
    "404": (reply(404, "no"), False),
    "302": (reply(302, location="https://elsewhere.test"), False),
    "307 with a token": (reply(307, {"access_token": "at"}), False),
}


@pytest.mark.parametrize(("row", "answer"), DEAD.values(), ids=DEAD)
def test_the_grant_is_dead(row: Provider, answer: Answer) -> None:
    assert type(refusal(row, answer)) is GrantRefused


@pytest.mark.parametrize(("row", "answer"), OURS.values(), ids=OURS)
def test_our_registration_is_wrong(row: Provider, answer: Answer) -> None:
    """No user has to act, and no connection ends."""
    assert type(refusal(row, answer)) is RegistrationRefused


@pytest.mark.parametrize(("row", "answer"), LATER.values(), ids=LATER)
def test_a_provider_that_says_later_spent_nothing(row: Provider, answer: Answer) -> None:
    found = refusal(row, answer)

    assert type(found) is ProviderUnavailable and not found.in_doubt


@pytest.mark.parametrize(("row", "answer"), DOWN.values(), ids=DOWN)
def test_a_provider_that_broke_down_may_have_spent_it(row: Provider, answer: Answer) -> None:
    found = refusal(row, answer)

    assert type(found) is ProviderUnavailable and found.in_doubt


@pytest.mark.parametrize(("answer", "in_doubt"), WEIRD.values(), ids=WEIRD)
def test_an_answer_of_no_known_meaning(answer: Answer, in_doubt: bool) -> None:
    found = refusal(PLAIN, answer)

    assert type(found) is ProviderWeird and found.in_doubt is in_doubt


GOOD = {
    "JSON": reply(200, {"access_token": "at"}),
    "201": reply(201, {"access_token": "at"}),
    "JSON under a text type": reply(200, {"access_token": "at"}, content_type="text/html"),
    "JSON after a byte order mark": reply(200, b'\xef\xbb\xbf{"access_token": "at"}'),
    "form-encoded": reply(200, "access_token=at&token_type=bearer", content_type="application/x-www-form-urlencoded"),
    "form-encoded, no type": reply(200, "access_token=at&scope="),
    "an empty error beside it": reply(200, {"access_token": "at", "error": ""}),
    "an unknown status word beside it": reply(200, {"access_token": "at", "status": "approved"}),
}


@pytest.mark.parametrize("answer", GOOD.values(), ids=GOOD)
def test_a_good_answer(answer: Answer) -> None:
    assert verdicts.read(PLAIN, answer, NOW)["access_token"] == "at"


def test_form_encoding_is_undone_exactly() -> None:
    assert verdicts.read(PLAIN, reply(200, "access_token=a%2Bb%2F%3D+c%C3%BC&scope=repo%2Cgist"), NOW) == {"access_token": "a+b/= cü", "scope": "repo,gist"}


@pytest.mark.parametrize("smuggled", ["boo", ["a"], {"user": {}}, {"user": 7}, {"user": {"access_token": 7}}])
def test_a_provider_cannot_speak_the_words_between_our_own_parts(smuggled: Any) -> None:
    assert "additional_tokens" not in verdicts.read(PLAIN, reply(200, {"access_token": "at", "additional_tokens": smuggled}), NOW)


def test_the_providers_own_words_win_over_the_rfc() -> None:
    assert type(refusal(provider(errors={"invalid_grant": "transient"}), error("invalid_grant"))) is ProviderUnavailable


def test_r13_a_providers_word_is_cut_and_cleaned() -> None:
    found = refusal(PLAIN, error("x\n\x00\x1b[31m" + "y" * 500))

    assert found.provider_code == "x[31m" + "y" * 59


RETRY_AFTER = {
    "absent": (None, None),
    "empty": ("", None),
    "seconds": ("120", 120),
    "a fraction": ("1.9", 1),
    "less than one": ("0.2", 1),
    "zero": ("0", None),
    "negative": ("-5", None),
    "exactly six hours": ("21600", 21600),
    "1 s more": ("21601", 21600),
    "huge": ("9" * 30, 21600),
    "infinite": ("inf", None),
    "overflow": ("1e999", None),
    "not a number": ("nan", None),
    "junk": ("soon", None),
    "a date": (format_datetime(NOW.replace(minute=5), usegmt=True), 300),
    "a date without a zone": ("Sun, 01 Mar 2026 12:05:00", 300),
    "a date gone by": (format_datetime(NOW.replace(hour=11), usegmt=True), None),
    "a date next year": (format_datetime(NOW.replace(year=2027), usegmt=True), 21600),
    "an impossible date": ("Sun, 99 Mar 2026 99:99:99 GMT", None),
    "an impossible zone": ("Sun, 01 Mar 2026 12:05:00 +9999", None),
}


@pytest.mark.parametrize(("header", "seconds"), RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_retry_after(header: str | None, seconds: int | None) -> None:
    assert verdicts.parse_retry_after(header, NOW) == seconds


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_reaches_whoever_waits(status: int) -> None:
    assert refusal(PLAIN, reply(status, retry_after="77")).retry_after == 77


@given(st.text(max_size=60))
def test_no_retry_after_breaks_the_reader(header: str) -> None:
    found = verdicts.parse_retry_after(header, NOW)

    assert found is None or 1 <= found <= verdicts.MAX_RETRY_AFTER


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "access_token", "ok", "status", "authed_user", "scope", "a"]), inner, max_size=5),
)


@given(
    status=st.sampled_from([200, 204, 302, 400, 401, 403, 429, 500]),
    body=st.binary(max_size=200) | JSON.map(lambda v: json.dumps(v).encode()),
    slug=st.sampled_from(["github", "slack", "google", "salesforce"]),
)
def test_every_answer_gets_one_verdict(status: int, body: bytes, slug: str) -> None:
    """Whatever comes: a token, or one of the four classes, never a crash."""
    try:
        fields = verdicts.read(row(slug), Answer(status, {}, body), NOW)
    except ProviderError as found:
        assert found.provider_code.isprintable()
    else:
        assert isinstance(fields["access_token"], str) and fields["access_token"]
