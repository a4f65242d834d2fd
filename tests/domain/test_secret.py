"""No way of showing an object shows the secret in it (R19)."""

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from chalicelib.domain.secret import Secret
from chalicelib.domain.tokens import AdditionalToken, TokenAnswer, TokenSet
from chalicelib.doors import journal
from chalicelib.doors.oauth import Credentials
from chalicelib.engine.tokens import Live
from tests.domain.samples import CANARY, connection


class Form(BaseModel):
    """As a request body that brings a client secret."""

    client_secret: Secret
    nested: dict[str, Secret] = {}


def secret() -> Secret:
    return Secret(f"{CANARY}-and-more")


def tokens() -> TokenSet:
    return TokenSet(secret(), secret(), {"user": AdditionalToken(secret(), secret())})


HOLDERS: dict[str, Callable[[], Any]] = {
    "Secret": secret,
    "TokenSet": tokens,
    "AdditionalToken": lambda: AdditionalToken(secret(), secret()),
    "TokenAnswer": lambda: TokenAnswer(tokens(), None, 0),
    "Credentials": lambda: Credentials("client", secret()),
    "Live": lambda: Live(connection(), tokens()),
    "Form": lambda: Form(client_secret=secret(), nested={"a": secret()}),
    "list": lambda: [secret()],
    "dict": lambda: {"a": (secret(),)},
}


def _log_record(value: Any) -> str:
    record = logging.LogRecord("standpipe", logging.INFO, __file__, 1, "%s %r", (value, value), None)
    record.extra = value
    return logging.Formatter("%(message)s %(extra)s").format(record)


def _traceback(value: Any) -> str:
    try:
        raise ValueError(value)
    except ValueError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


SHOWN: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "format": lambda v: f"{v} {v!s} {v!r}",
    "percent": lambda v: "%s %r" % ({"a": v}, [v]),  # noqa: UP031
    "ascii": ascii,
    "pprint": pprint.pformat,
    "log record": _log_record,
    "traceback with locals": _traceback,
    "json with default=str": lambda v: json.dumps(v, default=str),
    "dir and slots": lambda v: str(dir(v)) + str(getattr(v, "__dict__", "")),
}
REFUSED: dict[str, Callable[[Any], Any]] = {
    "json": json.dumps,
    "pickle": pickle.dumps,
    "oldest pickle": lambda v: pickle.dumps(v, protocol=0),
    "deep copy": copy.deepcopy,
    "pydantic": lambda v: TypeAdapter(Any).dump_json(v),
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
@pytest.mark.parametrize("make", HOLDERS.values(), ids=HOLDERS)
def test_r19_nothing_that_shows_an_object_shows_its_secret(make: Callable[[], Any], show: Callable[[Any], str]) -> None:
    assert CANARY not in show(make())


@pytest.mark.parametrize("refuse", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("make", HOLDERS.values(), ids=HOLDERS)
def test_r19_what_would_write_a_secret_down_fails_without_it(make: Callable[[], Any], refuse: Callable[[Any], Any]) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each library raises its own
        refuse(make())

    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("dump", [Form.model_dump, Form.model_dump_json, lambda f: f.model_dump(mode="json")], ids=["dump", "json", "json mode"])
def test_r19_a_pydantic_dump_of_a_secret_fails(dump: Callable[[Form], Any]) -> None:
    with pytest.raises(Exception, match="cannot be serialized") as caught:
        dump(HOLDERS["Form"]())

    assert CANARY not in str(caught.value)


def test_r19_a_refused_body_does_not_quote_the_secret() -> None:
    with pytest.raises(ValueError, match="client_secret") as caught:
        Form.model_validate({"client_secret": {"value": 1}})

    assert "Secret(" not in str(caught.value)


def test_r19_the_journal_takes_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TypeError, match="journal"):
        journal.write("x", token=secret())

    assert CANARY not in capsys.readouterr().out


def test_asdict_keeps_the_wrapper() -> None:
    """Or the plain string would be one step further on its way out."""
    with pytest.raises(TypeError, match="pickled"):
        dataclasses.asdict(tokens())


def test_secrets_are_never_equal() -> None:
    """R24: an accidental == is false for everybody, not a timing oracle."""
    assert Secret("a") != Secret("a") and len({Secret("a"), Secret("a")}) == 2


def test_only_reveal_gives_it_back() -> None:
    assert Secret("ünï ✓").reveal() == "ünï ✓"
    assert bool(Secret("a")) and not Secret("")
    with pytest.raises(TypeError, match="holds a str"):
        Secret(b"bytes")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "shown"),
    [("", ""), ("abcd", ""), ("abcdefghijk", ""), ("abcdefghijkl", "ijkl")],
    ids=["empty", "four", "eleven: too short to hide the rest", "twelve"],
)
def test_last_four(value: str, shown: str) -> None:
    assert Secret(value).last_four() == shown


def test_a_form_wraps_what_it_is_given() -> None:
    form = Form.model_validate({"client_secret": "plain"})

    assert isinstance(form.client_secret, Secret) and form.client_secret.reveal() == "plain"
