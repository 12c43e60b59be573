"""Sentences for faults, in Chinese and English, from the catalogue `faults.toml` beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any, Literal

from warehouse.readers.faults import Fault
from warehouse.readers.units import find_unit, suggest_units

Language = Literal["zh", "en"]

LONGEST_SHOWN = 80


def message(fault: Fault, lang: str) -> str:
    """What is wrong, where, the value, and what would be right, in one or two whole sentences."""
    language: Language = "zh" if lang.startswith("zh") else "en"
    texts = catalogue().get(fault.code) or catalogue()["unspecified"]
    words = {
        "where": place(fault, language),
        "table": place(replace(fault, row=None, column=None), language),
        "column": fault.column or "",
        "value": _shown(fault.value),
        "hint": _hint(fault, language),
    }
    sentence = texts[language].format_map(words)
    if words["hint"] and f"{language}_hint" in texts:
        gap = "" if language == "zh" else " "
        sentence += gap + texts[f"{language}_hint"].format_map(words)
    return sentence if sentence.startswith(fault.file) else sentence[0].upper() + sentence[1:]


def codes() -> tuple[str, ...]:
    """All codes that have sentences of their own."""
    return tuple(sorted(catalogue()))


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """The sentences by code; the names of strange kinds of file are kept apart in `kinds`."""
    found = _read()
    return {code: texts for code, texts in found.items() if code != "kinds"}


@cache
def kinds() -> Mapping[str, Mapping[str, str]]:
    """What a file that is no table is called in each language."""
    found: Mapping[str, Mapping[str, str]] = _read()["kinds"]
    return found


def _read() -> dict[str, Any]:
    text = (resources.files("warehouse.readers") / "faults.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def place(fault: Fault, language: Language) -> str:
    """File, sheet, row and column, as far as the fault knows them."""
    if language == "zh":
        parts = (
            f"《{fault.file}》",
            f"工作表“{fault.sheet}”" if fault.sheet else "",
            f"第 {fault.row} 行" if fault.row else "",
            f"“{fault.column}”列" if fault.column else "",
        )
        return "".join(parts)
    named = (
        f"column “{fault.column}”" if fault.column else "",
        f"row {fault.row}" if fault.row else "",
        f"sheet “{fault.sheet}”" if fault.sheet else "",
        fault.file,
    )
    return ", ".join(part for part in named if part)


def _shown(value: str | None) -> str:
    text = " ".join((value or "").split())
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _hint(fault: Fault, language: Language) -> str:
    hint = fault.hint or ""
    if fault.code == "not_a_table" and hint in kinds():
        return kinds()[hint][language]
    unit = find_unit(hint) if fault.code == "unknown_unit" else None
    if unit is not None:
        return ("、" if language == "zh" else ", ").join(suggest_units(fault.value or "", unit.dimension))
    return hint
