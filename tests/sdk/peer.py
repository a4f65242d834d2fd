"""An authorization server for machines (RFC 6749 4.4), which the simulated providers are not, and a receiver of webhooks.

Rule: it knows its clients and takes nobody else; it remembers what it was asked, without secrets.
"""

import base64
import itertools
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote_plus


class Machines:
    """`token_url` issues tokens of an hour to `clients` {id: secret}; what is posted to `hook_url` waits in `deliveries` as (path, headers, body)."""

    def __init__(self) -> None:
        self.clients: dict[str, str] = {}
        self.issued: list[str] = []
        self.deliveries: queue.Queue[tuple[str, dict[str, str], bytes]] = queue.Queue()
        numbers = itertools.count(1)
        machines = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path.startswith("/hook"):
                    machines.deliveries.put((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                    return self.say(200, {})
                form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
                client, secret = self.credentials(form)
                if client not in machines.clients or machines.clients[client] != secret:
                    return self.say(401, {"error": "invalid_client"})
                if form.get("grant_type") != "client_credentials":
                    return self.say(400, {"error": "unsupported_grant_type"})
                machines.issued.append(f"machine-token-{next(numbers)}")
                return self.say(200, {"access_token": machines.issued[-1], "token_type": "Bearer", "expires_in": 3600, **({"scope": form["scope"]} if "scope" in form else {})})

            def credentials(self, form: dict[str, str]) -> tuple[str, str]:
                scheme, _, packed = self.headers.get("Authorization", "").partition(" ")
                if scheme.lower() != "basic":
                    return form.get("client_id", ""), form.get("client_secret", "")
                client, _, secret = base64.b64decode(packed).decode().partition(":")
                return unquote_plus(client), unquote_plus(secret)

            def say(self, status: int, body: object) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.token_url, self.hook_url = f"{self.url}/token", f"{self.url}/hook"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
