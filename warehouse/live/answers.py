"""What a sender is told: one sentence in both languages for each row that was not taken and each refused request."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

LONGEST_SHOWN = 60


@dataclass(eq=False)
class Refusal(Exception):
    """Why a row or a request is not taken."""

    code: str
    value: str = ""
    hint: str = ""

    def words(self) -> dict[str, str]:
        """Return the sentence in both languages."""
        return sentence(self.code, self.value, self.hint)


@cache
def _catalogue() -> dict[str, Any]:
    text = (resources.files("warehouse.live") / "answers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def sentence(code: str, value: str = "", hint: str = "") -> dict[str, str]:
    """Return a sentence of the catalogue in both languages."""
    shown = value if len(value) <= LONGEST_SHOWN else f"{value[: LONGEST_SHOWN - 1]}…"
    return {language: text.format(value=shown, hint=hint) for language, text in _catalogue()[code].items()}


def codes() -> tuple[str, ...]:
    """Return every code that has a sentence."""
    return tuple(sorted(_catalogue()))
