"""A create that is sent twice under one Idempotency-Key makes one thing and answers twice the same."""

import threading
from datetime import timedelta
from typing import Any

from tests.engine.scenes import SLUG
from tests.web.people import Answer, Site, somebody


def create(site: Site, key: str, slug: str = "github", api_key: str | None = None, **more: Any) -> Answer:
    return site.api("POST", "/data-integrations", {"provider": slug, **more}, key=api_key, headers={"Idempotency-Key": key})


def test_the_same_request_again_is_answered_the_same(site: Site) -> None:
    first, second = create(site, "k1"), create(site, "k1")
    assert (first.status, first.body) == (second.status, second.body) == (201, first.body)
    assert second.one("Idempotent-Replayed") == "true" and "idempotent-replayed" not in first.headers
    assert create(site, "k2").json()["code"] == "data_integration_exists"


def test_the_same_key_for_another_request_is_refused(site: Site) -> None:
    create(site, "k1")
    other = create(site, "k1", "slack")
    assert (other.status, other.json()["code"]) == (409, "idempotency_key_conflict")
    assert site.api("GET", "/data-integrations/slack").status == 404


def test_another_callers_key_is_another_key(site: Site) -> None:
    _record, second = site.engine.api_keys.create("second")
    create(site, "k1")
    assert create(site, "k1", api_key=second).json()["code"] == "data_integration_exists"


def test_what_failed_may_be_tried_again(site: Site) -> None:
    assert create(site, "k1", "nobody").status == 404
    assert create(site, "k1", "nobody", custom_provider={"name": "N", "authorization_url": "https://n.example/a", "token_url": "https://n.example/t"}).status == 201


def test_a_day_later_the_key_is_forgotten(site: Site) -> None:
    create(site, "k1")
    site.clock.ahead = timedelta(hours=25)
    assert create(site, "k1", "slack").status == 201


def test_a_process_that_died_at_work_holds_nobody_up_for_long(site: Site) -> None:
    """Its row is there, and no answer will come."""
    first = create(site, "k1")
    (row,) = [row for row in site.rows() if row["pk"].startswith("idempotency#")]
    site.engine.dynamodb.update_item(TableName=site.stage.table, Key={"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}}, UpdateExpression="REMOVE sealed")
    waiting = create(site, "k1")
    assert (waiting.status, waiting.json()["code"], waiting.one("Retry-After")) == (503, "request_in_progress", "1")
    site.clock.ahead = timedelta(seconds=61)
    assert create(site, "k1").json()["code"] == "data_integration_exists" and first.status == 201


def test_twenty_at_once_make_one_account(at_django: Site) -> None:
    user, answers = somebody(), list[Answer]()

    def send() -> None:
        path = f"/user_management/users/{user}/connected_accounts/{SLUG}"
        answers.append(at_django.api("POST", path, {"access_token": "t1", "connection_intent": "add"}, headers={"Idempotency-Key": "same"}))

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} <= {201, 503}
    assert len({answer.json()["id"] for answer in answers if answer.status == 201}) == 1
    assert len(at_django.connections()) == 1


def test_what_is_kept_is_sealed(at_django: Site) -> None:
    made = at_django.api("POST", f"/user_management/users/{somebody()}/connected_accounts/{SLUG}", {"access_token": "t1", "account_display_name": "Marker-4711"}, headers={"Idempotency-Key": "k"})
    assert made.status == 201
    (row,) = [row for row in at_django.rows() if row["pk"].startswith("idempotency#")]
    assert "Marker-4711" not in repr(row) and isinstance(row["sealed"], bytes)


def test_a_key_has_a_sensible_length(site: Site) -> None:
    assert create(site, "k" * 256).json()["code"] == "invalid_idempotency_key"
    assert create(site, "k" * 255).status == 201
