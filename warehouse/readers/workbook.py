"""Workbooks: xlsx, xls and ods, sheet by sheet, as a person sees them."""

from __future__ import annotations

import datetime as dt
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import python_calamine as calamine

from warehouse.readers.biff import NotCompound
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.formulas import ErrorCells, error_cells
from warehouse.readers.headers import Heading, find_heading
from warehouse.readers.labels import Aliases
from warehouse.readers.raw import Cells, RawTable
from warehouse.readers.sift import Row, Sieve
from warehouse.readers.signatures import Kind
from warehouse.readers.spool import spool
from warehouse.readers.structure import Merge

LARGEST_EXACT = 10**15
"""A spreadsheet keeps 15 digits; a longer number has lost its last ones."""

HEAD_ROWS = 60

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ElementTree.ParseError,
    EOFError,
    KeyError,
    OSError,
    struct.error,
    NotCompound,
)
"""What a broken workbook makes the standard library say."""


def read_workbook(path: Path, name: str, kind: Kind, aliases: Aliases) -> tuple[RawTable, ...]:
    """The tables of all sheets that hold one; sheets a contract knows make the others be left out."""
    errors = _errors(path, name, kind)
    workbook = _open(path, name)
    sheets = ((meta, _grid(workbook, meta, name, errors)) for meta in _worksheets(workbook))
    found = [table for meta, (grid, merges) in sheets if (table := _read_sheet(grid, merges, meta, name, aliases))]
    known = [table for table, hits in found if hits]
    tables = known or [table for table, _ in found]
    filled = tuple(table for table in tables if table.rows)
    if filled:
        return filled
    if tables:
        raise ReadRefused(*(Fault("no_rows", name, table.sheet, table.header_row) for table in tables))
    raise ReadRefused(Fault("no_header", name, ", ".join(workbook.sheet_names)))


def _open(path: Path, name: str) -> Any:
    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except calamine.PasswordError as error:
        raise ReadRefused(Fault("password", name)) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise ReadRefused(Fault("corrupt", name)) from error


def _worksheets(workbook: Any) -> list[Any]:
    return [meta for meta in workbook.sheets_metadata if meta.typ == calamine.SheetTypeEnum.WorkSheet]


def _errors(path: Path, name: str, kind: Kind) -> ErrorCells:
    """The failed formulas; reading every sheet through also proves that the file is whole."""
    try:
        return error_cells(path, kind)
    except DAMAGE as error:
        raise ReadRefused(Fault("corrupt", name)) from error


def _grid(workbook: Any, meta: Any, name: str, errors: ErrorCells) -> tuple[list[list[Any]], list[Merge]]:
    """All cells from A1 on, failed formulas as the text they show."""
    try:
        sheet = workbook.get_sheet_by_name(meta.name)
        grid = sheet.to_python(skip_empty_area=False)
        merges = sheet.merged_cell_ranges or []
    except (calamine.CalamineError, ValueError) as error:
        raise ReadRefused(Fault("corrupt", name, meta.name)) from error
    for (row, column), text in errors.get(meta.name, {}).items():
        if row < len(grid) and column < len(grid[row]) and grid[row][column] == "":
            grid[row][column] = text
    return grid, merges


def _read_sheet(
    grid: list[list[Any]], merges: list[Merge], meta: Any, name: str, aliases: Aliases
) -> tuple[RawTable, int] | None:
    heading = find_heading([_texts(row) for row in grid[:HEAD_ROWS]], aliases, merges)
    if heading is None:
        return None
    width = max(len(heading.labels), _width(grid[heading.body :]))
    heading = _widened(heading, width)
    sieve = Sieve(heading)
    source = spool(sieve.pass_through(_rows(grid, heading.body)), width)
    hidden = meta.visible != calamine.SheetVisibleEnum.Visible
    remarks = (Fault("hidden_sheet", name, meta.name),) if hidden else ()
    table = RawTable(
        file=name, sheet=meta.name, labels=heading.labels, units=heading.units, unit_note=heading.unit_note,
        title=heading.title, period_note=heading.with_names(meta.name, name), header_row=heading.last + 1,
        skipped=sieve.counted(), totals=tuple(sieve.totals), rows=sieve.rows, source=source, remarks=remarks,
    )  # fmt: skip
    return table, heading.hits


def _widened(heading: Heading, width: int) -> Heading:
    more = width - len(heading.labels)
    return replace(heading, labels=heading.labels + ("",) * more, units=heading.units + (None,) * more)


def _width(grid: list[list[Any]]) -> int:
    """The number of columns up to the last one that holds anything below the header."""
    widest = 0
    for row in grid:
        if len(row) > widest and any(cell != "" for cell in row[widest:]):
            widest = max(at for at, cell in enumerate(row) if cell != "") + 1
    return widest


def _rows(grid: list[list[Any]], body: int) -> Iterator[Row]:
    for number, row in enumerate(grid[body:], body + 1):
        yield number, _texts(row)


def _texts(row: list[Any]) -> Cells:
    return tuple(cell_text(value) for value in row)


def cell_text(value: Any) -> str | None:
    """A cell as text: whole numbers without .0, dates as ISO, long numbers left scientific so that they are refused."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return _number_text(float(value))
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return None if value is None else str(value)


def _number_text(value: float) -> str:
    if abs(value) >= LARGEST_EXACT:
        return _scientific(value)
    return str(int(value)) if value.is_integer() else repr(value)


def _scientific(value: float) -> str:
    digits, exponent = f"{value:.14E}".split("E")
    return f"{digits.rstrip('0').rstrip('.')}E{int(exponent):+d}"
