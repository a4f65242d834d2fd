"""What an installed `workos` package says it can do with Pipes: read from the package, so that nothing of it can be left out.

Rule: no imports of ours and none but the standard library and `workos`, whichever version is installed: older ones are read in a process of their own.
"""

import inspect
import re
from dataclasses import dataclass
from typing import Any

RESOURCES = ("pipes", "pipes_provider", "widgets", "events", "webhooks")
# A path that starts so, or holds one of these segments, is served here.
STARTS = ("data-integrations", "widgets", "events", "webhook_endpoints")
SEGMENTS = ("connected_accounts", "data_providers", "data_integration_configurations")
NOT_OURS = {"request_options"}  # tried by the tests of retries


@dataclass(frozen=True)
class Method:
    """One public method. `errors`: class name -> status as its documentation says (5xx is 500)."""

    name: str
    parameters: frozenset[str]
    errors: dict[str, int]


def methods(client: Any) -> dict[str, Method]:
    """`pipes.get_access_token` and the like, with what they document."""
    found = {}
    for resource in RESOURCES:
        held = getattr(client, resource, None)
        if held is None:
            continue
        for name, function in inspect.getmembers(type(held), inspect.isfunction):
            if not name.startswith("_"):
                parameters = frozenset(inspect.signature(function).parameters) - {"self"} - NOT_OURS
                errors = {kind: int(status) for kind, status in re.findall(r"(\w+Error): [^\n]*?\((\d{3})\)", inspect.getdoc(function) or "")}
                if "ServerError" in (inspect.getdoc(function) or ""):
                    errors["ServerError"] = 500
                found[f"{resource}.{name}"] = Method(f"{resource}.{name}", parameters, errors)
    return found


def elsewhere(client: Any) -> set[str]:
    """Methods of other resources whose paths are served here: there are none, and a version that adds one is noticed."""
    found = set()
    for resource in dir(client):
        held = None if resource.startswith("_") else getattr(client, resource)
        if resource in RESOURCES or not type(held).__module__.startswith("workos."):
            continue
        for name, function in inspect.getmembers(type(held), inspect.isfunction):
            text = inspect.getsource(function)
            starts = re.findall(r"path=\(\s*\"([^\"]+)\"", text)
            if any(start in STARTS for start in starts) or any(f'"{segment}"' in text for segment in SEGMENTS):
                found.add(f"{resource}.{name}")
    return found
