"""Layout: what stood above a row that was set aside, kept so that the row can be read again as it was.

A cell means nothing without its heading: 12.5 under 金额(万元) is not 12.5 under 金额(元), and a month that only the
title names is in no row at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from warehouse.contracts import Contract
from warehouse.control import LAYOUT
from warehouse.mapping import Mapped, map_columns
from warehouse.readers.cells import month_in
from warehouse.readers.faults import Fault
from warehouse.readers.raw import RawTable
from warehouse.readers.spool import spool
from warehouse.stage import told_apart

Raw = Mapping[str, str | None]


@dataclass(frozen=True)
class Layout:
    """Labels and units of a table, its notes, and the months declared for its file, `[from, to)`."""

    labels: tuple[str, ...]
    units: tuple[str | None, ...]
    unit_note: str | None
    title: str | None
    period_note: str | None
    header_row: int
    span: tuple[int, int] | None = None

    @classmethod
    def of(cls, table: RawTable, span: tuple[int, int] | None) -> Layout:
        """Return the layout of a table as it was read."""
        return cls(
            table.labels, table.units, table.unit_note, table.title, table.period_note, table.header_row, span
        )  # fmt: skip

    @classmethod
    def parse(cls, text: str) -> Layout:
        """Read what `text` wrote."""
        data = json.loads(text)
        span = tuple(data["span"]) if data["span"] else None
        return cls(**{**data, "labels": tuple(data["labels"]), "units": tuple(data["units"]), "span": span})

    @cached_property
    def text(self) -> str:
        """The layout as the control log keeps it."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @property
    def name(self) -> str:
        """What it is known by: equal layouts have one name."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The labels as a raw row names its cells: none is another's, a blank one is its place."""
        return tuple(told_apart(self.labels))

    @cached_property
    def heads(self) -> Mapping[str, str]:
        """What the column of each label was headed, with its unit."""
        named = zip(self.names, self.units, strict=True)
        return {name: f"{name}({unit})" if unit else name for name, unit in named}

    def places(self, contract: Contract, file: str) -> Mapped:
        """Return which cell each column of the contract stands in; raises `ReadRefused`."""
        empty = self.table(file, "", ())
        return map_columns(empty, contract, month_in(self.period_note) or month_in(file))

    def table(self, file: str, sheet: str, rows: Sequence[tuple[int, Raw]]) -> RawTable:
        """Return numbered raw rows as a table under this layout; cells beyond its width make a row too long again."""
        width = len(self.labels)
        cells = [(number, [raw.get(name) for name in self.names]) for number, raw in rows]
        surplus = {number: left for number, raw in rows if any(left := self.surplus(raw))}
        faults = tuple(
            Fault("long_row", file, sheet, number, value=next(cell for cell in left if cell), hint=str(width))
            for number, left in surplus.items()
        )
        return RawTable(
            file=file, sheet=sheet, labels=self.labels, units=self.units, unit_note=self.unit_note, title=self.title,
            period_note=self.period_note, header_row=self.header_row, skipped=(), totals=(), rows=len(rows),
            source=spool(cells, width), row_faults=faults, surplus=surplus,
        )  # fmt: skip

    def surplus(self, raw: Raw) -> tuple[str | None, ...]:
        """Return the cells of a row that stand beyond the last label."""
        return tuple(cell for name, cell in raw.items() if name not in self.names)


def keep_layouts(engine: Engine, layouts: Iterable[Layout]) -> None:
    """Write down layouts; one that is known already is left. The caller is the one writer."""
    wanted = {layout.name: layout.text for layout in layouts}
    with engine.begin() as con:
        known = {row.layout for row in con.execute(sa.select(LAYOUT.c.layout))}
        fresh = [{"layout": name, "content": text} for name, text in wanted.items() if name not in known]
        if fresh:
            con.execute(sa.insert(LAYOUT), fresh)


def known_layouts(engine: Engine) -> dict[str, Layout]:
    """Return every layout by its name."""
    with engine.connect() as con:
        return {row.layout: Layout.parse(row.content) for row in con.execute(sa.select(LAYOUT))}
