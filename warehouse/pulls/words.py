"""The sentences of pulls, in both languages, from the catalogue `words.toml` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from warehouse.base.errors import RefusedInput


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    return tomllib.loads((resources.files("warehouse.pulls") / "words.toml").read_text(encoding="utf-8"))


def codes() -> tuple[str, ...]:
    """Return every code that has a sentence."""
    return tuple(sorted(_catalogue()))


def sentence(code: str, **values: object) -> dict[str, str]:
    """Return a sentence in both languages."""
    return {language: _catalogue()[code][language].format(**values) for language in ("zh", "en")}


def refusal(code: str, **values: object) -> RefusedInput:
    """Return the error of something that cannot be pulled, in both languages, with what to do."""
    text = {name: said.format(**values) for name, said in _catalogue()[code].items()}
    return RefusedInput(f"{text['zh']} {text['en']}", f"{text['do_zh']} · {text['do_en']}")
