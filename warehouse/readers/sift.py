"""Separate data rows from totals, notes and blanks, keeping count of everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from warehouse.contracts import load_contracts, normalise_label
from warehouse.readers.headers import Heading
from warehouse.readers.raw import Cells
from warehouse.readers.rows import DATA, NOTE, TOTAL, classify, is_sum_word
from warehouse.readers.spool import fit

Row = tuple[int, Sequence[str | None]]


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
        self.valued = _valued(heading.labels)
        self.skipped: Counter[str] = Counter(heading.before)
        self.totals: list[tuple[int, Cells]] = []
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
        return False

    def counted(self) -> tuple[tuple[str, int], ...]:
        """The reasons met and how often."""
        return tuple(sorted(self.skipped.items()))
