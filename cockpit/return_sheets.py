"""Return sheets for a page: the rows of a unit that wait to be corrected, and such rows as a workbook."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from warehouse.base.scope import Scope
from warehouse.control import STORE_ID
from warehouse.return_sheet import Language, write_return_sheet
from warehouse.store import Store
from warehouse.waiting import WaitingRow, Wanted, waiting_rows


def rows_of_units(
    store: Store, units: Collection[str], scope: Scope, *, with_unknown: bool = False
) -> list[WaitingRow]:
    """Return what waits of some units in the themes of a scope, whoever handed it in; `with_unknown` also the rows of
    a unit nobody knows."""
    seen = {name for name, contract in store.contracts.items() if scope.allows_theme(contract.theme)}
    return [
        row
        for row in waiting_rows(store.control, Wanted())
        if row.dataset in seen and (with_unknown if row.unit is None else row.unit in units)
    ]


def workbook(store: Store, rows: Sequence[WaitingRow], lang: Language) -> bytes:
    """Return the return sheet of some rows; raises RefusedInput when there is none."""
    with tempfile.TemporaryDirectory(prefix="cockpit-return-") as folder:
        file = Path(folder) / "return.xlsx"
        write_return_sheet(file, rows, store.contracts, store.control.meta().get(STORE_ID, ""), lang=lang)
        return file.read_bytes()
