"""The SQL a query prints runs as it stands: word for word, on a fresh connection to a read-only generation file."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from metrics.evaluate import evaluate
from metrics.knowledge import knowledge
from metrics.model import Catalogue, Query
from metrics.prepared import make_ready
from metrics.sql_text import NOTHING, sql_text, value_text
from tests.fakes.reviewers import Reviewers, energy, few
from tests.metrics.conftest import World
from tests.metrics.test_history import history
from warehouse.base.scope import Scope
from warehouse.contracts import Contract
from warehouse.store import Generation

NOW = dt.datetime(2026, 7, 1, tzinfo=dt.UTC)
SHAPES: dict[str, dict[str, Any]] = {
    "one month": {},
    "several months": {"period": "2024-01..2024-03", "nodes": "root a b"},
    "the year to date": {"grain": "ytd", "period": "2024-03"},
    "quarters": {"grain": "quarter", "period": "2023-Q4..2024-Q1"},
    "twelve months to each month": {"grain": "r12", "period": "2024-01..2024-03"},
    "known then": {"known_at": dt.datetime(2025, 1, 2, 1, tzinfo=dt.UTC)},
    "children": {"by": "children", "nodes": "root a"},
    "children known then": {"by": "children", "known_at": dt.datetime(2025, 1, 4, 1, tzinfo=dt.UTC), "period": "2024-03", "grain": "ytd"},
    "children by the tree of a day": {"by": "children", "tree": "2024-03-31"},
    "the tree of a day": {"tree": "2024-01-31", "nodes": "a"},
    "by an attribute of units": {"by": "kind"},
    "by a dimension of rows": {"by": "item_code", "ids": "op_cost_total"},
    "a filter of texts": {"where": "item_code in ('30201', 'it''s; --') or fund = 'general'", "ids": "op_cost_total"},
    "a filter of units and of rows": {"where": "level = 'city' and fuel between 'a' and 'h'", "ids": "veh_count"},
    "a filter on nothing": {"where": "level is not null and not (kind = 'x')"},
    "the same units": {"ids": "op_cost_total_same", "nodes": "root a"},
    "the same units of children": {"ids": "op_cost_total_same", "by": "children"},
    "a rank": {"ids": "op_cost_total_rank op_cost_per_capita_pct", "nodes": "a b"},
    "a rank of children": {"ids": "op_cost_total_rank", "by": "children"},
    "a change": {"ids": "op_cost_total_yoy op_cost_per_capita_yoy"},
    "an earlier version": {"ids": "veh_over_std", "period": "2010-01..2024-03", "grain": "year"},
    "cells and annual figures": {"ids": "veh_over_quota veh_over_std budget_exec_rate svc_satisfaction en_tce"},
}  # fmt: skip


def asked(shape: dict[str, Any]) -> Query:
    more = {**shape}
    first, _, last = more.pop("period", "2024-02").partition("..")
    return Query(
        indicators=tuple(more.pop("ids", "op_cost_total op_cost_per_capita").split()), nodes=tuple(more.pop("nodes", "root").split()),
        period_from=first, period_to=last or first, grain=more.pop("grain", "month"), scope=Scope.everything(), actor="test", now=NOW,
        **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, contracts: dict[str, Contract], catalogue: Catalogue) -> Generation:
    world = World(contracts, tmp_path_factory.mktemp("live"))
    history(world, random.Random(3))
    return world.open(catalogue)


@pytest.fixture(scope="module")
def file(live: Generation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gen") / "1.duckdb"
    live.con.execute(f"ATTACH '{path}' AS kept")
    live.con.execute("COPY FROM DATABASE memory TO kept")
    live.con.execute("DETACH kept")
    return path


def run(text: str, path: Path) -> Iterator[tuple[list[str], list[tuple[Any, ...]]]]:
    """Run a text as the shell does, statement by statement, and yield what each SELECT gives."""
    with duckdb.connect(str(path), read_only=True) as con:
        for statement in con.extract_statements(text):
            found = con.execute(statement)
            if statement.type == duckdb.StatementType.SELECT:
                yield [column[0] for column in found.description], found.fetchall()


@pytest.mark.parametrize("name", SHAPES)
def test_the_printed_text_gives_what_was_answered(
    name: str, live: Generation, file: Path, catalogue: Catalogue
) -> None:
    query = asked(SHAPES[name])
    text = sql_text(live, catalogue, query)
    assert "$" not in text.split("WITH", 1)[-1]
    prepared = make_ready(live, catalogue, query, knowledge(live))
    given = list(run(text, file))
    assert len(given) == len(prepared.runs) > 0
    for (columns, rows), one in zip(given, prepared.runs, strict=True):
        assert columns == list(one.statement.compiled.columns)
        bound = live.con.execute(one.statement.parsed, one.parameters).fetchall()
        assert sorted(map(repr, rows)) == sorted(map(repr, bound)), "not one bit differs"
    if query.by is None and not any(i.role in ("rank", "pct") for i in prepared.question.indicators):
        shown = {
            (name.partition(".")[0].partition("@")[0], row[columns.index("node")], prepared.question.windows[prepared.asked[row[columns.index("w")]]].label): row[n]
            for columns, rows in given for row in rows for n, name in enumerate(columns) if name.endswith(".value")
        }  # fmt: skip
        answers = [a for a in evaluate(live, catalogue, query) if a.value is not None]
        assert all(shown[a.indicator, a.node, a.period] == a.value for a in answers)


def test_the_text_says_the_question_in_words(live: Generation, catalogue: Catalogue) -> None:
    text = sql_text(live, catalogue, asked({"period": "2024-02..2024-03", "tree": "2024-01-31"}))
    for words in (
        "op_cost_per_capita.value",
        "人均",
        "0 = 2024-02, 1 = 2024-03",
        "the tree of 2024-01-31",
        "SET VARIABLE tree_month",
    ):
        assert words in text
    assert sql_text(live, catalogue, asked({"period": "2030-01"})) == NOTHING


def test_hostile_texts_stay_values(live: Generation, file: Path, catalogue: Catalogue) -> None:
    """A filter may hold any text between its quotes; in the printed text it is a constant and nothing else."""
    hostile = "'; DROP TABLE node_now; SET VARIABLE seq = 0; -- $seq getvariable(''x'')\n/* */"
    query = asked({"ids": "op_cost_total", "where": "item_code <> '" + hostile.replace("'", "''") + "'"})
    ((columns, rows),) = run(sql_text(live, catalogue, query), file)
    plain = evaluate(live, catalogue, asked({"ids": "op_cost_total"}))[0]
    assert [row[columns.index("op_cost_total.value")] for row in rows] == [plain.value]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a", "it's"], "['a', 'it''s']::VARCHAR[]"), ([], "[]::VARCHAR[]"), ([[0], []], "[[0], []]::INTEGER[][]"),
        (Decimal("1E+3"), "1000"), (Decimal("-0.10"), "-0.10"), (None, "NULL"), (True, "TRUE"), (7, "7"), ([1, 2], "[1, 2]::INTEGER[]"),
    ],
)  # fmt: skip
def test_values_are_written_as_constants_of_their_type(value: object, text: str) -> None:
    assert value_text("nodes", value) == text


def test_reviewed_figures_are_read_from_where_they_stand(tmp_path: Path) -> None:
    office = Reviewers(tmp_path)
    office.report("1月.csv", energy("市财政局 2025-01 10", "市教育局 2025-01 20"))
    office.begin("2025-01")
    office.judge("accept", "A", "2025-01")
    generation, catalogue = office.open(), few()
    copied = shutil.copy(generation.path, tmp_path / "copy.duckdb")
    for state, value in (("reviewed", 10), ("reported", 30)):
        query = Query(
            indicators=("elec_kwh",), nodes=("R",), period_from="2025-01", period_to="2025-01", grain="month", scope=Scope.everything(),
            actor="test", state=state,
        )  # fmt: skip
        text = sql_text(generation, catalogue, query)
        found = [row[columns.index("elec_kwh.value")] for columns, rows in run(text, copied) for row in rows]
        (answer,) = evaluate(generation, catalogue, query)
        assert found == [answer.value] == [value]
