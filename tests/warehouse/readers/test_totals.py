"""A word for a total that a contract declares as a value keeps its rows; a true total is still set aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.readers.tables import read_tables

HEAD = "预算单位编码,统计期,经济分类编码,资金类型,全年计划,累计执行数\n"


@pytest.mark.parametrize("head", [HEAD, HEAD.replace("资金类型", "FUND_TYP")])
def test_rows_whose_kind_of_fund_is_the_total_are_kept(tmp_path: Path, head: str) -> None:
    path = tmp_path / "执行.csv"
    rows = "9901,2024-03,30201,合计,500,61.5\n9901,2024-03,30201,一般基金,400,60\n9901,2024-03,30202,合计,1,1\n"
    path.write_text(head + rows + "合计,,,,501,62.5\n", encoding="utf-8")
    known = {"预算单位编码", "统计期", "经济分类编码", "资金类型", "FUND_TYP", "全年计划", "累计执行数"}
    (table,) = read_tables(path, lambda label: label in known)
    assert table.rows == 3
    assert dict(table.skipped)["total"] == 1
