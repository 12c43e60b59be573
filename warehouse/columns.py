"""One column of texts becomes one column of values.

Where texts repeat, each distinct one is parsed once. Where nearly every text differs, those whose shape leaves no
doubt are converted together, and only the others are parsed. Both give what the parser would give for every cell.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts import Column
from warehouse.meanings import ONE, Meanings, is_shift
from warehouse.readers.cells import Cell

ALWAYS_PARSED = 64
"""A chunk of so few rows is parsed text by text, however its texts differ: converting them together costs as much."""

LONG = 20_000
"""So many different texts of a column whose texts recur do not recur any more; so many rows are worth a thread."""

SAMPLE = 2_000
RECURRING = 4
"""Texts recur that stand so often on average."""

MOST_REMEMBERED = 200_000
"""Texts of a column whose meaning is kept from one chunk to the next."""

BLANK = Cell(None)

# no shape is longer than it must be: each is one automaton run over the text
_HAN = "\\x{4E00}-\\x{9FFF}"
_TAIL = f"[!-~{_HAN}]*( [!-~{_HAN}]+)*"
_TEXT = f"^(?:[0-9A-MO-WYZa-mo-wyz]{_TAIL}|[nN][!-~{_HAN}]{{4}}{_TAIL}|[{_HAN}][!-~{_HAN}]{{2}}{_TAIL})$"
"""Printable, one blank at a time, and too long or of another beginning than the words for nothing (n/a, 暂无, xxx)."""

_EXPONENT = "^[0-9][0-9.]*[eE][+]?[0-9]+$"
_DAY = "^(?:19[0-9]{2}|2[01][0-9]{2})(?:-[0-9]{2}-[0-9]{2}|/[0-9]{2}/[0-9]{2})"
_MOMENT = f"{_DAY}[ T][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}})?$"
_WHOLE = "^-?[0-9]{1,18}$"
_GROUPED = "^-?[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?$"
_WIDEST = 38

_VALUES: dict[str, Callable[[str], Any]] = {
    "text": str,
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "month": int,
    "year": int,
    "int": int,
    "bool": "true".__eq__,
}


def arrow_type(column: Column) -> pa.DataType:
    """Return the type a column's values have on their way to the database."""
    kinds = {
        "text": pa.string(), "date": pa.date32(), "datetime": pa.timestamp("us"), "month": pa.int32(),
        "year": pa.int32(), "int": pa.int64(), "bool": pa.bool_(),
    }  # fmt: skip
    return kinds[column.type] if column.type in kinds else pa.decimal128(*column.digits)


def value_of(column: Column, text: str) -> Any:
    """Return the value behind the canonical text the parser gives."""
    return _VALUES.get(column.type, Decimal)(text)


@dataclass(frozen=True)
class Typed:
    """The values of one column in one chunk, and the cells there is something to say about: row, text, meaning."""

    values: pa.Array | pa.ChunkedArray
    remarks: Sequence[tuple[int, str, Cell]] = ()


@dataclass
class ColumnReader:
    """Reads one column of a sheet, chunk after chunk."""

    column: Column
    unit: str | None
    factor: Decimal
    meanings: Meanings
    known: dict[str, Cell] = field(default_factory=dict)

    def read(self, texts: pa.ChunkedArray) -> Typed:
        """Return what the texts of one chunk mean."""
        if pa.types.is_dictionary(texts.type):
            gathered = texts.combine_chunks()
            if len(gathered.dictionary) <= min(LONG, len(gathered) // RECURRING) or self.bulk is None:
                return self._by_text(gathered)
            texts = pc.cast(texts, pa.string())  # what recurred at the head did not go on to
        shape = self.bulk if len(texts) > ALWAYS_PARSED and _differ(texts) else None
        if shape is None:
            return self._by_text(texts.combine_chunks().dictionary_encode())
        clean, values = shape(texts)
        odd = np.flatnonzero(~clean)
        if not odd.size:
            return Typed(values)
        parsed = self._by_text(texts.take(pa.array(odd)).combine_chunks().dictionary_encode())
        remarks = [(int(odd[row]), text, cell) for row, text, cell in parsed.remarks]
        patches = pc.cast(parsed.values, values.type)
        return Typed(pc.replace_with_mask(values, pa.array(~clean), patches), remarks)

    def _by_text(self, texts: pa.DictionaryArray) -> Typed:
        """Parse each distinct text once and put its value where it stands."""
        written = texts.dictionary.to_pylist()
        cells = [self._meaning(text) for text in written]
        remarks = list(_remarks(texts.indices, written, cells))
        if self.column.type == "text":
            return Typed(_coded(texts.indices, [cell.value for cell in cells]), remarks)
        found = [None if cell.value is None else value_of(self.column, cell.value) for cell in cells]
        return Typed(pa.array(found, arrow_type(self.column)).take(texts.indices), remarks)

    def _meaning(self, text: str) -> Cell:
        cell = self.known.get(text)
        if cell is None:
            if len(self.known) >= MOST_REMEMBERED:
                self.known.clear()
            cell = self.meanings.of(self.column, text, self.unit, self.factor) if text.strip() else BLANK
            self.known[text] = cell
        return cell

    @cached_property
    def bulk(self) -> Callable[[pa.ChunkedArray], tuple[npt.NDArray[np.bool_], pa.Array]] | None:
        """How texts of this column are converted together; None where their kinds are few or only parsed."""
        column = self.column
        if column.is_org or column.values:
            return None
        if column.type == "text":
            return self._texts
        if column.type == "datetime":
            return lambda texts: self._cast(_dashed(texts), _MOMENT, arrow_type(column))
        if column.type == "date":
            return lambda texts: self._cast(_dashed(texts), f"{_DAY}$", arrow_type(column))
        if column.type == "int":
            return (lambda texts: self._cast(texts, _WHOLE, pa.int64())) if self.factor == ONE else None
        return self._decimals if column.is_number and is_shift(self.factor) else None

    def _texts(self, texts: pa.ChunkedArray) -> tuple[npt.NDArray[np.bool_], pa.Array]:
        clean = _matches(texts, _TEXT)
        if self.column.is_key:
            clean &= ~_matches(texts, _EXPONENT)
        return clean | _blank(texts), texts.combine_chunks()

    def _decimals(self, texts: pa.ChunkedArray) -> tuple[npt.NDArray[np.bool_], pa.Array]:
        """Digits of which none is lost: as many behind the point as the column keeps in the unit of the file."""
        precision, scale = self.column.digits
        shift = self.factor.adjusted()
        part = f"([.][0-9]{{1,{scale + shift}}})?" if scale + shift > 0 else ""
        shape = f"^-?[0-9]{{1,{precision - scale - max(shift, 0)}}}{part}$"
        if not 0 <= scale + shift <= _WIDEST - precision or precision - scale <= shift:
            return np.zeros(len(texts), np.bool_), pa.nulls(len(texts), arrow_type(self.column))
        clean, values = self._cast(texts, shape, pa.decimal128(precision, scale + max(shift, 0)))
        if shift:
            power = pa.scalar(self.factor, pa.decimal128(abs(shift) + 1, max(-shift, 0)))
            values = pc.cast(pc.multiply(values, power), arrow_type(self.column))
        return clean, values

    def _cast(self, texts: pa.ChunkedArray, shape: str, kind: pa.DataType) -> tuple[npt.NDArray[np.bool_], pa.Array]:
        """Convert the texts of a shape; when one is refused all the same, none counts as clean."""
        texts = _ungrouped(texts)
        clean = _matches(texts, shape)
        plain = texts if clean.all() else pc.if_else(pa.array(clean), texts, pa.scalar(None, pa.string()))
        try:
            return clean | _blank(texts), pc.cast(plain, kind).combine_chunks()
        except pa.ArrowInvalid:
            return _blank(texts), pa.nulls(len(texts), kind)


def _coded(indices: pa.Array, values: Sequence[str | None]) -> pa.DictionaryArray:
    """Return the values as places in the list of the different ones."""
    different = list(dict.fromkeys(value for value in values if value is not None))
    places = {value: at for at, value in enumerate(different)}
    codes = pa.array([None if value is None else places[value] for value in values], pa.int32())
    return pa.DictionaryArray.from_arrays(codes.take(indices), pa.array(different, pa.string()))


def _differ(texts: pa.ChunkedArray) -> bool:
    """Whether the texts at the head recur too seldom for one look at each to be cheaper."""
    head = texts.slice(0, SAMPLE)
    return int(pc.count_distinct(head).as_py()) * RECURRING > len(head)


def _dashed(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return days written 2025/03/01 as 2025-03-01."""
    if not pc.any(pc.match_substring(texts, "/")).as_py():
        return texts
    return pc.if_else(pa.array(_matches(texts, _DAY)), pc.replace_substring(texts, "/", "-"), texts)


def _ungrouped(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return figures without the commas between their thousands; a comma anywhere else stays and is no digit."""
    if not pc.any(pc.match_substring(texts, ",")).as_py():
        return texts
    return pc.if_else(pa.array(_matches(texts, _GROUPED)), pc.replace_substring(texts, ",", ""), texts)


def _matches(texts: pa.ChunkedArray, shape: str) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = pc.fill_null(pc.match_substring_regex(texts, shape), False).to_numpy()
    return found


def _blank(texts: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = texts.is_null().to_numpy()
    return found


def _remarks(indices: pa.Array, written: Sequence[str], cells: Sequence[Cell]) -> Iterator[tuple[int, str, Cell]]:
    """Give the rows whose text has a note or a fault."""
    noted = np.array([bool(cell.note or cell.fault) for cell in cells], np.bool_)
    if not noted.any():
        return
    places = pc.fill_null(indices, len(written)).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(np.append(noted, False)[places]).tolist():
        at = int(places[row])
        yield row, written[at], cells[at]
