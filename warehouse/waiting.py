"""Waiting rows: what is set aside, row by row, with all that is wrong with it, of which unit and month it is.

A row is known by where it stood and what it held, not by a number of this log: the same row has the same identity in
a log that was built anew from the received files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from warehouse.base.periods import Period, month_label
from warehouse.contracts import Contract
from warehouse.control import QUARANTINE, RECEIPT, Control
from warehouse.layout import Layout, known_layouts
from warehouse.report_periods import label_of

ASKED_AT_ONCE = 500
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """Which rows are asked for; what is None is not asked. `unit` is a code; months are `[from, to)`."""

    source: str | None = None
    unit: str | None = None
    months: tuple[int, int] | None = None
    batch: int | None = None
    file: str | None = None
    is_open: bool | None = True

    @classmethod
    def of(
        cls, source: str | None = None, unit: str | None = None, period: str | None = None, batch: int | None = None,
        file: str | None = None, *, is_open: bool | None = True,
    ) -> Wanted:  # fmt: skip
        """Read what a person asked for: a period is `2025-01`, `2025-Q1`, `2025` or a range of them."""
        months = None
        if period is not None:
            first, last = Period.parse_range(period)
            months = (first.from_m, last.to_m)
        return cls(source, unit, months, batch, file, is_open)


@dataclass(frozen=True)
class WaitingRow:
    """One row set aside: where it stood, what it held, and its entries, one a fault."""

    dataset: str
    file: str
    sheet: str
    row_no: int
    row_hash: str
    receipt_id: int
    entries: tuple[Entry, ...]
    layout: Layout | None = None

    @property
    def is_open(self) -> bool:
        """Whether anything is still wrong with it."""
        return any(entry["closed_by"] is None for entry in self.entries)

    @property
    def unit(self) -> str | None:
        """The code of the unit it speaks of, None where nobody knows the name."""
        return next((entry["unit"] for entry in self.entries if entry["unit"]), None)

    @property
    def month(self) -> int | None:
        """The month it speaks of, None where it says none that can be read."""
        return next((entry["month"] for entry in self.entries if entry["month"] is not None), None)

    @cached_property
    def raw(self) -> Mapping[str, str | None]:
        """The cells as handed in, by their labels."""
        cells: dict[str, str | None] = json.loads(self.entries[0]["raw"])
        return cells

    @property
    def place(self) -> str:
        """What tells this row from every other one of the store."""
        told = "\0".join((self.dataset, self.file, self.sheet, str(self.row_no), self.row_hash))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def waiting_rows(control: Control, wanted: Wanted) -> list[WaitingRow]:
    """Return the rows asked for, those of one file together and in its order."""
    query = sa.select(QUARANTINE)
    if wanted.source is not None:
        query = query.where(QUARANTINE.c.dataset == wanted.source)
    if wanted.file is not None:
        query = query.where(QUARANTINE.c.file_name == wanted.file)
    if wanted.batch is not None:
        query = query.join(RECEIPT, RECEIPT.c.receipt_id == QUARANTINE.c.receipt_id)
        query = query.where(RECEIPT.c.batch_seq == wanted.batch)
    if wanted.is_open:
        query = query.where(QUARANTINE.c.closed_by.is_(None))
    elif wanted.is_open is False:
        query = query.where(QUARANTINE.c.closed_by.is_not(None))
    with control.engine.connect() as con:
        entries = [dict(row._mapping) for row in con.execute(query)]
    return [row for row in rows_of(control, entries) if _is_wanted(row, wanted)]


def _is_wanted(row: WaitingRow, wanted: Wanted) -> bool:
    if wanted.unit is not None and row.unit != wanted.unit:
        return False
    if wanted.months is None:
        return True
    return row.month is not None and wanted.months[0] <= row.month < wanted.months[1]


def rows_like(control: Control, hashes: Collection[str]) -> list[WaitingRow]:
    """Return every row that ever held what the hashes stand for, open or closed."""
    return _rows_with(control, QUARANTINE.c.row_hash, sorted(hashes))


def set_aside_by(control: Control, receipts: Collection[int]) -> list[WaitingRow]:
    """Return the rows that some receipts set aside."""
    return _rows_with(control, QUARANTINE.c.receipt_id, sorted(receipts))


def _rows_with(control: Control, column: sa.Column[Any], values: Sequence[Any]) -> list[WaitingRow]:
    entries: list[Entry] = []
    with control.engine.connect() as con:
        for at in range(0, len(values), ASKED_AT_ONCE):
            query = sa.select(QUARANTINE).where(column.in_(values[at : at + ASKED_AT_ONCE]))
            entries += [dict(row._mapping) for row in con.execute(query)]
    return rows_of(control, entries)


def rows_of(control: Control, entries: Iterable[Entry]) -> list[WaitingRow]:
    """Return entries as rows: those of one place and one content belong together."""
    layouts = known_layouts(control.engine)
    ordered = sorted(entries, key=lambda entry: (*_row_of(entry), entry["receipt_id"], entry["entry_id"]))
    rows = []
    for key, group in groupby(ordered, key=_row_of):
        one = tuple(group)
        layout = next((layouts[e["layout"]] for e in reversed(one) if e["layout"] in layouts), None)
        rows.append(WaitingRow(*key, receipt_id=one[-1]["receipt_id"], entries=one, layout=layout))
    return rows


def _row_of(entry: Entry) -> tuple[str, str, str, int, str]:
    return entry["dataset"], entry["file_name"], entry["sheet"] or "", entry["row_no"], entry["row_hash"]


@dataclass(frozen=True)
class Count:
    """How many rows of a source, a unit and a month are open, and how many were mended or withdrawn since."""

    dataset: str
    unit: str | None
    period: str | None
    open: int
    closed: int
    codes: Mapping[str, int] = field(default_factory=dict)
    """How many open rows have a fault of each kind; a row with two kinds counts under both."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return asdict(self)


def counts(control: Control, contracts: Mapping[str, Contract], wanted: Wanted) -> list[Count]:
    """Count rows per source, unit and period; a row handed in again and still wrong is one row, and open."""
    rows = waiting_rows(control, Wanted(wanted.source, None, None, wanted.batch, wanted.file, is_open=None))
    places: dict[tuple[str, str, str, int], list[WaitingRow]] = {}
    for row in rows:
        places.setdefault((row.dataset, row.file, row.sheet, row.row_no), []).append(row)
    groups: dict[tuple[str, str, str], list[tuple[WaitingRow, bool]]] = {}
    for versions in places.values():
        still = [row for row in versions if row.is_open]
        # of a row that was set aside in several forms the one that waits counts, else the latest
        for row in still or [max(versions, key=lambda row: row.receipt_id)]:
            if _is_wanted(row, wanted) and wanted.is_open in (None, bool(still)):
                key = (row.dataset, row.unit or "", period_of(contracts.get(row.dataset), row.month) or "")
                groups.setdefault(key, []).append((row, bool(still)))
    return [_count(key, group) for key, group in sorted(groups.items())]


def _count(key: tuple[str, str, str], group: Sequence[tuple[WaitingRow, bool]]) -> Count:
    dataset, unit, period = key
    waiting = [row for row, is_open in group if is_open]
    kinds: dict[str, int] = {}
    for row in waiting:
        for code in sorted({entry["code"] for entry in row.entries if entry["closed_by"] is None}):
            kinds[code] = kinds.get(code, 0) + 1
    return Count(dataset, unit or None, period or None, len(waiting), len(group) - len(waiting), kinds)


def period_of(contract: Contract | None, month: int | None) -> str | None:
    """Return the period a row of a source speaks of, as people write it."""
    if month is None:
        return None
    return month_label(month) if contract is None else label_of(contract, month)
