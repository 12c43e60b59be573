"""A sheet as columns of text, made in batches so that no more than a few rows are ever Python objects at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.readers.raw import Cells

LARGEST_EXACT = 10**15
"""A spreadsheet keeps 15 digits; a longer number has lost its last ones."""

FIRST_BATCH = 64
"""Titles and headers make mixed columns, which are slow; they stand at the top."""
BATCH = 20_000
_LONGEST_PLAIN = 1e10
_SHORTEST_PLAIN = 1e-4
"""Between these both ways of writing a fraction give the same shortest text."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Grid:
    """The cells of a sheet from A1 on; a blank cell is null. `numeric` counts the numbers of each column."""

    columns: tuple[pa.Array, ...]
    height: int
    numeric: tuple[int, ...] = field(default=())

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.columns)

    @cached_property
    def filled(self) -> Mask:
        """Which cells hold more than white space, as rows × columns."""
        found = np.zeros((self.height, self.width), np.bool_)
        for at, column in enumerate(self.columns):
            found[:, at] = pc.fill_null(pc.invert(pc.utf8_is_space(column)), False).to_numpy(zero_copy_only=False)
        return found

    def rows(self, start: int, stop: int, left: int = 0, right: int | None = None) -> list[Cells]:
        """The texts of some rows, from one column to before another."""
        stop = max(start, min(stop, self.height))
        cut = [column.slice(start, stop - start).to_pylist() for column in self.columns[left:right]]
        return list(zip(*cut, strict=True)) if cut else [()] * (stop - start)


def make_grid(rows: Iterable[Sequence[Any]], left: int) -> Grid:
    """Turn the cells of a sheet into columns; `left` blank columns stand before the first cell of each row."""
    source = iter(rows)
    pieces: list[list[pa.Array]] = []
    numeric: list[int] = []
    height, size = 0, FIRST_BATCH
    while batch := list(islice(source, size)):
        columns = [_column(cells) for cells in zip(*batch, strict=True)]
        pieces.append([texts for texts, _ in columns])
        numeric = [a + b for a, (_, b) in zip(numeric or [0] * len(columns), columns, strict=True)]
        height, size = height + len(batch), BATCH
    joined = [pa.concat_arrays(parts) for parts in zip(*pieces, strict=True)]
    blank = [pa.nulls(height, pa.string())] * (left if joined else 0)
    return Grid((*blank, *joined), height, (*(0 for _ in blank), *numeric))


def _column(cells: Sequence[Any]) -> tuple[pa.Array, int]:
    """The texts of some cells of one column, and how many of them are numbers."""
    kinds = set(map(type, cells))
    if kinds == {str}:
        return pa.array([cell or None for cell in cells] if "" in cells else cells, pa.string()), 0
    if kinds == {float}:
        return _numbers(pa.array(cells, pa.float64())), len(cells)
    if kinds == {float, str} and {cell for cell in cells if type(cell) is str} == {""}:
        numbers = pa.array([None if cell == "" else cell for cell in cells], pa.float64())
        return _numbers(numbers), len(cells) - numbers.null_count
    if len(kinds) == 1:
        known = {cell: cell_text(cell) for cell in set(cells)}
        return pa.array([known[cell] for cell in cells], pa.string()), 0
    count = sum(1 for cell in cells if isinstance(cell, (int, float)))
    return pa.array([cell_text(cell) for cell in cells], pa.string()), count


def _numbers(values: pa.Array) -> pa.Array:
    """Numbers as `cell_text` writes them, in bulk where the shapes leave no doubt."""
    raw = pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False)
    size = np.abs(raw)
    whole = (raw == np.trunc(raw)) & (size < LARGEST_EXACT)
    plain = whole | ((size >= _SHORTEST_PLAIN) & (size < _LONGEST_PLAIN))
    integers = pc.cast(pa.array(np.where(whole, raw, 0.0).astype(np.int64)), pa.string())
    texts = integers if whole.all() else pc.if_else(pa.array(whole), integers, pc.cast(values, pa.string()))
    if not plain.all():
        patches = [number_text(value) for value in raw[~plain].tolist()]
        texts = pc.replace_with_mask(texts, pa.array(~plain), pa.array(patches, pa.string()))
    return texts if not values.null_count else pc.if_else(values.is_valid(), texts, pa.scalar(None, pa.string()))


def cell_text(value: Any) -> str | None:
    """A cell as text: whole numbers without .0, dates as ISO, long numbers left scientific so that they are refused."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return number_text(float(value))
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return None if value is None else str(value)


def number_text(value: float) -> str:
    """A number as a person sees it in a cell wide enough."""
    if abs(value) >= LARGEST_EXACT:
        return _scientific(value)
    return str(int(value)) if value.is_integer() else repr(value)


def _scientific(value: float) -> str:
    digits, exponent = f"{value:.14E}".split("E")
    return f"{digits.rstrip('0').rstrip('.')}E{int(exponent):+d}"


def patched(column: pa.Array, texts: dict[int, str]) -> pa.Array:
    """A column with some cells replaced."""
    places = np.zeros(len(column), np.bool_)
    places[list(texts)] = True
    return pc.replace_with_mask(column, pa.array(places), pa.array([texts[at] for at in sorted(texts)], pa.string()))
