"""Returned lines sorted: which are to be handed in again, which discarded, and which are left alone, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from warehouse.belonging import Hand
from warehouse.contracts import Contract
from warehouse.control import RECEIPT, Control
from warehouse.restaging import Again
from warehouse.returns import Identity, Line, ReturnSheet, words
from warehouse.waiting import WaitingRow, Wanted, rows_like, waiting_rows

Place = tuple[str, str, str, int]


@dataclass
class Sorted:
    """The lines of a return sheet by what shall become of them; `left` names sheet and line of those left alone."""

    again: list[Again] = field(default_factory=list)
    discarded: list[WaitingRow] = field(default_factory=list)
    left: dict[str, list[tuple[str, int]]] = field(default_factory=dict)

    def leave(self, why: str, line: Line) -> None:
        """Leave a line alone."""
        self.left.setdefault(why, []).append((line.sheet, line.number))


def sort_lines(
    sheet: ReturnSheet, control: Control, store_id: str, contracts: Mapping[str, Contract], hand: Hand
) -> Sorted:
    """Find the waiting row behind each line, and say what shall become of it at the hand of who returns it."""
    found = Sorted(left={"strangers": list(sheet.strangers)} if sheet.strangers else {})
    named = [(line, Identity.parse(line.identity)) for line in sheet.lines]
    times = Counter(identity for _, identity in named if identity is not None)
    rows = {row.place: row for row in rows_like(control, {one.row_hash for one in times})}
    versions = _Versions(control, [rows[one.place] for one in times if one.place in rows])
    for line, identity in named:
        base = rows.get(identity.place) if identity else None
        if identity is None:
            found.leave("altered", line)
        elif identity.store != store_id[:8]:
            found.leave("foreign", line)
        elif base is None or base.row_hash != identity.row_hash:
            found.leave("altered", line)
        elif times[identity] > 1:
            found.leave("repeated", line)
        else:
            _sort_line(found, line, base, versions, lambda row: hand.may_decide(row, contracts.get(row.dataset)))
    return found


def _sort_line(
    found: Sorted, line: Line, base: WaitingRow, versions: _Versions, may_decide: Callable[[WaitingRow], bool]
) -> None:
    decisions = words()["decisions"]
    current = versions.waiting(base)
    is_confirmed = line.decision == decisions["confirm"]
    merged = line.merged(base)
    if line.decision not in ("", *decisions.values()):
        found.leave("undecided", line)
    elif current is None:
        found.leave("already", line)
    elif merged == base.raw and not line.decision:
        found.leave("untouched", line)
    elif not may_decide(current):
        found.leave("beyond", line)
    elif line.decision == decisions["discard"]:
        found.discarded.append(current)
    else:
        found.again.append(Again(current, merged, is_confirmed))


class _Versions:
    """The forms a row took: handed in again and still wrong, it waits in a new form under the same place."""

    def __init__(self, control: Control, rows: Sequence[WaitingRow]) -> None:
        files = {(row.dataset, row.file) for row in rows if not row.is_open}
        self._by_place: dict[Place, list[WaitingRow]] = {}
        for dataset, file in sorted(files):
            for row in waiting_rows(control, Wanted(dataset, file=file, is_open=None)):
                self._by_place.setdefault(_place(row), []).append(row)
        self._sheets = _return_sheets(control) if files else set()

    def waiting(self, row: WaitingRow) -> WaitingRow | None:
        """Return the form in which a row waits now; None when it waits no more."""
        seen: set[str] = set()
        while not row.is_open and row.place not in seen:
            seen.add(row.place)
            by = {entry["closed_by"] for entry in row.entries} & self._sheets
            later = [
                one for one in self._by_place.get(_place(row), []) if one.receipt_id in by and one.place not in seen
            ]
            if not later:
                return None
            row = later[-1]
        return row if row.is_open else None


def _place(row: WaitingRow) -> Place:
    return row.dataset, row.file, row.sheet, row.row_no


def _return_sheets(control: Control) -> set[int]:
    """Return the receipts of return sheets."""
    with control.engine.connect() as con:
        query = sa.select(RECEIPT.c.receipt_id).where(RECEIPT.c.message.contains('"return_sheet"'))
        return {row.receipt_id for row in con.execute(query)}
