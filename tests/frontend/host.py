"""A customer's page with the widget, and its backend that gets widget tokens; served from another site than the stage, as a customer's is.

Rule: no inline script and no inline style, so that the page can be served under the strictest policy there is.
"""

import json
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.loopback import Handler, Loopback

PAGE = """<!doctype html><html lang="{lang}"{root}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Acme</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/host.css"></head><body><main><h1>Acme</h1><h2>Integrations</h2>
<standpipe-connections {attributes}></standpipe-connections></main><script src="{stage}/static/standpipe-connections.js"></script><script src="/host.js"></script></body></html>"""
CSS = """*{box-sizing:border-box}html{background:#f1f3f6;color:#16181d;font:16px/1.5 system-ui,sans-serif}html.dark{background:#0e1013;color:#eceef1}body{margin:0;padding:40px 20px}
main{max-width:720px;margin:0 auto}h1{font-size:1.5rem;margin:0 0 2px}h2{font-size:1rem;font-weight:400;margin:0 0 24px;color:#596170}html.dark h2{color:#a6aeb9}@media(max-width:520px){body{padding:20px 12px}}"""
SCRIPT = """const wanted = new URLSearchParams(location.search);
const element = document.querySelector("standpipe-connections");
window.heard = [];
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));
for (const name of ["loaded", "connected", "failed", "disconnected", "token-expired", "error"])
  document.addEventListener(`standpipe-${name}`, (event) => window.heard.push([name, event.detail]));
const ask = async () => { const answer = await fetch("/token?" + wanted); if (!answer.ok) throw new Error("no token"); return answer.text(); };
if (wanted.get("messages")) element.messages = JSON.parse(wanted.get("messages"));
if (wanted.get("tokens") === "string") ask().then((token) => { element.token = token; });
else element.token = ask;
"""


@dataclass
class Host(Loopback):
    """`headers`: of the page; `expires_in`: seconds its tokens live; `given`: tokens handed out first; `asked`: how often its backend was asked."""

    stage: str
    api_key: str
    headers: dict[str, str] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    expires_in: int = 3600
    asked: int = 0
    broken: bool = False

    def start(self) -> None:
        host = self

        class Answers(Handler):
            def do_GET(self) -> None:
                split = urlsplit(self.path)
                status, kind, body = host.answer(split.path, {name: values[0] for name, values in parse_qs(split.query).items()})
                self.answer(status, f"{kind}; charset=utf-8", body.encode(), host.headers)

        self.serve(Answers)

    def address(self, user: str, **more: Any) -> str:
        """The page as `user` sees it. `attributes`: of the element; `tokens="string"`: it is given one token and no function; `messages`."""
        return f"{self.url}/app?{urlencode({'user': user, **{name: value if isinstance(value, str) else json.dumps(value) for name, value in more.items()}})}"

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, str, str]:
        if path == "/host.js":
            return 200, "text/javascript", SCRIPT
        if path == "/host.css":
            return 200, "text/css", CSS
        if path == "/token":
            self.asked += 1
            if self.broken:
                return 500, "text/plain", ""
            return 200, "text/plain", self.given.pop(0) if self.given else self.mint(query["user"], query.get("organization"))
        if path != "/app":
            return 404, "text/plain", ""
        given = {"base-url": self.stage, **json.loads(query.get("attributes", "{}"))}
        attributes = " ".join(f'{name}="{escape(value)}"' for name, value in given.items())
        root = ' class="dark"' if given.get("theme") == "dark" else ""
        return 200, "text/html", PAGE.format(attributes=attributes, stage=self.stage, lang=query.get("lang", "en"), root=root)

    def mint(self, user: str, organization: str | None = None, expires_in: int | None = None) -> str:
        """A token from POST /widgets/token."""
        body: dict[str, Any] = {"user_id": user, "expires_in": expires_in or self.expires_in}
        if organization:
            body["organization_id"] = organization
        answer = requests.post(f"{self.stage}/widgets/token", json=body, headers={"Authorization": f"Bearer {self.api_key}"}, timeout=60)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])
