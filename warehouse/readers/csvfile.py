"""Text tables: csv, tsv and the like, in any of the encodings offices use.

A regular file is surveyed on its bytes and parsed part by part; any other is read record by record.
Both ways give the same rows, numbers and counts.
"""

from __future__ import annotations

import csv
import io
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from warehouse.readers.encodings import Utf8File, as_utf8, detect, likely_utf8
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.headers import SEARCHED_ROWS, Heading, find_heading
from warehouse.readers.labels import Aliases, fold_label
from warehouse.readers.raw import Cells, NoRows, Place, RawTable, Source, chunk_schema
from warehouse.readers.row_faults import RowFaults
from warehouse.readers.sift import Row, Sieve
from warehouse.readers.spool import fit, spool
from warehouse.readers.stacked import LARGEST, stacked_places, stacked_tables
from warehouse.readers.structure import is_form, lies_on_its_side
from warehouse.readers.survey import Irregular, Part, Survey, Suspect, survey

HEAD_BYTES = 1 << 16
DELIMITERS = (",", "\t", ";", "|")
LONGEST_CELL = 1 << 26
PARSED_AT_ONCE = 1 << 22
GATHERED = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class _Head:
    """The first records of a file: cells, and the byte behind each."""

    delimiter: str
    records: tuple[Cells, ...]
    ends: tuple[int, ...]
    heading: Heading | None


@dataclass(frozen=True)
class Patch:
    """Bytes that stand for the record between two places of the file."""

    start: int
    end: int
    record: bytes


@dataclass(frozen=True)
class ParsedRows:
    """Data rows of a regular file, parsed part by part; `dropped` are the records that are no data.

    A part that the fast parser refuses, or counts otherwise than the survey did, is read record by record.
    """

    name: str
    file: Utf8File
    delimiter: str
    width: int
    found: Survey
    patches: tuple[Patch, ...]
    dropped: tuple[int, ...]
    repeating: frozenset[int] = frozenset()
    """Columns whose texts recur: the parser gathers them as it reads."""

    def chunks(self) -> Iterator[pa.Table]:
        """Give the rows of each part of the file."""
        with self.file.path.open("rb") as file:
            for part in self.found.parts:
                file.seek(part.start)
                data = self._patched(part, file.read(part.end - part.start))
                yield self._numbered(part, self._parsed(part, data) or self._careful(part, data))

    def _parsed(self, part: Part, data: bytes) -> list[pa.ChunkedArray] | None:
        names = [f"c{column}" for column in range(self.width)]
        kinds = {name: GATHERED if at in self.repeating else pa.string() for at, name in enumerate(names)}
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(data),
                pa_csv.ReadOptions(column_names=names, block_size=max(self.found.longest * 2, PARSED_AT_ONCE)),
                pa_csv.ParseOptions(
                    delimiter=self.delimiter, newlines_in_values=self.found.has_quoted_newline, ignore_empty_lines=False
                ),
                pa_csv.ConvertOptions(
                    column_types=kinds, strings_can_be_null=True, null_values=[""], check_utf8=False
                ),
            ).unify_dictionaries()  # fmt: skip
        except pa.ArrowInvalid:
            return None
        return table.columns if table.num_rows == part.records else None

    def _careful(self, part: Part, data: bytes) -> list[pa.Array]:
        lines = io.StringIO(data.decode("utf-8"), newline="")
        try:
            rows = [fit([cell or None for cell in record], self.width) for record in _reader(lines, self.delimiter)]
        except csv.Error:
            rows = []
        if len(rows) != part.records:  # then no row number behind could be trusted
            raise ReadRefused(Fault("corrupt", self.name, row=part.first_record))
        return [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]

    def _numbered(self, part: Part, columns: Sequence[pa.Array | pa.ChunkedArray]) -> pa.Table:
        numbers = np.arange(part.first_record, part.first_record + len(columns[0]))
        table = pa.Table.from_arrays([pa.array(numbers), *columns], names=chunk_schema(self.width).names)
        low, high = (
            bisect_left(self.dropped, part.first_record),
            bisect_left(self.dropped, part.first_record + part.records),
        )
        return table if low == high else table.filter(~np.isin(numbers, self.dropped[low:high]))

    def _patched(self, part: Part, data: bytes) -> bytes:
        """The bytes of a part with the records in it that had to be brought to the header's width."""
        low = bisect_left(self.patches, part.start, key=lambda patch: patch.start)
        high = bisect_left(self.patches, part.end, key=lambda patch: patch.start)
        pieces, at = [], 0
        for patch in self.patches[low:high]:
            pieces += [data[at : patch.start - part.start], patch.record]
            at = patch.end - part.start
        return b"".join([*pieces, data[at:]]) if pieces else data


def read_csv_tables(path: Path, name: str, aliases: Aliases) -> tuple[RawTable, ...]:
    """The one table of a text file, or those that stand below each other with blank lines between."""
    if path.stat().st_size > LARGEST and (table := _large_table(path, name, aliases)):
        return (table,)
    text, head = _open(path, name, aliases)
    return stacked_tables(text, name, head.delimiter, aliases) or (_one_table(text, head, name, aliases),)


def _large_table(path: Path, name: str, aliases: Aliases) -> RawTable | None:
    """The table of a regular file in utf-8, proved to be that while it is surveyed; None where anything is otherwise."""
    text = likely_utf8(path)
    head = _read_head(text, aliases) if text else None
    if text is None or head is None or head.heading is None or _lies(head, head.heading, aliases):
        return None
    try:
        table = _regular(text, name, head, _full_width(head.heading, head), is_proved=False)
    except (Irregular, ReadRefused):
        return None
    return table if table.rows else None


def _one_table(text: Utf8File, head: _Head, name: str, aliases: Aliases) -> RawTable:
    heading = head.heading
    if heading is None:
        raise ReadRefused(_no_header(name, head))
    if _lies(head, heading, aliases):
        names = [record[0] for record in head.records if record and record[0]]
        raise ReadRefused(Fault("lying_table", name, value="、".join(names)))
    heading = _full_width(heading, head)
    try:
        table = _regular(text, name, head, heading)
    except Irregular:
        table = _irregular(text, name, head, heading)
    if table.rows == 0:
        raise NoRows(table)
    return table


def outline_csv(path: Path, name: str, aliases: Aliases) -> tuple[Place, ...]:
    """Where the headers of a text file stand."""
    text, head = _open(path, name, aliases)
    heading = head.heading
    if heading is None:
        raise ReadRefused(_no_header(name, head))
    if places := stacked_places(text, head.delimiter, aliases):
        return places
    problem = "lying_table" if _lies(head, heading, aliases) else None
    return (Place("", heading.first, heading.last, 0, len(heading.labels) - 1, problem),)


def _open(path: Path, name: str, aliases: Aliases) -> tuple[Utf8File, _Head]:
    if path.stat().st_size == 0:
        raise ReadRefused(Fault("empty_file", name))
    text = as_utf8(path, detect(path, name), name)
    return text, _read_head(text, aliases)


def _lies(head: _Head, heading: Heading, aliases: Aliases) -> bool:
    top = [[fold_label(cell) for cell in record] for record in head.records]
    return lies_on_its_side(top, aliases, heading.hits)


def _no_header(name: str, head: _Head) -> Fault:
    if not any(cell for record in head.records for cell in record):
        return Fault("empty_file", name)
    first = next(record for record in head.records if any(record))
    if is_form([[fold_label(cell) for cell in record] for record in head.records]):
        return Fault("form_sheet", name, value=next(cell for cell in first if cell))
    return Fault("no_header", name, row=1, value=" ".join(cell for cell in first if cell)[:60])


def _full_width(heading: Heading, head: _Head) -> Heading:
    """Give unnamed trailing columns of the header record an empty label, as every record has them."""
    width = max(len(head.records[row]) for row in range(heading.first, heading.last + 1))
    missing = max(0, width - len(heading.labels))
    units = heading.units + (None,) * missing
    return replace(heading, labels=heading.labels + ("",) * missing, units=units)


def _read_head(text: Utf8File, aliases: Aliases) -> _Head:
    """The head read with the delimiter that gives the most known or the most even columns."""
    with text.path.open("rb") as file:
        file.seek(text.mark)
        data = file.read(HEAD_BYTES)
        if len(data) == HEAD_BYTES:
            data += file.readline()
    met = [delimiter for delimiter in DELIMITERS if delimiter.encode() in data] or DELIMITERS[:1]
    return max((_cut_head(data, text.mark, delimiter, aliases) for delimiter in met), key=_delimiter_score)


def _cut_head(data: bytes, mark: int, delimiter: str, aliases: Aliases) -> _Head:
    feed = _Feed(iter(io.StringIO(data.decode("utf-8", "replace"), newline="")))
    records, ends = [], [mark]
    for record in _reader(feed, delimiter):
        lines = feed.taken()
        records.append(tuple(cell or None for cell in record))
        ends.append(ends[-1] + len("".join(lines).encode("utf-8")))
        if len(records) == SEARCHED_ROWS * 2:
            break
    return _Head(delimiter, tuple(records), tuple(ends[1:]), find_heading(records, aliases))


class _Feed:
    """Lines for the csv reader, kept until the record they make is complete."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._open: list[str] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._open.append(line)
        return line

    @property
    def start(self) -> str:
        """How the record that is being read begins."""
        return self._open[0] if self._open else ""

    def taken(self) -> list[str]:
        """The lines since the last record."""
        lines, self._open = self._open, []
        return lines


def _reader(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    return csv.reader(lines, delimiter=delimiter)


def _delimiter_score(head: _Head) -> tuple[int, float, int]:
    hits = head.heading.hits if head.heading else 0
    widths = Counter(len(record) for record in head.records if any(record))
    width, count = widths.most_common(1)[0] if widths else (0, 0)
    even = count / max(1, sum(widths.values())) if width > 1 else 0.0
    return hits, even, -DELIMITERS.index(head.delimiter)


def _regular(text: Utf8File, name: str, head: _Head, heading: Heading, *, is_proved: bool = True) -> RawTable:
    """Survey the records below the header; raises `Irregular` when the fast parser might read them differently."""
    if heading.body > len(head.ends):
        raise Irregular("no end of the header")
    start = head.ends[heading.body - 1]
    again = (head.records[heading.last][0] or "").encode("utf-8") if len(head.records[heading.last]) > 1 else b""
    width = len(heading.labels)
    found = survey(text.path, start, heading.body + 1, head.delimiter, width, again, is_proved=is_proved)
    sieve, faults = Sieve(heading), RowFaults(name, width, head.delimiter)
    dropped: list[int] = []
    patches: list[Patch] = []
    for suspect in found.suspects:
        record = next(_reader(io.StringIO(suspect.raw.decode("utf-8"), newline=""), head.delimiter), [])
        if sieve.takes(suspect.record, record):
            faults.look(suspect.record, record)
        else:
            dropped.append(suspect.record)
        if suspect.is_odd:
            patches.append(_patch(suspect, record, width, head.delimiter))
    sieve.rows = found.records - len(dropped)
    faults.finish(text.path)
    repeating = _repeating(head.records[heading.body :], width)
    source = ParsedRows(name, text, head.delimiter, width, found, tuple(patches), tuple(dropped), repeating)
    return _table(name, heading, sieve, source, faults)


def _repeating(records: Sequence[Cells], width: int) -> frozenset[int]:
    """The columns that say the same thing again and again at the head of the file."""
    columns = enumerate(zip(*(fit(record, width) for record in records), strict=True))
    return frozenset(at for at, texts in columns if len(set(texts)) * 4 <= len(texts))


def _patch(suspect: Suspect, record: Sequence[str], width: int, delimiter: str) -> Patch:
    """The record at the header's width, so that the parser can read on."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(cell or "" for cell in fit(record, width))
    ending = b"\r" if suspect.raw.endswith(b"\r") else b""
    return Patch(suspect.start, suspect.start + len(suspect.raw), out.getvalue()[:-2].encode("utf-8") + ending)


def _irregular(text: Utf8File, name: str, head: _Head, heading: Heading) -> RawTable:
    """Read record by record, noting every record that does not fit the header."""
    sieve, faults = Sieve(heading), RowFaults(name, len(heading.labels), head.delimiter)
    rows = _records(text.path, head.delimiter, heading.body, name, faults.ill)
    source = spool(faults.watch(sieve.pass_through(rows)), len(heading.labels))
    faults.finish(text.path)
    return _table(name, heading, sieve, source, faults)


def _table(name: str, heading: Heading, sieve: Sieve, source: Source, faults: RowFaults) -> RawTable:
    return RawTable(
        file=name, sheet="", labels=heading.labels, units=heading.units, unit_note=heading.unit_note,
        title=heading.title, period_note=heading.with_names("", name), header_row=heading.last + 1,
        skipped=sieve.counted(), totals=tuple(sieve.totals), notes=tuple(sieve.notes), rows=sieve.rows, source=source, row_faults=tuple(faults.found),
        surplus=faults.surplus,
    )  # fmt: skip


def _records(path: Path, delimiter: str, after: int, name: str, ill: set[int]) -> Iterator[Row]:
    """All records behind the first `after`, numbered from 1; an unclosed quote refuses the file.

    Records in which something stands behind a closing quote are noted in `ill`.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        feed = _Feed(iter(file))
        number = 0
        try:
            for number, record in enumerate(_reader(feed, delimiter), 1):
                last = feed.taken()
                if number > after:
                    if any('"' in line for line in last) and _quote_error("".join(last), delimiter):
                        ill.add(number)
                    yield number, [cell or None for cell in record]
        except csv.Error as error:  # a cell beyond every measure: a quote that nothing closes
            raise ReadRefused(Fault("truncated", name, row=number + 1, value=feed.start[:60].strip())) from error
        if number and "unexpected end" in _quote_error("".join(last), delimiter):
            raise ReadRefused(Fault("truncated", name, row=number, value=last[0].strip()[:60]))


def _quote_error(text: str, delimiter: str) -> str:
    """What a strict reader says about the quotes of a record; nothing when they are right."""
    try:
        list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        return str(error)
    return ""
