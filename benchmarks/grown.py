"""A store that is filled batch by batch, as large as one likes: rows are made in the database, never as files.

Base segments are written straight into the store, as a load would have sealed them: what is measured comes after.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import duckdb

from cockpit.pipeline import made_by
from metrics.catalogue import build_catalogue
from metrics.cubes import build
from metrics.model import Catalogue
from warehouse.base.clock import system_clock
from warehouse.contracts import Contract
from warehouse.control import COUNTS, SegmentRow, iso
from warehouse.deltas import BATCH_ROOM, PARTS
from warehouse.history import live
from warehouse.ingest import load
from warehouse.publish import Builder, publish
from warehouse.segment import seal
from warehouse.store import Store

MONTHS = 24
FIRST = 2024 * 12
HEAD = "单位代码,单位名称,上级单位代码,层级,单位性质,机构序列,生效日期,失效日期,纳入成本统计,纳入节能名录\n"


@dataclass(frozen=True)
class Shape:
    """What the rows of a dataset look like, as SQL over a running number `i`, the number of the month `m` and of units `u`."""

    dataset: str
    units: int
    cells: Mapping[str, str]
    changed: str
    """The measure that a restatement moves by one."""


PAYMENTS = Shape(
    "payment",
    200,
    {
        "unit": "printf('U%04d', i % u)", "voucher": "'V' || m || '-' || i", "line": "1",
        "paid_on": "make_date((m // 12)::BIGINT, (m % 12 + 1)::BIGINT, 1 + i % 28)",
        "item_code": "printf('302%02d', i % 30 + 1)", "fund": "'general'", "exp_kind": "'basic_public'",
        "amount": "(hash(i, m) % 1000000) / 100",
    },
    "amount",
)  # fmt: skip
METERS = Shape(
    "meter_day",
    1_000,
    {
        "meter": "printf('M%06d', i // 28)", "day": "make_date((m // 12)::BIGINT, (m % 12 + 1)::BIGINT, 1 + i % 28)",
        "unit": "printf('U%04d', i // 28 % u)", "energy": "'electricity'", "quantity": "(hash(i, m) % 100000) / 100",
        "peak_load": "(hash(m, i) % 10000) / 1000", "night_quantity": "(hash(i, m) % 100000) // 4 / 100",
        "night_complete": "true", "got": "96", "expected": "96", "complete": "true", "covered_minutes": "1440",
        "spikes": "0", "estimated": "0", "basis": "'push'",
    },
    "quantity",
)  # fmt: skip
"""A meter has 28 days a month, so that every month holds as many rows."""


def definitions(contracts: Mapping[str, Contract]) -> Catalogue:
    """Return the one figure that is asked of meter days."""
    text = (resources.files("benchmarks") / "grown.toml").read_text(encoding="utf-8")
    return build_catalogue({"grown.toml": text}, contracts)


class Grown:
    """A store of one dataset, and the moment its first deliveries were all in."""

    def __init__(self, folder: Path, rows: int, shape: Shape, tell: Callable[[str], None] = lambda _: None) -> None:
        self.rows, self.shape, self.tell = rows, shape, tell
        self.store = Store(folder / "store")
        units = "".join(f"U{n:04d},单位{n:04d},R,市,政府,{n + 2},2020-01-01,,是,是\n" for n in range(shape.units))
        (folder / "org.csv").write_text(f"{HEAD}R,示例市,,市,区域,1,2020-01-01,,,\n{units}", encoding="utf-8")
        load(self.store, [folder / "org.csv"], clock=system_clock)
        self.contract: Contract = self.store.contracts[shape.dataset]

    def fill(self, con: duckdb.DuckDBPyConnection) -> None:
        """Hand in every month once."""
        for number in range(MONTHS):
            self.tell(f"{self.rows:,} rows: month {number + 1} of {MONTHS}")
            self._commit(con, self._month(FIRST + number))

    def restate(self, con: duckdb.DuckDBPyConnection, number: int, share: float) -> None:
        """Hand in a batch that changes a share of the rows of a month that stand."""
        month = FIRST + number
        standing = [s for s in self.store.control.segments(self.shape.dataset) if s.from_m <= month < s.to_m]
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE old AS SELECT * FROM ({live(self.store.segments, standing)})
            WHERE from_m = {month} AND hash(row_id + {len(standing)}) % 100000 < {int(share * 100000)}"""
        )
        measure = self.contract.column(self.shape.changed)
        self._commit(
            con,
            f"""SELECT * REPLACE ($seq::INTEGER AS batch_seq), (-1)::TINYINT AS n FROM old UNION ALL BY NAME
            SELECT * REPLACE ($seq::BIGINT * {BATCH_ROOM} + row_no::BIGINT * {PARTS} AS row_id, $seq::INTEGER AS batch_seq,
            CAST("{measure.name}" + 1 AS {measure.sql_type}) AS "{measure.name}"), 1::TINYINT AS n FROM old""",
            restates=True,
        )
        con.execute("DROP TABLE old")

    def _commit(self, con: duckdb.DuckDBPyConnection, rows: str, *, restates: bool = False) -> SegmentRow:
        """Acknowledge the rows of a statement as the next batch."""
        control, dataset = self.store.control, self.shape.dataset
        seq, now = control.last()[0] + 1, iso(system_clock())
        said = rows.replace("$seq", str(seq))
        segment = seal(con, dataset, seq, said, self.store.segments, self.store.tmp, restates=restates)
        counts = dict.fromkeys(COUNTS, 0) | {"rows_in": 1, "accepted": 1, "delta_rows": segment.rows}
        shared = {"dataset": dataset, "file_name": f"bench-{seq}", "file_sha": "", "recorded_at": now}
        batch = {**shared, "batch_seq": seq, "kind": "load", "origin": "simulated", "recorded_by": "bench",
                 "committed_at": now, "period_from": segment.from_m, "period_to": segment.to_m, **counts}  # fmt: skip
        receipt = {**shared, "loaded_at": now, "actor": "bench", "status": "committed", "batch_seq": seq,
                   "counts": "{}", "message": "{}"}  # fmt: skip
        control.commit(receipt, batch, [segment], ())
        return segment

    def _month(self, month: int) -> str:
        """SQL of the first rows of a month."""
        columns = ", ".join(
            f'CAST({self.shape.cells.get(column.name, "NULL")} AS {column.sql_type}) AS "{column.name}"'
            for column in self.contract.columns
        )
        return f"""SELECT $seq::BIGINT * {BATCH_ROOM} + i * {PARTS} AS row_id, $seq::INTEGER AS batch_seq, 1::TINYINT AS n,
            m AS from_m, m + 1 AS to_m, {columns}, CAST(NULL AS VARCHAR) AS note, 'bench' AS file_name, '' AS sheet,
            i::INTEGER AS row_no FROM (SELECT i, {month}::INTEGER AS m, {self.shape.units} AS u FROM range({self.rows // MONTHS}) r(i))"""

    @property
    def bytes(self) -> int:
        """Bytes of the segments that stand."""
        return sum(segment.bytes for segment in self.store.control.segments(self.shape.dataset))

    def published(self, catalogue: Catalogue | None = None, *, force: bool = False) -> float:
        """Return the seconds a publish takes, by the definitions of this release or by others."""
        builders, mark = made_by(self.store) if catalogue is None else ([_cubes(catalogue)], catalogue.fingerprint)
        start = time.perf_counter()
        with self.store.writing():
            publish(self.store, builders, catalogue=mark, clock=system_clock, force=force)
        return time.perf_counter() - start


def _cubes(catalogue: Catalogue) -> Builder:
    return lambda con, contracts: build(con, contracts, catalogue)
