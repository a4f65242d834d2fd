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
    "STANDPIPE_WEBHOOK_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/standpipe-prod-1-webhook",
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
    assert (found.idle_after, found.refresh_concurrency, found.due_shards, found.former_key_arns) == (timedelta(days=30), 40, 16, ())


def test_a_stage_of_every_setting_says_what_was_set() -> None:
    keys = ["arn:aws:kms:eu-central-1:123456789012:key/old-1", "arn:aws:kms:eu-central-1:123456789012:key/mrk-2"]
    found = read({**GOOD, "STANDPIPE_IDLE_AFTER_DAYS": "90", "STANDPIPE_REFRESH_CONCURRENCY": "1", "STANDPIPE_DUE_SHARDS": "256", "STANDPIPE_FORMER_KEY_ARNS": ", ".join(keys)})

    assert (found.idle_after, found.refresh_concurrency, found.due_shards, found.former_key_arns) == (timedelta(days=90), 1, 256, tuple(keys))


def test_a_stage_without_a_brand_has_a_colour_and_no_logo() -> None:
    found = read(GOOD)
    assert (found.color, found.logo) == ("#1c5dd8", "")

    branded = read({**GOOD, "STANDPIPE_COLOR": "#FFD400", "STANDPIPE_LOGO": "Acme-2.dark_1.svg"})
    assert (branded.color, branded.logo) == ("#ffd400", "Acme-2.dark_1.svg")


def test_idle_after_no_days_is_never() -> None:
    found = read({**GOOD, "STANDPIPE_IDLE_AFTER_DAYS": "0"})

    assert (found.idle_after_days, found.idle_after) == (0, None)


EDGES = {"IDLE_AFTER_DAYS": (0, 3650), "REFRESH_CONCURRENCY": (1, 1000), "DUE_SHARDS": (1, 256)}


@pytest.mark.parametrize(("name", "lowest", "highest"), [(name, *edges) for name, edges in EDGES.items()], ids=EDGES)
def test_a_number_at_its_edges(name: str, lowest: int, highest: int) -> None:
    for good in (lowest, highest):
        assert getattr(read({**GOOD, f"STANDPIPE_{name}": str(good)}), name.lower()) == good
    for bad in (lowest - 1, highest + 1):
        with pytest.raises(SettingsError, match=f"STANDPIPE_{name} must be a whole number from {lowest} to {highest}"):
            read({**GOOD, f"STANDPIPE_{name}": str(bad)})


@pytest.mark.parametrize("text", ["many", "1.5", "+1", "-1", " 8", "8\n", "1e2", "0x10", "\u0661", "1_0"])
@pytest.mark.parametrize("name", EDGES)
def test_what_is_no_number_is_named(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"STANDPIPE_{name}"):
        read({**GOOD, f"STANDPIPE_{name}": text})


QUEUES = ["STANDPIPE_REFRESH_QUEUE_URL", "STANDPIPE_RESCUE_QUEUE_URL", "STANDPIPE_REVOKE_QUEUE_URL", "STANDPIPE_WEBHOOK_QUEUE_URL"]


@pytest.mark.parametrize("name", QUEUES)
@pytest.mark.parametrize(
    "text",
    ["standpipe-refresh", "arn:aws:sqs:eu-central-1:123456789012:q", "https://sqs.eu-central-1.amazonaws.com/12/q", "https://sqs.eu-central-1.amazonaws.com/123456789012/", "https:///123456789012/q",
     "https://sqs.eu-central-1.amazonaws.com/123456789012/q.fifo", "ftp://sqs/123456789012/q", "https://sqs/123456789012/q/x", "https://sqs/123456789012/q?x", f"https://sqs/123456789012/{'q' * 81}"],
    ids=["a name", "an ARN", "a short account", "no name", "no host", "a FIFO queue", "another scheme", "a longer path", "a query", "81 letters"],
)  # fmt: skip
def test_what_is_no_queue_is_named(name: str, text: str) -> None:
    """Of a FIFO queue too: it refuses a message without a group."""
    with pytest.raises(SettingsError, match=name):
        read({**GOOD, name: text})


@pytest.mark.parametrize("text", ["http://localhost:4566/000000000000/standpipe-t1-refresh", f"https://sqs.eu-central-1.amazonaws.com/123456789012/{'q' * 80}"], ids=["a sandbox's", "80 letters"])
def test_a_queue_anywhere_is_taken(text: str) -> None:
    assert read({**GOOD, QUEUES[0]: text}).refresh_queue_url == text


@pytest.mark.parametrize(("environ", "stage"), [({}, "local"), ({"STANDPIPE_STAGE": ""}, "local"), ({"STANDPIPE_STAGE": "prod-1"}, "prod-1")], ids=["nothing", "empty", "named"])
def test_the_stage_alone_is_known_before_there_is_anything_else_to_read(environ: dict[str, str], stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDPIPE_STAGE", "of-the-process")

    assert settings.stage_name(environ) == stage and settings.stage_name() == "of-the-process"


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
    "STANDPIPE_FORMER_KEY_ARNS": ["key/1", "arn:aws:kms:eu-central-1:123456789012:alias/old", "arn:aws:kms:eu-central-1:123456789012:key/1 and-another"],
    "STANDPIPE_TOPIC_ARN": [
        "standpipe-events", "arn:aws:sqs:eu-central-1:123456789012:events", "arn:aws:sns:eu-central-1:12:events", "arn:aws:sns:eu-central-1:123456789012:events:subscription",
        "arn:aws:sns:eu-central-1:123456789012:events.fifo", "arn:aws:sns:eu-central-1:123456789012:",
    ],
    "STANDPIPE_ENCRYPTION": ["none", "Bound"],
    "STANDPIPE_COLOR": ["blue", "#fff", "1c5dd8", "#1c5dd8ff", "#1c5dg8", "rgb(0,0,0)", "#1c5dd8\n", "#1c5dd8; }", "var(--x)"],
    "STANDPIPE_LOGO": ["logo.gif", "../logo.png", "brand/logo.png", "/etc/logo.png", ".png", "-logo.png", "logo", "logo.png\n", "logo.PNG", "a b.png", "https://evil.example/logo.png", f"{'x' * 101}.png"],
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


def test_a_former_key_of_another_region_is_refused() -> None:
    """One client asks for all of them, so it would never open anything."""
    with pytest.raises(SettingsError, match="STANDPIPE_FORMER_KEY_ARNS must be of the region"):
        read({**GOOD, "STANDPIPE_FORMER_KEY_ARNS": "arn:aws:kms:us-east-1:123456789012:key/0000-2222"})
