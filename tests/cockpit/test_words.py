"""Tables and lines for people follow $COCKPIT_LANGUAGE; both languages have every line and the same places to fill."""

from __future__ import annotations

import tomllib
from importlib import resources
from string import Formatter

import pytest

from cockpit.commands.words import headings, line

TEXTS = tomllib.loads((resources.files("cockpit") / "commands" / "words.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(TEXTS["line"]))
def test_a_line_has_both_languages_with_the_same_places(name: str) -> None:
    places = [
        {field for _, field, _, _ in Formatter().parse(TEXTS["line"][name][code]) if field} for code in ("zh", "en")
    ]
    assert places[0] == places[1]


def test_the_language_of_the_deployment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COCKPIT_LANGUAGE", raising=False)
    assert (headings(["period", "due"]), line("none")) == (["期间", "应报"], "无")
    monkeypatch.setenv("COCKPIT_LANGUAGE", "en")
    assert (headings(["period", "due"]), line("none")) == (["period", "due"], "none")
