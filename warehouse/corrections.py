"""Corrections: what a person says a file means where it does not say it itself.

A label is a column, a name is a unit. They belong to one delivery, are kept with its receipt and change no contract:
the next file of the same kind is asked about again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from warehouse.contracts import Contract, normalise_label
from warehouse.names import fold_name
from warehouse.organisations import Directory, Match
from warehouse.reach import EVERYTHING, Reach
from warehouse.readers.raw import RawTable

LEFT_OUT = ""
"""The column a label is given that shall not be read."""


@dataclass(frozen=True)
class Corrections:
    """Labels as the file writes them with the column each is, and names of units with the code of each."""

    columns: Mapping[str, str] = field(default_factory=dict)
    organisations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, data: Mapping[str, Any] | None) -> Corrections:
        """Read what `as_json` wrote; anything that is no text is left out."""
        return cls(_texts(data, "columns"), _texts(data, "organisations"))

    def as_json(self) -> dict[str, dict[str, str]]:
        """Return plain values that say the same."""
        return {"columns": dict(self.columns), "organisations": dict(self.organisations)}

    def __bool__(self) -> bool:
        return bool(self.columns or self.organisations)


@dataclass(frozen=True)
class Advice:
    """What stands beside a delivery: the corrections of the one who hands it in, and for whom they may report."""

    corrections: Corrections = field(default_factory=Corrections)
    reach: Reach = EVERYTHING

    def as_text(self) -> dict[str, Any]:
        """Return what the receipt keeps: without it the same bytes would be read otherwise."""
        return {"corrections": self.corrections.as_json()} if self.corrections else {}


NO_ADVICE = Advice()


def _texts(data: Mapping[str, Any] | None, key: str) -> dict[str, str]:
    found = (data or {}).get(key)
    return {k: v for k, v in found.items() if _is_text(k) and _is_text(v)} if isinstance(found, dict) else {}


def _is_text(value: Any) -> bool:
    """Tell whether a value is a text that can be kept: half a character, which JSON can name, is none."""
    return isinstance(value, str) and not any("\ud800" <= sign <= "\udfff" for sign in value)


def told_apart(labels: Sequence[str]) -> list[str]:
    """Return labels of which none is another's: the second of a name is numbered, a blank one stays blank."""
    given: list[str] = []
    for label in labels:
        name, times = label, 2
        while name and name in given:
            name, times = f"{label} {times}", times + 1
        given.append(name)
    return given


def relabelled(tables: Sequence[RawTable], contract: Contract, corrections: Corrections) -> tuple[RawTable, ...]:
    """Return tables whose labels say what a person said they mean; rows set aside then bear labels that are known."""
    if not corrections.columns:
        return tuple(tables)
    return tuple(replace(table, labels=_labels(table, contract, corrections)) for table in tables)


def _labels(table: RawTable, contract: Contract, corrections: Corrections) -> tuple[str, ...]:
    chosen = [corrections.columns.get(name) for name in told_apart(table.labels)]
    return tuple(
        label if column is None else label_of(contract, column) or _unread(label)
        for label, column in zip(table.labels, chosen, strict=True)
    )


def label_of(contract: Contract, name: str) -> str | None:
    """Return the first label that means a column of the contract, None when it has no such column."""
    for column in contract.all_columns:
        if column.name == name:
            spellings = (*column.aliases, column.name)
            return next((text for text in spellings if contract.labels.get(normalise_label(text)) == name), None)
    return None


def _unread(label: str) -> str:
    return f"不取 {label}".replace("/", " ")


class Advised(Directory):
    """The organisations of a register, and beside them what a person said some names mean."""

    def __init__(self, known: Directory, organisations: Mapping[str, str]) -> None:
        self.__dict__.update(known.__dict__)
        self._advice = {fold_name(text): code for text, code in organisations.items()}

    def find(self, text: str, month: int | None = None) -> Match:
        """Return the unit a cell names; a code the register does not know is no advice."""
        code = self._advice.get(fold_name(text))
        return Match(code) if code is not None and code in self else super().find(text, month)


def advised(known: Directory, corrections: Corrections) -> Directory:
    """Return the organisations with the advice of a delivery, the register itself when there is none."""
    return Advised(known, corrections.organisations) if corrections.organisations else known
