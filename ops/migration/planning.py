"""What an import would do, before it does any of it: every row read and checked, counts, and everything that stands in the way.

Rule: nothing here writes, and no secret is kept; a token is remembered by its digest.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from chalicelib.domain import ids
from chalicelib.domain.errors import NotFound, StandpipeError
from chalicelib.domain.models import Owner, Registration
from chalicelib.wiring import Engine
from ops.errors import StepFailed
from ops.migration import keys, reading, sealed, sources
from ops.migration.rows import BadRow, Row, row_of

NAMED = 20  # problems are named one by one up to here; the report has all of them
WHY_ONE = (
    "Two systems that refresh one grant end it: each spends the refresh token the other needs. So one of these must be said:\n"
    "    --taking-over   the other system has stopped refreshing these grants; from now on they are refreshed here\n"
    "    --shadow        the other system goes on; here their live access tokens are served and nothing is refreshed until 'python -m ops take-over'"
)


class Source:
    """A file and how to read it, as often as needed. `format` None = as an export of Standpipe says."""

    def __init__(self, path: Path, format: str | None, slugs: Mapping[str, str], identity: Path | None, registered: "Registered") -> None:
        self.path, self._slugs, self._identity, self._registered = path, slugs, identity, registered
        self.export: sealed.Opened | None = None
        if not path.is_file():
            raise StepFailed("Reading the file", f"there is no {path}", "Name a file.")
        if sealed.is_export(path):
            if identity is None:
                raise StepFailed(f"Reading {path}", "it is an export, encrypted", "Name the file with the private key: --identity FILE")
            self.export = sealed.Opened(path, keys.identities(identity))
            format = str(self.export.about["format"])
        if format is None or format not in sources.FORMATS or (format == "standpipe" and self.export is None):
            raise StepFailed("Reading the file", "its format is not known", f"Say --format {', '.join(name for name in sources.FORMATS if name != 'standpipe')}; an export of Standpipe says its own.")
        self.format = format

    def rows(self) -> Iterator[Row | BadRow]:
        """Every row, in order. Raises StepFailed where the file cannot be read on."""
        if self.export is not None:
            for where, record in self.export.records():
                yield self._row(where, record)
            return
        try:
            with reading.text_of(self.path, self._identity) as file:
                for where, entry in reading.entries(file, self.format):
                    yield entry if isinstance(entry, BadRow) else self._row(where, entry)
        except UnicodeDecodeError:
            raise StepFailed(f"Reading {self.path}", "it is not text in UTF-8", "Save it as UTF-8.") from None

    def _row(self, where: str, entry: Mapping[str, object]) -> Row | BadRow:
        try:
            row = row_of(where, sources.FORMATS[self.format](where, entry), self._slugs)
            return self._registered.fitted(row) if self.format in sources.LOOSE else row
        except BadRow as bad:
            return bad


@dataclass
class Plan:
    """`counts`: rows by provider, owner, method and what they become. `problems`: sentences; while there are any, nothing is written.
    `bad`: places of the rows they are about. `further`: of placing.Placing."""

    rows: int = 0
    counts: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)
    further: set[str] = field(default_factory=set)
    repeated: set[str] = field(default_factory=set)
    disconnected: int = 0
    unfinished: bool = False
    """It is an export that has not come to its end."""

    @property
    def to_import(self) -> int:
        return self.rows - len(self.bad) - len(self.repeated) - self.disconnected

    def lines(self) -> list[str]:
        """For a person. Ends with what stands in the way."""
        width = max((len(each[0]) for each in self.counts), default=8)
        said = [f"{self.rows} rows: {self.to_import} to import, {len(self.bad)} with problems, {len(self.repeated)} repeated, {self.disconnected} disconnected there and left out"]
        said += [f"  {provider:<{width}}  {shape:<20}  {method:<18}  {state:<21}  {count}" for (provider, shape, method, state), count in sorted(self.counts.items())]
        said += [f"PROBLEM  {sentence}" for sentence in self.problems[:NAMED]]
        if len(self.problems) > NAMED:
            said.append(f"PROBLEM  … and {len(self.problems) - NAMED} more, in the report")
        return said

    def _wrong(self, where: str, sentence: str) -> None:
        self.problems.append(sentence)
        self.bad.add(where)


def plan(source: Source, registered: "Registered", *, taking_over: bool) -> Plan:
    """Reads the file once. Raises StepFailed."""
    made = Plan()
    seen: dict[str, tuple[str, tuple[str, Owner]]] = {}
    first: dict[tuple[str, Owner], tuple[datetime | None, str]] = {}
    told: Counter[str] = Counter()
    if taking_over and source.export is not None and source.export.about.get("hand_over") and not source.export.ended:
        made.unfinished = True
        made.problems.append("This export has not come to its end: some of its grants may not be handed over yet. Run the same export again; it goes on where it stopped.")
    for row in source.rows():
        made.rows += 1
        if isinstance(row, BadRow):
            made._wrong(str(row).split(":")[0], str(row))
            continue
        if row.disconnected:
            made.disconnected += 1
            continue
        wrong = registered.wrong(row) or (_not_let_go(row) if taking_over else None)
        if wrong is not None:
            told[wrong] += 1
            made.bad.add(row.where)
            if told[wrong] == 1:  # one cause of many rows is said once, with their number
                made.problems.append(f"{row.where}: {wrong}")
            continue
        place = (row.slug, row.owner)
        if row.held is not None:
            digest = ids.digest(row.held.reveal())
            if digest in seen:
                where, other = seen[digest]
                if other == place and row.auth_method != "api_key":
                    made.repeated.add(row.where)
                    continue
                if row.rotates:
                    made._wrong(row.where, f"{row.where}: refresh_token: is the one of {where} too. Two connections that use one grant would end it for both.")
                    continue
            seen.setdefault(digest, (row.where, place))
        made.counts[(row.slug, row.shape, row.auth_method, row.state)] += 1
        if row.role is None:
            _order(made, first, place, row)
    made.problems = [f"{sentence} ({count} rows)" if (count := told[sentence.partition(": ")[2]]) > 1 else sentence for sentence in made.problems]
    return made


def _order(made: Plan, first: dict[tuple[str, Owner], tuple[datetime | None, str]], place: tuple[str, Owner], row: Row) -> None:
    """Which of an owner's rows is the first: the oldest, or where they do not tell, the first in the file."""
    before = first.get(place)
    if before is None:
        first[place] = (row.created_at, row.where)
    elif before[0] and row.created_at and row.created_at < before[0]:
        made.further.add(before[1])
        first[place] = (row.created_at, row.where)
    else:
        made.further.add(row.where)


def _not_let_go(row: Row) -> str | None:
    if row.handed_over is False and row.rotates:
        return "this grant was exported without --hand-over, so the stage it comes from goes on refreshing it. Export with --hand-over, or import with --shadow."
    return None


class Registered:
    """What is wrong with a row before anybody is asked about it: each provider and set of config values is looked up once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[object, tuple[Registration | None, str | None]] = {}
        self._configs: dict[object, str | None] = {}

    def fitted(self, row: Row) -> Row:
        """Of a system that keeps more than a provider has fields for: what it has fields for."""
        registration, _ = self._of(row)
        if registration is None:
            return row
        provider = self._engine.registrations.provider(registration)
        told, fields = row.brought.metadata, {field.name for field in provider.config}
        config = {name: value for name, value in row.brought.config.items() if name in fields}
        metadata = {name: told[path] for name, path in provider.metadata.items() if path in told}
        return replace(row, brought=replace(row.brought, config=config, metadata=metadata))

    def wrong(self, row: Row) -> str | None:
        registration, wrong = self._of(row)
        if registration is None or wrong is not None:
            return wrong
        if row.auth_method not in registration.auth_methods:
            return f"'{row.slug}' is configured for {', '.join(registration.auth_methods)}, not for {row.auth_method}. Add it with PUT /data-integrations/{row.slug} {{\"auth_methods\": […]}}."
        if row.auth_method == "client_credentials" and not registration.enabled:
            return f"'{row.slug}' is not enabled. Enable it with PUT /data-integrations/{row.slug} {{\"enabled\": true}}."
        key = (registration.id, registration.organization_id, row.auth_method, row.brought.refresh_token is None, *sorted(row.brought.config.items()))
        if key not in self._configs:
            self._configs[key] = self._unusable(row, registration)
        return self._configs[key]

    def _of(self, row: Row) -> tuple[Registration | None, str | None]:
        key = (row.slug, row.owner.ownership, row.owner.organization_id)
        if key not in self._known:
            try:
                self._known[key] = (self._engine.registrations.for_owner(row.slug, row.owner), None)
            except NotFound as error:
                hint = f" If '{row.provider}' has another name here, say --map {row.provider}=…" if row.slug == row.provider else ""
                self._known[key] = (None, f"provider: {error.message}{hint}")
        return self._known[key]

    def _unusable(self, row: Row, registration: Registration) -> str | None:
        """Missing credentials, or config values that are missing or may not be."""
        registrations = self._engine.registrations
        try:
            registrations.check_config(registration, row.brought.config)
            if row.auth_method != "oauth" or row.brought.refresh_token is not None:
                registrations.effective(registration, row.brought.config, method=row.auth_method)
        except StandpipeError as error:
            return f"{'config' if error.status == 422 else 'provider'}: {error.message}"
        return None
