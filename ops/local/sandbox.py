"""A whole sandbox on this machine: embedded AWS, resources, a real deployment, a front, providers enabled, an API key.

`make run` is one of these in the foreground; a test starts others beside it, each with a directory and ports of its own.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import urllib3

from ops import deploy, keys
from ops.errors import StepFailed
from ops.local import package
from ops.local.front import Front

ROOT = Path(__file__).resolve().parents[2]
STAGE = "local"
REGION = "us-east-1"
SEEDED = ("github", "slack", "google", "salesforce")
SHIPPED = ("app.py", "chalicelib", "requirements.txt", ".chalice/config.json", ".chalice/resources.json")


class Sandbox:
    """`directory` keeps its state between runs. After `start`: `url`, `api_key`, and `environ` for whoever wants to use it."""

    def __init__(self, directory: Path, *, port: int = 8000, aws_port: int = 0, settings: dict[str, str] | None = None, say: Callable[[str], None] = print) -> None:
        self.directory, self.port, self._say = directory.resolve(), port, say
        self.aws_port = aws_port or free_port()
        self.url = f"http://localhost:{port}"
        self.settings = {
            "STANDPIPE_URL": self.url,
            "STANDPIPE_ALLOWED_PRIVATE_HOSTS": f"localhost:{port}",
            "STANDPIPE_APP_NAME": "Acme",
            "STANDPIPE_RETURN_URLS": "http://localhost:3000/connected",
            **(settings or {}),
        }
        self.aws = f"http://127.0.0.1:{self.aws_port}"
        self.api_key = ""
        self.environ: dict[str, str] = {}
        self._cloud: subprocess.Popen[bytes] | None = None
        self._front: Front | None = None
        self._http = urllib3.PoolManager(retries=False, timeout=30)

    def __enter__(self) -> "Sandbox":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Every step, each said before it is done. Raises StepFailed; what was started is ended then."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends what `start` started, saving the state. Safe to call at any point, and twice."""
        if self._front is not None:
            self._front.stop()
            self._front = None
        if self._cloud is not None:
            with contextlib.suppress(ProcessLookupError):
                self._cloud.send_signal(signal.SIGTERM)
            with contextlib.suppress(OSError):
                if self._cloud.stdin is not None:
                    self._cloud.stdin.close()
            try:
                self._cloud.wait(20)
            except subprocess.TimeoutExpired:
                self._cloud.kill()
                self._cloud.wait()
            self._cloud = None

    def _start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if not port_is_free(self.port):
            raise StepFailed(f"Opening port {self.port}", "something is listening there already", f"End it ('make stop' if it is another Standpipe) or choose another: make run PORT={self.port + 1}")
        if not port_is_free(self.aws_port):
            # Whatever listens there would be taken for ours.
            raise StepFailed(f"Opening port {self.aws_port} for the embedded AWS", "something is listening there already", f"Choose another: make run AWS_PORT={self.aws_port + 11}")
        self._say("embedded AWS")
        self._start_cloud()
        self._deploy()
        api_id = deploy.api_url(self.directory / "app", STAGE)
        self._front = Front(self.port, self._gateway(api_id))
        self._front.start()
        self._say("first request")
        self._check_health()
        self.api_key = self._api_key()
        self._seed()
        self._write_environ()

    def _start_cloud(self) -> None:
        log = self.directory / "aws.log"
        environ = {
            **_without_aws(os.environ),
            **self._credentials(),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.aws_port),
            "AUTH": "true",  # IAM is enforced: a function may do what its role in resources.json lets it do
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.directory / "aws"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PYTHONPATH": str(ROOT),
            "STANDPIPE_LAMBDA_RUNTIME": str(self.directory / "lambda-runtime"),
        }
        environ.pop("AWS_ENDPOINT_URL")
        package.runtime(self.directory / "lambda-runtime")
        with log.open("wb") as output:
            # Its standard input is a pipe that it watches: when this process ends, however it ends, that one saves and ends too.
            # A session of its own: Ctrl-C in the terminal reaches this process only, which then ends the child in order.
            self._cloud = subprocess.Popen(
                [sys.executable, "-m", "ops.local.launch"], env=environ, cwd=self.directory, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if self._cloud.poll() is not None:
                break
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if self._http.request("GET", f"{self.aws}/_ministack/health").status == 200:
                    return
            time.sleep(0.1)
        raise StepFailed("Starting the embedded AWS", _tail(log), f"The whole log is {log}. 'make clean' starts from nothing.")

    def _deploy(self) -> None:
        """Deploys a copy of the project, unless the very same is deployed already and answers."""
        app, mark = self.directory / "app", self.directory / "deployed"
        fingerprint = self._fingerprint()
        known = json.loads(mark.read_text()) if mark.exists() else {}
        api_id = deploy.api_url(app, STAGE)
        if known.get("fingerprint") == fingerprint and api_id and self._api_exists(api_id):
            self.settings |= known["variables"]
            self._say("deployment: unchanged since the last run")
            return
        mark.unlink(missing_ok=True)
        self._say("deploying")
        deployed = app / ".chalice" / "deployed"
        kept = {file.name: file.read_text() for file in deployed.glob("*.json")} if deployed.exists() and api_id and self._api_exists(api_id) else {}
        shutil.rmtree(app, ignore_errors=True)
        (app / ".chalice" / "deployed").mkdir(parents=True)
        for name in SHIPPED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, app / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, app / name)
        for name, text in kept.items():
            (deployed / name).write_text(text)
        package.vendor(app)
        variables = deploy.deploy(app, STAGE, {**_without_aws(os.environ), **self._credentials()}, settings=self.settings)
        self.settings |= variables
        mark.write_text(json.dumps({"fingerprint": fingerprint, "variables": variables}))

    def _gateway(self, api_id: str | None) -> str:
        """Where the launcher answers for the API as a custom domain would."""
        return f"{self.aws}/_standpipe/gateway/{api_id}/api"

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(json.dumps([sys.version_info[:2], self.settings], sort_keys=True).encode())
        for name in SHIPPED:
            for file in sorted((ROOT / name).rglob("*")) if (ROOT / name).is_dir() else [ROOT / name]:
                if file.is_file() and "__pycache__" not in file.parts:
                    digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()

    def _api_exists(self, api_id: str) -> bool:
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            return self._http.request("GET", f"{self._gateway(api_id)}/healthz").status == 200
        return False

    def _check_health(self) -> None:
        try:
            answer = self._http.request("GET", f"{self.url}/healthz")
        except urllib3.exceptions.HTTPError as error:
            raise StepFailed("The first request", str(error), f"See {self.directory / 'aws.log'}.") from None
        if answer.status != 200:
            raise StepFailed("The first request", f"HTTP {answer.status} {answer.data[:300]!r}", f"See {self.directory / 'aws.log'}; 'make clean' starts from nothing.")

    def _api_key(self) -> str:
        remembered = read_environ(self.directory).get("STANDPIPE_API_KEY", "")
        if remembered and self._http.request("GET", f"{self.url}/data-integrations", headers={"Authorization": f"Bearer {remembered}"}).status == 200:
            return remembered
        self._say("API key")
        return keys.create("make run", {**self.settings, **self._credentials()})

    def _seed(self) -> None:
        """Enables the catalogue's providers; in a sandbox they need no credentials of their own."""
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        for slug in SEEDED:
            answer = self._http.request("POST", f"{self.url}/data-integrations", headers=headers, body=json.dumps({"provider": slug, "enabled": True}))
            if answer.status not in (201, 409):
                raise StepFailed(f"Enabling {slug}", f"HTTP {answer.status} {answer.data[:300]!r}", f"See {self.directory / 'aws.log'}.")

    def _write_environ(self) -> None:
        self.environ = {**{k: v for k, v in self.settings.items() if k.startswith("STANDPIPE_")}, "STANDPIPE_URL": self.url, "STANDPIPE_API_KEY": self.api_key, **self._credentials()}
        file = self.directory / "standpipe.env"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
            output.writelines(f"{name}='{value}'\n" for name, value in sorted(self.environ.items()))

    def _credentials(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL": self.aws, "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def read_environ(directory: Path) -> dict[str, str]:
    """What the last run wrote to `standpipe.env`."""
    file = directory / "standpipe.env"
    if not file.exists():
        return {}
    pairs = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    return {name: value.strip("'") for name, value in pairs}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _without_aws(environ: "os._Environ[str]") -> dict[str, str]:
    """No profile or credentials of the machine reach the local cloud."""
    kept = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    no_proxy = ",".join(filter(None, [environ.get("NO_PROXY") or environ.get("no_proxy"), "localhost", "127.0.0.1"]))
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    return {**kept, **nothing, "NO_PROXY": no_proxy, "no_proxy": no_proxy}


def _tail(file: Path) -> str:
    return "\n    ".join(file.read_text(errors="replace").splitlines()[-12:])
