"""Text by text and column by column: two ways to read a sheet, one result, whatever people typed."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse import columns, stage
from warehouse.contracts import Contract, load_contracts, normalise_label
from warehouse.mapping import map_columns
from warehouse.meanings import Meanings
from warehouse.organisations import Directory
from warehouse.readers import survey
from warehouse.readers.tables import read_tables

CONTRACTS = load_contracts()
LABELS = {label for contract in CONTRACTS.values() for label in contract.labels}
UNITS = Directory([("A", "市财政局", "财政局", "市财政厅"), ("B", "市教育局", None, None), ("C", "乙局", None, "重名"), ("D", "丙局", None, "重名")])  # fmt: skip

NUMBERS = [
    "12", "-0.5", "1,234.50", "1.005", "0.0349999999999", "7e3", "1_000", "12元", "3万元", "12kWh", "１２", "(5)", "5-", "", " ", "-", "abc",
    "99999999999999999999", "+3", "0.1 ", ".5", "5.", "#N/A", "3%", "∞",
]  # fmt: skip
TEXTS = [
    "V1",
    " V2 ",
    "V 3",
    "办公费",
    "（甲）",
    "1E5",
    "4.4E+17",
    "-",
    "无",
    "null",
    "N/A",
    "",
    "a\tb",
    "#REF!",
    "##",
    "'x",
    "Ｖ１",
    "xx",
    "30201",
]
DATES = ["2024-03-01", "2024/3/1", "2024年3月1日", "45352", "2024-02-30", "2024-03-01 10:30", "20240301", "01/02/2024", "epoch", "infinity", "", "长期"]  # fmt: skip
MOMENTS = [
    *DATES,
    "2024-03-01 10:30:05",
    "2024-03-01T10:30",
    "2024-03-01 10:30Z",
    "2024-03-01 10:30-08",
    "2024-03-01 25:00",
]
MONTHS = [
    "2024-03",
    "2024年3月",
    "202403",
    "2024-13",
    "2024-03-15",
    "2024.1",
    "1-3月",
    "2024年1-3月",
    "",
    "45352",
    "三月",
]
YEARS = ["2024", "2024年", "2024年度", "24", "二〇二四年", "", "2024.0"]
YES_NO = ["是", "否", "√", "1", "0", "Y", "maybe", ""]
NAMES = ["市财政局", "财政局", "市财政厅", "A", " B ", "重名", "市教育 局", "市财证局", "-", ""]


def cells(contract: Contract, label: str) -> list[str]:
    column = next(c for c in every_column(contract) if label in (c.name, *c.aliases))
    if column.is_org:
        return NAMES
    if column.values:
        return [*column.values, *column.values.values(), "不知道", "-", "", next(iter(column.values)) + " "]
    kinds = {"text": TEXTS, "date": DATES, "datetime": MOMENTS, "month": MONTHS, "year": YEARS, "bool": YES_NO}
    return NUMBERS if column.is_number else kinds[column.type]


def every_column(contract: Contract) -> list[Any]:
    groups = contract.unpivot.groups.values() if contract.unpivot else ()
    return [*contract.columns, *(column for group in groups for column in group.values())]


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even these files are cut into several parts, and every column counts as one whose texts differ."""
    monkeypatch.setattr(survey, "BLOCK", 64)
    monkeypatch.setattr(survey, "PART_BYTES", 128)
    monkeypatch.setattr(columns, "_differ", lambda _: True)


def read(path: Path, contract: Contract, limit: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], Counter[str], list[Any]]:  # fmt: skip
    """The staged rows, the notes and the faults of a file, read by one of the two ways."""
    monkeypatch.setattr(columns, "ALWAYS_PARSED", limit)
    con = duckdb.connect()
    (table,) = read_tables(path, lambda label: normalise_label(label) in LABELS)
    staged = stage.stage_file(con, contract, [(table, map_columns(table, contract, None))], Meanings(UNITS))
    rows = con.execute("SELECT * FROM staged ORDER BY row_no, part").fetchall()
    return rows, staged.notes, con.execute("SELECT * FROM faults ORDER BY ALL").fetchall()


HEADS = {
    "payment": ["凭证号", "行号", "单位名称", "支付日期", "部门经济分类编码", "部门经济分类名称", "资金来源", "支出类型", "金额(万元)"],
    "budget": [c.aliases[0] for c in CONTRACTS["budget"].columns if c.aliases],
    "trip": [c.aliases[0] for c in CONTRACTS["trip"].columns if c.aliases],
    "vehicle": [c.aliases[0] for c in CONTRACTS["vehicle"].columns if c.aliases],
    "energy_use": [
        *(c.aliases[0] for c in CONTRACTS["energy_use"].columns if c.aliases and (c.is_key or c.is_org)),
        *(c.aliases[0] for group in (CONTRACTS["energy_use"].unpivot.groups.values() if CONTRACTS["energy_use"].unpivot else ()) for c in group.values()),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HEADS))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_both_ways_read_the_same(
    name: str, data: st.DataObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = CONTRACTS[name]
    head = list(dict.fromkeys(HEADS[name]))
    spellings = [cells(contract, label.split("(")[0]) for label in head]
    lines = data.draw(st.lists(st.tuples(*map(st.sampled_from, spellings)), min_size=1, max_size=6))
    lines.append(("乙",) * len(head))  # a line that is certainly data
    path = tmp_path / "export.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *lines])
    assert read(path, contract, 10**9, monkeypatch) == read(path, contract, -1, monkeypatch)
