"""A stage that cannot work does not start, and says which variable is to blame."""

from dataclasses import FrozenInstanceError
from datetime import timedelta

import pytest

from chalicelib.domain import settings
from chalicelib.domain.settings import SettingsError, read
from tests.domain.samples import CANARY

GOOD = {
    "STANDPIPE_ENVIRONMENT": "production",
    "STANDPIPE_STAGE": "prod-1",
    "STANDPIPE_URL": "https://connect.example.com/",
    "STANDPIPE_TABLE": "standpipe-prod",
    "STANDPIPE_KEY_ARN": "arn:aws:kms:eu-central-1:123456789012:key/0000-1111",
    "STANDPIPE_TOPIC_ARN": "arn:aws:sns:eu-central-1:123456789012:standpipe-prod-1-events",
    "STANDPIPE_REFRESH_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/standpipe-prod-1-refresh",
    "STANDPIPE_RESCUE_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/standpipe-prod-1-rescue",
    "STANDPIPE_REVOKE_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/standpipe-prod-1-revoke",
}


def test_a_lease_outlives_two_provider_calls_and_the_store() -> None:
    """Or a second worker could spend the same refresh token while the first still does."""
    assert settings.LEASE_TTL > timedelta(seconds=2 * settings.PROVIDER_DEADLINE + settings.STORE_BUDGET + 30)  # and by which two clocks may differ
    assert settings.PROVIDER_CONNECT_TIMEOUT < settings.PROVIDER_DEADLINE


def test_times_of_a_flow_stay_within_the_rules() -> None:
    """R1: at most ten minutes; R4: a parked code at most five."""
    assert settings.PENDING_TTL <= timedelta(minutes=10)
    assert settings.PARKED_CODE_TTL <= timedelta(minutes=5)


def test_defaults_are_the_safe_ones() -> None:
    found = read(GOOD)

    assert (found.sandbox, found.encryption, found.allowed_private_hosts, found.return_urls, found.log_level) == (False, "bound", (), (), "INFO")
    assert found.url == "https://connect.example.com"


@pytest.mark.parametrize("text", ["a:1 b c:2", "a:1,b,c:2", " a:1 ,, b\n c:2 "], ids=["spaces", "commas", "both"])
def test_lists_are_words(text: str) -> None:
    assert read({**GOOD, "STANDPIPE_ENVIRONMENT": "sandbox", "STANDPIPE_ALLOWED_PRIVATE_HOSTS": text}).allowed_private_hosts == ("a:1", "b", "c:2")


@pytest.mark.parametrize("text", ["true", "1", "TRUE", "yes"])
def test_switches_read_as_people_write_them(text: str) -> None:
    assert read({**GOOD, "STANDPIPE_REQUIRE_PROOF": text}).require_proof is True


def test_an_empty_variable_is_an_absent_one() -> None:
    """A deploy tool that cannot leave one out sets it to nothing."""
    assert read({**GOOD, "STANDPIPE_ENCRYPTION": ""}).encryption == "bound"
    with pytest.raises(SettingsError, match="STANDPIPE_TABLE"):
        read({**GOOD, "STANDPIPE_TABLE": ""})


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read({"PATH": "/bin"})

    assert all(name in str(caught.value) for name in GOOD)


BAD = {
    "STANDPIPE_ENVIRONMENT": ["", "Production", "staging"],
    "STANDPIPE_STAGE": ["Prod", "a b", "x" * 33, "a#b", "prod\n"],
    "STANDPIPE_URL": [
        "connect.example.com", "ftp://connect.example.com", "https://", "https://connect.example.com/api", "https://connect.example.com?x",
        "https://connect.example.com#x", "https://user@connect.example.com", "//connect.example.com", "https://[",
    ],
    "STANDPIPE_KEY_ARN": ["key/1", "arn:aws:kms:eu-central-1:123456789012:alias/standpipe", "arn:aws:kms:eu-central-1:12:key/1", "arn:aws:s3:eu-central-1:123456789012:key/1"],
    "STANDPIPE_ENCRYPTION": ["none", "Bound"],
    # Where a browser is sent with a connect code (R10); a code in a fragment would never reach the application's server.
    "STANDPIPE_RETURN_URLS": [
        "javascript:alert(1)", "http://app.example/done", "/done", "https://", "https://app.example/#/done", "https://user@app.example/done", "https://app.example\\\\@evil", "https://[",
    ],
    "STANDPIPE_REQUIRE_PROOF": ["perhaps"],
    "STANDPIPE_LOG_LEVEL": ["TRACE"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read({**GOOD, name: value})


def test_the_error_names_the_variable_but_not_its_value() -> None:
    with pytest.raises(SettingsError) as caught:
        read({**GOOD, "STANDPIPE_KEY_ARN": CANARY})

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("STANDPIPE_URL", "http://connect.example.com"), ("STANDPIPE_ALLOWED_PRIVATE_HOSTS", "localhost")],
    ids=["plain http", "private hosts"],
)
def test_production_refuses_what_only_a_sandbox_may(name: str, value: str) -> None:
    assert read({**GOOD, "STANDPIPE_ENVIRONMENT": "sandbox", name: value}).sandbox
    with pytest.raises(SettingsError, match=name):
        read({**GOOD, name: value})


def test_settings_do_not_change_after_boot() -> None:
    with pytest.raises(FrozenInstanceError):
        read(GOOD).stage = "other"  # type: ignore[misc]


def test_the_environment_of_the_process_is_read_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)

    assert read().stage == "prod-1"
