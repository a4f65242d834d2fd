"""Child process: django-oauth-toolkit as an authorization server on 127.0.0.1.

Rule: configuration comes as one JSON line on stdin (so no secret is in argv or the environment), the endpoints go as
one JSON line to stdout, and the process ends when stdin ends, so a killed test run leaves no server behind.
By hand: `(echo '{}'; cat) | python -m tests.peers.django_server`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

DEFAULTS: dict[str, Any] = {
    "client_id": "standpipe-test",
    "client_secret": "test-secret",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "extra_clients": [],  # [{client_id, client_secret, redirect_uris}]
    "scopes": ["read", "write"],
    "rotate": True,
    "reuse_protection": True,
    "grace_seconds": 0,
    "access_token_seconds": 3600,
    "refresh_token_seconds": None,
    "code_seconds": 60,
    "pkce_required": True,
    "iss": True,
    "serialize": True,
    "default_user": "alice",
    "port": 0,
}


def configure(options: dict[str, Any], base_url: str, folder: Path) -> None:
    """Set Django up; nothing of Django's models may be imported before this."""
    from django.conf import settings

    apps = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.staticfiles", "oauth2_provider"]
    settings.configure(
        SECRET_KEY="only-for-tests",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=f"{__package__}.django_routes",
        INSTALLED_APPS=apps,
        MIDDLEWARE=[
            f"{__package__}.django_routes.count_requests",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        # Signed cookies: the browser's session must not compete for the one writer of the database.
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        STATIC_URL="/static/",
        USE_TZ=True,
        # Tables straight from the models: replaying the migrations' history would double the start time.
        MIGRATION_MODULES={app.rsplit(".", 1)[-1]: None for app in apps},
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "peer.sqlite3"),
                # IMMEDIATE: SQLite has no row locks, so a transaction takes the write lock before it reads;
                # that is SELECT ... FOR UPDATE with the whole table as the row.
                "OPTIONS": {
                    "timeout": 30,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
                },
            }
        },
        OAUTH2_PROVIDER={
            "SCOPES": {scope: scope for scope in options["scopes"]},
            "ROTATE_REFRESH_TOKEN": options["rotate"],
            "REFRESH_TOKEN_REUSE_PROTECTION": options["reuse_protection"],
            "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": options["grace_seconds"],
            "REFRESH_TOKEN_EXPIRE_SECONDS": options["refresh_token_seconds"],
            "ACCESS_TOKEN_EXPIRE_SECONDS": options["access_token_seconds"],
            "AUTHORIZATION_CODE_EXPIRE_SECONDS": options["code_seconds"],
            "PKCE_REQUIRED": options["pkce_required"],
            "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": options["iss"],
            "OIDC_ISS_ENDPOINT": base_url,
        },
        PEER_OPTIONS=options,
        LOGGING_CONFIG=None,
    )


def fill(options: dict[str, Any]) -> None:
    """Make the tables and register the clients."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
    from oauth2_provider.models import Application

    own = {key: options[key] for key in ("client_id", "client_secret", "redirect_uris")}
    for client in [own, *options["extra_clients"]]:
        Application.objects.create(
            name=client["client_id"],
            client_id=client["client_id"],
            client_secret=client["client_secret"],
            # Not hashed: a slow password hash at each token request would only measure the hash.
            hash_client_secret=False,
            redirect_uris=" ".join(client["redirect_uris"]),
            client_type="confidential",
            authorization_grant_type="authorization-code",
        )


def main() -> None:
    """Bind, set up, say where we are, serve until stdin ends."""
    options = {**DEFAULTS, **json.loads(sys.stdin.readline() or "{}")}
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the query string holds codes."""

    class Server(ThreadedWSGIServer):
        request_queue_size = 256  # 50 parallel callers must not meet a refused connection
        daemon_threads = True

        def server_bind(self) -> None:
            # The stock one asks DNS for the host's name, which can hang without a network.
            import socketserver

            socketserver.TCPServer.server_bind(self)
            self.server_name, self.server_port = "127.0.0.1", self.server_address[1]
            self.setup_environ()

    server = Server(("127.0.0.1", options["port"]), Quiet)
    base_url = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory(prefix="django-peer-") as folder:
        configure(options, base_url, Path(folder))
        fill(options)
        from django.core.wsgi import get_wsgi_application

        server.set_app(get_wsgi_application())
        ready = {
            "base_url": base_url,
            "issuer": base_url,
            "authorization_endpoint": f"{base_url}/o/authorize/",
            "token_endpoint": f"{base_url}/o/token/",
            "revocation_endpoint": f"{base_url}/o/revoke_token/",
            "userinfo_endpoint": f"{base_url}/me",
        }
        print(json.dumps(ready), flush=True)
        threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
        server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
