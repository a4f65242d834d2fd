"""Providers nobody has in a catalogue, connected by forms, and the token endpoint behind them."""

import json
from base64 import b64encode
from urllib.parse import parse_qs

from tests.browser import Api
from tests.loopback import Handler, Loopback

WEATHER, LEDGER, ATLAS = "form-weather", "form-ledger", "form-atlas"


class Tokens(Loopback):
    """RFC 6749 4.4 for one client, `ledger` with the secret `correct-horse`; everybody else is refused."""

    def __init__(self) -> None:
        class Answers(Handler):
            def do_POST(self) -> None:
                form = {name: values[0] for name, values in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
                basic = f"Basic {b64encode(b'ledger:correct-horse').decode()}"
                good = self.headers.get("Authorization") == basic or (form.get("client_id"), form.get("client_secret")) == ("ledger", "correct-horse")
                body = json.dumps({"access_token": "ledger-token", "token_type": "Bearer", "expires_in": 3600} if good else {"error": "invalid_client"}).encode()
                self.answer(200 if good else 401, "application/json", body)

        self.serve(Answers)


def offer(api: Api, tokens: Tokens) -> None:
    """Has the stage offer them, if it does not yet."""
    endpoints = {"token_url": f"{tokens.url}/token", "authorization_url": f"{tokens.url}/authorize"}
    add(api, WEATHER, "Weather", ["api_key"], "Forecasts for the places you choose.")
    add(api, LEDGER, "Ledger", ["client_credentials"], "Invoices and payments of your company.", None, **endpoints)
    own = {"type": "custom", "client_id": "acme", "client_secret": "secret-of-acme"}
    add(api, ATLAS, "Atlas", ["oauth", "api_key", "client_credentials"], "Maps, routes and places.", own, **endpoints)


def add(api: Api, slug: str, name: str, methods: list[str], description: str, credentials: dict[str, str] | None = None, **endpoints: str) -> None:
    more = {"credentials": credentials} if credentials else {}
    answer = api.call("POST", "/data-integrations", provider=slug, enabled=True, auth_methods=methods, description=description, custom_provider={"name": name, **endpoints}, **more)
    assert answer.status_code in (201, 409), answer.text
