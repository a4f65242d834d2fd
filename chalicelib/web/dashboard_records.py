"""The dashboard's overview, API keys, audit and settings."""

import re
from datetime import datetime, timedelta
from typing import Any

from chalice import Response

from chalicelib import wiring
from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.events import timestamp
from chalicelib.engine.dashboard_sign_in import Visitor
from chalicelib.web.dashboard_edge import answer, change, look
from chalicelib.web.edge import Request, unprocessable

AUDIT_PAGE = 50
EMPTY_DAYS = 14  # looked through for one page of the audit
OPAQUE = re.compile(r"[^\x00-\x1f\x7f]{1,255}")


@look("/overview")
def dashboard_overview(request: Request, visitor: Visitor) -> Response:
    from dataclasses import asdict

    from chalicelib.engine import dashboard_costs

    engine = wiring.engine()
    overview = engine.overview
    count = overview.count()
    cost = overview.cost(count)
    names = {slug: engine.registrations.name_of(slug) for slug in count.counts}
    return answer(
        {
            "connections": {"counts": count.counts, "as_of": timestamp(count.as_of) if count.as_of else None, "whole": count.whole},
            "names": names,
            "refreshes": [{"at": timestamp(hour["at"]), "providers": hour["providers"]} for hour in overview.refreshes()],
            "cost": {"total": round(cost.total, 2), "parts": [{"what": what, "dollars": round(dollars, 2)} for what, dollars in cost.parts], "assumed": list(dashboard_costs.ASSUMED)},
            "attention": [asdict(each) for each in overview.attention(count)],
        }
    )


# API keys


@look("/keys")
def dashboard_keys(request: Request, visitor: Visitor) -> Response:
    """Newest first. Of its secret part only a hash is kept, and that is not shown either."""
    found = wiring.engine().store.api_keys()
    return answer({"keys": [_key(each) for each in sorted(found, key=lambda each: each.id, reverse=True)]})


@change("/keys", ["POST"])
def dashboard_create_key(request: Request, visitor: Visitor) -> Response:
    """`{name, organization_id}`; the answer holds the key, this once."""
    given = request.json()
    name, organization = given.get("name"), given.get("organization_id") or None
    if not isinstance(name, str) or not OPAQUE.fullmatch(name.strip()) or len(name) > 100:
        raise unprocessable("name", "is what to call the key by, up to 100 characters.")
    if organization is not None and (not isinstance(organization, str) or not OPAQUE.fullmatch(organization)):
        raise unprocessable("organization_id", "is the id of an organization.")
    record, key = wiring.engine().api_keys.create(name.strip(), organization, actor=visitor.actor)
    return answer({"key": key, "record": _key(record)}, status=201)


@change("/keys/{key_id}", ["DELETE"])
def dashboard_revoke_key(request: Request, visitor: Visitor, key_id: str) -> Response:
    """Stops working within half a minute."""
    if len(key_id) > 64 or not wiring.engine().api_keys.revoke(key_id, actor=visitor.actor):
        raise NotFound("There is no such key.", "api_key_not_found")
    return answer({"revoked": True})


def _key(record: Any) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": record.name,
        "organization_id": record.organization_id,
        "created_at": timestamp(record.created_at),
        "revoked_at": timestamp(record.revoked_at) if record.revoked_at else None,
        "last_used_at": timestamp(record.last_used_at) if record.last_used_at else None,
    }


# audit


@look("/audit")
def dashboard_audit(request: Request, visitor: Visitor) -> Response:
    """Newest first, day after day; `cursor` is the day to go on with and the last entry that was shown of it."""
    pages, day, before = wiring.engine().pages, wiring.now(), None
    if cursor := request.one("cursor"):
        found = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:\.(audit_[0-9A-Z]{26}))?", cursor)
        try:
            day, before = datetime.fromisoformat(f"{found[1]}T00:00:00+00:00") if found else day, found[2] if found else None
        except ValueError:
            found = None
        if found is None:
            raise InvalidRequest("This list has changed since; begin it again.", "invalid_cursor")
    entries: list[dict[str, Any]] = []
    for _ in range(EMPTY_DAYS):
        condition, values = "pk = :pk", {"pk": f"audit#{day:%Y-%m-%d}"}
        if before is not None:
            condition, values = "pk = :pk AND sk < :before", {**values, "before": before}
        rows, more = pages.page(condition, values, limit=AUDIT_PAGE - len(entries), forward=False)
        entries += [{"id": row["sk"], "at": row["at"], "actor": row["actor"], "action": row["action"], "facts": row["facts"]} for row in rows]
        if more is not None or len(entries) >= AUDIT_PAGE:
            return answer({"entries": entries, "cursor": f"{day:%Y-%m-%d}.{entries[-1]['id']}" if entries else None})
        day, before = day - timedelta(days=1), None
    return answer({"entries": entries, "cursor": f"{day:%Y-%m-%d}"})


# settings


@look("/settings")
def dashboard_settings(request: Request, visitor: Visitor) -> Response:
    """What the deployment is configured with. None of it is secret; it is changed in the stage's configuration and a deployment, so that every change has a commit."""
    settings = wiring.engine().settings
    return answer(
        {
            "stage": settings.stage,
            "environment": settings.environment,
            "settings": [
                {"name": f"STANDPIPE_{name.upper()}", "value": value, "title": title, "text": text}
                for name, value, title, text in (
                    ("url", settings.url, "Address", "Where this deployment is reached. Redirect URIs and connect links are built from it."),
                    ("app_name", settings.app_name, "Application's name", "What people are told they connect their account to."),
                    ("color", settings.color, "Colour", "Of the pages a person sees while connecting; text on them stays readable with any."),
                    ("logo", [settings.logo] if settings.logo else [], "Logo", "A file in chalicelib/web/static/brand, shown on the same pages."),
                    ("return_urls", list(settings.return_urls), "Return URLs", "Where a person may be sent after connecting; the whole address has to match."),
                    ("require_proof", settings.require_proof, "Proof of who finishes", "Accepts only flows that the application's session or the widget vouches for."),
                    ("encryption", settings.encryption, "Sealing", "audited asks KMS for every read; bound keeps data keys five minutes; shared shares them between connections."),
                    ("refresh_concurrency", settings.refresh_concurrency, "Refresh rate", "Calls at once to one provider from the clock."),
                    ("idle_after_days", settings.idle_after_days, "Idle after", "Days without a fetch after which a connection is only kept alive; 0 = never."),
                    ("due_shards", settings.due_shards, "Due shards", "Parts of the index of what is due; may grow, never shrink."),
                    ("topic_arn", settings.topic_arn, "Events topic", "SNS topic that every event is published to."),
                    ("allowed_private_hosts", list(settings.allowed_private_hosts), "Private hosts", "Providers that may have a private address; in a sandbox only."),
                    ("log_level", settings.log_level, "Log level", "Nothing secret is written at any level."),
                )
            ],
        }
    )
