"""One person's browser on the product's page: what the widget shows, what it asks of the stage, and the popup it opens.

Rule: a state is shown by `shows(name, text, ...)` with literal texts, so that `test_complete.py` can tell which of the widgets' sentences no test has seen.
"""

import re
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Request, Response, Route, expect

from tests import compatibility
from tests.widgets.product import Product, View

CLIENT = "@workos-inc/widgets 1.18.0"
ELSEWHERE = re.compile(r"^https?://(?!localhost[:/]|127\.0\.0\.1[:/])")
FIXED = "configurations|mine|organization|installations|shared-connections"
VARIABLE = re.compile(rf"(?<=/DataIntegrations/)(?!(?:{FIXED})(?:/|$))[^/]+|(?<=/installations/)[^/]+|(?<=/authorization-status/)[^/]+")


def template(method: str, path: str) -> str:
    """A request without what is one caller's own: `PUT /_widgets/DataIntegrations/{}/api-key`."""
    return f"{method} {VARIABLE.sub('{}', path)}"


class Screen:
    """`calls`: (template, status, body as sent) of everything the widget asked of the stage, in order."""

    def __init__(self, product: Product, person: BrowserContext) -> None:
        self.product, self.person = product, person
        person.route(ELSEWHERE, lambda route: route.abort())  # the widgets' styles name pictures on WorkOS's servers, which no test may need
        self.page: Page = person.new_page()
        self.calls: list[tuple[str, int, Any]] = []
        self.page.on("response", self._answered)

    def open(self, view: View, *, state: str = "resolved") -> None:
        """Goes to the product's page and waits until the widget is in that state."""
        self.page.goto(self.product.address(view))
        expect(self.widget(state)).to_be_visible()

    def widget(self, state: str) -> Locator:
        return self.page.locator(f'[data-woswidgets-widget-state="{state}"]')

    def row(self, name: str) -> Locator:
        """A provider's row."""
        return self.page.locator(".woswidgets-card-list-item", has=self.page.get_by_text(name, exact=True))

    def button(self, name: str) -> Locator:
        """A button of the dialog that is open."""
        return self.page.get_by_role("dialog").or_(self.page.get_by_role("alertdialog")).get_by_role("button", name=name, exact=True)

    def change_secret(self, last_four: str, secret: str) -> None:
        """Of client credentials that are kept: the widget clears the field once the person is in it, and no sooner may they type."""
        field = self.page.get_by_role("dialog").get_by_label("Client secret")
        expect(field).to_have_value("•" * 16 + last_four)
        field.click()
        expect(field).to_have_value("")
        field.fill(secret)
        expect(field).to_have_value(secret)

    def choose(self, item: str) -> None:
        """Of the menu that is open."""
        self.page.get_by_role("menuitem", name=item).click()

    def shows(self, state: str, *texts: str, within: Locator | None = None) -> None:
        """All of these are to be seen: as text, as a field's placeholder or name, or as a button's title. Recorded for docs/compatibility.md."""
        for text in texts:
            place = within or self.page
            found = place.get_by_text(text, exact=True).or_(place.get_by_placeholder(text, exact=True)).or_(place.get_by_title(text, exact=True)).or_(place.get_by_label(text, exact=True))
            expect(found.filter(visible=True).first).to_be_visible()
        compatibility.record(CLIENT, state, "works")

    def connect(self, button: Locator, account: str, *, decision: str = "Allow") -> Page:
        """Clicks what opens the popup, and decides there as a person does. Returns the popup, on the page it ends with."""
        with self.person.expect_page() as opened:
            button.click()
        popup = opened.value
        popup.wait_for_url("**/simulator/**")
        popup.locator(f'input[name="account"][value="{account}"]').check()
        popup.get_by_role("button", name=decision).click()
        popup.wait_for_url("**/outcome/**")
        return popup

    def come_back(self) -> None:
        """The person looks at the product's tab again. The tabs of a headless browser never hide, so they do not tell of it either."""
        with self.page.expect_response(lambda answer: answer.request.method == "GET" and "/_widgets/DataIntegrations/" in answer.url):
            self.page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")

    def keep_back(self, path: str) -> list[Route]:
        """The widget's next request of this path waits in the list until `continue_()`, for what is shown meanwhile."""
        kept: list[Route] = []
        self.page.route(f"{self.product.stage}{path}", lambda route: kept.append(route), times=1)
        return kept

    def bodies(self, call: str) -> list[Any]:
        """What was sent with that call."""
        return [body for each, _, body in self.calls if each == call]

    def statuses(self, call: str) -> list[int]:
        return [status for each, status, _ in self.calls if each == call]

    def record_calls(self) -> None:
        """Every call of the widgets that worked, into the table."""
        for call in {call for call, status, _ in self.calls if 200 <= status < 300}:
            compatibility.record(CLIENT, call, "works")

    def _answered(self, response: Response) -> None:
        request = response.request
        path = request.url.removeprefix(self.product.stage)
        if path.startswith("/_widgets/") and request.method != "OPTIONS":
            self.calls.append((template(request.method, path.partition("?")[0]), response.status, _body(request)))


def _body(request: Request) -> Any:
    return request.post_data_json if request.post_data else None
