"""A file without what must not be kept: the copy that is read, and kept, instead of the one that was handed in.

csv stays csv, record by record; workbooks of any kind become xlsx with the same cells in the same places; parquet
stays parquet. A marked row leaves a note in its place, so that every other row keeps its number; of a marked sheet
nothing stays but such a note.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import python_calamine as calamine
import xlsxwriter

from warehouse.contracts import Contract
from warehouse.mapping import column_of, match_label
from warehouse.protection.rules import BARE, CODE, REMOVED_ROW, TEXT, Role, is_marked, role_of_label, scrub
from warehouse.readers.csvfile import DELIMITERS, LONGEST_CELL
from warehouse.readers.encodings import as_utf8, detect
from warehouse.readers.faults import ReadRefused
from warehouse.readers.marks import Marks, sheet_marks
from warehouse.readers.raw import RawTable
from warehouse.readers.rows import DATA, classify
from warehouse.readers.signatures import Kind
from warehouse.readers.workbook import DAMAGE, cell_text

REMOVED_SHEET = "注：本表标有密级，已去除"
LOOKED_AT = 50
DATES = {dt.datetime: "yyyy-mm-dd hh:mm:ss", dt.date: "yyyy-mm-dd", dt.time: "hh:mm:ss"}


class Unsearchable(Exception):
    """The file cannot be looked through, so nobody knows what it holds."""


@dataclass
class Removed:
    """What was taken out: numbers by kind, marked rows by sheet, sheets marked as a whole."""

    masked: Counter[str] = field(default_factory=Counter)
    rows: dict[str, list[int]] = field(default_factory=dict)
    sheets: dict[str, int] = field(default_factory=dict)
    """Sheets of which nothing is kept, with the rows they had."""

    is_whole: bool = False
    """Whether nothing of the file is left."""

    def __bool__(self) -> bool:
        return bool(self.masked or self.rows or self.sheets)


@dataclass(frozen=True)
class Area:
    """The columns of one table of a sheet, counted from 0, below its header row."""

    sheet: str
    header_row: int
    left: int
    roles: tuple[Role, ...]

    @classmethod
    def of(cls, table: RawTable, contract: Contract | None) -> Area:
        """Return where a table stands and what its columns may hold."""
        roles = tuple(role_of(label, contract) for label in table.labels)
        return cls(table.sheet, table.header_row, table.first_column - 1, roles)


def role_of(label: str, contract: Contract | None) -> Role:
    """Return what a column may hold: a declared code or figure is never searched for the numbers of people."""
    told = role_of_label(label)
    name = match_label(label, contract.labels) if contract else None
    if contract is None or name is None:
        return told
    column = column_of(contract, name)
    if column.type == "text" and not (column.is_key or column.is_org or column.values):
        return told if told.decisive or told.is_code else TEXT
    if column.type in ("date", "datetime", "month"):
        return TEXT
    return CODE if column.is_key else BARE


class Cleaner:
    """Looks through the rows of one sheet."""

    def __init__(self, sheet: str, areas: Sequence[Area], removed: Removed) -> None:
        self.sheet, self.removed = sheet, removed
        self.areas = sorted(areas, key=lambda area: area.header_row)
        self.first = self.areas[0].header_row if self.areas else 0
        self._known: dict[tuple[int, int], list[Role]] = {}

    def marks_sheet(self, number: int, cells: Sequence[str | None]) -> bool:
        """Whether a row says of the whole sheet that it is secret: above the table, or alone in its row."""
        filled = [cell for cell in cells if cell and not cell.isspace()]
        alone = len(filled) == 1 and len(cells) > 2
        return (number < self.first or not self.areas or alone) and any("密" in c and is_marked(c) for c in filled)

    def clean(self, number: int, cells: Sequence[str | None]) -> list[str | None] | None:
        """Return a row without what must not be kept, None when nothing has to go."""
        roles = self._roles(number, len(cells))
        if classify(cells, [""] * len(cells)) != DATA:
            roles = [TEXT] * len(cells)  # a note below the table is under no heading
        if number > self.first and _marks(cells, roles):
            self.removed.rows.setdefault(self.sheet, []).append(number)
            at = next(at for at, cell in enumerate(cells) if cell)
            return [REMOVED_ROW if place == at else None for place in range(len(cells))]
        changed: dict[int, str] = {}
        for at, (cell, role) in enumerate(zip(cells, roles, strict=True)):
            if cell:
                text, kinds = scrub(cell, role)
                if kinds:
                    changed[at] = text
                    self.removed.masked.update(kinds)
        return [changed.get(at, cell) for at, cell in enumerate(cells)] if changed else None

    def _roles(self, number: int, width: int) -> list[Role]:
        below = sum(1 for area in self.areas if area.header_row < number)
        if (below, width) not in self._known:
            self._known[below, width] = self._roles_below(number, width)
        return self._known[below, width]

    def _roles_below(self, number: int, width: int) -> list[Role]:
        roles = [TEXT] * width
        for area in self.areas:
            if area.header_row < number:
                for at, role in enumerate(area.roles, area.left):
                    if at < width:
                        roles[at] = role
        return roles


def _marks(cells: Sequence[str | None], roles: Sequence[Role]) -> bool:
    pairs = zip(cells, roles, strict=True)
    return any(cell and ("密" in cell or role.is_flag) and is_marked(cell, role) for cell, role in pairs)


def clean_file(path: Path, name: str, kind: Kind, areas: Sequence[Area], target: Path) -> Removed:
    """Write a copy without what must not be kept to `target`, if there is anything; raises `Unsearchable`."""
    removed = Removed()
    try:
        if kind is Kind.TEXT:
            _clean_text(path, name, areas, target, removed)
        elif kind is Kind.PARQUET:
            _clean_parquet(path, areas, target, removed)
        else:
            _clean_workbook(path, kind, areas, target, removed)
    except (*DAMAGE, ValueError, csv.Error, calamine.CalamineError, pa.ArrowException, ReadRefused) as error:
        target.unlink(missing_ok=True)
        raise Unsearchable(name) from error
    if not removed or removed.is_whole:
        target.unlink(missing_ok=True)
    return removed


# --- csv --------------------------------------------------------------------------------------------------------------


def _clean_text(path: Path, name: str, areas: Sequence[Area], target: Path, removed: Removed) -> None:
    text = as_utf8(path, detect(path, name), name)
    delimiter = _delimiter(text.path, areas)
    cleaner = Cleaner("", areas, removed)
    for number, _, record in _records(text.path, delimiter):
        if cleaner.marks_sheet(number, record):
            removed.sheets[""] = sum(1 for _, _, cells in _records(text.path, delimiter) if any(cells))
            removed.is_whole = True
            return
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        for number, raw, record in _records(text.path, delimiter):
            cleaned = cleaner.clean(number, record)
            if cleaned is None:
                out.write(raw)
            else:
                writer.writerow([cell or "" for cell in cleaned])


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, str, list[str]]]:
    """Give each record with its number and the very text it was read from."""
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding="utf-8-sig", newline="") as file:
        taken: list[str] = []

        def lines() -> Iterator[str]:
            for line in file:
                taken.append(line)
                yield line

        for number, record in enumerate(csv.reader(lines(), delimiter=delimiter), 1):
            yield number, "".join(taken), record
            taken.clear()


def _delimiter(path: Path, areas: Sequence[Area]) -> str:
    """The sign that parts the header as the reader parted it."""

    def fit(delimiter: str) -> tuple[bool, int]:
        widths = [len(cells) for _, _, cells in islice(_records(path, delimiter), LOOKED_AT)]
        wanted = {(area.header_row, len(area.roles)) for area in areas}
        return any(row <= len(widths) and widths[row - 1] == width for row, width in wanted), max(widths, default=0)

    return max(DELIMITERS, key=fit)


# --- workbooks --------------------------------------------------------------------------------------------------------


def _clean_workbook(path: Path, kind: Kind, areas: Sequence[Area], target: Path, removed: Removed) -> None:
    book = calamine.CalamineWorkbook.from_path(str(path))
    marks: Mapping[str, Marks] = sheet_marks(path, kind)
    sheets = []
    for meta in book.sheets_metadata:
        if meta.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        sheet = book.get_sheet_by_name(meta.name)
        grid = sheet.to_python(skip_empty_area=False)
        for (row, column), text in marks.get(meta.name, Marks()).errors.items():
            if row < len(grid) and column < len(grid[row]) and grid[row][column] == "":
                grid[row][column] = text
        own = [area for area in areas if area.sheet == meta.name or area.sheet.startswith(f"{meta.name} ")]
        cleaner = Cleaner(meta.name, own, removed)
        sheets.append((meta, _clean_grid(grid, cleaner), sheet.merged_cell_ranges or []))
    removed.is_whole = bool(sheets) and len(removed.sheets) == len(sheets)
    if removed and not removed.is_whole:
        _write_workbook(target, sheets, marks, removed)


def _clean_grid(grid: list[list[Any]], cleaner: Cleaner) -> list[list[Any]]:
    rows = [[cell_text(value) for value in row] for row in grid]
    if is_marked(cleaner.sheet) or any(cleaner.marks_sheet(number, cells) for number, cells in enumerate(rows, 1)):
        cleaner.removed.sheets[cleaner.sheet] = sum(1 for cells in rows if any(cells))
        return [[REMOVED_SHEET]]
    for number, cells in enumerate(rows, 1):
        cleaned = cleaner.clean(number, cells)
        if cleaned is not None:
            pairs = zip(grid[number - 1], cells, cleaned, strict=True)
            grid[number - 1] = [value if old == new else new or "" for value, old, new in pairs]
    return grid


def _write_workbook(
    target: Path, sheets: Sequence[tuple[Any, list[list[Any]], list[Any]]], marks: Mapping[str, Marks], removed: Removed
) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(target), options) as book:
        formats = {kind: book.add_format({"num_format": pattern}) for kind, pattern in DATES.items()}
        for number, (meta, grid, merges) in enumerate(sheets, 1):
            is_gone = meta.name in removed.sheets
            sheet = book.add_worksheet(f"表{number}" if is_gone and is_marked(meta.name) else meta.name)
            if meta.visible != calamine.SheetVisibleEnum.Visible and number > 1:
                sheet.hide()
            if not is_gone:
                for (top, left), (bottom, right) in merges:
                    sheet.merge_range(top, left, bottom, right, "")
                for row in marks.get(meta.name, Marks()).hidden_rows:
                    sheet.set_row(row, None, None, {"hidden": True})
                for column in marks.get(meta.name, Marks()).hidden_columns:
                    sheet.set_column(column, column, None, None, {"hidden": True})
            for row_no, cells in enumerate(grid):
                for column_no, value in enumerate(cells):
                    _write_cell(sheet, row_no, column_no, value, formats)


def _write_cell(sheet: Any, row: int, column: int, value: Any, formats: Mapping[type, Any]) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, (int, float)):
        sheet.write_number(row, column, value)
    elif type(value) in formats:
        sheet.write_datetime(row, column, value, formats[type(value)])
    else:
        sheet.write_string(row, column, str(value))


# --- parquet ----------------------------------------------------------------------------------------------------------


def _clean_parquet(path: Path, areas: Sequence[Area], target: Path, removed: Removed) -> None:
    """Mask texts; rows that are marked leave the copy altogether, for nothing in it could stand for them."""
    data = pq.read_table(path)
    roles = areas[0].roles if areas else tuple(role_of_label(name) for name in data.column_names)
    keep = [True] * data.num_rows
    columns = []
    for role, column in zip(roles, data.columns, strict=True):
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            if not (pa.types.is_integer(kind) and (role.decisive or role is TEXT)):
                columns.append(column)
                continue
            kind = pa.string()
        encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
        texts = encoded.dictionary.to_pylist()
        marked = [is_marked(text, role) for text in texts]
        pairs = [scrub(text, role) for text in texts]
        if any(marked) or any(kinds for _, kinds in pairs):
            for row, code in enumerate(encoded.indices.to_pylist()):
                if code is not None:
                    keep[row] = keep[row] and not marked[code]
                    removed.masked.update(pairs[code][1])
            columns.append(pa.array([text for text, _ in pairs], pa.string()).take(encoded.indices))
        else:
            columns.append(column)
    gone = [row + 1 for row, kept in enumerate(keep) if not kept]
    if gone:
        removed.rows[""] = gone
        removed.is_whole = len(gone) == data.num_rows
    pq.write_table(pa.table(dict(zip(data.column_names, columns, strict=True))).filter(pa.array(keep)), target)
