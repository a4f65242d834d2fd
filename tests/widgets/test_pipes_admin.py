"""WorkOS's own `<PipesAdmin>`, unmodified: what an administrator of an organization sets, and who may not."""

from playwright.sync_api import expect

from tests.widgets.product import MANAGE, View
from tests.widgets.screen import Screen
from tests.widgets.stage import Stage


def admin(stage: Stage, **more: object) -> View:
    return View(widget="pipes-admin", user=stage.user, organization=stage.organization, organization_name="Acme Ltd", scopes=(MANAGE,), **more)  # type: ignore[arg-type]


def test_a_provider_is_turned_off_for_the_organization(stage: Stage, screen: Screen) -> None:
    stage.offer("github", ["oauth"])
    screen.open(admin(stage))
    row = screen.row("GitHub")
    screen.shows("PipesAdmin: available", "Available", within=row)
    row.get_by_role("button").first.click()
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_role("switch").or_(dialog.get_by_role("checkbox")).first.click()
    dialog.get_by_role("button", name="Save").click()
    screen.shows("PipesAdmin: disabled", "Disabled", within=row)
    refused = stage.api.call("POST", "/data-integrations/github/authorize", user_id=stage.user, organization_id=stage.organization)
    assert refused.status_code == 422
    screen.record_calls()


def test_who_may_not_manage_is_told(stage: Stage, screen: Screen) -> None:
    screen.open(View(widget="pipes-admin", user=stage.user, organization=stage.organization, scopes=()), state="error")
    screen.shows("PipesAdmin: incorrect permissions", "Incorrect permissions")
    assert screen.calls == [] or {status for _call, status, _body in screen.calls} <= {200, 403}
    expect(screen.widget("error")).to_be_visible()
