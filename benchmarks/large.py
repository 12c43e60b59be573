"""A store grown large: the month × unit question now and on a past day, a difference between days, disk, publishing.

Run alone with `python -m benchmarks.large --rows 100000` to try it; `make bench-large` takes the rows of the limits.
Base segments are written straight into the store, as a load would have sealed them: what is measured comes after.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from benchmarks.report import Line
from cockpit.pipeline import made_by
from warehouse.base.clock import system_clock
from warehouse.compaction import Policy, compact
from warehouse.contracts import Contract
from warehouse.control import COUNTS, SegmentRow, iso
from warehouse.deltas import BATCH_ROOM, PARTS
from warehouse.history import live
from warehouse.ingest import load, scratch
from warehouse.publish import publish
from warehouse.segment import seal
from warehouse.store import Store, connect

DATASET = "payment"
"""The source of many rows that the cubes read."""
UNITS, MONTHS, RESTATED = 200, 24, 100
FIRST = 2024 * 12
ROUNDS = 7
HEAD = "单位代码,单位名称,上级单位代码,层级,单位性质,机构序列,生效日期,失效日期,纳入成本统计\n"


class Grown:
    """A store that is filled batch by batch."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.rows = rows
        self.store = Store(folder / "store")
        units = "".join(f"U{n:03d},单位{n:03d},R,市,政府,{n + 2},2020-01-01,,是\n" for n in range(UNITS))
        (folder / "org.csv").write_text(f"{HEAD}R,示例市,,市,区域,1,2020-01-01,,\n{units}", encoding="utf-8")
        load(self.store, [folder / "org.csv"], clock=system_clock)
        self.contract: Contract = self.store.contracts[DATASET]

    def commit(self, con: duckdb.DuckDBPyConnection, rows: str) -> SegmentRow:
        """Acknowledge the rows of a statement as the next batch."""
        control = self.store.control
        seq, now = control.last()[0] + 1, iso(system_clock())
        restates = "(-1)" in rows
        segment = seal(
            con, DATASET, seq, rows.replace("$seq", str(seq)), self.store.segments, self.store.tmp, restates=restates
        )
        counts = dict.fromkeys(COUNTS, 0) | {"rows_in": 1, "accepted": 1, "delta_rows": segment.rows}
        shared = {"dataset": DATASET, "file_name": f"bench-{seq}", "file_sha": "", "recorded_at": now}
        batch = {**shared, "batch_seq": seq, "kind": "load", "origin": "simulated", "recorded_by": "bench",
                 "committed_at": now, "period_from": segment.from_m, "period_to": segment.to_m, **counts}  # fmt: skip
        receipt = {**shared, "loaded_at": now, "actor": "bench", "status": "committed", "batch_seq": seq,
                   "counts": "{}", "message": "{}"}  # fmt: skip
        control.commit(receipt, batch, [segment], ())
        return segment

    def month(self, number: int) -> str:
        """SQL of the first rows of a month."""
        cells = {
            "unit": f"printf('U%03d', i % {UNITS})", "voucher": f"'V{number}-' || i", "line_no": "'1'",
            "item_code": "printf('302%02d', i % 30 + 1)", "fund": "'general'", "exp_kind": "'basic_public'",
            "amount": "((hash(i) % 1000000) / 100)::DECIMAL(18,2)",
            self.contract.time_column: f"DATE '{(FIRST + number) // 12}-{(FIRST + number) % 12 + 1:02d}-01' + (i % 28)::INT",
        }  # fmt: skip
        columns = ", ".join(
            f'CAST({cells.get(column.name, "NULL")} AS {column.sql_type}) AS "{column.name}"'
            for column in self.contract.columns
        )
        return f"""SELECT $seq::BIGINT * {BATCH_ROOM} + i * {PARTS} AS row_id, $seq::INTEGER AS batch_seq, 1::TINYINT AS n,
            {FIRST + number} AS from_m, {FIRST + number + 1} AS to_m, {columns}, CAST(NULL AS VARCHAR) AS note,
            'bench' AS file_name, '' AS sheet, i::INTEGER AS row_no FROM range({self.rows // MONTHS}) r(i)"""

    def restated(self, number: int, share: float) -> str:
        """SQL of a batch that changes a share of the rows of a month that stand."""
        standing = [s for s in self.store.control.segments(DATASET) if s.from_m <= FIRST + number < s.to_m]
        old = f"""SELECT * FROM ({live(self.store.segments, standing)}) WHERE from_m = {FIRST + number}
            AND hash(row_id + $seq) % 100000 < {int(share * 100000)}"""
        return f"""SELECT * REPLACE ($seq::INTEGER AS batch_seq), (-1)::TINYINT AS n FROM ({old}) UNION ALL BY NAME
            SELECT * REPLACE ($seq::BIGINT * {BATCH_ROOM} + row_no::BIGINT * {PARTS} AS row_id, $seq::INTEGER AS batch_seq,
            (amount + 1)::DECIMAL(18,2) AS amount), 1::TINYINT AS n FROM ({old})"""

    @property
    def bytes(self) -> int:
        """Bytes of the segments that stand."""
        return sum(segment.bytes for segment in self.store.control.segments(DATASET))

    def published(self, *, force: bool = False) -> float:
        """Return the seconds a publish takes."""
        builders, catalogue = made_by()
        start = time.perf_counter()
        with self.store.writing():
            publish(self.store, builders, catalogue=catalogue, clock=system_clock, force=force)
        return time.perf_counter() - start


def measure(folder: Path, rows: int, *, republish: bool) -> list[Line]:
    """Fill, then restate, ask and compact, or publish anew after a small batch; return the ratios."""
    grown = Grown(folder, rows)
    with contextlib.closing(scratch(grown.store)) as con:
        for number in range(MONTHS):
            grown.commit(con, grown.month(number))
        lines = again(grown, con) if republish else restate(grown, con)
    grown.store.control.close()
    return lines


def restate(grown: Grown, con: duckdb.DuckDBPyConnection) -> list[Line]:
    """Restate a tenth of a month a hundred times and ask."""
    base, past = grown.bytes, grown.store.control.last()[0]
    for number in range(RESTATED):
        grown.commit(con, grown.restated(number % MONTHS, 0.1))
    before = grown.bytes
    grown.published()
    lines = ask(grown, past)
    compact(grown.store, Policy(most_segments=0), clock=system_clock)
    return [
        *lines,
        Line(
            f"disk of {grown.rows:,} rows after {RESTATED} restating batches, before it is compacted / at first",
            before / base,
            1.7,
        ),
        Line("the same, compacted", grown.bytes / base),
    ]


def again(grown: Grown, con: duckdb.DuckDBPyConnection) -> list[Line]:
    """Publish after a small batch and anew."""
    whole = grown.published(force=True)
    grown.commit(con, grown.restated(MONTHS - 1, 0.001 * MONTHS))
    return [
        Line(f"publish of {grown.rows:,} rows after a batch of 0.1 % / full rebuild", grown.published() / whole, 0.1),
        Line("full rebuild", whole, unit="s"),
    ]


def ask(grown: Grown, past: int) -> list[Line]:
    """Time the month × unit question on the cubes of the published generation."""
    current = grown.store.current()
    with connect(str(current), read_only=True, memory="2GB", threads=2) as con:
        units = "(SELECT DISTINCT dsc FROM closure WHERE depth = 0)"
        wanted = f"SELECT month_no, node, sum(paid) FROM %s WHERE node IN {units}%s GROUP BY ALL"
        con.execute(f"CREATE TEMP TABLE plain AS {wanted.replace('sum(paid)', 'sum(paid) AS paid') % ('node_now', '')}")
        last = grown.store.control.last()[0]
        seconds = {
            name: best(lambda sql=sql: con.execute(sql).fetchall())  # type: ignore[misc]
            for name, sql in {
                "plain": wanted % ("plain", ""),
                "now": wanted % ("node_now", ""),
                "past": wanted % ("node_payment", f" AND batch_seq <= {past}"),
                "difference": wanted % ("node_payment", f" AND batch_seq > {past} AND batch_seq <= {last}"),
            }.items()
        }
    return [
        Line("month × unit now from the cube / from a plain table of it", seconds["now"] / seconds["plain"], 1.2),
        Line("the same as known on a past day / now", seconds["past"] / seconds["now"], 2),
        Line(f"difference between two days over {RESTATED} batches / now", seconds["difference"] / seconds["now"], 3),
    ]


def best(work: Callable[[], object]) -> float:
    """Return the shortest of some rounds, in seconds."""
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return min(took)


def main() -> None:
    """Try it at a size of one's own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        start = dt.datetime.now(dt.UTC)
        for republish in (False, True):
            place = Path(folder) / str(republish)
            place.mkdir()
            for line in measure(place, rows, republish=republish):
                print(line.text(), flush=True)
        print(f"{rows:,} rows, {(dt.datetime.now(dt.UTC) - start).total_seconds():.0f} s")


if __name__ == "__main__":
    main()
