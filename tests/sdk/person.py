"""A person without a screen: opens a connect link, fills in the forms there and at the simulated provider, and ends where a browser would.

Rule: what a browser does with cookies and redirects is done by hand, because the stage's cookies are for https or localhost alone.
"""

from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urljoin, urlsplit

import requests


class _Form(HTMLParser):
    """The first form of a page: where it goes, and its hidden fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = given.get("action") or ""
        if tag == "input" and given.get("type") == "hidden" and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""


class Person:
    """One browser. `home` is the stage's origin."""

    def __init__(self, home: str) -> None:
        self._home, self._cookies = home, {}  # type: str, dict[str, str]

    def connect(self, link: str, account: str, *, decision: str = "allow") -> str:
        """Confirms, and decides at the provider. Returns the address outside the stage they end at, or the last one inside."""
        url, page = self._go("GET", link)
        if page is None:
            return url
        if "/simulator/" not in url:
            url, page = self._submit(url, page, {})
        assert page is not None and "/simulator/" in url, url
        return self._submit(url, page, {"account": account, "decision": decision})[0]

    def _submit(self, url: str, page: str, chosen: dict[str, str]) -> tuple[str, str | None]:
        form = _Form(page)
        assert form.action is not None, page
        return self._go("POST", urljoin(url, form.action), {**form.fields, **chosen})

    def _go(self, method: str, url: str, fields: dict[str, str] | None = None) -> tuple[str, str | None]:
        for _ in range(10):
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())} if self._cookies else {}
            if method == "POST":
                headers["Origin"] = self._home
            answer = requests.request(method, url, data=fields, headers=headers, allow_redirects=False, timeout=60)
            for line in answer.raw.headers.getlist("Set-Cookie"):
                self._cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
            if answer.status_code not in (302, 303):
                assert answer.status_code < 500, answer.text
                return url, answer.text
            method, url, fields = "GET", urljoin(url, answer.headers["Location"]), None
            if urlsplit(url).netloc != urlsplit(self._home).netloc:
                return url, None
        raise AssertionError(f"redirected without end: {url}")
