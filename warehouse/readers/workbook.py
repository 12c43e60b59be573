"""Workbooks: xlsx, xls and ods, sheet by sheet, as a person sees them."""

from __future__ import annotations

import gc
import struct
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import python_calamine as calamine

from warehouse.readers.biff import NotCompound
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.grid import Grid, cell_text, make_grid, patched
from warehouse.readers.labels import Aliases, fold_label
from warehouse.readers.marks import Marks, SheetMarks, read_through, sheet_marks
from warehouse.readers.raw import NoRows, Place, RawTable
from warehouse.readers.regions import HEAD_ROWS, Region, find_regions
from warehouse.readers.sift import Places
from warehouse.readers.signatures import Kind
from warehouse.readers.spool import spool_columns
from warehouse.readers.structure import Merge, is_form, lies_on_its_side

__all__ = ["cell_text", "column_letters", "outline_workbook", "read_workbook"]

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ElementTree.ParseError,
    EOFError,
    KeyError,
    OSError,
    struct.error,
    NotCompound,
    NotImplementedError,
)
"""What a broken workbook makes the standard library say."""

MOST_PLACES = 8
"""Hidden rows or columns that are named; of more the first are."""


def read_workbook(path: Path, name: str, kind: Kind, aliases: Aliases) -> tuple[RawTable, ...]:
    """The tables of all sheets that hold one; tables a contract knows make the others be left out."""
    found: list[tuple[RawTable, int]] = []
    strange: list[Fault] = []
    with _open_both(path, name, kind) as (workbook, marks):
        for meta in _worksheets(workbook):
            tables, fault = _read_sheet(workbook, meta, name, marks, aliases)
            found += tables
            strange += [fault] if fault else []
    chosen = [table for table, hits in found if hits] or [table for table, _ in found]
    if filled := [table for table in chosen if table.rows]:
        empty = tuple(table for table in chosen if not table.rows)
        return (replace(filled[0], empty=empty), *filled[1:]) if empty else tuple(filled)
    if chosen:
        raise NoRows(*chosen)
    raise ReadRefused(*(strange or [Fault("no_header", name, ", ".join(workbook.sheet_names))]))


def outline_workbook(path: Path, name: str, kind: Kind, aliases: Aliases) -> tuple[Place, ...]:
    """Where the headers of all sheets stand."""
    places = []
    with _open_both(path, name, kind) as (workbook, marks):
        for meta in _worksheets(workbook):
            grid, regions = _regions(workbook, meta, name, marks, aliases)
            problem = "lying_table" if _lies(grid, regions, aliases) else None
            places += [_place(region, meta.name, problem) for region in regions]
    return tuple(places)


def _place(region: Region, sheet: str, problem: str | None) -> Place:
    area, heading = region.area, region.heading
    right = area.left + max(0, len(heading.labels) - 1)
    missing = None if region.sieve.rows else "no_rows"
    return Place(sheet, area.top + heading.first, area.top + heading.last, area.left, right, problem or missing)


@contextmanager
def _open_both(path: Path, name: str, kind: Kind) -> Iterator[tuple[Any, Future[SheetMarks]]]:
    """The workbook, and what its cells do not say, looked up while they are read.

    Reading every member through first proves that the file is whole and no longer than it says.
    """
    try:
        read_through(path, kind)
        with ThreadPoolExecutor(max_workers=1) as beside:
            yield _open(path, name), beside.submit(sheet_marks, path, kind)
    except DAMAGE as error:
        raise ReadRefused(Fault("corrupt", name)) from error


def _open(path: Path, name: str) -> Any:
    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except calamine.PasswordError as error:
        raise ReadRefused(Fault("password", name)) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise ReadRefused(Fault("corrupt", name)) from error


def _worksheets(workbook: Any) -> list[Any]:
    return [meta for meta in workbook.sheets_metadata if meta.typ == calamine.SheetTypeEnum.WorkSheet]


def _read_sheet(
    workbook: Any, meta: Any, name: str, marks: Future[SheetMarks], aliases: Aliases
) -> tuple[list[tuple[RawTable, int]], Fault | None]:
    """The tables of a sheet with the number of labels that contracts know, or what the sheet is instead."""
    grid, regions = _regions(workbook, meta, name, marks, aliases)
    if not regions:
        return [], _strange(grid, meta.name, name)
    if _lies(grid, regions, aliases):
        names = [row[0] for row in grid.rows(0, HEAD_ROWS, 0, 1) if row[0]]
        return [], Fault("lying_table", name, meta.name, value="、".join(names))
    own = marks.result().get(meta.name, Marks())
    tables = [_table(region, regions, meta, name, own) for region in regions]
    return [(table, region.heading.hits) for table, region in zip(tables, regions, strict=True)], None


def _regions(
    workbook: Any, meta: Any, name: str, marks: Future[SheetMarks], aliases: Aliases
) -> tuple[Grid, list[Region]]:
    grid, merges = _grid(workbook, meta, name)
    grid = _with_errors(grid, marks.result().get(meta.name, Marks()))
    return grid, find_regions(grid, merges, aliases)


def _lies(grid: Grid, regions: list[Region], aliases: Aliases) -> bool:
    """Whether the one table of a sheet has its names below each other."""
    top = [[fold_label(cell) for cell in row] for row in grid.rows(0, HEAD_ROWS)]
    return len(regions) == 1 and lies_on_its_side(top, aliases, regions[0].heading.hits)


def _grid(workbook: Any, meta: Any, name: str) -> tuple[Grid, list[Merge]]:
    """All cells from A1 on."""
    was_on = gc.isenabled()
    gc.disable()  # a sheet is many small values and no circle of them
    try:
        sheet = workbook.get_sheet_by_name(meta.name)
        start = sheet.start
        grid = make_grid(sheet.iter_rows() if start else (), start[1] if start else 0)
        return grid, sheet.merged_cell_ranges or []
    except (calamine.CalamineError, ValueError) as error:
        raise ReadRefused(Fault("corrupt", name, meta.name)) from error
    finally:
        if was_on:
            gc.enable()


def _with_errors(grid: Grid, marks: Marks) -> Grid:
    """Failed formulas as the text they show."""
    texts: dict[int, dict[int, str]] = {}
    for (row, column), text in marks.errors.items():
        if row < grid.height and column < grid.width and not grid.columns[column][row].is_valid:
            texts.setdefault(column, {})[row] = text
    columns = (patched(column, texts[at]) if at in texts else column for at, column in enumerate(grid.columns))
    return replace(grid, columns=tuple(columns)) if texts else grid


def _strange(grid: Grid, sheet: str, name: str) -> Fault | None:
    """What a sheet without a header is, when that can be told."""
    top = [[fold_label(cell) for cell in row] for row in grid.rows(0, HEAD_ROWS)]
    if not is_form(top):
        return None
    shown = next(cell for row in top for cell in row if cell)
    return Fault("form_sheet", name, sheet, value=shown)


def _table(region: Region, all_of_sheet: list[Region], meta: Any, name: str, marks: Marks) -> RawTable:
    heading, area, sieve = region.heading, region.area, region.sieve
    sheet = meta.name
    if any(other.area.left != area.left for other in all_of_sheet):
        sheet = f"{meta.name} {column_letters(area.left)}:{column_letters(area.right - 1)}"
    stays = np.ones(area.bottom - region.body, np.bool_)
    stays[list(region.dropped)] = False
    kept, columns = np.flatnonzero(stays), region.columns
    if region.dropped:
        columns = tuple(column.filter(pa.array(stays)) for column in columns)
    source = spool_columns(kept + region.body + 1, columns)
    return RawTable(
        file=name, sheet=sheet, labels=heading.labels, units=heading.units, unit_note=heading.unit_note,
        title=heading.title, period_note=heading.with_names(meta.name, name), header_row=area.top + heading.last + 1,
        first_header_row=area.top + heading.first + 1, first_column=area.left + 1,
        skipped=sieve.counted(), totals=tuple(sieve.totals), notes=tuple(sieve.notes), rows=sieve.rows, source=source,
        remarks=tuple(_remarks(region, kept, meta, name, marks)),
    )  # fmt: skip


def _remarks(region: Region, kept: Places, meta: Any, name: str, marks: Marks) -> Iterator[Fault]:
    """What a person who looks at the sheet does not see, though it is read."""
    if meta.visible != calamine.SheetVisibleEnum.Visible:
        yield Fault("hidden_sheet", name, meta.name)
    rows = sorted(marks.hidden_rows.intersection((kept + region.body).tolist())) if marks.hidden_rows else []
    if rows:
        yield Fault("hidden_rows", name, meta.name, value=str(len(rows)), hint=_listed([str(row + 1) for row in rows]))
    columns = enumerate(region.heading.labels, region.area.left)
    hidden = [label or column_letters(at) for at, label in columns if at in marks.hidden_columns]
    if hidden:
        yield Fault("hidden_columns", name, meta.name, value=str(len(hidden)), hint=_listed(hidden))


def _listed(names: list[str]) -> str:
    return "、".join(names[:MOST_PLACES]) + ("…" if len(names) > MOST_PLACES else "")


def column_letters(column: int) -> str:
    """A column as a spreadsheet names it; the first is 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
