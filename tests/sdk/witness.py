"""Stands between a test and a client: every call is noted with its parameters and its end, so that the tests can tell what they have not tried.

Rule: it hands on what it is given and returns what the client returned; an async client's answers are awaited on the way.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from workos._errors import APIError  # the one class above all of its own, not named at the top

from tests.sdk.documented import Method, methods


@dataclass
class Seen:
    """Of one method: parameters of calls that succeeded, classes and statuses of those that failed."""

    worked: int = 0
    parameters: set[str] = field(default_factory=set)
    errors: set[tuple[str, int]] = field(default_factory=set)

    def notes(self, documented: Method) -> str:
        """For the table."""
        seen = sorted({status for kind, status in self.errors if documented.errors.get(kind) == status or (kind, status // 100) == ("ServerError", 5)} & {*documented.errors.values()})
        absent = sorted({*documented.errors.values()} - set(seen))
        also = sorted({status for _, status in self.errors} - {*documented.errors.values()} - {503})
        parts = [f"{len(documented.parameters)} parameters" if len(documented.parameters) != 1 else "1 parameter"]
        if seen:
            parts.append("errors " + " ".join("5xx" if status == 500 else str(status) for status in seen))
        if also:
            parts.append("also " + " ".join(map(str, also)))
        if absent:
            parts.append("not met: " + " ".join(map(str, absent)))
        return "; ".join(parts)


class Ledger:
    """What was seen of one client, over all tests."""

    def __init__(self, client: Any) -> None:
        self.documented = methods(client)
        self.seen = {name: Seen() for name in self.documented}

    def untried(self) -> dict[str, set[str]]:
        """Methods that never succeeded, and parameters that were in no call that did."""
        never = {name: {"(never succeeded)"} for name, seen in self.seen.items() if not seen.worked}
        missing = {name: set(self.documented[name].parameters - seen.parameters) for name, seen in self.seen.items() if seen.worked}
        return {**never, **{name: left for name, left in missing.items() if left}}


class Witness:
    """A client whose calls are noted: `witness.pipes.get_access_token(...)` as on the client itself."""

    def __init__(self, client: Any, ledger: Ledger, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.client, self._ledger, self._loop = client, ledger, loop

    def __getattr__(self, resource: str) -> "_Resource":
        return _Resource(self, resource, getattr(self.client, resource))

    def call(self, method: str, *given: Any, **named: Any) -> Any:
        """By the name of `documented.methods`."""
        resource, name = method.split(".")
        return getattr(getattr(self, resource), name)(*given, **named)

    def every(self, page: Any) -> list[Any]:
        """All items of all pages, by the client's own paging."""
        if self._loop is None:
            return list(page.auto_paging_iter())

        async def collect() -> list[Any]:
            return [each async for each in page.auto_paging_iter()]

        return self._there(collect())

    def settle(self, result: Any) -> Any:
        """What an async client returned, once it is there."""
        return self._there(result) if asyncio.iscoroutine(result) else result

    def _there(self, coroutine: Any) -> Any:
        """By the loop's own thread: in this one a browser of other tests may have a loop that runs."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def run(self, method: str, function: Any, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        seen = self._ledger.seen[method]
        try:
            result = self.settle(function(*given, **named))
        except APIError as error:
            seen.errors.add((type(error).__name__, error.status_code or 0))
            raise
        seen.worked += 1
        positional = list(_order(function))[: len(given)]
        seen.parameters |= {*named, *positional} & self._ledger.documented[method].parameters
        return result


class _Resource:
    def __init__(self, witness: Witness, name: str, held: Any) -> None:
        self._witness, self._name, self._held = witness, name, held

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._held, name)

        def call(*given: Any, **named: Any) -> Any:
            return self._witness.run(f"{self._name}.{name}", function, given, named)

        return call


def _order(function: Any) -> Iterator[str]:
    code = function.__func__.__code__
    return iter(code.co_varnames[1 : code.co_argcount])
