"""A provider that puts markup into whatever it may say: its name, its error, its accounts' names."""

import json
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.browser import Api
from tests.loopback import Handler, Loopback

MARKUP = '"><img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'
NAME = "<script>window.hurt=1</script><b onclick=alert(1)>Rogue"
SCOPES = ["<script>window.hurt=1</script>", "<img/src=x/onerror=window.hurt=1>", "'-alert(1)-'"]


class Rogue(Loopback):
    """`error`: what the next authorization ends with, instead of a code; `account`: who signs in."""

    def __init__(self) -> None:
        self.error: str | None = None
        self.account = "one"
        rogue = self

        class Answers(Handler):
            def do_GET(self) -> None:
                split = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(split.query).items()}
                if split.path == "/userinfo":
                    self.say({"sub": rogue.account, "name": f"{MARKUP} {rogue.account}"})
                    return
                answer = {"error": rogue.error, "error_description": MARKUP} if rogue.error else {"code": "a-code"}
                self.answer(302, "text/plain", b"", {"Location": f"{asked['redirect_uri']}?{urlencode({**answer, 'state': asked['state']})}"})

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.say({"access_token": "rogue-token", "token_type": "Bearer", "expires_in": 3600, "scope": SCOPES[0]})

            def say(self, answer: dict[str, object]) -> None:
                self.answer(200, "application/json", json.dumps(answer).encode())

        self.serve(Answers)

    def offer(self, api: Api) -> str:
        """Has the stage offer it, if it does not yet; its slug."""
        slug = f"rogue-{self.port}"
        endpoints = {"authorization_url": f"{self.url}/authorize", "token_url": f"{self.url}/token", "userinfo_url": f"{self.url}/userinfo"}
        answer = api.call(
            "POST",
            "/data-integrations",
            provider=slug,
            enabled=True,
            scopes=SCOPES,
            description=MARKUP,
            custom_provider={"name": NAME, **endpoints},
            credentials={"client_id": "c", "client_secret": "s"},
        )
        assert answer.status_code in (201, 409), answer.text
        return slug
