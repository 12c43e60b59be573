"""A unit named twice in one row: by its code and by its name, or by two codes. Both must mean the same unit.

The credit code stands above the rest: beside it a name nobody knows is only a spelling. Beside an office's own code it
is a fault, for a slip of one digit names another unit. Where one of the cells is blank, the other one counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.columns import Typed
from warehouse.meanings import OPEN_NAME, Meanings
from warehouse.organisations import Directory
from warehouse.readers.cells import Cell

FAULT = "code_not_name"


def agreed(typed: Typed, codes: pa.ChunkedArray, names: pa.ChunkedArray, meanings: Meanings) -> Typed:
    """Return the units of a column, with what the cell beside each says: a fault where they differ."""
    directory = meanings.directory
    told, at = _coded(codes)
    shown, beside = _coded(names)
    width = len(shown) + 1
    pairs, places = np.unique((at + 1) * width + beside + 1, return_inverse=True)
    verdicts = [
        _verdict(
            told[pair // width - 1] if pair // width else "", shown[pair % width - 1] if pair % width else "", directory
        )
        for pair in pairs.tolist()
    ]
    if not any(verdicts):
        return typed
    meanings.open_names.update(
        cell.value.removeprefix(OPEN_NAME) for cell in verdicts if cell and cell.value and cell.value[0] == OPEN_NAME
    )
    values = _plain(typed.values)
    remarks = [remark for remark in typed.remarks if verdicts[places[remark[0]]] is None]
    given = dict(_given(places, verdicts))
    taken = [given[row].value if row in given else value for row, value in enumerate(values.to_pylist())]
    remarks += [(row, f"{_text(codes, row)} / {_text(names, row)}", cell) for row, cell in given.items() if cell.fault]
    return Typed(pa.array(taken, pa.string()), sorted(remarks, key=lambda remark: remark[0]))


def _given(places: np.ndarray, verdicts: list[Cell | None]) -> Iterator[tuple[int, Cell]]:
    told = np.array([verdict is not None for verdict in verdicts], np.bool_)
    for row in np.flatnonzero(told[places]).tolist():
        verdict = verdicts[int(places[row])]
        if verdict is not None:
            yield row, verdict


def _verdict(code: str, name: str, directory: Directory) -> Cell | None:
    """Return what the row's unit is instead of what its code alone says; None where that stands."""
    if not name:
        return None
    beside = directory.find(name)
    if not code:
        return Cell(OPEN_NAME + name) if beside.is_open else Cell(beside.code, fault=beside.fault, hint=beside.hint)
    meant = directory.by_code(code)
    if meant is None or beside.code == meant or directory.may_mean(name, meant):
        return None
    if beside.code is None and directory.is_credit_code(code):
        return None
    shown = "；".join(f"{one} {directory.place(one)}" for one in (meant, beside.code) if one)
    return Cell(None, fault=FAULT, hint=shown)


def _coded(texts: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """Return the different texts without blanks around, and each row's place among them, -1 for a blank."""
    column = _plain(texts)
    column = pc.utf8_trim_whitespace(column)
    coded = (column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column).dictionary_encode()
    different = coded.dictionary.to_pylist()
    blank = np.array([not text for text in different] + [True], np.bool_)
    at = pc.fill_null(coded.indices, len(different)).to_numpy(zero_copy_only=False)
    return different, np.where(blank[at], -1, at)


def _plain(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.cast(texts, pa.string()) if pa.types.is_dictionary(texts.type) else texts


def _text(texts: pa.ChunkedArray, row: int) -> str:
    return texts[row].as_py() or ""
