"""Registers that contradict themselves: overlapping versions, unknown parents, circles. Each month counts once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from tests.fakes.blank import lay_blank
from warehouse.closure import build_closure
from warehouse.contracts import load_contracts
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.receipts import FileReport
from warehouse.register_checks import check_spans
from warehouse.stage import Staged, finish, prepare
from warehouse.store import Store

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
HEAD = "单位代码,单位名称,上级单位代码,层级,单位性质,生效日期,失效日期\n"


def faults_of(*units: tuple[str, str, str | None]) -> list[tuple[int, str, str, str | None]]:
    contract = load_contracts()["org_unit"]
    con = duckdb.connect()
    prepare(con, contract)
    for number, (code, name, parent) in enumerate(units, 1):
        con.execute(
            "INSERT INTO staged_rows BY NAME SELECT 0 AS sheet_no, $1 AS row_no, $2 AS code, $3 AS name, $4 AS parent,"
            " DATE '2020-01-01' AS valid_from",
            [number, code, name, parent],
        )
    finish(con, contract, Staged())
    return con.execute("SELECT row_no, code, value, hint FROM faults ORDER BY row_no").fetchall()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    lay_blank(store, lambda: NOW)
    return store


def hand_in(store: Store, folder: Path, text: str, name: str = "组织机构.csv") -> FileReport:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load(store, [path], clock=lambda: NOW)[0]


def closure(store: Store) -> list[tuple[str, str, int, int]]:
    publish(store, clock=lambda: NOW)
    generation = store.open_generation()
    for table in ("closure", "closure_ext"):
        twice = generation.con.execute(
            f"SELECT count(*) FROM {table} a JOIN {table} b ON (a.anc, a.dsc) = (b.anc, b.dsc) AND a.rowid < b.rowid"
            " AND greatest(a.from_m, b.from_m) < least(a.to_m, b.to_m)"
            " AND greatest(a.rec_from, b.rec_from) < least(a.rec_to, b.rec_to)"
        ).fetchone()
        assert twice == (0,), table
    rows = generation.con.execute("SELECT anc, dsc, from_m, to_m FROM closure ORDER BY ALL").fetchall()
    generation.close()
    return rows


def test_an_open_version_ends_where_the_next_begins(store: Store, tmp_path: Path) -> None:
    text = (
        HEAD + "R,市,,市,区域,2020-01-01,\nP,一局,R,市,政府,2020-01-01,\nQ,二局,R,市,政府,2020-01-01,\n"
        "A,中心,P,市,事业,2020-01-01,\nA,中心,Q,市,事业,2024-01-01,\n"
    )
    report = hand_in(store, tmp_path, text)
    assert (report.counts["accepted"], report.counts["quarantined"]) == (5, 0)
    rows = closure(store)
    assert ("P", "A", 2020 * 12, 2024 * 12) in rows
    assert [row[2] for row in rows if row[:2] == ("Q", "A")] == [2024 * 12]


def test_a_version_beginning_on_the_last_day_takes_its_month_alone(store: Store, tmp_path: Path) -> None:
    text = (
        HEAD + "P,一局,,市,政府,2020-01-01,\nA,中心,P,市,事业,2020-01-01,2030-12-31\nA,本中心,P,市,事业,2024-03-31,\n"
    )
    assert hand_in(store, tmp_path, text).counts["accepted"] == 3
    spans = [row[2:] for row in closure(store) if row[:2] == ("A", "A")]
    assert [span[0] for span in spans] == [2020 * 12, 2024 * 12 + 2]
    assert spans[0][1] == 2024 * 12 + 2


def test_an_unknown_parent_is_refused_with_what_comes_near() -> None:
    found = faults_of(("9901", "市", None), ("9902", "一局", "9910"), ("9903", "二局", "9901"), ("9904", "三局", "市"))
    assert [row[:3] for row in found] == [(2, "unknown_parent", "9910"), (4, "unknown_parent", "市")]
    assert "9901 市" in (found[0][3] or "")
    assert found[1][3] == "9901 市"


def test_units_in_a_circle_are_all_refused() -> None:
    found = faults_of(("R", "市", None), ("A", "甲", "C"), ("B", "乙", "A"), ("C", "丙", "B"), ("D", "丁", "A"))
    assert [row[:2] for row in found] == [(2, "parent_cycle"), (3, "parent_cycle"), (4, "parent_cycle")]
    assert found[0][3] == "A → C → B → A"


def test_a_version_at_the_time_of_another_is_refused_outside_the_register() -> None:
    contract = load_contracts()["room"]
    con = duckdb.connect()
    prepare(con, contract)
    rooms = [
        ("甲", "101", "A", 2020, 2024),
        ("甲", "101", "A", 2023, None),
        ("甲", "101", "B", 2023, None),
        ("甲", "102", "A", 2023, None),
    ]
    for number, (building, room, unit, first, last) in enumerate(rooms, 1):
        con.execute(
            "INSERT INTO staged_rows BY NAME SELECT 0 AS sheet_no, $1 AS row_no, $2 AS building, $3 AS room_no, $4 AS unit,"
            " make_date($5, 1, 1) AS valid_from, make_date($6, 1, 1) AS valid_to",
            [number, building, room, unit, first, last],
        )
    assert check_spans(con, contract) == {}
    found = con.execute("SELECT row_no, code, hint FROM faults").fetchall()
    assert found == [(2, "span_overlaps", "1")]


def test_parents_that_change_places_over_time_are_no_circle(store: Store, tmp_path: Path) -> None:
    text = (
        HEAD + "A,甲,B,市,政府,2020-01-01,2022-01-01\nB,乙,,市,政府,2020-01-01,\n"
        "A,甲,,市,政府,2022-01-01,\nB,乙,A,市,政府,2022-01-01,\n"
    )
    assert hand_in(store, tmp_path, text).counts["quarantined"] == 0
    rows = closure(store)
    assert ("B", "A", 2020 * 12, 2022 * 12) in rows


def test_a_circle_already_stored_ends_the_walk() -> None:
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE d_org_unit AS SELECT * FROM (VALUES ('A', 'B', 0, 9, 0, 9), ('B', 'A', 0, 9, 0, 9))"
        " t(code, parent, from_m, to_m, rec_from, rec_to)"
    )
    con.execute(
        "CREATE TABLE d_org_succession (unit VARCHAR, successor VARCHAR, happened_on DATE, change VARCHAR,"
        " rec_from INTEGER, rec_to INTEGER)"
    )
    build_closure(con)
    assert con.execute("SELECT anc, dsc, depth FROM closure ORDER BY ALL").fetchall() == [
        ("A", "A", 0), ("A", "B", 1), ("B", "A", 1), ("B", "B", 0),
    ]  # fmt: skip
