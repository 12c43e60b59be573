"""The rows of a hand-over that still wait to be corrected."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from warehouse.control import RECEIPT, Control
from warehouse.operations.handover import FILE, HandoverRow, receipts_of
from warehouse.waiting import ASKED_AT_ONCE, WaitingRow, Wanted, set_aside_by, waiting_rows


def rows_of_handover(control: Control, row: HandoverRow) -> list[WaitingRow]:
    """Return what waits of a hand-over; a row that waited before under the same file of the same person is one of it."""
    if row.kind != FILE:
        receipts = [receipt["receipt_id"] for receipt in receipts_of(control.engine, row)]
        return [one for one in set_aside_by(control, receipts) if one.is_open]
    sources = {report.get("source") for report in row.report or ()}
    found = waiting_rows(control, Wanted(file=row.file_name))
    own = _receipts_by(control, row.actor, {one.receipt_id for one in found})
    return [one for one in found if one.dataset in sources and one.receipt_id in own]


def _receipts_by(control: Control, actor: str, receipts: Collection[int]) -> set[int]:
    """Return which of some receipts are of files somebody handed in."""
    listed = sorted(receipts)
    own: set[int] = set()
    with control.engine.connect() as con:
        for at in range(0, len(listed), ASKED_AT_ONCE):
            asked = RECEIPT.c.receipt_id.in_(listed[at : at + ASKED_AT_ONCE])
            query = sa.select(RECEIPT.c.receipt_id).where(asked, RECEIPT.c.actor == actor)
            own.update(con.execute(query).scalars())
    return own
