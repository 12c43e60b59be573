"""Return sheets for a page: the rows of a hand-over, or of a unit, that wait to be corrected, as a workbook."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import sqlalchemy as sa

from warehouse.base.scope import Scope
from warehouse.control import RECEIPT, STORE_ID
from warehouse.operations.handover import FILE, HandoverRow, receipts_of
from warehouse.return_sheet import Language, write_return_sheet
from warehouse.store import Store
from warehouse.waiting import WaitingRow, Wanted, set_aside_by, waiting_rows


def rows_of_handover(store: Store, row: HandoverRow) -> list[WaitingRow]:
    """Return what waits of a hand-over; a row that waited before under the same file of the same person is one of it."""
    if row.kind != FILE:
        receipts = [receipt["receipt_id"] for receipt in receipts_of(store.control.engine, row)]
        return [one for one in set_aside_by(store.control, receipts) if one.is_open]
    sources = {report.get("source") for report in row.report or ()}
    found = waiting_rows(store.control, Wanted(file=row.file_name))
    own = _receipts_by(store, row.actor, {one.receipt_id for one in found})
    return [one for one in found if one.dataset in sources and one.receipt_id in own]


def rows_of_units(store: Store, units: Collection[str], scope: Scope) -> list[WaitingRow]:
    """Return what waits of some units in the themes of a scope, whoever handed it in."""
    seen = {name for name, contract in store.contracts.items() if scope.allows_theme(contract.theme)}
    return [row for row in waiting_rows(store.control, Wanted()) if row.unit in units and row.dataset in seen]


def workbook(store: Store, rows: Sequence[WaitingRow], lang: Language) -> bytes:
    """Return the return sheet of some rows; raises RefusedInput when there is none."""
    with tempfile.TemporaryDirectory(prefix="cockpit-return-") as folder:
        file = Path(folder) / "return.xlsx"
        write_return_sheet(file, rows, store.contracts, store.control.meta().get(STORE_ID, ""), lang=lang)
        return file.read_bytes()


def _receipts_by(store: Store, actor: str, receipts: Collection[int]) -> set[int]:
    query = sa.select(RECEIPT.c.receipt_id, RECEIPT.c.actor)
    with store.control.engine.connect() as con:
        return {row.receipt_id for row in con.execute(query) if row.receipt_id in receipts and row.actor == actor}
