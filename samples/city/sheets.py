"""Writes an export the way offices do: title, unit note, merged header, text numbers, totals, remarks; or a csv."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import xlsxwriter
import xlwt

from samples.city.exports import Export
from samples.city.forms import Cell, Column, Form, Names

GROUPED_EVERY, WIDE_EVERY, DASHED_EVERY = 7, 13, 4
_WIDE = {ord(digit): 0xFEE0 + ord(digit) for digit in "0123456789"}
_TITLED_CSV = ("service_payment",)


class Sheet(Protocol):
    """Where cells go; rows come from top to bottom."""

    def put(self, row: int, column: int, value: Cell) -> None:
        """Write one cell."""

    def merge(self, row: int, first: int, last: int, value: str) -> None:
        """Write one text across some columns."""

    def save(self) -> None:
        """Finish the file."""


class NewBook:
    """An xlsx workbook with one sheet."""

    def __init__(self, path: Path, created: dt.datetime, name: str) -> None:
        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
        self._book.set_properties({"created": created.replace(tzinfo=None), "author": "模拟市机关事务管理局"})
        self._date = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._centre = self._book.add_format({"align": "center", "bold": True})
        self._sheet = self._book.add_worksheet(name)

    def put(self, row: int, column: int, value: Cell) -> None:
        """Write one cell; None stays empty."""
        if value is None or value == "":
            return
        if isinstance(value, dt.date):
            self._sheet.write_datetime(row, column, dt.datetime(value.year, value.month, value.day), self._date)
        elif isinstance(value, str):
            self._sheet.write_string(row, column, value)
        else:
            self._sheet.write_number(row, column, float(value))

    def merge(self, row: int, first: int, last: int, value: str) -> None:
        """Write one text across some columns."""
        if first == last:
            self._sheet.write_string(row, first, value, self._centre)
        else:
            self._sheet.merge_range(row, first, row, last, value, self._centre)

    def save(self) -> None:
        """Finish the file."""
        self._book.close()


class OldBook:
    """An xls workbook with one sheet."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._book = xlwt.Workbook(encoding="utf-8")
        self._sheet = self._book.add_sheet(name)

    def put(self, row: int, column: int, value: Cell) -> None:
        """Write one cell; None stays empty."""
        if value is None or value == "":
            return
        self._sheet.write(row, column, float(value) if isinstance(value, (int, Decimal)) else str(value))

    def merge(self, row: int, first: int, last: int, value: str) -> None:
        """Write one text across some columns."""
        self._sheet.write_merge(row, row, first, last, value)

    def save(self) -> None:
        """Finish the file."""
        self._book.save(str(self._path))


def write_export(export: Export, folder: Path, names: Names, below: frozenset[str]) -> None:
    """Write one export; `below` are the units shown indented under their region."""
    path = folder / export.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if export.form.encoding:
        _write_csv(export, path, names)
        return
    sheet: Sheet = OldBook(path, "Sheet1") if path.suffix == ".xls" else NewBook(path, export.recorded_at, "Sheet1")
    _fill(sheet, export, names, below)
    sheet.save()


def _write_csv(export: Export, path: Path, names: Names) -> None:
    columns = export.form.columns
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    titled = export.source in _TITLED_CSV
    if titled:
        writer.writerow([export.title])
    writer.writerow([column.heading for column in columns])
    cells = [column.cell for column in columns]
    writer.writerows([cell(row, names) for cell in cells] for row in export.rows)
    if titled:
        total = sum((row.amount for row in export.rows), Decimal(0))
        writer.writerow(["合计", *[""] * (len(columns) - 2), f"{total:,.2f}"])
    path.write_bytes(buffer.getvalue().encode(export.form.encoding))


def header_rows(form: Form) -> int:
    """Return how many rows the header takes."""
    return 2 if any(column.above for column in form.columns) else 1


def first_row(form: Form) -> int:
    """Return the row number, counted from 1, of the first data row of a workbook: after title, note and header."""
    return 3 + header_rows(form)


def _fill(sheet: Sheet, export: Export, names: Names, below: frozenset[str]) -> None:
    form = export.form
    sheet.merge(0, 0, len(form.columns) - 1, export.title)
    sheet.put(1, 0, "填报单位：模拟市机关事务管理局")
    if form.note:
        sheet.put(1, len(form.columns) - 1, form.note)
    _write_header(sheet, form)
    start = first_row(form) - 1
    sums = [Decimal(0) for _ in form.columns]
    for number, row in enumerate(export.rows):
        for place, column in enumerate(form.columns):
            value = column.cell(row, names)
            if column.total and isinstance(value, (int, Decimal)):
                sums[place] += value
            sheet.put(start + number, place, _dressed(value, column, number, row, below, form))
    end = start + len(export.rows)
    _write_footer(sheet, form, sums, end)


def _write_header(sheet: Sheet, form: Form) -> None:
    rows = header_rows(form)
    if rows == 1:
        for place, column in enumerate(form.columns):
            sheet.put(2, place, column.heading)
        return
    for first, last, above in _groups(form.columns):
        if above:
            sheet.merge(2, first, last, above)
        else:
            for place in range(first, last + 1):
                sheet.put(2, place, form.columns[place].heading)
    for place, column in enumerate(form.columns):
        if column.above:
            sheet.put(3, place, column.heading)


def _groups(columns: Sequence[Column]) -> Iterator[tuple[int, int, str]]:
    first = 0
    for place in range(1, len(columns) + 1):
        if place == len(columns) or columns[place].above != columns[first].above:
            yield first, place - 1, columns[first].above
            first = place


def _write_footer(sheet: Sheet, form: Form, sums: Sequence[Decimal], end: int) -> None:
    if any(column.total for column in form.columns):
        sheet.put(end, 0, "合计")
        for place, column in enumerate(form.columns):
            if column.total:
                sheet.put(end, place, sums[place])
        end += 1
    for number, remark in enumerate(form.remarks):
        sheet.put(end + number, 0, remark)


def _dressed(value: Cell, column: Column, number: int, row: Any, below: frozenset[str], form: Form) -> Cell:
    """Dress a cell as clerks do: numbers as text with commas or wide digits, a dash for nothing, names indented."""
    if value is None:
        return "—" if column.total and number % DASHED_EVERY == 1 else None
    if column.total and isinstance(value, (int, Decimal)):
        if number % WIDE_EVERY == WIDE_EVERY - 1:
            return str(value if isinstance(value, int) else f"{value:f}").translate(_WIDE)
        if number % GROUPED_EVERY == GROUPED_EVERY - 1:
            return f"{value:,}" if isinstance(value, int) else f"{value:,f}"
    if form.short_names and column.heading == "单位名称" and row.unit in below:
        return f"　　{value}"
    return value
