"""The words of `import`, `export`, `take-over` and `hand-over`, and what a person is asked."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chalicelib.wiring import Engine
from ops.errors import StepFailed
from ops.keys import _engine

Environ = Callable[[str], dict[str, str]]


def add(commands: Any, environ: Environ) -> None:
    """Puts the four beside the other commands. `environ`: of a stage, by its name."""
    importing = commands.add_parser("import", help="connections of another system, from its file")
    importing.add_argument("file", type=Path)
    importing.add_argument("--stage", required=True)
    importing.add_argument("--format", choices=("workos", "nango", "csv", "json"), help="an export of Standpipe says its own")
    way = importing.add_mutually_exclusive_group()
    way.add_argument("--taking-over", dest="taking_over", action="store_const", const=True, help="the other system has stopped refreshing these grants")
    way.add_argument("--shadow", dest="taking_over", action="store_const", const=False, help="it goes on; nothing is refreshed here until take-over")
    importing.add_argument("--dry-run", action="store_true", help="only say what would be done")
    importing.add_argument("--verify", action="store_true", help="refresh each once, and say what the provider said")
    importing.add_argument("--skip-bad", action="store_true", help="leave out rows with problems instead of stopping")
    importing.add_argument("--map", dest="slugs", action="append", default=[], metavar="provider=slug", help="what a provider of the file is called here; once for each")
    importing.add_argument("--identity", type=Path, metavar="KEY", help="the private key, for an encrypted file")
    importing.add_argument("--report", type=Path, metavar="FILE", help="FILE.report.jsonl beside the file if not given")
    importing.set_defaults(do=lambda arguments: import_(arguments, environ))
    exporting = commands.add_parser("export", help="connections into a file that only one key opens")
    exporting.add_argument("--stage")
    exporting.add_argument("--to", type=Path, metavar="FILE")
    exporting.add_argument("--recipient", type=Path, metavar="PUBLIC_KEY_FILE", help="an age or SSH public key")
    _filters(exporting)
    exporting.add_argument("--format", choices=("standpipe", "workos", "json"), default="standpipe")
    exporting.add_argument("--hand-over", action="store_true", help="another system refreshes what is exported from now on")
    exporting.add_argument("--decrypt", type=Path, metavar="FILE", help="write what an export holds to standard output")
    exporting.add_argument("--identity", type=Path, metavar="KEY", help="the private key, for --decrypt")
    exporting.add_argument("--new-key", type=Path, metavar="KEY", help="make a private key, and its public one in KEY.pub")
    exporting.set_defaults(do=lambda arguments: export(arguments, environ))
    for name, told in (("take-over", "refresh here what another system refreshed"), ("hand-over", "no longer refresh what another system does")):
        handing = commands.add_parser(name, help=told)
        handing.add_argument("--stage", required=True)
        _filters(handing)
        handing.add_argument("--yes", action="store_true", help="do not ask")
        handing.set_defaults(do=lambda arguments, way=name: hand(arguments, environ, way))


def _filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--provider")
    parser.add_argument("--organization")
    parser.add_argument("--user", help="of this user alone, within the organization or outside of any")


def import_(arguments: argparse.Namespace, environ: Environ) -> None:
    from ops import importing

    slugs = {}
    for pair in arguments.slugs:
        provider, equals, slug = pair.partition("=")
        if not (provider and equals and slug):
            raise StepFailed("Importing", f"'{pair}' does not say which provider is which", "Write it as --map name-in-the-file=slug-here")
        slugs[provider] = slug
    names = ("file", "format", "taking_over", "dry_run", "verify", "skip_bad", "identity", "report")
    wanted = importing.Wanted(slugs=slugs, **{name: getattr(arguments, name) for name in names})
    with _stage(environ(arguments.stage)) as (engine, say):
        done = importing.run(engine, wanted, say)
    if not done.is_done or (arguments.dry_run and done.plan.problems):
        sys.exit(1)


def export(arguments: argparse.Namespace, environ: Environ) -> None:
    from ops import exporting
    from ops.migration import keys

    if arguments.new_key:
        public = keys.make(arguments.new_key)
        print(f"{arguments.new_key} opens what is sealed to {public}. Keep it as you would keep the tokens; without it an export is nothing.")
        return
    if arguments.decrypt:
        exporting.decrypt(arguments.decrypt, _given(arguments, "identity"), sys.stdout)
        return
    wanted = exporting.Wanted(to=_given(arguments, "to"), recipient=_given(arguments, "recipient"), chosen=_chosen(arguments), hand_over=arguments.hand_over, format=arguments.format)
    with _stage(environ(_given(arguments, "stage"))) as (engine, say):
        report = exporting.run(engine, wanted, say)
    if report.left_out:
        sys.exit(1)


def hand(arguments: argparse.Namespace, environ: Environ, way: Any) -> None:
    from ops.migration import handing

    with _stage(environ(arguments.stage)) as (engine, say):
        report = handing.run(engine, way, _chosen(arguments), confirm=lambda sentence: arguments.yes or _ask(sentence, say), say=say)
    if report.left:
        sys.exit(1)


def _ask(sentence: str, say: Callable[[str], None]) -> bool:
    say(sentence)
    number = sentence.partition(" ")[0]
    if not sys.stdin.isatty():
        raise StepFailed("Asking", "nobody is there to answer", "Say --yes if you are sure.")
    say(f"To go on, write the number of connections ({number}):")
    return sys.stdin.readline().strip() == number


def _chosen(arguments: argparse.Namespace) -> Any:
    from ops.migration.scanning import Chosen

    return Chosen(provider=arguments.provider, organization=arguments.organization, user=arguments.user)


def _given(arguments: argparse.Namespace, name: str) -> Any:
    value = getattr(arguments, name)
    if value is None:
        raise StepFailed("Reading the command", f"--{name} is missing", f"Say --{name} …; python -m ops {sys.argv[1] if len(sys.argv) > 1 else ''} --help shows all of it.")
    return value


@contextlib.contextmanager
def _stage(environ: dict[str, str]) -> Iterator[tuple[Engine, Callable[[str], None]]]:
    """The stage's engine, and how to say something. What the engine writes into a function's log is of no use here."""
    out = sys.stdout

    def say(text: str) -> None:
        print(text, file=out, flush=True)

    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield _engine(environ), say
