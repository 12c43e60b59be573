"""Forms to be filled in: a workbook with one sheet a source, made from its contract, that loads as it is.

The example line begins with the mark of a note, so the reader passes over it: nothing made up is ever loaded.
The explanations stand in one column, which no reader takes for a table.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from warehouse.contracts import Column, Contract, normalise_label
from warehouse.readers.month_values import parse_month
from warehouse.readers.values import Parsed, parse_date, parse_datetime, parse_decimal

EMPTY_LINES = 1000
"""Lines below the example that are prepared: formats, lists, dates."""

LONGEST_LIST = 255
"""A spreadsheet keeps no longer list of choices in a cell."""

LONGEST_NAME = 31
FIRST_DATE = dt.date(1900, 1, 1)
YES_NO = ("是", "否")
NUMBER_FORMATS = {"date": "yyyy-mm-dd", "datetime": "yyyy-mm-dd hh:mm", "month": "yyyy-mm", "year": "0", "int": "0"}

Value = str | float | dt.date | dt.datetime | None


@dataclass(frozen=True)
class Field:
    """One column of a form: its heading with the unit, and what the example line holds there."""

    column: Column
    heading: str
    example: str

    @property
    def shown(self) -> str:
        """The heading as it is printed; a required one has a star, which readers pass over."""
        return f"*{self.heading}" if self.is_required else self.heading

    @property
    def is_required(self) -> bool:
        """Whether a blank cell sets the line aside; where the contract says what blank means, it does not."""
        return self.column.required and self.column.default is None

    @property
    def choices(self) -> tuple[str, ...]:
        """The first spelling of each value of a list."""
        if self.column.type == "bool":
            return YES_NO
        first: dict[str, str] = {}
        for spelling, value in self.column.values.items():
            first.setdefault(value, spelling)
        return tuple(first.values())


def write_template(file: Path, contracts: Sequence[Contract]) -> tuple[str, ...]:
    """Write the forms of some sources into one workbook; return the names of the sheets."""
    with xlsxwriter.Workbook(str(file), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        formats = _Formats(book)
        names = [sheet_name(contract) for contract in contracts]
        for name, contract in zip(names, contracts, strict=True):
            _write_form(book.add_worksheet(name), formats, fields_of(contract))
        _explain(book.add_worksheet(_texts()["sheet"]), formats, contracts)
    return tuple(names)


def sheet_name(contract: Contract) -> str:
    """The Chinese title as a spreadsheet takes it for the name of a sheet."""
    return re.sub(r"[\[\]:*?/\\']", " ", contract.title["zh"])[:LONGEST_NAME]


def fields_of(contract: Contract) -> tuple[Field, ...]:
    """The columns of a form; a wide form has those of its groups instead of the long ones."""
    row = next((dict(example["row"]) for example in contract.examples if "expect" in example), {})
    written = {contract.labels.get(normalise_label(heading)): heading for heading in row}
    long = {contract.unpivot.dimension, *contract.unpivot.measures} if contract.unpivot else set()
    columns = [column for column in contract.all_columns if column.name not in long]
    return tuple(
        Field(column, heading, row.get(heading, ""))
        for column in columns
        for heading in (written.get(column.name) or _heading(column),)
    )


def _heading(column: Column) -> str:
    unit = column.default_unit or column.unit
    return f"{column.aliases[0]}({_texts()['units'].get(unit, unit)})" if unit else column.aliases[0]


class _Formats:
    """The looks of a workbook, each made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        look = {"bold": True, "border": 1, "text_wrap": True, "valign": "vcenter"}
        self.heading = book.add_format({**look, "bg_color": "#E8EEF7"})
        self.required = book.add_format({**look, "bg_color": "#FBE3D6", "font_color": "#A61B1B"})
        self.title = book.add_format({"bold": True, "font_size": 13})
        self.words = book.add_format({"text_wrap": True, "valign": "top"})
        self._cells: dict[tuple[str, bool], Format] = {}

    def cell(self, column: Column, *, is_example: bool = False) -> Format:
        """The number format of a column's cells; the example line is grey and slanted."""
        pattern = NUMBER_FORMATS.get(column.type, "General" if column.is_number else "@")
        if (pattern, is_example) not in self._cells:
            look = {"italic": True, "font_color": "#7A7A7A"} if is_example else {}
            self._cells[pattern, is_example] = self._book.add_format({"num_format": pattern, **look})
        return self._cells[pattern, is_example]


def _write_form(sheet: Worksheet, formats: _Formats, fields: Sequence[Field]) -> None:
    sheet.freeze_panes(1, 0)
    sheet.set_row(0, 32)
    for at, field in enumerate(fields):
        sheet.set_column(at, at, max(12, 2 * len(field.shown) + 2), formats.cell(field.column))
        sheet.write_string(0, at, field.shown, formats.required if field.is_required else formats.heading)
        _write_example(sheet, formats, at, field)
        _restrict(sheet, at, field)


def _write_example(sheet: Worksheet, formats: _Formats, at: int, field: Field) -> None:
    look = formats.cell(field.column, is_example=True)
    if at == 0:
        sheet.write_string(1, 0, _texts()["example_mark"] + field.example, look)
        return
    value = typed(field.column, field.example)
    if isinstance(value, dt.date):
        sheet.write_datetime(1, at, value, look)
    elif value is not None:
        sheet.write(1, at, value, look)


def typed(column: Column, text: str) -> Value:
    """An example's text as a person would type it into a spreadsheet; None for nothing."""
    if column.type == "month" and column.months == 1:
        months = _parsed(parse_month(text))
        return dt.date((months.to_m - 1) // 12, (months.to_m - 1) % 12 + 1, 1) if months else text or None
    if column.type in ("date", "datetime"):
        return _parsed(parse_date(text) if column.type == "date" else parse_datetime(text)) or text or None
    if column.is_number:
        number = _parsed(parse_decimal(text))
        return None if number is None else float(number)
    return unicodedata.normalize("NFKC", text) or None


def _parsed(found: Any) -> Any:
    return found.value if isinstance(found, Parsed) else None


def _restrict(sheet: Worksheet, at: int, field: Field) -> None:
    """Offer the values of a list, and ask for real dates; an open list only warns."""
    texts = _texts()
    if field.choices and len(",".join(field.choices)) <= LONGEST_LIST:
        rule = {"validate": "list", "source": list(field.choices), **_error(texts["list_error"])}
        rule["error_type"] = "warning" if field.column.open_values else "stop"
    elif field.column.type == "date":
        rule = {"validate": "date", "criteria": ">=", "value": FIRST_DATE, **_error(texts["date_error"])}
        rule["error_type"] = "warning"
    else:
        return
    sheet.data_validation(2, at, EMPTY_LINES + 1, at, rule)


def _error(texts: Mapping[str, str]) -> dict[str, Any]:
    return {"ignore_blank": True, "error_title": texts["title"], "error_message": texts["text"]}


def _explain(sheet: Worksheet, formats: _Formats, contracts: Sequence[Contract]) -> None:
    sheet.set_column(0, 0, 110, formats.words)
    lines: list[tuple[str, Format]] = [(_said("general", mark=_texts()["example_mark"].strip()), formats.words)]
    if len(contracts) > 1:
        lines.append((_said("one_source"), formats.words))
    lines.append((_said("secret"), formats.words))
    for contract in contracts:
        lines.append((f"{contract.title['zh']} · {contract.title['en']} · {contract.name}", formats.title))
        lines.append((_duty(contract), formats.words))
        lines += [(explanation(field), formats.words) for field in fields_of(contract)]
    for number, (text, look) in enumerate(lines):
        sheet.write_string(number, 0, text, look)


def _duty(contract: Contract) -> str:
    """Say what a file of the source holds and when it is owed."""
    how = {3: "due_quarter", 6: "due_half", 12: "due_year"}.get(contract.due_months, "due")
    due = (_said(how, day=contract.due_day),) if contract.due_day else ()
    if not contract.slice_by:
        return "\n".join((_said(contract.slice), *due))
    names = {"month": "月份"} | {
        column.name: column.aliases[0] for column in contract.columns if column.name != "month"
    }
    by = {"zh": "、".join(names[name] for name in contract.slice_by), "en": " and ".join(contract.slice_by)}
    return "\n".join((*(_texts()["full_by"][language].format(by=by[language]) for language in ("zh", "en")), *due))


def explanation(field: Field) -> str:
    """What to write into a column, in both languages, and which standard it answers to."""
    words = [_words(field, language) for language in ("zh", "en")]
    standard = [field.column.standard] if field.column.standard else []
    return "\n".join([f"【{field.shown}】 {field.column.name}", *words, *standard])


def _words(field: Field, language: str) -> str:
    column = field.column
    kind = "dec" if column.type.startswith("dec") else column.type
    scale = column.digits[1] if kind == "dec" else None
    parts = [_texts()["type"][kind][language].format(scale=scale)]
    unit = column.default_unit or column.unit
    facts: tuple[tuple[str, bool, Mapping[str, Any]], ...] = (
        ("required", field.is_required, {}),
        ("key", column.is_key, {}),
        ("org", column.is_org, {}),
        ("unit", unit is not None, {"unit": _texts()["units"].get(unit, unit)}),
        ("values", bool(column.values), {"values": "、".join(field.choices)}),
        ("default", bool(column.default), {"default": column.default}),
        ("cumulative", column.cumulative, {}),
    )
    parts += [_texts()[name][language].format(**given) for name, holds, given in facts if holds]
    return ("" if language == "zh" else " ").join(parts)


def _said(name: str, **given: Any) -> str:
    texts = _texts()[name]
    return "\n".join(texts[language].format(**given) for language in ("zh", "en"))


@cache
def _texts() -> Mapping[str, Any]:
    text = (resources.files("warehouse") / "template.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
