"""Belonging: which waiting rows somebody may close who reports for some units only.

A waiting row belongs to the unit it names. One that names none anybody knows belongs to who handed it in, and so does
one that was set aside because its unit lies beyond the reach of who handed it in: it was never that unit's report.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from warehouse.contracts import Contract
from warehouse.control import RECEIPT, Control
from warehouse.reach import EVERYTHING, Reach
from warehouse.readers.faults import ReadRefused
from warehouse.waiting import WaitingRow

Entry = Mapping[str, Any]
STRAYED = "outside_scope"


@dataclass(frozen=True)
class Hand:
    """Somebody at work: their reach, and the receipts of what they handed in themselves."""

    reach: Reach = EVERYTHING
    own: frozenset[int] = frozenset()

    @classmethod
    def of(cls, control: Control, reach: Reach, actor: str) -> Hand:
        """Return the hand of somebody; who reaches everything need not be known by what they handed in."""
        if reach == EVERYTHING:
            return cls()
        with control.engine.connect() as con:
            query = sa.select(RECEIPT.c.receipt_id).where(RECEIPT.c.actor == actor)
            return cls(reach, frozenset(row.receipt_id for row in con.execute(query)))

    def may_decide(self, row: WaitingRow, contract: Contract | None) -> bool:
        """Tell whether a row may be put right or discarded; of a source that is no more nobody is kept out."""
        return contract is None or self._holds(contract, row.unit, row.entries)

    def closable(self, contract: Contract, waiting: Iterable[Entry]) -> list[Entry]:
        """Return the waiting entries of one source that a good row may close."""
        rows: dict[tuple[object, ...], list[Entry]] = {}
        for entry in waiting:
            rows.setdefault(_row_of(entry), []).append(entry)
        return [entry for row in rows.values() if self._holds(contract, _unit(row), row) for entry in row]

    def _holds(self, contract: Contract, unit: str | None, entries: Sequence[Entry]) -> bool:
        try:
            self.reach.check_source(contract, "")
        except ReadRefused:
            return False
        if self.reach.units is None or unit in self.reach.units:
            return True
        is_own = entries[-1]["receipt_id"] in self.own
        return is_own and (unit is None or STRAYED in _codes(entries))


def _codes(entries: Sequence[Entry]) -> Collection[str]:
    return {entry["code"] for entry in entries if entry["closed_by"] is None}


def _unit(entries: Sequence[Entry]) -> str | None:
    return next((entry["unit"] for entry in entries if entry["unit"]), None)


def _row_of(entry: Entry) -> tuple[object, ...]:
    return tuple(entry[name] for name in ("file_name", "sheet", "row_no", "row_hash"))
