"""A clerk at a return sheet: asks for it, writes into its cells as a spreadsheet program would, and hands it back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl

from tests.fakes.office import NOW, Office
from warehouse.control import STORE_ID
from warehouse.reach import EVERYTHING, Reach
from warehouse.resubmission import Resubmission, resubmit
from warehouse.return_sheet import Language, write_return_sheet
from warehouse.waiting import Wanted, waiting_rows


class Clerk:
    """One return sheet of an office, open in a spreadsheet."""

    def __init__(self, office: Office, wanted: Wanted | None = None, lang: Language = "zh") -> None:
        self.office = office
        self.path: Path = office.folder / f"退改表{office.minute}.xlsx"
        control = office.store.control
        rows = waiting_rows(control, wanted or Wanted())
        store_id = control.meta()[STORE_ID]
        self.written = write_return_sheet(self.path, rows, office.store.contracts, store_id, lang=lang)
        self.book = openpyxl.load_workbook(self.path)

    def heads(self, sheet: str) -> list[str]:
        return [cell.value for cell in self.book[sheet][1]]

    def cell(self, sheet: str, row: int, head: str) -> Any:
        return self.book[sheet].cell(row, self.heads(sheet).index(head) + 1)

    def put(self, sheet: str, row: int, head: str, value: Any) -> Clerk:
        self.cell(sheet, row, head).value = value
        return self

    def rows(self, sheet: str) -> list[dict[str, Any]]:
        """The lines of a sheet by head, without what is empty."""
        heads = self.heads(sheet)
        lines = self.book[sheet].iter_rows(min_row=2, values_only=True)
        return [{h: v for h, v in zip(heads, line, strict=True) if v is not None} for line in lines]

    def hand_back(self, name: str | None = None, *, actor: str = "李四", reach: Reach = EVERYTHING) -> Resubmission:
        self.book.save(self.path)
        office = self.office
        office.minute += 1
        moment = NOW + dt.timedelta(minutes=office.minute)
        return resubmit(office.store, self.path, name=name, actor=actor, clock=lambda: moment, reach=reach)
