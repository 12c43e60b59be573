"""Look over a whole csv without parsing it: count its records and find the few that may not be data.

The database parses a regular file many times faster than Python can. What it cannot tell is which records are
totals, notes or blank, and which physical record a row was. Both are found here on the raw bytes, so that the
counts are known before anything is loaded and are the same as a record-by-record reading would give.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from warehouse.readers.rows import LEADING_CELLS

BLOCK = 1 << 18
"""Bytes looked at together: few enough to stay in the processor's cache."""

PART_BYTES = 1 << 25
"""About so many bytes are parsed at a time, which bounds the memory a file of any size takes."""

LONGEST_RECORD = 1 << 26
CLASSIFIED_AT_END = 200
MANY_SUSPECTS = 200_000

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

_NEWLINE, _RETURN, _QUOTE, _SPACE, _TAB = 10, 13, 34, 32, 9


def _code(letter: str) -> int:
    return int.from_bytes(letter.encode("utf-8"), "big")


_SUM = _code("计")
_SUM_BEFORE = np.array([_code(letter) for letter in "合小总共累　"])
_WHICH = _code("中")
_WHICH_BEFORE = np.array([_code(letter) for letter in "其　"])
_NUMERALS = np.array([_code(letter) for letter in "一二三四五六七八九十"])
_ENGLISH = tuple(
    np.array([list(word), list(word.upper())], np.uint8) for word in (b"total", b"subtotal", b"sub-total", b"grand")
)
_ENGLISH_FIRST = np.zeros(256, np.bool_)
_ENGLISH_FIRST[[*{letter for word in _ENGLISH for letter in word[:, 0].tolist()}, _QUOTE]] = True
_AFTER_NUMERAL = (_code("、"), _code("）"), ord(")"))


@dataclass(frozen=True)
class Suspect:
    """A record that needs a look: its 1-based number, its place in the file and its bytes.

    It may be something other than data, or `is_odd`: wider or narrower than the header.
    """

    record: int
    start: int
    raw: bytes
    is_odd: bool


@dataclass(frozen=True)
class Part:
    """Whole records that stand together: from which byte to which, the number of the first, and how many."""

    start: int
    end: int
    first_record: int
    records: int


@dataclass(frozen=True)
class Survey:
    """How many records follow the header, which of them need a look, and where the file may be cut."""

    records: int
    suspects: tuple[Suspect, ...]
    has_quoted_newline: bool
    longest: int
    parts: tuple[Part, ...]


class Irregular(Exception):
    """The file must be read record by record; the text says why."""


def survey(path: Path, start: int, first_record: int, delimiter: str, width: int, again: bytes) -> Survey:
    """Survey the records from byte `start` on; the first of them has the number `first_record`.

    `again` is the beginning of the header line, to find where it was printed once more.
    """
    scan = _Scan(ord(delimiter), width, again)
    cuts = [(start, 0)]
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        for at, block in _records(whole, start, scan):
            if at - cuts[-1][0] >= PART_BYTES:
                cuts.append((at, scan.records))
            scan.take(at, block)
        cuts.append((len(whole), scan.records))
    parts = (Part(a, b, first_record + m, n - m) for (a, m), (b, n) in pairwise(cuts) if n > m)
    return Survey(scan.records, scan.suspects(first_record), scan.quoted_newline, scan.longest, tuple(parts))


def _records(whole: mmap.mmap, start: int, scan: _Scan) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole records and where they begin; a line end inside quotes ends no record."""
    size = BLOCK
    while start < len(whole):
        block = whole[start : start + size]
        at_end = start + size >= len(whole)
        cut = scan.cut(block, at_end)
        if cut == 0:
            size *= 2
            if size > LONGEST_RECORD:
                raise Irregular("a record that does not end")
            continue
        yield start, block[:cut]
        start, size = start + cut, BLOCK


class _Scan:
    """The counting of one survey."""

    def __init__(self, delimiter: int, width: int, again: bytes) -> None:
        self.delimiter = delimiter
        self.width = width
        self.again = np.frombuffer(again, np.uint8)
        self.records = 0
        self.quoted_newline = False
        self.longest = 0
        self._found: dict[int, Suspect] = {}
        self._tail: list[Callable[[], list[Suspect]]] = []
        self._returns: bool | None = None

    def cut(self, block: bytes, at_end: bool) -> int:
        """The number of bytes up to the last record that ends in the block."""
        if at_end:
            if b'"' in block and block.count(b'"') % 2:
                raise Irregular("a quote that is never closed")
            return len(block)
        cut = block.rfind(b"\n") + 1
        while cut and b'"' in block and block.count(b'"', 0, cut) % 2:
            cut = block.rfind(b"\n", 0, cut - 1) + 1
        return cut

    def take(self, start: int, block: bytes) -> None:
        """Count the records of a block and note the doubtful ones."""
        data = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(data == _NEWLINE)
        quotes = np.flatnonzero(data == _QUOTE) if b'"' in block else np.empty(0, np.int64)
        if quotes.size:
            self._check_quotes(data, quotes)
            inside = np.searchsorted(quotes, ends) % 2 == 1
            self.quoted_newline |= bool(inside.any())
            ends = ends[~inside]
        self._check_returns(block, data, ends)
        if not ends.size or ends[-1] != len(block) - 1:
            ends = np.append(ends, len(block))
        starts = np.concatenate(([0], ends[:-1] + 1))
        self.longest = max(self.longest, int((ends - starts).max()))
        cells, is_odd = self._parted(data, starts, ends, quotes)
        even = np.flatnonzero(~is_odd)
        doubtful = [even[found] for found in self._in_cells(data, starts[even], ends[even], cells)]
        doubtful += [np.flatnonzero(is_odd), *self._words(block, data, starts, ends)]
        self._note(start, block, starts, ends, is_odd, np.unique(np.concatenate(doubtful)))
        self.records += int(ends.size)

    def suspects(self, first_record: int) -> tuple[Suspect, ...]:
        """All noted records and the last ones of the file, where notes stand."""
        last = [suspect for records in self._tail for suspect in records()][-CLASSIFIED_AT_END:]
        self._found.update((suspect.record, suspect) for suspect in last)
        found = (self._found[at] for at in sorted(self._found))
        return tuple(replace(suspect, record=first_record + suspect.record) for suspect in found)

    def _check_quotes(self, data: Bytes, quotes: Places) -> None:
        """Quotes must open after a delimiter and close before one."""
        opening, closing = quotes[0::2], quotes[1::2]
        edge = np.array([self.delimiter, _NEWLINE, _RETURN, _QUOTE], np.uint8)
        before = data[opening[opening > 0] - 1]
        after = data[closing[closing < data.size - 1] + 1]
        if not (np.isin(before, edge).all() and np.isin(after, edge).all()):
            raise Irregular("quotes inside a cell")

    def _check_returns(self, block: bytes, data: Bytes, ends: Places) -> None:
        """Either every record ends with CR LF or none does, and no CR stands elsewhere."""
        count = int(np.count_nonzero(data == _RETURN)) if b"\r" in block else 0
        preceded = int(np.count_nonzero(data[ends[ends > 0] - 1] == _RETURN)) if count else 0
        has = count > 0
        if count and (preceded != count or preceded != ends.size):
            raise Irregular("mixed line ends")
        if self._returns is not None and ends.size and self._returns != has:
            raise Irregular("mixed line ends")
        self._returns = has if self._returns is None and ends.size else self._returns

    def _parted(
        self, data: Bytes, starts: Places, ends: Places, quotes: Places
    ) -> tuple[Places, npt.NDArray[np.bool_]]:
        """Where the records of the header's width are parted, a row each, and which records have another width."""
        cells = np.flatnonzero(data == self.delimiter)
        if quotes.size and cells.size:
            cells = cells[np.searchsorted(quotes, cells) % 2 == 0]
        parts = self.width - 1
        if parts and cells.size == ends.size * parts:
            table = cells.reshape(ends.size, parts)
            if (table[:, 0] >= starts).all() and (table[:, -1] < ends).all():
                return table, np.zeros(ends.size, np.bool_)
        counts = np.diff(np.searchsorted(cells, ends), prepend=0)
        is_odd = counts != parts
        even = int(np.count_nonzero(~is_odd))
        return cells[np.repeat(~is_odd, counts)].reshape(even, parts), is_odd

    def _in_cells(self, data: Bytes, starts: Places, ends: Places, cells: Places) -> Iterator[Places]:
        """Records with nothing or one cell filled, or with an English word of totals before a cell."""
        if self.width == 1:
            yield np.flatnonzero(ends - starts <= 1)
        else:
            yield np.flatnonzero(cells[:, -1] - cells[:, 0] == self.width - 2)
        for column in range(min(LEADING_CELLS, self.width)):
            yield from _english(data, starts if column == 0 else cells[:, column - 1] + 1)

    def _words(self, block: bytes, data: Bytes, starts: Places, ends: Places) -> Iterator[Places]:
        """Records that hold a Chinese word of totals, or the header once more."""
        if self.again.size:
            yield _begin_with(data, starts, self.again[None, :])
        if not block.isascii():
            yield _records_of(_letters(data, _SUM, _SUM_BEFORE, spaced=True), ends)
            yield _records_of(_letters(data, _WHICH, _WHICH_BEFORE, spaced=True), ends)
            for after in _AFTER_NUMERAL:
                yield _records_of(_letters(data, after, _NUMERALS, spaced=False), ends)

    def _note(
        self, start: int, block: bytes, starts: Places, ends: Places, is_odd: npt.NDArray[np.bool_], doubtful: Places
    ) -> None:
        before, count = self.records, int(ends.size)

        def suspect(at: int) -> Suspect:
            begin = int(starts[at])
            return Suspect(before + at, start + begin, block[begin : ends[at]], bool(is_odd[at]))

        self._found.update((before + at, suspect(at)) for at in doubtful.tolist())
        if len(self._found) > MANY_SUSPECTS:
            raise Irregular("many records that need a look")
        # which block is the last is known at the end; its records are taken apart only then
        kept = self._tail[1 - CLASSIFIED_AT_END :] if count < CLASSIFIED_AT_END else []
        self._tail = [*kept, lambda: [suspect(at) for at in range(max(0, count - CLASSIFIED_AT_END), count)]]


def _english(data: Bytes, places: Places) -> Iterator[Places]:
    """Which cells begin with an English word of totals; most are ruled out by their first letter."""
    if not places.size:
        return
    letters = data[np.minimum(places, data.size - 1)]
    likely = np.flatnonzero(_ENGLISH_FIRST[letters])
    for word in _ENGLISH if likely.size else ():
        yield likely[_begin_with(data, places[likely], word)]


def _begin_with(data: Bytes, places: Places, word: Bytes) -> Places:
    """Which of the places begin with the word, written in any of its rows; a quote may stand before it."""
    at = np.arange(places.size)
    quoted = data[np.minimum(places, data.size - 1)] == _QUOTE
    places = places + quoted
    for step in range(word.shape[1]):
        letters = data[np.minimum(places[at] + step, data.size - 1)]
        match = letters == word[0, step]
        for spelling in word[1:, step]:
            match |= letters == spelling
        at = at[match]
        if not at.size:
            break
    return at


def _records_of(places: Places, ends: Places) -> Places:
    return np.searchsorted(ends, places)


def _letters(data: Bytes, letter: int, before: npt.NDArray[Any], *, spaced: bool) -> Places:
    """Places of a letter that follows one of `before` (or a plain space)."""
    length = 1 if letter < 128 else 3
    ends = np.flatnonzero(data == letter & 255)
    ends = ends[ends >= length + 2]
    if length == 3 and ends.size:
        ends = ends[(data[ends - 1] == letter >> 8 & 255) & (data[ends - 2] == letter >> 16)]
    if not ends.size:
        return ends
    previous = ends - length
    code = (data[previous - 2].astype(np.int64) << 16) | (data[previous - 1].astype(np.int64) << 8) | data[previous]
    match = np.isin(code, before)
    if spaced:
        match |= (data[previous] == _SPACE) | (data[previous] == _TAB)
    return ends[match]
