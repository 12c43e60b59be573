"""Cells as a contract wants them: the parsers of `values` applied to a column with its type and unit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from warehouse.contracts import Column
from warehouse.readers.month_values import parse_month, parse_months, parse_year
from warehouse.readers.seasons import NOTE as SEASON_NOTE
from warehouse.readers.seasons import season_of
from warehouse.readers.units import UnknownUnit, convert_factor
from warehouse.readers.values import (
    Bad,
    Months,
    Number,
    Parsed,
    parse_bool,
    parse_date,
    parse_datetime,
    parse_number,
    parse_text,
)

T = TypeVar("T")

REMEMBERED = 1 << 16
"""Texts whose meaning is kept: registers say the same names and days file after file."""

_PLAIN_FACTORS = {"%": Decimal("0.01"), "‰": Decimal("0.001"), "万": Decimal(10_000), "亿": Decimal(10**8)}


@dataclass(frozen=True)
class Cell:
    """What the parser made of one text: the canonical text of a value, or a fault."""

    value: str | None
    note: str | None = None
    fault: str | None = None
    hint: str | None = None


def factor_of(column: Column, unit: str | None) -> Decimal | None:
    """What the numbers of a column in `unit` are multiplied by to be stored; None when that unit does not fit."""
    if column.unit is None:
        return Decimal(1)
    factor = convert_factor(unit or column.default_unit or column.unit, column.unit)
    return None if isinstance(factor, UnknownUnit) else factor


def note_fits(column: Column, note: str | None) -> bool:
    """Whether a unit note over the whole table speaks of this column's kind of quantity."""
    if note is None or column.unit is None:
        return False
    return not isinstance(convert_factor(note, column.unit), UnknownUnit)


def month_in(text: str | None) -> str | None:
    """The number of the one month a title or a file name speaks of, as text; of 1-6月 it is June."""
    parsed = parse_months(text) if text else None
    if not isinstance(parsed, Parsed) or parsed.value is None:
        return None
    span = parsed.value
    return str(span.to_m - 1) if span.to_m - span.from_m == 1 or span.is_cumulative else None


def parse_cell(column: Column, text: str, unit: str | None) -> Cell:
    """The canonical text of the value behind a text, or what is wrong with it; `unit` is the column's in this file."""
    kind = "number" if column.is_number else column.type
    return _PARSERS[kind](column, text, unit)


def _number(column: Column, text: str, unit: str | None) -> Cell:
    parsed = parse_number(text)
    if isinstance(parsed, Bad):
        return Cell(None, fault=parsed.code, hint=parsed.hint)
    if parsed.value is None:
        note = "infinite_price" if parsed.note == "infinite" and "price" in column.name else parsed.note
        return Cell(None, note)
    if parsed.value.unit is None:
        return Cell(f"{parsed.value.amount:f}")
    return _with_unit(column, parsed.value, unit)


def _with_unit(column: Column, number: Number, unit: str | None) -> Cell:
    """A number with its own unit, brought to the unit of its column, whose factor is applied to all its cells."""
    own = number.unit or ""
    if column.unit is None:
        factor = _PLAIN_FACTORS.get(own, Decimal(1))
        return Cell(f"{number.amount * factor:f}", "unit_in_cell")
    of_cell, of_column = factor_of(column, own), factor_of(column, unit)
    if of_cell is None or of_column is None:
        return Cell(None, fault="unit_in_cell", hint=column.default_unit or column.unit)
    return Cell(f"{number.amount * of_cell / of_column:f}", "unit_in_cell")


def _text(column: Column, text: str, _unit: str | None) -> Cell:
    return _text_cell(text, column.is_key)


@lru_cache(maxsize=REMEMBERED)
def _text_cell(text: str, is_key: bool) -> Cell:
    return _cell(parse_text(text, is_key=is_key), str)


def _date(_column: Column, text: str, _unit: str | None) -> Cell:
    return _date_cell(text)


@lru_cache(maxsize=REMEMBERED)
def _date_cell(text: str) -> Cell:
    return _cell(parse_date(text), dt.date.isoformat)


def _datetime(_column: Column, text: str, _unit: str | None) -> Cell:
    return _cell(parse_datetime(text), lambda value: value.isoformat(sep=" "))


def _year(_column: Column, text: str, _unit: str | None) -> Cell:
    return _cell(parse_year(text), str)


def _bool(_column: Column, text: str, _unit: str | None) -> Cell:
    return _cell(parse_bool(text), lambda value: "true" if value else "false")


def _month(column: Column, text: str, _unit: str | None) -> Cell:
    """One month; January to a month only where the column says that its figures are cumulative; a season where it says so."""
    if column.season and (first := season_of(text, bare=not column.is_key)) is not None:
        return Cell(str(first), SEASON_NOTE)
    if column.months > 1:
        return _cell(_whole_period(parse_months(text), column.months), lambda span: str(span.from_m))
    parsed = parse_month(text)
    if isinstance(parsed, Parsed) and parsed.value and _is_longer(parsed.value) and not column.cumulative:
        return Cell(None, fault="cumulative_period")
    return _cell(parsed, lambda span: str(span.to_m - 1))


def _whole_period(parsed: Parsed[Months] | Bad, months: int) -> Parsed[Months] | Bad:
    """The quarter, half-year or year that was written; one of its months alone says which, another length is refused."""
    if isinstance(parsed, Bad) or parsed.value is None:
        return parsed
    span, first = parsed.value, parsed.value.from_m - parsed.value.from_m % months
    if span.to_m - span.from_m not in (1, months) or span.to_m > first + months:
        return Bad("not_one_period", str(months))
    return Parsed(Months(first, first + months), parsed.note)


def _is_longer(span: Months) -> bool:
    return span.to_m - span.from_m > 1


def _cell(parsed: Parsed[T] | Bad, show: Callable[[T], str]) -> Cell:
    if isinstance(parsed, Bad):
        return Cell(None, fault=parsed.code, hint=parsed.hint)
    return Cell(None if parsed.value is None else show(parsed.value), parsed.note)


_PARSERS: dict[str, Callable[[Column, str, str | None], Cell]] = {
    "number": _number, "text": _text, "date": _date, "datetime": _datetime,
    "year": _year, "bool": _bool, "month": _month,
}  # fmt: skip
