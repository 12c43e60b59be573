"""Checks that look at the other rows of the file, and files that name no source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fakes.blank import lay_blank
from warehouse.contracts import load_contracts
from warehouse.ingest import load
from warehouse.receipts import FileReport
from warehouse.store import Store

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CONTRACTS = load_contracts()
ORG = (
    "单位代码,单位名称,层级,单位性质,生效日期\n9901,示例市,市,区域,2000-01-01\n990107,示例市财政局,市,政府,2000-01-01\n"
)
READ = "2024-03-31 23:45,示例市财政局,电"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    lay_blank(store, lambda: NOW)
    (tmp_path / "org.csv").write_text(ORG, encoding="utf-8")
    load(store, [tmp_path / "org.csv"], source="org_unit", clock=lambda: NOW)
    return store


def hand_in(store: Store, name: str, text: str) -> FileReport:
    path = store.path.parent / name
    path.write_text(text, encoding="utf-8")
    return load(store, [path], clock=lambda: NOW)[0]


def set_aside(store: Store) -> Mapping[int, str]:
    return {entry["row_no"]: entry["code"] for entry in store.control.quarantine()}


def test_declared_sub_meters_must_add_up_to_their_total(store: Store) -> None:
    """T = 100 against 60 + 20; U = 100 against 95; V = 100 against 20, but its sub-meters are not declared complete."""
    report = hand_in(
        store,
        "抄表.csv",
        "表号,采集时间,单位名称,能源品种,用量,上级表号,分表齐全\n"
        f"T,{READ},100,,是\nA,{READ},60,T,\nB,{READ},20,T,\n"
        f"U,{READ},100,,是\nC,{READ},95,U,\n"
        f"V,{READ},100,,否\nD,{READ},20,V,\n",
    )
    assert (report.source, report.counts["accepted"]) == ("meter_reading", 6)
    assert set_aside(store) == {2: "subs_not_total"}


def test_an_odometer_does_not_go_back_from_one_day_to_a_later_one(store: Store) -> None:
    """Row 3 stands at 900 four days after 1,000; two readings of one day are in no order."""
    report = hand_in(
        store,
        "费用.csv",
        "票据号,单位名称,号牌号码,费用类型,发生日期,金额(元),里程表读数\n"
        "1,示例市财政局,A1,停车,2024-03-01,10,1000\n"
        "2,示例市财政局,A1,停车,2024-03-05,10,900\n"
        "3,示例市财政局,A1,停车,2024-03-05,10,1100\n"
        "4,示例市财政局,A2,停车,2024-03-09,10,10\n",
    )
    assert (report.source, report.counts["accepted"]) == ("vehicle_expense", 3)
    assert set_aside(store) == {3: "odometer_backwards"}


@pytest.mark.parametrize("name", sorted(name for name, one in CONTRACTS.items() if not one.is_reference))
def test_a_file_in_the_headings_of_a_source_is_known_as_that_source(name: str, store: Store) -> None:
    """The first example holds the usual headings of an export; nobody has to name the source."""
    row = CONTRACTS[name].examples[0]["row"]
    text = ",".join(row) + "\n" + ",".join(f'"{cell}"' for cell in row.values()) + "\n"
    assert hand_in(store, "导出.csv", text).source == name
