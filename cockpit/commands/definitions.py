"""The definitions as commands use and print them: those that stand, and the history of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from callbacks.entry import entry
from callbacks.language import Language, load_texts
from cockpit.commands.common import err, print_table
from metrics.model import THEMES, Catalogue, Indicator
from metrics.rule_rows import CONFIRMED
from metrics.standing import standing
from warehouse.base.errors import QueryError
from warehouse.base.periods import month_label
from warehouse.contracts import Contract
from warehouse.store import Store

ATOM_COLUMNS = ("atom", "kind", "unit", "theme", "value", "where", "sources")
LANGUAGES = ("zh", "en")
TO_VERIFY = {"zh": "（待核实）", "en": " (to be verified)"}
"""Said behind a hint whose rule is recalled, from practice or of this project."""


def standing_definitions(place: Store) -> Catalogue:
    """Return the definitions in force; faults of those that were to take their place are told beside the answer."""
    found = standing(place)
    if found.faults:
        err.print(
            f"指标定义有 {len(found.faults)} 处错误，沿用上次正确的定义。The definitions have {len(found.faults)} fault(s); the last "
            "good ones are used. See: cockpit indicators check", markup=False,
        )  # fmt: skip
    return found.catalogue


def history(item: Indicator) -> list[dict[str, Any]]:
    """Return every version of an indicator with its months (half-open), formula, document and fingerprint."""
    rows = [
        (month_label(v.from_m) if v.from_m else None, month_label(v.to_m), v.written, v.indicator) for v in item.earlier
    ]
    begun = month_label(item.earlier[-1].to_m) if item.earlier else item.since
    return [
        {"from": start, "to": end, "value": written, "unit": one.unit, "basis": one.basis.zh, "basis_en": one.basis.en,
         "fingerprint": one.fingerprint}
        for start, end, written, one in (*rows, (begun, None, item.value, item))
    ]  # fmt: skip


def told_beside(item: Indicator) -> dict[str, Any]:
    """Return what a page of the handbook says beside formula, unit and basis."""
    example = item.example
    verify = TO_VERIFY if item.evidence not in CONFIRMED else {"zh": "", "en": ""}
    return {
        "theme": item.theme,
        "owner": item.owner,
        "hint": None if item.hint is None else {"zh": item.hint.zh + verify["zh"], "en": item.hint.en + verify["en"]},
        "to_verify": item.evidence not in CONFIRMED,
        "since": item.since,
        "example": None if example is None else {
            "grain": example.grain, "period": example.period, "expect": example.expect,
            "atoms": {atom: {month: str(figure) for month, figure in months.items()} for atom, months in example.atoms.items()},
            **({"parts": {
                atom: {part: {month: str(figure) for month, figure in months.items()} for part, months in each.items()}
                for atom, each in example.parts.items()
            }, "part": example.part} if example.parts else {}),
        },
        "calibers": [{"caliber": f.caliber, "value": f.value, "basis": f.basis.zh, "grains": list(f.grains)} for f in item.forms],
    }  # fmt: skip


def print_by_theme(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print indicators theme by theme, with how many of them have what they need."""
    words = Language("zh", load_texts("zh"))
    for theme in THEMES:
        inside = [row for row in rows if row["theme"] == theme]
        if not inside:
            continue
        sourced = sum(bool(row["has_source"]) for row in inside)
        known = any(row["has_source"] is not None for row in inside)
        print(f"\n{words.say(f'theme.{theme}')} {theme}: {f'{sourced}/' if known else ''}{len(inside)}")
        marked = [{**row, "source": {True: "✓", False: "no_source", None: ""}[row["has_source"]]} for row in inside]
        print_table(marked, ("id", "title", "title_en", "unit", "better", "source"))


def print_entry(item: Indicator, catalogue: Catalogue, contracts: Mapping[str, Contract], language: str) -> None:
    """Print the page of the handbook of one indicator."""
    if language not in LANGUAGES:
        raise QueryError(f"'{language}' is no language of the handbook.", f"use {' or '.join(LANGUAGES)}")
    found = entry(item, catalogue, contracts, Language(language, load_texts(language)))
    print(f"{found.title}  {found.id}  {found.unit}\n")
    for part in found.parts:
        told = " ".join(part.lines)
        if "\n" in part.code:
            print(f"{part.title}: {told}\n\n{part.code}\n")
            continue
        print(f"{part.title}: {told}{part.code}")
        if part.table:
            heads, *lines = part.table
            print_table([dict(zip(heads, line, strict=True)) for line in lines], heads)
    print(f"fingerprint: {item.fingerprint}")


def atom_rows(catalogue: Catalogue, word: str) -> list[dict[str, Any]]:
    """Return the atoms whose name, source or theme has a word in it, as a writer of a formula needs them."""
    rows = [
        {
            "atom": atom.name,
            "kind": atom.over_time,
            "unit": atom.unit,
            "theme": atom.theme,
            "value": atom.leaf or "; ".join(part.value for part in atom.parts),
            "where": "; ".join(part.where for part in atom.parts if part.where),
            "sources": ", ".join(atom.sources),
        }
        for atom in catalogue.atoms.values()
    ]
    sought = word.casefold()
    return [row for row in rows if any(sought in row[key].casefold() for key in ("atom", "theme", "sources"))]
