"""One thing found about a store, in both languages, with what to do."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, the value, what would be right, and what to do."""

    code: str
    severity: Severity
    where: str
    value: str
    expected: str
    zh: str
    en: str
    do_zh: str
    do_en: str


@cache
def _texts() -> dict[str, dict[str, Any]]:
    return tomllib.loads((resources.files("warehouse.health") / "findings.toml").read_text(encoding="utf-8"))


def codes() -> tuple[str, ...]:
    """Return every code the doctor knows."""
    return tuple(_texts())


def finding(code: str, where: object, value: object = "", expected: object = "") -> Finding:
    """Return a finding; the same fault always reads the same."""
    text = _texts()[code]
    values = {"where": str(where), "value": str(value), "expected": str(expected)}
    said = {name: text[name].format(**values) for name in ("zh", "en", "do_zh", "do_en")}
    return Finding(code, text["severity"], **values, **said)
