"""The example rows of every contract, handed in as files: the good ones are stored as they say, the bad ones set aside."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.contracts import load_contracts
from warehouse.ingest import load
from warehouse.receipts import FileReport
from warehouse.store import Store

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CONTRACTS = load_contracts()
ORG = """单位代码,单位名称,层级,单位性质,生效日期
9901,示例市,市,区域,2000-01-01
990107,示例市财政局,市,政府,2000-01-01
990108,示例市公安局,市,政府,2000-01-01
990109,示例市机关事务管理局,市,政府,2000-01-01
US01,Example building,,建筑,2000-01-01
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("office")
    (folder / "org.csv").write_text(ORG, encoding="utf-8")
    store = Store(folder / "store")
    load(store, [folder / "org.csv"], source="org_unit", clock=lambda: NOW)
    return store


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_examples_do_what_they_say(name: str, office: Store, tmp_path: Path) -> None:
    store = Store(tmp_path / "store") if name == "org_unit" else office
    for number, example in enumerate(CONTRACTS[name].examples):
        report = hand_in(store, name, example["row"], tmp_path / f"{name}_{number}.csv")
        if "reason" in example:
            reasons = {entry["code"] for entry in store.control.quarantine() if entry["file_name"] == report.file}
            assert (report.counts["quarantined"], reasons) == (1, {example["reason"]}), number
        else:
            assert (report.status, report.counts["quarantined"]) == ("committed", 0), (number, report.message)
            if not CONTRACTS[name].is_passing:  # such rows are stored nowhere
                assert any(agrees(row, example["expect"]) for row in stored(store, name)), number


def hand_in(store: Store, name: str, row: Mapping[str, str], path: Path) -> FileReport:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([row.keys(), row.values(), *parent_of(row)])
    return load(store, [path], source=name, clock=lambda: NOW)[0]


def parent_of(row: Mapping[str, str]) -> list[list[str]]:
    """The row of the unit above, without which a register would not be whole."""
    parent = row.get("上级单位代码", "")
    if parent in ("", row.get("单位代码")):
        return []
    above = {"单位代码": parent, "单位名称": "示例市", "层级": "市", "单位性质": "区域", "生效日期": "2000-01-01"}
    return [[above.get(label, "") for label in row]]


def stored(store: Store, name: str) -> list[dict[str, Any]]:
    segment = store.control.segments(name)[-1]
    found = duckdb.connect().execute("SELECT * FROM read_parquet($1) WHERE n = 1", [str(store.segments / segment.path)])
    labels = [column[0] for column in found.description or ()]
    return [dict(zip(labels, row, strict=True)) for row in found.fetchall()]


def agrees(row: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    return all(same(row[column], value) for column, value in expected.items())


def same(found: Any, expected: Any) -> bool:
    return found == (Decimal(expected) if isinstance(found, Decimal) else expected)
