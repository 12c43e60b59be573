"""What a text in a column means: the one answer for every cell, however large the file and whoever asks.

A sheet asks once for each distinct text; only texts whose shape leaves no doubt are converted without asking.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Context, Decimal

from warehouse.contracts import Column
from warehouse.organisations import Directory
from warehouse.readers.cells import Cell, parse_cell

ONE = Decimal(1)
NOISE = Decimal("1e-9")
"""What a spreadsheet's binary figures add, relative to the figure; rounding no more than that is no change."""

OPEN_NAME = "\x1f"
"""First sign of a value whose unit depends on the month of its row, or on where the other rows of the file lie."""

NULL_TEXTS = ("-", "--", "—", "——", "/", "无", "null", "NULL", "N/A", "NA", "\\N", "None")
_ROOM = Context(prec=60)
_HUGE = Decimal(10) ** 38
_BEYOND_BIGINT = 2**63
_PLAIN_NUMBER = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_WHOLE_DIGITS = 18
"""Digits every whole number of so many fits a BIGINT."""


@dataclass(frozen=True)
class Meanings:
    """The parsers of all column types, and the organisations names are looked up in."""

    directory: Directory
    open_names: set[str] = field(default_factory=set, repr=False, compare=False)
    """Names whose unit depends on the rest of the file; `warehouse.matching` settles them when the rows stand."""
    _values: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False, compare=False)

    def of(self, column: Column, text: str, unit: str | None, factor: Decimal) -> Cell:
        """Return what a text that is not blank means, in the stored unit and as text that the column's type takes."""
        if column.is_org:
            match = self.directory.find(text)
            if match.is_open:
                self.open_names.add(text)
                return Cell(OPEN_NAME + text)
            return Cell(match.code, fault=match.fault, hint=match.hint)
        if column.values:
            return self._listed(column, text)
        if column.is_number and factor == ONE and _fits_as_written(column, text):
            return Cell(text)
        return scaled(column, parse_cell(column, text, unit), factor)

    def _listed(self, column: Column, text: str) -> Cell:
        known = self._values.get(column.name)
        if known is None:
            folded = [(_fold(spelling), value) for shown, value in column.values.items() for spelling in (shown, value)]
            known = self._values[column.name] = dict(reversed(folded))  # the first of equal spellings counts
        value = known.get(_fold(text))
        if value is not None:
            return Cell(value)
        if text.strip() in NULL_TEXTS:
            return Cell(None)
        if column.open_values:
            return Cell(unicodedata.normalize("NFKC", text).strip())
        return Cell(None, fault="unknown_value", hint="、".join(column.values))


def _fold(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def _fits_as_written(column: Column, text: str) -> bool:
    """Whether a number is plain digits of which the column keeps every one."""
    found = _PLAIN_NUMBER.fullmatch(text)
    if found is None:
        return False
    if column.type == "int":
        return found[2] is None and len(found[1]) <= _WHOLE_DIGITS
    precision, scale = column.digits
    return len(found[2] or "") <= scale and len(found[1]) <= precision - scale


def is_shift(factor: Decimal) -> bool:
    """Whether a unit only moves the point, so that digits lost afterwards were written in the file."""
    return factor.normalize().as_tuple().digits == (1,)


def scaled(column: Column, cell: Cell, factor: Decimal) -> Cell:
    """Bring a parsed number to the stored unit and see that it fits the column."""
    if cell.value is None or cell.fault or not column.is_number:
        return cell
    value = Decimal(cell.value) * factor
    if column.type == "int":
        if value != value.to_integral_value():
            return Cell(None, fault="not_whole", hint=cell.value)
        if abs(value) >= _BEYOND_BIGINT:
            return Cell(None, fault="out_of_range", hint=cell.value)
        return Cell(str(int(value)), cell.note)
    precision, scale = column.digits
    stored = value.quantize(ONE.scaleb(-scale), ROUND_HALF_UP, _ROOM) if abs(value) < _HUGE else value
    if abs(stored) >= Decimal(10) ** (precision - scale):
        return Cell(None, fault="out_of_range", hint=cell.value)
    lost = is_shift(factor) and abs(stored - value) > abs(value) * NOISE
    return Cell(f"{stored:f}", ";".join(filter(None, (cell.note, "rounded" if lost else None))) or None)
