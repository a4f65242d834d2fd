"""The vocabulary's page knows every word of a provider file, and every word it explains is one."""

import re
from pathlib import Path

import pytest

from chalicelib.providers import catalogue, quirks, sections, spec

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "providers.md").read_text("utf-8")
SECTIONS: dict[str, type[sections.Row]] = {
    "Top level": spec.Provider,
    "`[authorization]`": spec.Authorization,
    "`[token]`": spec.Token,
    "`[client_credentials]`": spec.ClientCredentials,
    "`[api_key]`": spec.ApiKeyMethod,
    "`[api_key.verify]`": spec.Verify,
    "`[revocation]`": spec.Revocation,
    "`[lifetimes]`": spec.Lifetimes,
    "`[identity]`": spec.Identity,
    "`[[scopes]]`": spec.Scope,
    "`[[config]]`": spec.ConfigField,
}


def first_cells(heading: str) -> set[str]:
    """The words in the first column of the tables below a heading."""
    section = re.split(r"\n#{2,3} ", PAGE.split(f"\n### {heading}\n", 1)[1])[0]
    return {word for row in re.findall(r"^\| (`[^|]*`) \|", section, re.MULTILINE) for word in re.findall(r"`([^`]+)`", row)}


def test_every_model_of_the_vocabulary_has_a_section() -> None:
    assert set(SECTIONS.values()) == set(sections.Row.__subclasses__())


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_words_of_a_section_are_the_fields_of_its_model(heading: str) -> None:
    assert first_cells(heading) == set(SECTIONS[heading].model_fields)


def test_every_quirk_and_every_provider_is_told_of() -> None:
    assert [name for name in (*quirks.QUIRKS, *catalogue.slugs()) if f"| `{name}` |" not in PAGE] == []
