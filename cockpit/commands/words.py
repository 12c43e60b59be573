"""Words of the commands in the language of the deployment: $COCKPIT_LANGUAGE, zh or en."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal

from cockpit.settings import Settings


def language() -> Literal["zh", "en"]:
    """Return the language tables and lines for people are printed in."""
    return Settings().language


def headings(names: Iterable[str]) -> list[str]:
    """Return what stands above columns; in English the name of the column itself."""
    words = _texts()["column"] if language() == "zh" else {}
    return [words.get(name, name) for name in names]


def line(name: str, **values: Any) -> str:
    """Return a line or a word of it."""
    text: str = _texts()["line"][name][language()]
    return text.format(**values)


@cache
def _texts() -> Mapping[str, Any]:
    return tomllib.loads((resources.files("cockpit") / "commands" / "words.toml").read_text(encoding="utf-8"))
