"""`python -m ops …`: run, stop, deploy, key. Each command says what it does and, when it fails, what to do."""

import argparse
import fcntl
import os
import signal
import sys
import time
from datetime import timedelta
from typing import IO

from botocore.exceptions import BotoCoreError

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.models import Owner
from chalicelib.domain.settings import SettingsError
from ops import clock, dashboard, deploy, doctor, keys, reseal, restored
from ops.errors import StepFailed
from ops.local.sandbox import ROOT, Sandbox, port_is_free, read_environ
from ops.migration import commands as migration

LOCAL = ROOT / ".local"
PID = LOCAL / "run.pid"
CHOSEN = ("APP_NAME", "COLOR", "LOGO", "RETURN_URLS", "ENCRYPTION", "REQUIRE_PROOF", "LOG_LEVEL", "IDLE_AFTER_DAYS", "REFRESH_CONCURRENCY")
CREDENTIALS = "Check the AWS credentials and the region: 'aws configure', or AWS_PROFILE and AWS_DEFAULT_REGION."


def run(arguments: argparse.Namespace) -> None:
    """Starts the sandbox and stays until Ctrl-C."""
    started = time.monotonic()
    deploy.check_python()
    claim = _claim()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    aws_port = arguments.aws_port or (4566 if port_is_free(4566) else 0)
    overrides = {name: os.environ[name] for setting in CHOSEN if (name := f"STANDPIPE_{setting}") in os.environ}
    sandbox = Sandbox(LOCAL, port=arguments.port, aws_port=aws_port, settings=overrides, say=lambda text: print(f"[{time.monotonic() - started:5.1f} s] {text}", flush=True))
    try:
        with sandbox:
            print(_box(sandbox), flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("\nStopped. The connections are kept in .local/ for the next 'make run'.")
    finally:
        claim.close()


def stop(_: argparse.Namespace) -> None:
    """Ends a running sandbox of this folder, by its own process id."""
    running = _running()
    if not running:
        print("No sandbox of this folder is running.")
        return
    os.kill(running, signal.SIGTERM)
    for _tenth in range(300):
        if _running() != running:
            print("Stopped.")
            return
        time.sleep(0.1)
    raise StepFailed("Stopping", f"process {running} does not end", f"Look at it: ps {running}")


def deploy_stage(arguments: argparse.Namespace) -> None:
    if arguments.stage == "local":
        raise StepFailed("Deploying", "'local' is the sandbox of 'make run' and has no place in AWS", "Name the stage: make deploy STAGE=prod (or STAGE=sandbox)")
    deploy.deploy(ROOT, arguments.stage, dict(os.environ))
    print(f"Deployed. Commit .chalice/config.json and .chalice/deployed/{arguments.stage}.json, then make a key: make key STAGE={arguments.stage}")


def key(arguments: argparse.Namespace) -> None:
    environ = _environ(arguments.stage)
    if arguments.list:
        for fields in keys.listed(environ):
            print("  ".join(fields))
    elif arguments.revoke:
        if not keys.revoke(arguments.revoke, environ):
            raise StepFailed("Revoking", f"there is no key with the id '{arguments.revoke}'", "List them with --list.")
        print("Revoked. It stops working within 30 seconds.")
    else:
        print(keys.create(arguments.name, environ, arguments.organization))
        print("This is the only time the key is shown.", file=sys.stderr)


def widget_key(arguments: argparse.Namespace) -> None:
    print(f"{keys.rotate_widget_key(_environ(arguments.stage))} signs widget tokens from now on. Tokens of the key before go on until they end, an hour at most.")


def open_dashboard(arguments: argparse.Namespace) -> None:
    environ = _environ(arguments.stage)
    if arguments.revoke_all:
        print(f"{dashboard.revoke_all(environ)} sessions ended.")
        return
    print(dashboard.link(environ, read_only=arguments.read_only))
    print("Open it in your browser within five minutes; it works once. Whoever has it gets in.", file=sys.stderr)


def refresh_plan(arguments: argparse.Namespace) -> None:
    clock.plan(_environ(arguments.stage), within=timedelta(hours=arguments.hours), provider=arguments.provider, limit=arguments.limit)


def refresh_now(arguments: argparse.Namespace) -> None:
    if arguments.user is None and arguments.organization is None:
        clock.sweep_now(_environ(arguments.stage))
        return
    if arguments.provider is None:
        raise StepFailed("Refreshing", "of which provider?", "Name it: --provider github")
    clock.now(_environ(arguments.stage), Owner(user_id=arguments.user, organization_id=arguments.organization), arguments.provider)


def examine(arguments: argparse.Namespace) -> None:
    if any(finding.verdict == "WRONG" for finding in doctor.run(_environ(arguments.stage))):
        sys.exit(1)


def reseal_stage(arguments: argparse.Namespace) -> None:
    if not reseal.run(_environ(arguments.stage)).is_done:
        sys.exit(1)


def restored_stage(arguments: argparse.Namespace) -> None:
    chosen = {"table": arguments.table, "backup_of": arguments.backup_of}
    if arguments.list is None:
        restored.run(_environ(arguments.stage), **chosen)
        return
    with open(arguments.list, "a", encoding="utf-8") as listing:
        restored.run(_environ(arguments.stage), listing=listing, **chosen)


def _environ(stage: str) -> dict[str, str]:
    """The environment of a stage: of the running sandbox, or as the deployment recorded it, with the operator's own AWS credentials."""
    if stage == "local":
        found = read_environ(LOCAL)
        if not found:
            raise StepFailed("Finding the sandbox", ".local/standpipe.env is not there", "Start it first: make run")
        return found
    variables = deploy.read_config(ROOT)["stages"].get(stage, {}).get("environment_variables", {})
    if "STANDPIPE_TABLE" not in variables:
        raise StepFailed(f"Finding stage '{stage}'", "it has not been deployed from here", f"Deploy it first: make deploy STAGE={stage}")
    return {**os.environ, **variables}


def _claim() -> IO[str]:
    """The file with this process's id, locked until it ends, however it ends. Raises StepFailed if another run of this folder has it."""
    LOCAL.mkdir(exist_ok=True)
    file = PID.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise StepFailed("Starting", f"a sandbox of this folder is running already (process {_running()})", "Use it, or end it with 'make stop'.") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _running() -> int | None:
    """The process that holds the claim. The id in the file alone could be anybody's by now."""
    try:
        with PID.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(PID.read_text() or "0") or None
    except OSError:
        return None
    return None


def _box(sandbox: Sandbox) -> str:
    call = 'curl -s -H "Authorization: Bearer $STANDPIPE_API_KEY" $STANDPIPE_URL'
    lines = [
        f"Standpipe is ready at {sandbox.url}",
        f"API key   {sandbox.api_key}",
        "",
        "Try, in another terminal:",
        "  . .local/standpipe.env",
        f"""  {call}/data-integrations/github/authorize -d '{{"user_id":"user_ana"}}'""",
        "      open the url it answers in a browser, allow, then fetch the token and see the connection:",
        f"""  {call}/data-integrations/github/token -d '{{"user_id":"user_ana"}}'""",
        f"  {call}/user_management/users/user_ana/data_providers",
        "",
        "Or by clicks, in another terminal:",
        "  make demo           Acme, a small product with the widget in its page",
        "  make dashboard      a link into the dashboard, to set providers up",
        f"Play the provider (revoke, expire, fail): {sandbox.url}/simulator",
        "Ctrl-C ends it; the next run finds everything again.",
    ]
    width = max(map(len, lines))
    return "\n".join(["┌" + "─" * (width + 2) + "┐", *(f"│ {line.ljust(width)} │" for line in lines), "└" + "─" * (width + 2) + "┘"])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ops", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    running = commands.add_parser("run", help="the sandbox on this machine, in the foreground")
    running.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    running.add_argument("--aws-port", type=int, default=int(os.environ.get("AWS_PORT", "0")), help="of the embedded AWS; 4566 or a free one if not given")
    running.set_defaults(do=run)
    commands.add_parser("stop", help="end a running sandbox").set_defaults(do=stop)
    deploying = commands.add_parser("deploy", help="resources and functions of a stage, into AWS")
    deploying.add_argument("--stage", required=True)
    deploying.set_defaults(do=deploy_stage)
    keyed = commands.add_parser("key", help="make, list or revoke API keys")
    keyed.add_argument("--stage", default="local")
    keyed.add_argument("--name", default="made by hand")
    keyed.add_argument("--organization", metavar="ID", help="the only organization the key reaches")
    keyed.add_argument("--list", action="store_true")
    keyed.add_argument("--revoke", metavar="ID")
    keyed.set_defaults(do=key)
    signing = commands.add_parser("widget-key", help="a new key that signs widget tokens")
    signing.add_argument("--stage", default="local")
    signing.add_argument("--rotate", action="store_true", required=True)
    signing.set_defaults(do=widget_key)
    boarding = commands.add_parser("dashboard", help="a one-time link into the dashboard")
    boarding.add_argument("--stage", default="local")
    boarding.add_argument("--read-only", action="store_true", help="for somebody who may look and change nothing")
    boarding.add_argument("--revoke-all", action="store_true", help="end every session of the stage instead")
    boarding.set_defaults(do=open_dashboard)
    refreshing = commands.add_parser("refresh", help="what the clock will do, and a refresh now").add_subparsers(required=True, metavar="now|plan")
    planning = refreshing.add_parser("plan", help="what is due, when, for whom")
    planning.add_argument("--stage", default="local")
    planning.add_argument("--hours", type=float, default=24.0, help="how far to look ahead")
    planning.add_argument("--provider")
    planning.add_argument("--limit", type=int, default=50, help="how many to name one by one")
    planning.set_defaults(do=refresh_plan)
    at_once = refreshing.add_parser("now", help="one connection, due or not; without a user, everything that is due")
    at_once.add_argument("--stage", default="local")
    at_once.add_argument("--provider")
    at_once.add_argument("--user")
    at_once.add_argument("--organization")
    at_once.set_defaults(do=refresh_now)
    examining = commands.add_parser("doctor", help="look at a deployment from end to end")
    examining.add_argument("--stage", default="local")
    examining.set_defaults(do=examine)
    resealing = commands.add_parser("reseal", help="seal everything anew under the current KMS key")
    resealing.add_argument("--stage", required=True)
    resealing.set_defaults(do=reseal_stage)
    restoring = commands.add_parser("restored", help="after rows came back from a backup: mark spent refresh tokens as in doubt")
    restoring.add_argument("--stage", required=True)
    restoring.add_argument("--list", metavar="FILE", help="where the affected connections are listed, a line of JSON each")
    restoring.add_argument("--table", help="mark in a restored copy of the table instead, before rows are copied back")
    restoring.add_argument("--backup-of", type=restored.moment, metavar="TIME", help="what was connected or refreshed after this did not come from the backup")
    restoring.set_defaults(do=restored_stage)
    migration.add(commands, _environ)
    arguments = parser.parse_args()
    try:
        arguments.do(arguments)
    except StepFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        sys.exit(1)
    except (BotoCoreError, Unavailable) as error:
        print(f"\n{StepFailed('Reaching AWS', str(error), CREDENTIALS)}", file=sys.stderr)
        sys.exit(1)
    except SettingsError as error:
        print(f"\n{error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
