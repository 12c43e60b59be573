"""A store as large as a province's: every dataset that indicators read, in every month, made inside the database.

Rows are written by the types of a contract's columns: enumerated texts in turn, figures by a hash, keys by a running number.
They mean nothing; they are as many, as wide and as spread over units, months and parts as real ones.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from benchmarks.grown import HEAD
from metrics.cubes import build
from metrics.model import Catalogue
from metrics.refresh import refresh
from metrics.snapshot import build_snapshots, refresh_snapshots
from metrics.standing import keep
from warehouse.base.clock import system_clock
from warehouse.base.periods import OPEN, month_of
from warehouse.contracts import Column, Contract
from warehouse.control import COUNTS, iso
from warehouse.deltas import BATCH_ROOM, PARTS
from warehouse.incremental import Change
from warehouse.ingest import load, scratch
from warehouse.publish import publish
from warehouse.segment import seal
from warehouse.store import Store

MONTHS = 36
ROOMY = {"payment": 18, "trip": 6, "energy_use": 4, "vehicle": 3, "vehicle_expense": 2}
"""Rows a unit has of a dataset in a month, where they are more than one: 5 M rows of 3,000 units in 36 months."""
BUREAUS, OFFICES = 100, 10
"""Units below one another: every so many units are one bureau, every so many of them one office."""


@dataclass
class Timed:
    """The cubes and the snapshot of a catalogue; how long each took is kept apart."""

    catalogue: Catalogue
    took: dict[str, float] = field(default_factory=dict)

    def __call__(self, con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
        self._time("cubes", lambda: build(con, contracts, self.catalogue))
        self._time("snapshot", lambda: build_snapshots(con, self.catalogue))

    def refresh(self, con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], change: Change) -> None:
        self._time("cubes carried on", lambda: refresh(con, contracts, self.catalogue, change))
        self._time("snapshot carried on", lambda: refresh_snapshots(con, self.catalogue))

    def _time(self, name: str, work: Callable[[], None]) -> None:
        start = time.perf_counter()
        work()
        self.took[name] = time.perf_counter() - start


class Province:
    """A store of some units and months, filled up to its last month or with it."""

    def __init__(self, folder: Path, catalogue: Catalogue, units: int, months: int = MONTHS) -> None:
        self.catalogue, self.units = catalogue, units
        self.end = month_of(system_clock().date())
        self.first = self.end - months
        self.store = Store(folder / "store")
        folder.mkdir(parents=True, exist_ok=True)
        lines = "".join(self._unit(number) for number in range(units))
        head = HEAD.rstrip("\n") + ",纳入公车统计,纳入用房统计,纳入服务统计\n"
        (folder / "org.csv").write_text(f"{head}R,示例省,,省,区域,1,2020-01-01,,,,,,\n{lines}", encoding="utf-8")
        load(self.store, [folder / "org.csv"], clock=system_clock)
        self.rows = 0

    def _unit(self, number: int) -> str:
        above = (
            "R"
            if number % BUREAUS == 0
            else f"U{number - number % (BUREAUS if number % OFFICES == 0 else OFFICES):05d}"
        )
        return f"U{number:05d},单位{number:05d},{above},市,政府,{number + 2},2020-01-01,,是,是,是,是,是\n"

    @property
    def datasets(self) -> list[Contract]:
        """The datasets that indicators read and people hand in."""
        names = sorted({source.of for source in self.catalogue.sources.values()} - {"governance"})
        return [self.store.contracts[name] for name in names if not self.store.contracts[name].is_reference]

    def fill(self, first: int, end: int, *, standing: bool) -> None:
        """Hand in every dataset for months `[first, end)`; `standing`: also what stands for years or without an end."""
        with contextlib.closing(scratch(self.store)) as con:
            for contract in self.datasets:
                if standing or contract.time_kind in ("month", "date", "datetime"):
                    self._commit(con, contract, first, end)

    def published(self, builder: Timed, *, force: bool = False) -> float:
        """Publish and return the seconds it took."""
        keep(self.store, self.catalogue)
        start = time.perf_counter()
        with self.store.writing():
            publish(self.store, [builder], catalogue=self.catalogue.fingerprint, clock=system_clock, force=force)
        return time.perf_counter() - start

    def _commit(self, con: duckdb.DuckDBPyConnection, contract: Contract, first: int, end: int) -> None:
        control = self.store.control
        seq, now = control.last()[0] + 1, iso(system_clock())
        segment = seal(
            con, contract.name, seq, self._rows(contract, seq, first, end), self.store.segments, self.store.tmp
        )
        self.rows += segment.rows
        counts = dict.fromkeys(COUNTS, 0) | {"rows_in": 1, "accepted": 1, "delta_rows": segment.rows}
        shared = {"dataset": contract.name, "file_name": f"bench-{seq}", "file_sha": "", "recorded_at": now}
        batch = {**shared, "batch_seq": seq, "kind": "load", "origin": "simulated", "recorded_by": "bench",
                 "committed_at": now, "period_from": segment.from_m, "period_to": segment.to_m, **counts}  # fmt: skip
        receipt = {**shared, "loaded_at": now, "actor": "bench", "status": "committed", "batch_seq": seq,
                   "counts": "{}", "message": "{}"}  # fmt: skip
        control.commit(receipt, batch, [segment], ())

    def _rows(self, contract: Contract, seq: int, first: int, end: int) -> str:
        """SQL of the rows of a dataset: `i` counts those of a month, `m` is the month, `k` the row within its unit."""
        columns = ", ".join(
            f'CAST({cell(c, contract)} AS {c.sql_type}) AS "{c.name}"' for c in contract.columns
        )  # fmt: skip
        count, begins = self.units * ROOMY.get(contract.name, 1), f"range({first}, {end})"
        from_m, to_m = "m", "m + 1"
        if contract.time_kind == "year":
            begins, from_m, to_m = f"range({first // 12}, {(end - 1) // 12 + 1})", "m * 12", "m * 12 + 12"
        elif contract.time_kind == "span":
            begins, to_m = f"range({first}, {first + 1})", f"{OPEN}"
        return f"""SELECT {seq}::BIGINT * {BATCH_ROOM} + (row_number() OVER ()) * {PARTS} AS row_id,
            {seq}::INTEGER AS batch_seq, 1::TINYINT AS n, ({from_m})::INTEGER AS from_m, ({to_m})::INTEGER AS to_m, {columns},
            CAST(NULL AS VARCHAR) AS note, 'bench' AS file_name, '' AS sheet, i::INTEGER AS row_no
            FROM (SELECT i, m, i % {self.units} AS u, i // {self.units} AS k FROM range({count}) r(i), {begins} s(m))"""


def cell(column: Column, contract: Contract) -> str:
    """SQL of one column of a row; what a dataset is keyed by tells its rows apart."""
    name = column.name
    seed = f"hash(i, m, '{name}')"
    if column.is_org or name == "unit":
        return "printf('U%05d', u)"
    if name == contract.time_column:
        return _moment(column)
    if column.values and not column.open_values:
        values = sorted(set(column.values.values()))
        listed = ", ".join(f"'{value}'" for value in values)
        return f"([{listed}])[1 + ({'k' if column.is_key else seed} % {len(values)})::INTEGER]"
    if column.type.startswith("dec"):
        whole, scale = column.digits
        return f"({seed} % {10 ** min(whole, 5)}) / {10 ** min(scale, 2)}" if whole - scale >= 3 else f"{seed} % 10"
    if name in NAMED:
        return NAMED[name]
    texts = {"text": "'K' || m || '-' || i" if column.is_key else f"'t' || ({seed} % 12)", "int": f"{seed} % 40",
             "bool": f"{seed} % 3 > 0", "month": "m", "year": "m"}  # fmt: skip
    return texts.get(column.type, "NULL")


NAMED = {
    "item_code": "printf('302%02d', i % 30 + 1)", "plate": "'P' || i", "building": "printf('B%05d', u)",
    "code": "printf('B%05d', u)", "account": "''", "project": "''", "version": "1", "order_no": "'O' || m || '-' || i",
}  # fmt: skip
"""Keys and codes that other datasets name, or rules look for."""


def _moment(column: Column) -> str:
    if column.type in ("month", "year"):
        return "m"
    day = "make_date((m // 12)::BIGINT, (m % 12 + 1)::BIGINT, (1 + i % 28)::BIGINT)"
    return day if column.type == "date" else f"{day} + to_minutes((i % 1440)::BIGINT)"
