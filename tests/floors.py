"""The architecture as rules over the syntax tree: who may import whom, and which door owns which library.

Each rule is a function (path, tree) -> sentences, so that `test_floors.py` can feed it a tiny bad source and see it fire.
"""

import ast
import re
from collections.abc import Callable, Iterator

PACKAGE = "chalicelib"
FLOORS = {"domain": 0, "providers": 1, "doors": 2, "engine": 3, "wiring": 4, "web": 5}
SIMULATOR_MAY_IMPORT = {"domain", "providers", "doors", "simulator"}
MAY_IMPORT_SIMULATOR = {"wiring", "web", "simulator"}
MAX_LINES = 300

# Library -> the only files or folders that know it.
DOORS: dict[str, tuple[str, ...]] = {
    "requests": ("doors/http.py",),
    "urllib3": ("doors/http.py",),
    "requests_hardened": ("doors/http.py",),
    "aws_encryption_sdk": ("doors/crypto.py",),
    "boto3": ("wiring/",),
    "botocore": ("doors/", "wiring/"),
    "chalice": ("app.py", "web/"),
}
ENVIRONMENT = ("domain/settings.py",)
CLOCK = ("wiring/",)
STOPWATCH = ("doors/http.py", "wiring/", "web/edge.py")
# Where a secret is taken out of its wrapper, and why it has to be.
REVEALS = {
    "domain/tokens.py": "the payload that is sealed, and whether a token is the one it was",
    "doors/oauth.py": "what is sent to the provider it belongs to",
    "engine/configuring.py": "a client secret on its way into the sealer",
    "engine/exchange.py": "the digest of a refresh token, to tell who holds it",
    "engine/installations.py": "the digest of a refresh token, to tell who holds it",
    "engine/widget_tokens.py": "the key that signs and verifies widget tokens",
    "web/organizations_api.py": "the widget token that was asked for",
    "doors/webhook_calls.py": "the signature made with a webhook secret",
    "doors/webhooks.py": "a webhook secret on its way into the sealer",
    "web/dashboard_events.py": "the answer in which a new webhook secret leaves",
    "web/webhooks_api.py": "the answer in which a new webhook secret leaves",
    "web/wire.py": "the one answer in which an access token leaves",
}
_SECRET_NAME = re.compile(r"secret|token|digest|verifier|challenge|csrf|signature", re.IGNORECASE)

Rule = Callable[[str, ast.Module], Iterator[str]]


def place(path: str) -> str | None:
    """The floor (or `app`, `simulator`, `root`) a file is on; None if it is on none. Paths are relative to the package, `app.py` is itself."""
    if path == "app.py":
        return "app"
    if path == "__init__.py":
        return "root"
    head = path.split("/")[0].removesuffix(".py")
    return head if head in FLOORS or head == "simulator" else None


def imports_go_down(path: str, tree: ast.Module) -> Iterator[str]:
    here = place(path)
    for module in _imported(tree, skip_typing=here == "wiring"):
        if module.split(".")[0] != PACKAGE:
            continue
        there = place("/".join(module.split(".")[1:]) + ".py") or "root"
        if not _may_import(here, there):
            yield f"imports {module}: {here} may not know {there}"


def is_on_a_floor(path: str, _tree: ast.Module) -> Iterator[str]:
    if place(path) is None:
        yield "is on no floor"


def libraries_stay_behind_their_door(path: str, tree: ast.Module) -> Iterator[str]:
    for module in _imported(tree):
        door = DOORS.get(module.split(".")[0])
        if door is not None and not _within(path, door):
            yield f"imports {module}, which only {' and '.join(door)} may"


def environment_is_read_once(path: str, tree: ast.Module) -> Iterator[str]:
    names = {"environ", "environb", "getenv", "getenvb"}
    for node in ast.walk(tree):
        if (isinstance(node, ast.Attribute) and node.attr in names and _text(node.value) == "os") or (
            isinstance(node, ast.ImportFrom) and node.module == "os" and names & {a.name for a in node.names}
        ):
            if not _within(path, ENVIRONMENT):
                yield f"line {node.lineno} reads the environment"


def clock_is_an_argument(path: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        name = _text(node) if isinstance(node, ast.Attribute) else ""
        if re.fullmatch(r"(datetime\.)?(datetime|date)\.(now|utcnow|today)|time\.(time|time_ns|localtime|gmtime)", name) and not _within(path, CLOCK):
            yield f"line {node.lineno} reads the clock with {name}"
        if re.fullmatch(r"time\.(monotonic|monotonic_ns|perf_counter|sleep)", name) and not _within(path, STOPWATCH):
            yield f"line {node.lineno} uses {name}"
        if isinstance(node, ast.ImportFrom) and node.module == "time" and not _within(path, CLOCK):
            yield f"line {node.lineno} imports from time, which hides the clock from this rule"


def secrets_are_revealed_where_listed(path: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("reveal", "_value") and path not in (*REVEALS, "domain/secret.py"):
            yield f"line {node.lineno} takes a secret out of its wrapper"


def secrets_are_not_compared_with_equals(_path: str, tree: ast.Module) -> Iterator[str]:
    """R24. A comparison with a literal is of a word of ours (`scope.token == "user"`), not of a secret."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or not any(isinstance(op, (ast.Eq, ast.NotEq)) for op in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) for side in sides):
            continue
        for side in sides:
            called = side.func if isinstance(side, ast.Call) else side
            if _SECRET_NAME.search(_text(called).split(".")[-1]):
                yield f"line {node.lineno} compares {_text(called)} with == or !=: use hmac.compare_digest"


def no_provider_by_name(slugs: tuple[str, ...]) -> Rule:
    word = re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, slugs))})(?![a-z0-9])", re.IGNORECASE)

    def rule(path: str, tree: ast.Module) -> Iterator[str]:
        if place(path) in ("providers", "simulator"):
            return
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose and word.search(node.value):
                yield f"line {node.lineno} names a provider: {node.value!r}"

    return rule


def _imported(tree: ast.Module, *, skip_typing: bool = False) -> Iterator[str]:
    """Every module a file imports, at any depth; `from a import b` counts as a and as a.b, because b may be a module."""
    skipped = {id(inner) for node in ast.walk(tree) if skip_typing and isinstance(node, ast.If) and _text(node.test).endswith("TYPE_CHECKING") for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            # Relative imports are not used here; one would escape these rules, so it is reported as going nowhere allowed.
            yield from (f"{PACKAGE}.relative" if node.level else f"{base}.{alias.name}" if base == PACKAGE else base for alias in node.names)


def _may_import(here: str | None, there: str) -> bool:
    if here is None or there == "root":
        return False
    if there == "simulator":
        return here in MAY_IMPORT_SIMULATOR
    if here == "simulator":
        return there in SIMULATOR_MAY_IMPORT
    return here == "app" or (here in FLOORS and FLOORS[there] <= FLOORS[here])


def _within(path: str, allowed: tuple[str, ...]) -> bool:
    return any(path == each or (each.endswith("/") and path.startswith(each)) for each in allowed)


def _text(node: ast.AST) -> str:
    """`a.b.c` of a name or attribute chain, else ''."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_text(node.value)}.{node.attr}"
    return ""
