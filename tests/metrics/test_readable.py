"""The statement of the handbook tells the truth: run over the rows of a town it gives what the engine answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import sqlglot

from metrics.catalogue import load_catalogue
from metrics.evaluate import evaluate
from metrics.model import THEMES, Query
from metrics.readable import statement
from warehouse.base.periods import OPEN, month_label
from warehouse.base.scope import Scope
from warehouse.contracts import load_contracts
from warehouse.store import Store

CATALOGUE, CONTRACTS = load_catalogue(), load_contracts()
LENGTHS = ("workdays", "heating_days")
"""Lengths of a window come from the calendar, which is no source of a statement."""


@pytest.mark.parametrize("indicator", CATALOGUE.written, ids=lambda item: item.id)
def test_every_statement_can_be_read(indicator: Any) -> None:
    sqlglot.parse_one(statement(indicator, CATALOGUE, CONTRACTS), dialect="duckdb")


@pytest.fixture(scope="module")
def rows(build_town: Any) -> Iterator[tuple[duckdb.DuckDBPyConnection, Any, str, int]]:
    """Each source under its own name, one row for each month it is true in, as known now."""
    generation = Store(build_town(1, 16, 16).store).open_generation()
    con = duckdb.connect()
    con.execute(f"ATTACH '{generation.path}' AS g (READ_ONLY)")
    con.execute(f"CREATE TABLE every AS SELECT unnest(range({2020 * 12}, {2027 * 12})) AS month_no")
    for (table,) in con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'd\\_%' ESCAPE '\\'"
    ).fetchall():
        con.execute(
            f"CREATE VIEW {table[2:]} AS SELECT d.* EXCLUDE ({_months(con, table)}), month_no AS month FROM g.{table} AS d"
            f" JOIN every ON month_no >= d.from_m AND month_no < d.to_m WHERE rec_to >= {OPEN}"
        )
    con.execute("CREATE VIEW org AS SELECT * REPLACE (code AS unit) FROM org_unit")
    (root,) = con.execute("SELECT code FROM g.d_org_unit WHERE parent IS NULL LIMIT 1").fetchone() or ("",)
    below = " UNION ALL ".join(
        f"SELECT '{root}' AS node, '{theme}' AS theme, unit, month FROM org WHERE scope_{theme}" for theme in THEMES
    )
    con.execute(f"CREATE TABLE below AS {below}")
    (last,) = con.execute("SELECT max(from_m) FROM g.d_payment").fetchone() or (0,)
    yield con, generation, root, last
    con.close()


def _months(con: duckdb.DuckDBPyConnection, table: str) -> str:
    columns = {row[0] for row in con.execute(f"DESCRIBE g.{table}").fetchall()}
    return ", ".join(sorted({"row_id", "month"} & columns))


def test_the_statements_give_what_the_engine_answers(rows: tuple[duckdb.DuckDBPyConnection, Any, str, int]) -> None:
    con, generation, root, last = rows
    label, first = month_label(last), last // 12 * 12
    bound = {"node": root, "first": first, "last": last, "months": last - first + 1, "year_first": first}
    compared, unlike = 0, {}
    for indicator in CATALOGUE.written:
        text = statement(indicator, CATALOGUE, CONTRACTS)
        if "$parent" in text or any(f"${length}" in text for length in LENGTHS):
            continue
        query = Query(
            indicators=(indicator.id,), nodes=(root,), period_from=label, period_to=label, grain="ytd",
            scope=Scope.everything(), actor="test", now=dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
            by=indicator.dims[0] if "whole(" in indicator.value else None,
        )  # fmt: skip
        answer, *_ = sorted(evaluate(generation, CATALOGUE, query), key=lambda one: -(one.numerator or 0))
        if answer.value is None:
            continue
        given = bound | {str(answer.dim): answer.dim_value}
        (found,) = con.execute(text, {k: v for k, v in given.items() if f"${k}" in text}).fetchone() or (None,)
        compared += 1
        if found is None or float(found) != pytest.approx(float(answer.value), rel=1e-9, abs=1e-9):
            unlike[indicator.id] = (found, answer.value)
    assert unlike == {}
    assert compared > 150
