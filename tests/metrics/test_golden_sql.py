"""The statements people audit keep their shape; renew on purpose with RENEW_GOLDEN=1 and read the difference like code."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest
import sqlglot

from metrics.compiler import compile_shape
from metrics.filters import read_filter
from metrics.formula import formula_at, parse_formula
from metrics.plan import Ask, Laid, Layout, Shape

GOLDEN = Path(__file__).parent / "golden" / "sql"
LAYOUT = Layout(
    atoms={
        "cost": Laid("cost", 2, ("ledger",), ("ledger",)),
        "paid": Laid("paid", 2, ("ledger", "report"), ("ledger", "report")),
        "heads": Laid("heads", 0, ("staff",), ("staff",)),
        "excess": Laid("excess", 0, ("excess",), ("staff",)),
    },
    themes={"ledger": "cost", "report": "cost", "staff": "cost", "excess": "cost"},
    first=24276,
    end=24312,
)
TOTAL = Ask("total", parse_formula("cost"), -4)
PER_HEAD = Ask("per_head", parse_formula("cost / avg(heads)"), 0)
PER_HEAD_CHANGE = Ask(
    "per_head_yoy",
    parse_formula("((cost / avg(heads)) - prior((cost / avg(heads)), 12)) / prior((cost / avg(heads)), 12)"),
    2,
)
CHANGE = Ask("change", parse_formula("(cost - prior(cost, 12)) / prior(cost, 12)"), 2)
RATE = Ask("rate", parse_formula("paid / annual(heads)"), 2)
OVER = Ask("over", parse_formula("last(excess)"), 0)
TO_DATE = Ask("to_date", formula_at("ytd(paid) / annual(heads)", "month"), 2)
PER_WORKDAY_CHANGE = Ask(
    "per_workday_yoy", parse_formula("((cost / workdays) - prior(cost / workdays, 12)) / prior(cost / workdays, 12)"), 2
)
PER_HEATING_DAY = Ask("per_heating_day", parse_formula("cost / heating_days"), 0)
SHARE = Ask("share", parse_formula("cost / parent(cost)"), 2)
ITEM_SHARE = Ask("item_share", parse_formula("cost / whole(cost)"), 2)
TOP_ITEM = Ask("top_item", parse_formula("top(cost, item_code) / cost"), 2)
CASES = {
    "months_now": Shape((TOTAL, PER_HEAD), "now", "months", True),
    "months_now_change": Shape((CHANGE,), "now", "months", True),
    "ends_now": Shape((OVER,), "now", "ends", True),
    "one_window_now": Shape((PER_HEAD, OVER), "now", "one", True),
    "many_windows_now_change": Shape((CHANGE,), "now", "many", False),
    "many_windows_now_mean_change": Shape((PER_HEAD_CHANGE,), "now", "many", False),
    "many_windows_then": Shape((RATE,), "then", "many", False),
    "months_then": Shape((TOTAL,), "then", "months", True),
    "children_now": Shape((TOTAL,), "now", "months", False, stays=True),
    "children_then": Shape((PER_HEAD,), "then", "one", False, stays=True),
    "split_by_dimension": Shape((TOTAL,), "leaf", "months", True, dim="item_code"),
    "split_by_level": Shape((PER_HEAD,), "leaf", "one", True, dim="level"),
    "filtered": Shape((TOTAL,), "leaf", "months", True, where=read_filter("item_code in ('1', '2') and level = 'city'", ["item_code"])),
    "same_units_change": Shape((CHANGE,), "leaf", "many", False, panel=True),
    "same_units_mean_change_of_children": Shape((PER_HEAD_CHANGE,), "leaf", "many", False, stays=True, panel=True),
    "year_to_date_of_months": Shape((TO_DATE,), "now", "many", True),
    "share_of_parent_then": Shape((SHARE,), "then", "months", False),
    "rank_among_peers": Shape((PER_HEAD,), "now", "months", False, peers=("level", "kind", "climate")),
    "per_working_day_of_months_change": Shape((PER_WORKDAY_CHANGE,), "now", "months", True),
    "per_working_day_of_windows_change": Shape((PER_WORKDAY_CHANGE,), "now", "many", False),
    "per_day_of_heating_of_children": Shape((PER_HEATING_DAY,), "now", "many", False, stays=True),
    "share_of_whole": Shape((ITEM_SHARE,), "leaf", "many", False, dim="item_code"),
    "greatest_of_months": Shape((TOP_ITEM,), "now", "months", True),
    "greatest_of_windows_of_children": Shape((TOP_ITEM,), "then", "many", False, stays=True),
    "snapshot_of_one_window_change": Shape((CHANGE, PER_HEAD_CHANGE), "now", "end", True, snap="ytd"),
    "snapshot_of_windows": Shape((PER_HEAD,), "now", "ends", False, snap="ytd"),
    "snapshot_of_one_window_of_children": Shape((PER_HEAD,), "now", "end", False, stays=True, snap="ytd"),
    "tree_of_a_day": Shape((TOTAL, OVER), "leaf", "months", False, as_of=True),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_statement_keeps_its_shape(name):
    compiled = compile_shape(CASES[name], LAYOUT)
    file = GOLDEN / f"{name}.sql"
    if os.environ.get("RENEW_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(compiled.sql + "\n", encoding="utf-8")
    assert compiled.sql + "\n" == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_statement_is_one_read_and_every_step_says_what_for(name):
    compiled = compile_shape(CASES[name], LAYOUT)
    (tree,) = sqlglot.parse(compiled.sql, dialect="duckdb")
    assert isinstance(tree, sqlglot.exp.Select)
    steps = [line for line in compiled.sql.splitlines() if line.endswith(" AS (") and line.startswith('"')]
    comments = [line for line in compiled.sql.splitlines() if line.startswith("-- ")]
    assert len(comments) == len(steps)
    assert all(isinstance(star.parent, sqlglot.exp.Count) for star in tree.find_all(sqlglot.exp.Star))
    for literal in tree.find_all(sqlglot.exp.Literal):
        assert not literal.is_string or literal.name in ("cost",), (
            "values are parameters, themes come from the catalogue"
        )


@pytest.mark.parametrize("name", CASES)
def test_statement_explains_on_empty_tables(name):
    con = duckdb.connect()
    con.execute(
        'CREATE TABLE node_now (node VARCHAR, month_no INTEGER, cost DECIMAL(38,2), paid DECIMAL(38,2), heads BIGINT, excess BIGINT,'
        " got_ledger BIGINT, got_report BIGINT, got_staff BIGINT, due_cost BIGINT)"
    )  # fmt: skip
    con.execute(
        "CREATE TABLE snap_ytd (node VARCHAR, month_no INTEGER, cost DECIMAL(38,2), heads_avg BIGINT, heads_avg_months BIGINT,"
        " months BIGINT, got_ledger BIGINT, got_staff BIGINT, due_cost BIGINT)"
    )
    for kind, key in (("node", "node"), ("unit", "unit"), ("leaf", "unit")):
        for table, columns in (("ledger", "cost DECIMAL(38,2), paid DECIMAL(38,2), item_code VARCHAR"), ("report", "paid DECIMAL(38,2)"),
                               ("staff", "heads BIGINT"), ("excess", "excess BIGINT")):  # fmt: skip
            con.execute(
                f"CREATE TABLE {kind}_{table} ({key} VARCHAR, month_no INTEGER, batch_seq INTEGER, {columns}, got BIGINT)"
            )
    con.execute("CREATE TABLE node_due (node VARCHAR, month_no INTEGER, batch_seq INTEGER, due_cost BIGINT)")
    span = "from_m INTEGER, to_m INTEGER, rec_from INTEGER, rec_to INTEGER"
    con.execute(
        f"CREATE TABLE population (theme VARCHAR, anc VARCHAR, dsc VARCHAR, depth INTEGER, owes BOOLEAN, {span})"
    )
    con.execute(f"CREATE TABLE closure_ext (anc VARCHAR, dsc VARCHAR, depth INTEGER, owes BOOLEAN, {span})")
    con.execute(f"CREATE TABLE d_org_unit (code VARCHAR, level VARCHAR, kind VARCHAR, climate VARCHAR, {span})")
    compiled = compile_shape(CASES[name], LAYOUT)
    values = {
        "nodes": "n" if CASES[name].one_node else ["n"], "first": 24276, "last": 24278, "lo": 24264, "hi": 24278, "seq": 3, "tree_month": 24276,
        "parents": ["p"], "children": ["n"], "stay_from": [24276], "stay_to": [24278], "ends": [24277, 24278], "months": [1, 1],
        "member": [[0], [1]], "firsts": [24276, 24277],
        "first_ytd": 24276, "last_ytd": 24278, "ends_ytd": [24277, 24278], "months_ytd": [1, 2], "member_ytd": [[0, 1], [1]],
        "hang_child": ["n"], "hang_parent": ["p"], "hang_from": [24276], "hang_to": [24278], "where_0": "1", "where_1": "2", "where_2": "city",
        "workdays": [22, 18], "workdays_12": [21, 20], "heating_nodes": ["n"], "heating_days": [[31, 29]],
    }  # fmt: skip
    rows = con.execute(compiled.sql, {k: v for k, v in values.items() if k in compiled.parameters}).fetchall()
    figures = [place for name, place in compiled.place.items() if "_months" not in name and place > compiled.place["w"]]
    assert all(row[place] is None for row in rows for place in figures)
    assert compiled.columns == tuple(column[0] for column in con.description)
