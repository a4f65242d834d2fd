"""Answers held against GET /openapi.json, more strictly than it says: an answer has no field that is not in the file."""

import copy
from typing import Any

from jsonschema import Draft202012Validator

from tests.web.gateway import Answer, Gateway


class Document:
    """The file of a stage; `seen` says which operations were answered how."""

    def __init__(self, whole: dict[str, Any]) -> None:
        self.whole = whole
        self._strict = _without_more(copy.deepcopy(whole))
        self.seen: dict[tuple[str, str], set[int]] = {}

    @property
    def operations(self) -> set[tuple[str, str]]:
        return {(method.upper(), path) for path, methods in self.whole["paths"].items() for method in methods}

    def problems(self, method: str, path: str, answer: Answer) -> list[str]:
        """What of an answer of this operation is not as the file says."""
        self.seen.setdefault((method, path), set()).add(answer.status)
        operation = self._strict["paths"][path][method.lower()]
        documented = operation["responses"].get(str(answer.status))
        if documented is None:
            return [f"{method} {path}: {answer.status} is not documented: {answer.text[:200]}"]
        documented = self._resolved(documented)
        found = [
            f"{method} {path} {answer.status}: no header {name}" for name, header in documented["headers"].items() if self._resolved(header).get("required") and name.lower() not in answer.headers
        ]
        content = documented.get("content")
        if content is None:
            return found + ([f"{method} {path} {answer.status}: a body, {answer.text[:100]}"] if answer.body else [])
        schema = {**content["application/json"]["schema"], "components": self._strict["components"]}
        wrong = Draft202012Validator(schema).iter_errors(answer.json())
        return found + [f"{method} {path} {answer.status}: {error.json_path} {error.message[:300]}" for error in wrong]

    def _resolved(self, given: dict[str, Any]) -> Any:
        if "$ref" not in given:
            return given
        target: Any = self._strict
        for part in given["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return target


class Watched(Gateway):
    """A gateway whose answers of documented operations are held against the file; `problems` are to be empty in the end."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document, self.problems, self.answered = document, list[str](), list[tuple[str, Answer]]()

    def __call__(self, method: str, target: str, **more: Any) -> Answer:
        answer = super().__call__(method, target, **more)
        found = self.resource(method, target.split("?")[0])
        self.answered.append((found[0] if found else "", answer))
        if found is not None and (method, found[0]) in self.document.operations:
            self.problems += self.document.problems(method, found[0], answer)
        return answer


def _without_more(node: Any) -> Any:
    """Closes every object that names its properties."""
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _without_more(child)
    if isinstance(node, dict) and isinstance(node.get("properties"), dict) and "additionalProperties" not in node:
        node["additionalProperties"] = False
    return node
