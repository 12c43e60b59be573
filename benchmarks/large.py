"""A store grown large: the month × unit question now and on a past day, a difference between days, disk, publishing.

Run alone with `python -m benchmarks.large --rows 100000` to try it; `make bench-large` takes the rows of the limits.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb

from benchmarks.grown import FIRST, METERS, MONTHS, PAYMENTS, Grown, definitions
from benchmarks.report import Line
from benchmarks.resident import peak_mb
from metrics.evaluate import evaluate
from metrics.model import Catalogue, Query
from warehouse.base.clock import system_clock
from warehouse.base.periods import month_label
from warehouse.base.scope import Scope
from warehouse.base.sql import quote
from warehouse.compaction import Policy, compact
from warehouse.control import from_iso
from warehouse.ingest import scratch
from warehouse.store import connect

RESTATED, SHARE = 100, 0.1
ROUNDS, PAGED_ROUNDS = 100, 3
COMPACTED = 20_000_000
"""Rows beyond which the store is not compacted at the end: no limit stands on it, and it takes as long as the rest."""
CUBE = "month_no, node, sum(metered) AS metered"
Tell = Callable[[str], None]


def progress(start: float) -> Tell:
    """Return what tells on the error output how far a long part is."""
    return lambda text: print(f"{time.perf_counter() - start:7.0f} s  {text}", file=sys.stderr, flush=True)


def measure(folder: Path, rows: int) -> list[Line]:
    """Fill a store with meter days, restate a tenth of a month a hundred times, and ask."""
    tell = progress(time.perf_counter())
    grown = Grown(folder, rows, METERS, tell)
    catalogue = definitions(grown.store.contracts)
    with contextlib.closing(scratch(grown.store)) as con:
        grown.fill(con)
        base, past = grown.bytes, grown.store.control.last()[0]
        for number in range(RESTATED):
            tell(f"{rows:,} rows: restating batch {number + 1} of {RESTATED}")
            grown.restate(con, number % MONTHS, SHARE)
    lines = [
        Line(f"disk of {rows:,} meter days after {RESTATED} restating batches, not compacted / at first",
             grown.bytes / base, 1.7),
        Line("a meter day at first", base / rows, unit="bytes"),
    ]  # fmt: skip
    tell(f"{rows:,} rows: publish")
    lines.append(Line(f"publish of {rows:,} meter days and {RESTATED} batches", grown.published(catalogue), unit="s"))
    tell(f"{rows:,} rows: ask")
    lines += ask(grown, catalogue, past)
    if rows <= COMPACTED:
        tell(f"{rows:,} rows: compact")
        compact(grown.store, Policy(most_segments=0), clock=system_clock)
        lines.append(Line("disk, compacted / at first", grown.bytes / base))
    lines.append(Line("peak memory of filling, publishing and asking", peak_mb(), unit="MB"))
    grown.store.control.close()
    return lines


def again(folder: Path, rows: int) -> list[Line]:
    """Publish after a small batch and anew."""
    tell = progress(time.perf_counter())
    grown = Grown(folder, rows, PAYMENTS, tell)
    with contextlib.closing(scratch(grown.store)) as con:
        grown.fill(con)
        tell(f"{rows:,} rows: publish")
        whole = grown.published(force=True)
        grown.restate(con, MONTHS - 1, 0.001 * MONTHS)
    tell(f"{rows:,} rows: publish after a small batch")
    lines = [
        Line(f"publish of {rows:,} rows after a batch of 0.1 % / full rebuild", grown.published() / whole, 0.1),
        Line("full rebuild", whole, unit="s"),
    ]
    grown.store.control.close()
    return lines


def ask(grown: Grown, catalogue: Catalogue, past: int) -> list[Line]:
    """Time the month × unit question on the cubes of the published generation, by hand and as a page asks it."""
    with _beside(grown) as con:
        last = grown.store.control.last()[0]
        tables = {
            "plain": "plain.rollup",
            "now": "node_now",
            "past": f"node_meter WHERE batch_seq <= {past}",
            "difference": f"node_meter WHERE batch_seq > {past} AND batch_seq <= {last}",
        }
        asked = {name: f"SELECT {CUBE} FROM {table} GROUP BY ALL" for name, table in tables.items()}
        seconds = best({name: partial(_fetched, con, sql) for name, sql in asked.items()}, ROUNDS)
    paged = best(_paged(grown, catalogue, past), PAGED_ROUNDS)
    return [
        Line("month × unit now from the cube / from a plain table of it", seconds["now"] / seconds["plain"], 1.2),
        Line("the same as known on a past day / now", seconds["past"] / seconds["now"], 2),
        Line(f"difference between two days over {RESTATED} batches / now", seconds["difference"] / seconds["now"], 3),
        Line("month × unit now from the cube", seconds["now"] * 1000, unit="ms"),
        Line("every unit × month through the engine, as known on a past day / now", paged["past"] / paged["now"], 2),
        Line("every unit × month through the engine, now", paged["now"] * 1000, unit="ms"),
    ]


@contextlib.contextmanager
def _beside(grown: Grown) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the generation beside a file with the plain table, both as files are read: packed, and in their order."""
    current = grown.store.current()
    file = grown.store.path / "plain.duckdb"
    with connect(memory="2GB", threads=2) as con:
        con.execute(f"ATTACH {quote(str(current))} AS g (READ_ONLY)")
        con.execute(f"ATTACH {quote(str(file))} AS plain (STORAGE_VERSION 'v1.5.0')")
        con.execute(
            "CREATE TABLE plain.rollup AS SELECT month_no, node, metered FROM g.node_now ORDER BY node, month_no"
        )
        con.execute("DETACH plain")
        con.execute(f"ATTACH {quote(str(file))} AS plain (READ_ONLY)")
        con.execute("USE g")
        yield con
    file.unlink()


def _fetched(con: duckdb.DuckDBPyConnection, sql: str) -> object:
    return con.sql(sql).to_arrow_table()


def _paged(grown: Grown, catalogue: Catalogue, past: int) -> Mapping[str, Callable[[], object]]:
    """Return the question a page asks: every unit and month, now and as known when the first deliveries were in."""
    generation = grown.store.open_generation(memory="2GB", threads=2)
    batches = {batch["batch_seq"]: batch for batch in grown.store.control.batches()}
    question = Query(
        indicators=("metered_kwh",), nodes=("R",), period_from=month_label(FIRST),
        period_to=month_label(FIRST + MONTHS - 1), grain="month", by="children", scope=Scope.everything(),
        actor="bench", now=system_clock(),
    )  # fmt: skip
    then = replace(question, known_at=from_iso(batches[past]["recorded_at"]))
    return {
        "now": lambda: evaluate(generation, catalogue, question),
        "past": lambda: evaluate(generation, catalogue, then),
    }


def best(
    work: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the shortest seconds of each, taken in turn, so that what disturbs one disturbs them all."""
    took = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, one in work.items():
            start = clock()
            one()
            took[name] = min(took[name], clock() - start)
    return took


def main() -> None:
    """Try it at a size of one's own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--only", choices=("grown", "publish"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start = dt.datetime.now(dt.UTC)
        for name, part in (("grown", measure), ("publish", again)):
            if args.only in (None, name):
                (place := Path(folder) / name).mkdir()
                for line in part(place, args.rows):
                    print(line.text(), flush=True)
        print(f"{args.rows:,} rows, {(dt.datetime.now(dt.UTC) - start).total_seconds():.0f} s")


if __name__ == "__main__":
    main()
