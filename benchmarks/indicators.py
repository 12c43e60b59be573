"""The indicator library on a store as large as a province's: cubes, snapshot, compiler, each against its probe.

Try it with `python -m benchmarks.indicators --units 100`; `make bench` takes 3,000 units, `make bench-large` 30,000.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import duckdb

from benchmarks.handwritten import month_sql
from benchmarks.large import best, progress
from benchmarks.province import MONTHS, Province, Timed
from benchmarks.report import Line
from benchmarks.resident import peak_mb
from metrics.catalogue import load_catalogue
from metrics.compiler import Compiled, compile_shape
from metrics.cubes import built_atoms
from metrics.evaluate import ask, evaluate
from metrics.formula import formula_at
from metrics.knowledge import Known, knowledge
from metrics.model import Catalogue, Indicator, Query
from metrics.plan import Ask, Laid, Layout, Shape, Windows
from metrics.prepared import is_laid, make_ready
from metrics.snapshot_reach import KINDS, is_row
from metrics.tables import quoted
from warehouse.base.clock import system_clock
from warehouse.base.periods import GRAINS, Grain, month_label
from warehouse.base.scope import Scope
from warehouse.store import Generation

UNITS, LARGE_UNITS, LARGE_MB = 3_000, 30_000, 6_000
ROUNDS, LOOKUPS = 3, 200
SLOWEST, AGAIN = 25, 12
"""Indicators whose ratio was the greatest, and the rounds in which they are timed anew: of hundreds of statements of a few
milliseconds some are disturbed in every round, and the worst would be no more than the most disturbed."""
HAND_MEAN, HAND_WORST = 1.2, 1.5
LOOKED_UP = ("op_cost_per_capita", "op_cost_per_capita_yoy")
COMPILE = """
import time
from benchmarks.indicators import compiled_library
from metrics.catalogue import load_catalogue
catalogue = load_catalogue()
start = time.process_time()
compiled_library(catalogue)
print(time.process_time() - start)
"""


def measure(folder: Path, units: int = UNITS, *, large: bool = False) -> list[Line]:
    """Make the store, publish it, publish its last month, ask."""
    tell, catalogue = progress(time.perf_counter()), load_catalogue()
    province, builder = Province(folder, catalogue, units), Timed(catalogue)
    tell(f"{units:,} units: {MONTHS - 1} months")
    province.fill(province.first, province.end - 1, standing=True)
    tell(f"{province.rows:,} rows: publish")
    province.published(builder)
    tell("the last month: publish")
    province.fill(province.end - 1, province.end, standing=False)
    province.published(builder)
    took = builder.took
    lines = [Line("facts of the store", province.rows / 1e6, unit="M")]
    if "snapshot carried on" in took:
        lines.append(
            Line("snapshot: new month carried on / built whole", took["snapshot carried on"] / took["snapshot"], 0.15)
        )
    lines.append(Line("snapshot built whole / cubes built whole", took["snapshot"] / took["cubes"]))
    memory = "5GB" if large else "2GB"
    with contextlib.closing(province.store.open_generation(memory=memory, threads=1)) as generation:
        tell("ask")
        known, months = knowledge(generation), (province.first, province.end)
        lines += by_hand(generation, known, catalogue, months)
        lines += looked_up(generation, known, catalogue, province.end - 1)
        lines += whole(generation, known, catalogue, months, took["snapshot"])
    lines += [Line("compile of the whole library, cold", cold_compile(), 2, unit="s")]
    lines.append(Line("peak memory of the run", peak_mb(), LARGE_MB if large else None, unit="MB"))
    province.store.control.close()
    return lines


def asked(catalogue: Catalogue, layout: Layout) -> list[Indicator]:
    """Return the figures of the library that the store has rows for, and their changes against last year."""
    found = catalogue.indicators.values()
    return [i for i in found if i.role in ("value", "yoy") and is_laid(i, layout) and _is_plain(i)]


def _is_plain(indicator: Indicator) -> bool:
    """Lengths of a window come from a calendar, which the store has none of."""
    return not any(
        o.atom in ("workdays", "heating_days") or o.above or o.over
        for o in formula_at(indicator.value, "month").operands
    )


# --- single indicators from the cubes ---------------------------------------------------------------------------------


def by_hand(generation: Generation, known: Known, catalogue: Catalogue, months: tuple[int, int]) -> list[Line]:
    """Time each indicator over every node and month against the statement written by hand; both must say the same."""
    con, ratios, left = generation.con, dict[str, float](), 0
    works: dict[str, dict[str, Callable[[], object]]] = {}
    given: dict[str, object] = {"first": months[0], "last": months[1]}
    nodes = {"nodes": [row[0] for row in con.execute("SELECT DISTINCT node FROM node_now ORDER BY 1").fetchall()]}
    for indicator in asked(catalogue, known.layout):
        hand = month_sql(indicator, known.layout)
        if hand is None:
            left += 1
            continue
        ours = compile_shape(_shape([indicator], "month", "months"), known.layout)
        _same(con, indicator.id, hand.sql, ours, given | nodes)
        work: dict[str, Callable[[], object]] = {
            "ours": partial(_into_table, con, ours.sql, given | nodes),
            "hand": partial(_into_table, con, _among(hand.sql), given | nodes),
        }
        works[indicator.id] = work
        ratios[indicator.id] = _ratio(work, ROUNDS)
    mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
    doubtful = sorted(ratios, key=lambda name: -ratios[name])[:SLOWEST]
    again = {name: _ratio(works[name], AGAIN) for name in doubtful}
    slowest = max(again, key=lambda name: again[name])
    return [
        Line(f"{len(ratios)} single indicators, every node and month / hand-written SQL", mean, HAND_MEAN),
        Line(f"the worst of them ({slowest}) / hand-written SQL", again[slowest], HAND_WORST),
        Line("indicators of a form that is not written by hand here", left, unit=""),
    ]


def _ratio(work: Mapping[str, Callable[[], object]], rounds: int) -> float:
    """Return the processor's time of ours to that of the statement by hand; both run in one thread."""
    took = best(work, rounds, time.process_time)
    return took["ours"] / took["hand"]


def _among(sql: str) -> str:
    """The same nodes are asked of both, by name."""
    return f"{sql} AND n.node IN (SELECT unnest($nodes))"


def _same(con: duckdb.DuckDBPyConnection, name: str, hand: str, ours: Compiled, given: Mapping[str, object]) -> None:
    """Raise when both do not give the same cells; a value may differ by the order of its roundings."""
    value = quoted(f"{name}.value")
    differs = f"abs(h.value - o.{value}) > 1e-9 * greatest(abs(h.value), 1) OR (h.value IS NULL) <> (o.{value} IS NULL)"
    (count, wrong) = con.execute(
        f"SELECT count(*), count(*) FILTER ({differs}) FROM ({hand}) h FULL JOIN ({ours.sql}) o"
        " ON o.node = h.node AND o.w = h.month_no - $first",
        _only(given, hand + ours.sql),
    ).fetchone() or (0, 0)
    if wrong or not count:
        raise AssertionError(f"{name}: {wrong} of {count} cells differ from the statement written by hand")


def _into_table(con: duckdb.DuckDBPyConnection, sql: str, given: Mapping[str, object]) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE cells AS {sql}", _only(given, sql))


def _only(given: Mapping[str, object], sql: str) -> dict[str, object]:
    return {name: value for name, value in given.items() if f"${name}" in sql}


def _shape(indicators: Sequence[Indicator], grain: Grain, words: Windows, snap: str = "") -> Shape:
    asks = tuple(Ask(i.id, formula_at(i.value, grain), i.scale) for i in indicators)
    return Shape(asks, "now", words, one_node=False, snap=snap)


# --- lookups ----------------------------------------------------------------------------------------------------------


def looked_up(generation: Generation, known: Known, catalogue: Catalogue, month: int) -> list[Line]:
    """Time one number and a league of all units of the year to date against a table that holds just these columns."""
    con, lines = generation.con, list[Line]()
    units = tuple(code for code in known.register.codes if code != "R")
    for name in LOOKED_UP:
        for what, nodes in (("one number", ("R",)), ("a league", units)):
            query = Query(
                indicators=(name,), nodes=nodes, period_from=month_label(month), period_to=month_label(month),
                grain="ytd", scope=Scope.everything(), actor="bench", now=system_clock(),
            )  # fmt: skip
            prepared = make_ready(generation, catalogue, query, known)
            _lay_plain(con, known, catalogue.indicators[name])
            plain = "SELECT * FROM plain WHERE month_no = $month AND node IN (SELECT unnest($nodes))"
            given = {"month": month, "nodes": list(nodes)}
            rounds = LOOKUPS if what == "one number" else LOOKUPS // 10
            took = best(
                {
                    "snap": partial(ask, generation, prepared),
                    "plain": partial(_fetched, con, plain, given),
                    "engine": partial(evaluate, generation, catalogue, query),
                },
                rounds,
                time.process_time,
            )
            lines.append(Line(f"snapshot: {what}, {name} / lookup in a plain table", took["snap"] / took["plain"], 2))
            lines.append(Line(f"{what}, {name}, with answers made of it", took["engine"] * 1000, unit="ms"))
    return lines


def _lay_plain(con: duckdb.DuckDBPyConnection, known: Known, indicator: Indicator) -> None:
    """Write what the lookup gives, for every node and month, into a table of its own."""
    layout = known.layout
    shape = _shape([indicator], "ytd", "ends", "ytd")
    sql, months = (
        compile_shape(shape, layout).sql,
        range(layout.first, min(layout.published.ends.values()) if layout.published else layout.end),
    )
    nodes = [row[0] for row in con.execute("SELECT DISTINCT node FROM node_now").fetchall()]
    given = {"nodes": nodes, "first": months[0], "last": months[-1] + 1, "ends": [m + 1 for m in months]}
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE plain AS SELECT * EXCLUDE (w), w + {months[0]} AS month_no FROM ({sql}) ORDER BY node, w",
        _only(given, sql),
    )


def _fetched(con: duckdb.DuckDBPyConnection, sql: str, given: Mapping[str, object]) -> list[tuple[object, ...]]:
    return con.execute(sql, given).fetchall()


# --- everything at once -----------------------------------------------------------------------------------------------


def whole(
    generation: Generation, known: Known, catalogue: Catalogue, months: tuple[int, int], snapshot: float
) -> list[Line]:
    """Time all figures of the library for every node and month against a bare scan of the columns they are made of."""
    con, indicators = generation.con, asked(catalogue, known.layout)
    nodes = [row[0] for row in con.execute("SELECT DISTINCT node FROM node_now ORDER BY 1").fetchall()]
    columns = [
        c[0] for c in con.execute("SELECT * FROM node_now LIMIT 0").description if c[0] not in ("node", "month_no")
    ]
    scan = f"SELECT {', '.join(f'sum({quoted(c)})' for c in columns)} FROM node_now"
    bare = best({"scan": partial(_fetched, con, scan, {})}, ROUNDS)["scan"]
    ends = [month + 1 for month in range(*months)]
    took, sides = dict[Grain, float](), dict[Grain, float]()
    for grain in GRAINS:
        given = {"first": months[0], "last": months[1], "nodes": nodes, "ends": ends}
        kind = KINDS.get(grain, "")
        read = [
            i
            for i in indicators
            if not kind or all(is_row(o, kind, known.layout) for o in formula_at(i.value, grain).operands)
        ]
        compiled = compile_shape(_shape(read, grain, "ends" if kind else "months", kind), known.layout)
        if grain != "year":  # a year is the year to date of its last month
            work = {"figures": _figures(compiled.sql), "sides": compiled.sql}
            seconds = best({name: partial(_into_table, con, sql, given) for name, sql in work.items()}, 1)
            took[grain], sides[grain] = seconds["figures"], seconds["sides"]
        con.execute("DROP TABLE IF EXISTS cells")
    return [
        Line(
            f"{len(indicators)} indicators, every node and month, single months / bare scan", took["month"] / bare, 50
        ),
        Line(
            "the same, all kinds, with the snapshot they are read from / bare scan",
            (snapshot + sum(took.values())) / bare,
            150,
        ),
        Line("single months with the numerators and denominators of a drill / bare scan", sides["month"] / bare),
        Line("all kinds with them / bare scan", (snapshot + sum(sides.values())) / bare),
        Line("bare scan of the columns", bare * 1000, unit="ms"),
    ]


def _figures(sql: str) -> str:
    """Return what a snapshot holds of an answer: every figure and the counts of reports behind it."""
    return f"SELECT COLUMNS(lambda c: NOT regexp_matches(c, '[.](numerator|denominator|current)$')) FROM ({sql})"


# --- the compiler -----------------------------------------------------------------------------------------------------


def compiled_library(catalogue: Catalogue) -> int:
    """Compile every indicator by itself, as a question about one month asks it; return how many."""
    counted = {atom.name for atom in catalogue.atoms.values() if atom.is_leaf or atom.is_distinct}
    built = built_atoms(catalogue, set(catalogue.sources), counted)
    atoms = {b.atom.name: Laid(b.atom.name, 2, b.tables, b.sources) for b in built}
    themes = {s.name: s.theme for s in catalogue.sources.values()} | {b.atom.name: b.atom.theme for b in built}
    layout = Layout(atoms, themes, 0, 100_000)
    indicators = [i for i in catalogue.indicators.values() if is_laid(i, layout)]
    for indicator in indicators:
        asks = (Ask(indicator.id, formula_at(indicator.value, "month"), indicator.scale),)
        panel, peers = indicator.role == "same", indicator.peers if indicator.role in ("rank", "pct") else ()
        words: Windows = "many" if panel else "months"
        compile_shape(Shape(asks, "leaf" if panel else "now", words, one_node=False, panel=panel, peers=peers), layout)
    return len(indicators)


def cold_compile() -> float:
    """Return the seconds of the processor a new process takes to compile the library."""
    done = subprocess.run([sys.executable, "-c", COMPILE], check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    """Try it at a size of one's own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=100)
    args = parser.parse_args()
    start = dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory() as folder:
        for line in measure(Path(folder), args.units):
            print(line.text(), flush=True)
    print(f"{args.units:,} units, {(dt.datetime.now(dt.UTC) - start).total_seconds():.0f} s")


if __name__ == "__main__":
    main()
