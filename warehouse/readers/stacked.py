"""Several tables in one text file, one below the other with blank lines between: split as those of a sheet are.

Only a file small enough to be held is looked at as a whole, and only one with a blank line between lines: an export of
a program has none. A file with a quote out of place is left to the reader that tells where.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from warehouse.readers.encodings import Utf8File
from warehouse.readers.grid import Grid
from warehouse.readers.labels import Aliases
from warehouse.readers.raw import Place, RawTable
from warehouse.readers.regions import KNOWN_LABELS, Region, find_regions
from warehouse.readers.spool import spool_columns

LARGEST = 4 << 20
"""Bytes of a file that is looked at as a whole; nobody writes tables below each other by hand in a larger one."""

_NOTHING = b' \t\n\r\f\v,;|"'
_BLANK_LINE = re.compile(rb"\n[ \t\n\r\f\v,;|\"]*\n")
"""A line of nothing; between others, once what is nothing at both ends is cut off."""


def stacked_tables(text: Utf8File, name: str, delimiter: str, aliases: Aliases) -> tuple[RawTable, ...]:
    """The tables of a file that holds several contracts know; none where it holds one, or none can be told for sure."""
    regions = _regions(text, delimiter, aliases)
    if len(regions) < 2 or any(region.heading.hits < KNOWN_LABELS or not region.sieve.rows for region in regions):
        return ()
    return tuple(_table(region, name) for region in regions)


def stacked_places(text: Utf8File, delimiter: str, aliases: Aliases) -> tuple[Place, ...]:
    """Where the headers of such a file stand, also of tables nobody knows; none where it holds one."""
    regions = _regions(text, delimiter, aliases, only_parted=False)
    return tuple(_place(region) for region in regions) if len(regions) > 1 else ()


def _regions(text: Utf8File, delimiter: str, aliases: Aliases, *, only_parted: bool = True) -> Sequence[Region]:
    if text.path.stat().st_size > LARGEST:
        return ()
    data = text.path.read_bytes()[text.mark :]
    if only_parted and not _BLANK_LINE.search(data.strip(_NOTHING)):
        return ()
    try:
        records = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), delimiter=delimiter, strict=True))
    except (csv.Error, UnicodeDecodeError):
        return ()
    width = max((len(record) for record in records), default=0)
    rows = [[cell or None for cell in record] + [None] * (width - len(record)) for record in records]
    columns = tuple(pa.array(column, pa.string()) for column in zip(*rows, strict=True))
    return find_regions(Grid(columns, len(rows)), (), aliases)


def _place(region: Region) -> Place:
    area, heading = region.area, region.heading
    right = area.left + max(0, len(heading.labels) - 1)
    return Place("", area.top + heading.first, area.top + heading.last, area.left, right)


def _table(region: Region, name: str) -> RawTable:
    heading, area, sieve = region.heading, region.area, region.sieve
    stays = np.ones(area.bottom - region.body, np.bool_)
    stays[list(region.dropped)] = False
    kept = np.flatnonzero(stays)
    columns = [column.filter(pa.array(stays)) for column in region.columns]
    return RawTable(
        file=name, sheet="", labels=heading.labels, units=heading.units, unit_note=heading.unit_note,
        title=heading.title, period_note=heading.with_names("", name), header_row=area.top + heading.last + 1,
        skipped=sieve.counted(), totals=tuple(sieve.totals), notes=tuple(sieve.notes), rows=sieve.rows,
        source=spool_columns(kept + region.body + 1, columns), first_header_row=area.top + heading.first + 1,
        first_column=area.left + 1,
    )  # fmt: skip
