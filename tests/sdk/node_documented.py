"""What the installed @workos-inc/node says it can do with Pipes: options from its type declarations, errors from its documentation, paths from its code.

Rule: read from the package's files, so that an option or a method of a newer version is noticed and not overlooked.
"""

import re
from dataclasses import dataclass
from pathlib import Path

CLASSES = {"pipes": "Pipes", "widgets": "Widgets", "events": "Events", "webhooks": "Webhooks"}
OURS = re.compile(r"[`\"'](?:/data-integrations|/widgets/|/events|/webhook_endpoints)|/connected_accounts/|/data_providers|/data_integration_configurations")
HOME = {f"src/{resource}/{resource}.ts" for resource in CLASSES}


@dataclass(frozen=True)
class Method:
    """`options` None: the declarations do not say. `errors`: statuses it documents."""

    options: frozenset[str] | None
    errors: frozenset[int]


class Package:
    def __init__(self, folder: Path) -> None:
        (types,) = folder.glob("lib/factory-*.d.mts")
        (code,) = folder.glob("lib/factory-*.mjs")
        self._types, self._code = types.read_text(), code.read_text()

    def methods(self) -> dict[str, Method]:
        """Methods that make requests."""
        found = {}
        for resource, name in CLASSES.items():
            declared = re.sub(r"/\*\*.*?\*/", "", self._block(self._types, f"declare class {name} {{"), flags=re.S)
            for method, options in re.findall(r"\n  (\w+)\(options\??: (\w+)\): Promise", declared):
                documented = re.search(rf"/\*\*((?:(?!\*/).)*)\*/\s*async {method}\(", self._block(self._code, f"var {name} = class"), re.S)
                errors = {int(status) for status in re.findall(r"@throws \{\w+\} (\d+)", documented.group(1) if documented else "")}
                found[f"{resource}.{method}"] = Method(self._options(options), frozenset(errors | {401, 429, 500}))
        return found

    def elsewhere(self) -> set[str]:
        """Source files beside the four whose requests go to paths that are served here."""
        regions = re.findall(r"//#region (src/\S+)\n(.*?)//#endregion", self._code, re.S)
        return {name for name, text in regions if name not in HOME and any(OURS.search(line) and ("this.workos." in line or "fetchAndDeserialize(" in line) for line in text.splitlines())}

    def _options(self, name: str) -> frozenset[str] | None:
        declared = re.search(rf"\ninterface {name}(?: extends ([\w, ]+))? \{{\n(.*?)\n\}}", self._types, re.S)
        if declared is None:
            aliased = re.search(rf"\ntype {name} = (\w+);", self._types)
            return self._options(aliased.group(1)) if aliased else None
        own = frozenset(re.findall(r"^  (\w+)\??:", re.sub(r"/\*\*.*?\*/", "", declared.group(2), flags=re.S), re.M))
        above = [self._options(parent.strip()) for parent in (declared.group(1) or "").split(",") if parent.strip()]
        return None if None in above else own.union(*(each for each in above if each))

    @staticmethod
    def _block(text: str, start: str) -> str:
        begin = text.index(start)
        return text[begin : text.index("//#endregion", begin)]
