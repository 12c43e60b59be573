"""A second engine that counts by itself: the same definitions on ClickHouse give the same figures, cell by cell.

ClickHouse is handed the published datasets and the tree as Parquet and the very statements of the build and of every
kind of question, spelled for it by `metrics.dialects`. Nothing is compared with a tolerance: exact sums are equal as
DECIMAL, ratios to the last bit, also where a side has more digits than a DOUBLE holds; how many of those there were is
counted and printed.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from metrics.calibers import of_caliber
from metrics.editions import in_force
from metrics.knowledge import knowledge
from metrics.model import Query
from metrics.prepared import Run, prepare_question
from tests.witness.clickhouse import unlike
from tests.witness.conftest import NOW, Witnessed
from warehouse.base.scope import Scope

CUBES = ("population", "leaf_", "unit_", "node_")
NOT_RUN: dict[str, str] = {}
"""Tables that ClickHouse cannot write, with the reason; whatever is not named here must run."""
BIG = 2**53

# nth: comparisons of the same units are a statement each, and changes of units are joined to the tree for every atom, so
# some indicators stand for all there; months, years, quarters and children ask every one
CITY = {
    "months": {"roles": ("value", "yoy"), "nodes": 4, "period": ("2025-02", "2025-04")},
    "a year": {"roles": ("value",), "nodes": 2, "period": ("2025", "2025"), "grain": "year"},
    "quarters": {"roles": ("value", "yoy"), "nodes": 2, "period": ("2024-Q4", "2025-Q1"), "grain": "quarter"},
    "year to date": {"roles": ("value",), "nodes": 2, "period": ("2025-03", "2025-04"), "grain": "ytd"},
    "as once known": {"nth": 2, "roles": ("value",), "nodes": 3, "period": ("2024-10", "2024-11"), "known": 0.8},
    "children": {"roles": ("value",), "nodes": 1, "period": ("2025-03", "2025-04"), "grain": "ytd", "by": "children"},
    "by level": {"nth": 8, "roles": ("value",), "nodes": 1, "period": ("2025-03", "2025-03"), "by": "level"},
    "shares of items": {"ids": ("op_cost_item_share", "op_cost_item_share_yoy"), "nodes": 2, "period": ("2025-03", "2025-04"),
                        "grain": "ytd", "by": "item_code"},
    "the largest of a kind": {"ids": ("svc_supplier_top1",), "nodes": 2, "period": ("2025", "2025"), "grain": "year",
                              "by": "service_kind"},
    "filtered": {"nth": 8, "roles": ("value",), "nodes": 2, "period": ("2025-03", "2025-03"), "where": "level = 'city'"},
    "tree of a day": {"nth": 8, "roles": ("value",), "nodes": 2, "period": ("2025-03", "2025-03"), "tree": "2024-02-01"},
    "ranks": {"nth": 10, "roles": ("rank", "pct"), "nodes": 4, "period": ("2025-03", "2025-03")},
    "same units": {"nth": 25, "roles": ("same",), "nodes": 2, "period": ("2025-03", "2025-03")},
}  # fmt: skip
GSA = {
    "months": {"roles": ("value", "yoy"), "nodes": 4, "period": ("2014-01", "2014-12")},
    "a year": {"roles": ("value", "yoy"), "nodes": 4, "period": ("2012", "2016"), "grain": "year"},
    "as once known": {"roles": ("value",), "nodes": 3, "period": ("2010-01", "2010-06"), "known": 0.6},
    "children": {"roles": ("value", "yoy"), "nodes": 1, "period": ("2014-05", "2014-06"), "grain": "ytd", "by": "children"},
    "same units": {"nth": 7, "roles": ("same",), "nodes": 2, "period": ("2014-03", "2014-04")},
}  # fmt: skip


def test_every_statement_of_the_build_runs_but_those_named(sample: Witnessed) -> None:
    assert set(sample.refused) == set(NOT_RUN), sample.refused


def test_every_cube_has_the_same_rows(sample: Witnessed) -> None:
    con, rows, cells, found = sample.generation.con, 0, 0, []
    tables = {table.table: table.columns for table in sample.written if table.table.startswith(CUBES)}
    for name, columns in tables.items():
        if name in NOT_RUN:
            continue
        other = sample.second.fetch(f'SELECT * FROM "{name}"')
        rows, cells = rows + other.num_rows, cells + other.num_rows * len(columns)
        found += list(unlike(con, name, other))
    print(f"{sample.name}: {len(tables)} cubes, {rows:,} rows, {cells:,} cells, {len(found)} differences")
    assert found == []


def runs(sample: Witnessed, question: dict[str, Any]) -> Iterator[Run]:
    """Yield the statements of a question with their values, as `evaluate` would run them."""
    known = knowledge(sample.generation)
    every = sample.catalogue.indicators.values()
    indicators = question.get("ids") or [
        name
        for role in question["roles"]
        for name in [i.id for i in every if i.role == role][:: question.get("nth", 1)]
    ]
    query = Query(
        indicators=tuple(indicators), nodes=nodes(sample, question["nodes"]), period_from=question["period"][0],
        period_to=question["period"][1], grain=question.get("grain", "month"), scope=Scope.everything(), actor="test",
        now=NOW, by=question.get("by"), where=question.get("where"), tree=question.get("tree", "as-was"),
        known_at=moment(sample, question["known"]) if "known" in question else None,
    )  # fmt: skip
    catalogue = of_caliber(in_force(sample.generation, sample.catalogue, None), query.caliber, query.grain)
    return iter(prepare_question(sample.generation, catalogue, query, known).runs)


def nodes(sample: Witnessed, most: int) -> tuple[str, ...]:
    """Return the largest nodes of the tree and a leaf."""
    rows = sample.generation.con.execute(
        "SELECT anc FROM closure WHERE rec_to = 2147483647 GROUP BY anc ORDER BY count(DISTINCT dsc) DESC, anc"
    ).fetchall()
    return tuple(dict.fromkeys([row[0] for row in rows][: most - 1 or 1] + ([rows[-1][0]] if most > 1 else [])))


def moment(sample: Witnessed, part: float) -> dt.datetime:
    """Return a moment by which a part of all batches was known."""
    rows = sample.generation.con.execute("SELECT recorded_at FROM batch ORDER BY batch_seq").fetchall()
    return rows[int(len(rows) * part)][0].replace(tzinfo=dt.UTC)


@pytest.mark.parametrize("kind", sorted({*CITY, *GSA}))
def test_every_kind_of_question_has_the_same_answers(sample: Witnessed, kind: str) -> None:
    question = {"city": CITY, "gsa": GSA}[sample.name].get(kind)
    if question is None:
        return
    counted, found = Counter[str](), list[str]()
    for run in runs(sample, question):
        compiled = run.statement.compiled
        ours = sample.generation.con.execute(compiled.sql, run.parameters).fetchall()
        theirs = sample.second.ask(compiled.sql, run.parameters)
        found += compare(compiled.columns, ours, theirs, counted)
    print(f"{sample.name}, {kind}: " + ", ".join(f"{name} {number:,}" for name, number in sorted(counted.items())))
    assert found == []
    assert counted["cells"] > 0


def compare(columns: Sequence[str], ours: Sequence[tuple[Any, ...]], theirs: Sequence[tuple[Any, ...]], counted: Counter[str]) -> Iterator[str]:  # fmt: skip
    """Yield every cell that is not the same, and count what was compared."""
    keys = columns.index("w") + 1
    here, there = ({row[:keys]: row for row in rows} for rows in (ours, theirs))
    if set(here) != set(there) or len(here) != len(ours) or len(there) != len(theirs):
        yield f"rows differ: {sorted(set(here) ^ set(there), key=str)[:4]}"
    counted["rows"] += len(here)
    place = {name: at for at, name in enumerate(columns)}
    for key in here.keys() & there.keys():
        for at in range(keys, len(columns)):
            mine, other = here[key][at], there[key][at]
            counted["cells"] += 1
            if isinstance(mine, float) and isinstance(other, float):
                counted["ratios"] += 1
                counted["of long sides"] += sides_are_long(columns[at], here[key], place)
                if (off := abs(bits(mine) - bits(other))) > 0:
                    yield f"{columns[at]} {key}: {mine!r} there {other!r}, {off} last digits off"
            elif mine != other or (mine is None) != (other is None):
                yield f"{columns[at]} {key}: {mine!r} there {other!r}"


def bits(value: float) -> int:
    """Return the place of a DOUBLE among all, so that neighbours are one apart."""
    (number,) = struct.unpack("<q", struct.pack("<d", value))
    return number if number >= 0 else -(number & 0x7FFF_FFFF_FFFF_FFFF)


def sides(column: str, row: Sequence[Any], place: dict[str, int]) -> list[Any]:
    """Return the exact sides of a ratio."""
    name = column.rpartition(".")[0]
    return [
        row[place[f"{name}.{side}"]] for side in ("numerator", "denominator", "current") if f"{name}.{side}" in place
    ]


def sides_are_long(column: str, row: Sequence[Any], place: dict[str, int]) -> bool:
    """Tell whether a side of a ratio has more digits than a DOUBLE holds."""
    return any(
        isinstance(side, Decimal) and abs(int(side.scaleb(-int(side.as_tuple().exponent)))) >= BIG
        for side in sides(column, row, place)
    )
