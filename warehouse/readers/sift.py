"""Separate data rows from totals, notes and blanks, keeping count of everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.contracts import load_contracts, normalise_label
from warehouse.readers.headers import Heading
from warehouse.readers.raw import Cells
from warehouse.readers.rows import (
    ASCII_REMINDERS,
    DATA,
    LEADING_CELLS,
    NOTE,
    TOTAL,
    WIDE_REMINDERS,
    classify,
    is_sum_word,
)
from warehouse.readers.spool import fit

Row = tuple[int, Sequence[str | None]]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

SAMPLE = 1_000


@cache
def _valued_labels() -> frozenset[str]:
    """Labels of the columns whose contract declares a word for a total, such as 合计, as a value."""
    return frozenset(
        label
        for contract in load_contracts().values()
        for column in contract.columns
        if any(is_sum_word(text) for text in column.values)
        for label in column.labels
    )


def _valued(labels: Sequence[str]) -> frozenset[int]:
    known = _valued_labels()
    return frozenset(at for at, label in enumerate(labels) if normalise_label(label.rsplit("/", 1)[-1]) in known)


class Sieve:
    """Lets the data rows of one table through and remembers the rest."""

    def __init__(self, heading: Heading) -> None:
        self.labels = heading.labels
        self.units = heading.units
        self.valued = _valued(heading.labels)
        self.skipped: Counter[str] = Counter(heading.before)
        self.totals: list[tuple[int, Cells]] = []
        self.notes: list[tuple[int, Cells]] = []
        self.rows = 0
        self._after_note = False
        self._last = 0

    def pass_through(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the data rows."""
        for number, cells in rows:
            if self.takes(number, cells):
                yield number, cells

    def takes(self, number: int, cells: Sequence[str | None]) -> bool:
        """Whether a row is data; if not it is counted under its reason."""
        self._after_note = self._after_note and number == self._last + 1
        self._last = number
        kind = classify(cells, self.labels, after_note=self._after_note, valued=self.valued)
        if kind == DATA:
            self._after_note = False
            self.rows += 1
            return True
        self._after_note = kind == NOTE or (self._after_note and kind != TOTAL)
        self.skipped[kind] += 1
        if kind == TOTAL:
            self.totals.append((number, fit(cells, len(self.labels))))
        elif kind == NOTE:
            self.notes.append((number, fit(cells, len(self.labels))))
        return False

    def counted(self) -> tuple[tuple[str, int], ...]:
        """The reasons met and how often."""
        return tuple(sorted(self.skipped.items()))


def suspects(columns: Sequence[pa.Array], labels: Sequence[str], filled: Mask) -> Mask:
    """Rows that may be something other than data; of all others `is_plainly_data` says so, without looking at each."""
    rank = np.zeros(len(filled), np.int16)
    pairs = np.zeros(len(filled), np.int16)
    doubtful = np.zeros(len(filled), np.bool_)
    leading: list[tuple[pa.Array, Mask]] = []
    for at, (column, label) in enumerate(zip(columns, labels, strict=False)):
        present = filled[:, at]
        rank += present
        near = present & (rank <= LEADING_CELLS + 1)
        if near.any():
            leading.append((column, near))
        first = label.rsplit("/", 1)[-1][:1]
        if first:
            pairs += present
            doubtful |= present & (pairs <= LEADING_CELLS) & _answers(pc.match_substring(column, first))
    for (_, near), reminding in zip(leading, _reminding([column for column, _ in leading]), strict=True):
        doubtful |= near & reminding
    rank[:] = filled.sum(axis=1)
    found: Mask = doubtful | (rank < 2)
    return found


def _reminding(columns: Sequence[pa.Array]) -> Iterator[Mask]:
    """Whether each cell of some columns reminds of a total or a note; all their texts are asked about together, those
    that recur once."""
    coded = [column.dictionary_encode() if _recurs(column) else None for column in columns]
    texts = [column if code is None else code.dictionary for column, code in zip(columns, coded, strict=True)]
    answers = _answers(_reminds(pa.concat_arrays(texts))) if texts else np.empty(0, np.bool_)
    start = 0
    for text, code in zip(texts, coded, strict=True):
        own, start = answers[start : start + len(text)], start + len(text)
        if code is not None:
            own = np.append(own, False)[_plain(pc.fill_null(code.indices, len(own)))]
        yield own


def _recurs(column: pa.Array) -> bool:
    head = column.slice(0, SAMPLE)
    return int(pc.count_distinct(head).as_py()) * 4 <= len(head)


def _answers(found: pa.Array) -> Mask:
    """Answers about texts; of no text they are no."""
    return _plain(pc.fill_null(found, False))


def _plain(values: pa.Array) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return found


def _reminds(texts: pa.Array) -> pa.Array:
    """Whether texts hold what every total holds or every note begins with; see `rows`."""
    found = [pc.match_substring(texts, word, ignore_case=True) for word in ASCII_REMINDERS]
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        found.append(pc.match_substring_regex(texts, WIDE_REMINDERS))
    return reduce(pc.or_, found)
