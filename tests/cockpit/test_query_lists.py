"""What a query lists on the command line: bridges, missing reports, facts outside a life, every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from cockpit.cli import app
from tests.fakes.office import PAY, Office
from warehouse.base.errors import QueryError

MOVED = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,纳入成本统计,生效日期,失效日期\n"
    "R,模拟市,,,市,区域,1,否,2020-01-01,\nP,市直管处,直管处,R,市,直属,4,是,2020-01-01,\n"
    "A,市财政局,财政局,P,市,政府,2,是,2020-01-01,2025-01-31\nA,市财政局,财政局,R,市,政府,2,是,2025-02-01,\n"
    "B,市教育局,教育局,R,市,政府,3,是,2020-01-01,\n"
)
PAID = (
    "V1,1,市财政局,2025-01-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,100.50\n"
    "V2,1,市教育局,2025-01-20,30202,印刷费,一般公共预算财政拨款,基本支出-公用,200\n"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    office = Office(tmp_path_factory.mktemp("office"))
    assert office.hand_in("组织机构.csv", MOVED).status == "committed"
    assert office.hand_in("支付.csv", PAY + PAID).status == "committed"
    assert CliRunner().invoke(app, ["rebuild", "--store", str(office.store.path)]).exit_code == 0
    return office.store.path


def asked(store: Path, *words: str, period: str = "2025-01") -> Result:
    return CliRunner().invoke(app, ["query", "op_cost_total", "--period", period, "--store", str(store), *words])


def rows(store: Path, *words: str, period: str = "2025-01") -> list[dict[str, Any]]:
    done = asked(store, *words, "--json", period=period)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_bridge_adds_up_from_top_to_bottom(store: Path) -> None:
    """Below P in January: A's 100.50; by the tree of March P has nobody but itself, who paid nothing."""
    (found,) = rows(store, "--node", "P", "--tree", "2025-03-01", "--bridge")
    assert (found["as_was"]["numerator"], found["as_of"]["numerator"], found["adds_up"]) == ("100.5", "0", True)
    (line,) = found["units"]
    assert (line["move"], line["node_name"], line["numerator"], line["belonged"]) == (
        "out",
        "市财政局",
        "-100.5",
        "2020-01..2025-01",
    )
    done = asked(store, "--node", "P", "--tree", "2025-03-01", "--bridge", "--format", "csv")
    steps = [(row["step"], row["unit_code"], row["numerator"]) for row in csv.DictReader(io.StringIO(done.stdout))]
    assert steps == [("as-was", "", "100.5"), ("out", "A", "-100.5"), ("as-of", "", "0")]


def test_what_is_missing_is_listed_and_said(store: Path) -> None:
    """The file of January speaks for everybody; of February there is none, due on the 10th of March."""
    assert rows(store, "--missing") == []
    listed = rows(store, "--missing", period="2025-02")
    assert {(row["unit"], row["unit_name"], row["period"], row["due_on"]) for row in listed} == {
        ("A", "市财政局", "2025-02", "2025-03-10"), ("B", "市教育局", "2025-02", "2025-03-10"), ("P", "市直管处", "2025-02", "2025-03-10"),
    }  # fmt: skip
    said = asked(store, period="2025-02").stderr
    assert "缺报 Missing" in said
    assert "days late" in said
    assert isinstance(asked(store, "--missing", "--bridge").exception, QueryError)


def test_parquet_holds_numbers_and_goes_to_a_file_or_a_pipe(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.parquet"
    assert asked(store, "--format", "parquet", "--out", str(out)).exit_code == 0
    piped = asked(store, "--format", "parquet")
    for frame in (pl.read_parquet(out), pl.read_parquet(io.BytesIO(piped.stdout_bytes))):
        row = frame.row(0, named=True)
        assert str(row["numerator"]) == "300.50"
        assert isinstance(frame.schema["numerator"], pl.Decimal)
        assert (row["due"], row["outside_life"]) == (frame["due"][0], 0)
        assert frame.schema["got"] == pl.Int64


def test_printed_sql_runs_word_for_word(store: Path) -> None:
    text = asked(store, "--format", "sql").stdout
    file = text.splitlines()[0].removeprefix("-- generation file: ")
    with duckdb.connect(file, read_only=True) as con:
        found = con.execute(text)
        row = dict(zip([c[0] for c in found.description], found.fetchone(), strict=True))
    assert str(row["op_cost_total.numerator"]) == "300.50"
