"""A guarded client with a short deadline, and one request to send with it."""

from typing import Any

from chalicelib.doors.http import Answer, ProviderHttp
from tests.doors.lines import Recorder

DEADLINE = 1.0


def client(**options: Any) -> ProviderHttp:
    return ProviderHttp(**{"allowed_private_hosts": ("localhost", "provider.test"), "connect_timeout": 1, "deadline": DEADLINE, "resolver": lambda _h, _p: ["127.0.0.1"], **options})


def post(here: Recorder, http: ProviderHttp | None = None, scheme: str = "http", host: str = "localhost", path: str = "/token") -> Answer:
    return (http or client(deadline=5)).send("POST", f"{scheme}://{host}:{here.port}{path}", headers={"Content-Type": "text/plain"}, body=b"client_secret=canary-Zx81")
