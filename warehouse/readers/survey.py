"""Look over a whole csv without parsing it: count its records and find the few that may not be data.

A vectorised parser reads a regular file many times faster than Python can. What it cannot tell is which records are
totals, notes or blank, and which physical record a row was. Both are found here on the raw bytes, so that the
counts are known before anything is loaded and are the same as a record-by-record reading would give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from warehouse.readers.encodings import is_utf8
from warehouse.readers.rows import LEADING_CELLS, fold, is_note

BLOCK = 1 << 18
"""Bytes looked at together: few enough to stay in the processor's cache."""

PART_BYTES = 1 << 25
"""About so many bytes are parsed at a time, which bounds the memory a file of any size takes."""

LONGEST_RECORD = 1 << 26
CLASSIFIED_AT_END = 200
MANY_SUSPECTS = 200_000

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

_NEWLINE, _RETURN, _QUOTE = 10, 13, 34


def _code(letter: str) -> int:
    return int.from_bytes(letter.encode("utf-8"), "big")


_BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + "\u200b"
_SHORT_BLANKS = np.zeros(256, np.bool_)
_SHORT_BLANKS[[ord(blank) for blank in _BLANKS if blank.isascii()]] = True
_LONG_BLANKS = np.array([_code(blank) for blank in _BLANKS if not blank.isascii()])
_BLANK_BYTES = np.zeros(256, np.bool_)
_BLANK_BYTES[list(_BLANKS.encode("utf-8"))] = True
"""Every byte of a blank. Some are bytes of other letters too, so a text of them may be something else, but never
the other way round."""
_STEPS = 8

_NOTE_FIRST = "注备说附填编指口单审复统经负联制主报打导查生数资第共签批核校录抄会出分局财法盖公"
"""The first letters of the notes of `rows`, which are also written nNsS, full width or as radicals."""
_NOTE_CODES = np.array([_code(letter) for letter in _NOTE_FIRST])
_NOTE_BYTES = np.zeros(256, np.bool_)
_NOTE_BYTES[[*{letter.encode("utf-8")[0] for letter in _NOTE_FIRST}]] = True
_NOTE_SURELY = np.zeros(256, np.bool_)
_NOTE_SURELY[[*b"nNsS", *range(0x80, 0xC0), 0xEF]] = True
_NOTE_LENGTH = 96

_WORDS = tuple(
    (_code(word[-1]), np.array([_code(letter) for letter in word[:-1]])) for word in ("合小总共累计", "其中", "负责")
)
"""The last letter of the words for totals and of 负责人, and the letters before it."""
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


def survey(
    path: Path, start: int, first_record: int, delimiter: str, width: int, again: bytes, *, is_proved: bool = True
) -> Survey:
    """Survey the records from byte `start` on; the first of them has the number `first_record`.

    `again` is the beginning of the header line, to find where it was printed once more. A file that is not proved to be
    utf-8 is proved on the way.
    """
    scan = _Scan(ord(delimiter), width, again)
    cuts, size = [(start, 0)], path.stat().st_size
    with path.open("rb", buffering=0) as file:
        if not is_proved and not is_utf8(file.read(start)):
            raise Irregular("another encoding")
        for at, block in _records(file, size, start, scan):
            if not is_proved and not is_utf8(block):
                raise Irregular("another encoding")
            if at - cuts[-1][0] >= PART_BYTES:
                cuts.append((at, scan.records))
            scan.take(at, block)
        cuts.append((size, scan.records))
    parts = (Part(a, b, first_record + m, n - m) for (a, m), (b, n) in pairwise(cuts) if n > m)
    return Survey(scan.records, scan.suspects(first_record), scan.quoted_newline, scan.longest, tuple(parts))


def _records(file: BinaryIO, end: int, start: int, scan: _Scan) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole records and where they begin; a line end inside quotes ends no record."""
    size = BLOCK
    while start < end:
        file.seek(start)
        block = file.read(min(size, end - start))
        if not block:
            raise Irregular("a file that is being cut short")
        at_end = start + len(block) >= end
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
        self.empty = _BLANK_BYTES.copy()
        self.empty[[delimiter, _QUOTE]] = True
        self.english = _ENGLISH_FIRST | _BLANK_BYTES
        self.english[delimiter] = False
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
        if not cut or b'"' not in block or block.count(b'"', 0, cut) % 2 == 0:
            return cut
        data = np.frombuffer(block, np.uint8)
        quotes, lines = np.flatnonzero(data == _QUOTE), np.flatnonzero(data == _NEWLINE)
        whole = lines[np.searchsorted(quotes, lines) % 2 == 0]
        if whole.size:
            return int(whole[-1]) + 1
        self._check_quotes(data, quotes)
        return 0

    def take(self, start: int, block: bytes) -> None:
        """Count the records of a block and note the doubtful ones."""
        data = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(data == _NEWLINE)
        quotes = broken = np.empty(0, np.int64)
        if b'"' in block:
            quotes = np.flatnonzero(data == _QUOTE)
        if quotes.size:
            self._check_quotes(data, quotes)
            inside = np.searchsorted(quotes, ends) % 2 == 1
            self.quoted_newline |= bool(inside.any())
            broken = np.unique(np.searchsorted(ends[~inside], ends[inside]))
            ends = ends[~inside]
        self._check_returns(block, data, ends)
        if not ends.size or ends[-1] != len(block) - 1:
            ends = np.append(ends, len(block))
        starts = np.concatenate(([0], ends[:-1] + 1))
        self.longest = max(self.longest, int((ends - starts).max()))
        cells, is_odd = self._parted(data, starts, ends, quotes)
        even = np.flatnonzero(~is_odd)
        doubtful = [even[found] for found in self._in_cells(block, data, starts[even], ends[even], cells)]
        doubtful += [broken, np.flatnonzero(is_odd), *self._words(block, data, starts, ends)]
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

    def _in_cells(self, block: bytes, data: Bytes, starts: Places, ends: Places, cells: Places) -> Iterator[Places]:
        """Records with nothing or one cell filled, with a note's beginning, or an English word of totals in a cell."""
        first = _skip(data, starts, ends, self.empty)
        yield np.flatnonzero(first >= ends)
        if self.width > 1:
            yield self._alone(data, ends, cells, first)
        yield self._notes(block, data, starts, ends, cells, first)
        for column in range(min(LEADING_CELLS, self.width)):
            yield from _english(data, starts if column == 0 else cells[:, column - 1] + 1, self.english, self.empty)

    def _alone(self, data: Bytes, ends: Places, cells: Places, first: Places) -> Places:
        """Records with nothing behind the first cell that is filled; then the last cell is empty or is that cell."""
        last = data[np.maximum(ends - (2 if self._returns else 1), 0)]
        likely = np.flatnonzero(self.empty[last] | (first > cells[:, -1]))
        if not likely.size:
            return likely
        behind = _cell_ends(cells, first, ends, likely)
        return likely[_skip(data, behind, ends[likely], self.empty) >= ends[likely]]

    def _notes(self, block: bytes, data: Bytes, starts: Places, ends: Places, cells: Places, first: Places) -> Places:
        """Records that begin as a note does; most are ruled out by their first byte or letter."""
        letters = data[np.minimum(first, data.size - 1)]
        surely = _NOTE_SURELY[letters]
        likely = np.flatnonzero(surely | _NOTE_BYTES[letters])
        if likely.size:
            likely = likely[surely[likely] | np.isin(_codes(data, first[likely]), _NOTE_CODES)]
        if not likely.size:
            return likely
        stops = np.minimum(_cell_ends(cells, first, ends, likely), first[likely] + _NOTE_LENGTH)
        # a first byte within a letter is looked at from the beginning of the record
        within = letters[likely] & 0xC0 == 0x80
        froms = np.where(within, starts[likely], first[likely])
        texts = zip(froms.tolist(), stops.tolist(), strict=True)
        delimiter = chr(self.delimiter)
        notes = np.array([_is_note(block[begin:stop], delimiter) for begin, stop in texts], np.bool_)
        return likely[notes]

    def _words(self, block: bytes, data: Bytes, starts: Places, ends: Places) -> Iterator[Places]:
        """Records that hold a Chinese word of totals or of a footer (负责人), or the header once more."""
        if self.again.size:
            yield _begin_with(data, starts, self.again[None, :])
        if not block.isascii():
            for letter, before in _WORDS:
                yield np.searchsorted(ends, _letters(data, letter, before, starts))
            for after in _AFTER_NUMERAL:
                yield np.searchsorted(ends, _letters(data, after, _NUMERALS))

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


def _skip(data: Bytes, places: Places, limits: Places, empty: npt.NDArray[np.bool_]) -> Places:
    """The first byte that is not `empty` from each place on, or the limit."""
    open_ = np.flatnonzero(empty[data[np.minimum(places, data.size - 1)]])
    if not open_.size:
        return np.minimum(places, limits)
    places = places.copy()
    for _ in range(_STEPS):
        places[open_] += 1
        at = places[open_]
        open_ = open_[(at < limits[open_]) & empty[data[np.minimum(at, data.size - 1)]]]
        if not open_.size:
            break
    else:
        filled = np.append(np.flatnonzero(~empty[data]), data.size)
        places[open_] = filled[np.searchsorted(filled, places[open_])]
    return np.minimum(places, limits)


def _cell_ends(cells: Places, first: Places, ends: Places, which: Places) -> Places:
    """Where the cells end in which the records of `which` have their first letter."""
    if not cells.shape[1]:
        return ends[which]
    stops: Places = cells[which, 0]
    later = np.flatnonzero(first[which] > stops)
    if later.size:
        flat = np.append(cells.ravel(), ends[-1])
        stops[later] = flat[np.searchsorted(flat[:-1], first[which[later]])]
    np.minimum(stops, ends[which], out=stops)
    return stops


@lru_cache(maxsize=1 << 14)
def _is_note(raw: bytes, delimiter: str) -> bool:
    """Whether a first cell, which may have been cut off, can be that of a note."""
    text = fold(raw.decode("utf-8", "ignore").replace('"', " ").replace(delimiter, " "))
    head = text.partition("(")[0] + ":"
    return any(is_note([folded], 1, after_note=False) for folded in (text, head))


def _english(
    data: Bytes, places: Places, first: npt.NDArray[np.bool_], empty: npt.NDArray[np.bool_]
) -> Iterator[Places]:
    """Which cells begin with an English word of totals; most are ruled out by their first letter."""
    if not places.size:
        return
    likely = np.flatnonzero(first[data[np.minimum(places, data.size - 1)]])
    if likely.size:
        begins = _skip(data, places[likely], np.full(likely.size, data.size), empty)
        for word in _ENGLISH:
            yield likely[_begin_with(data, begins, word)]


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


def _codes(data: Bytes, places: Places) -> Places:
    """The three bytes from each place on as one number."""
    end = data.size - 1
    codes = data[np.minimum(places, end)].astype(np.int64) << 16
    return codes | data[np.minimum(places + 1, end)].astype(np.int64) << 8 | data[np.minimum(places + 2, end)]


def _letters(data: Bytes, letter: int, before: npt.NDArray[Any], starts: Places | None = None) -> Places:
    """Places of a letter that follows one of `before` or, if `starts` of records are given, a blank inside one."""
    length = 1 if letter < 128 else 3
    ends = np.flatnonzero(data == letter & 255)
    ends = ends[ends >= length + 2]
    if length == 3 and ends.size:
        ends = ends[(data[ends - 1] == letter >> 8 & 255) & (data[ends - 2] == letter >> 16)]
    if not ends.size:
        return ends
    previous = ends - length
    code = _codes(data, previous - 2)
    match = np.isin(code, before)
    if starts is not None:
        spaced = _SHORT_BLANKS[data[previous]] | np.isin(code, _LONG_BLANKS) | np.isin(code & 0xFFFF, _LONG_BLANKS)
        if spaced.any():
            match |= spaced & ~np.isin(previous + 1, starts)
    return ends[match]
