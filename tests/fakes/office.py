"""A small store and a hand that hands files in: two bureaux, payments as small as can be added up by head."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

from tests.fakes.blank import lay_blank
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.receipts import FileReport
from warehouse.store import Store

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
ORG = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,生效日期,失效日期,曾用名\n"
    "R,模拟市,,,市,区域,1,2020-01-01,,\n"
    "A,市财政局,财政局,R,市,政府,2,2020-01-01,,市财政厅\n"
    "B,市教育局,教育局,R,市,政府,3,2020-01-01,,\n"
)
PAY = "凭证号,行号,单位名称,支付日期,部门经济分类编码,部门经济分类名称,资金来源,支出类型,金额(元)\n"


def pay(*lines: str) -> str:
    return PAY + "".join(f"{line}\n" for line in lines)


P1 = "V1,1,市财政局,2025-01-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,100.50"
P2 = "V2,1,市教育局,2025-01-20,30202,印刷费,一般公共预算财政拨款,基本支出-公用,200"
P2B = "V2,1,市教育局,2025-01-20,30202,印刷费,一般公共预算财政拨款,基本支出-公用,250"


class Office:
    """A store and a hand that hands files in, one minute apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / "store")
        self.minute = 0

    def hand_in(self, name: str, text: str, *, encoding: str = "utf-8", source: str | None = None) -> FileReport:
        lay_blank(self.store, lambda: NOW)
        path = self.folder / name
        path.write_bytes(text.encode(encoding))
        self.minute += 1
        clock = lambda: NOW + dt.timedelta(minutes=self.minute)  # noqa: E731
        report = load(self.store, [path], source=source, clock=clock)[0]
        counts = report.counts
        if counts:
            parts = ("accepted", "unchanged", "quarantined", "skipped")
            assert counts["rows_in"] == sum(counts[part] for part in parts)
        return report

    def amounts(self, at: int | None = None) -> dict[str, Decimal]:
        publish(self.store, clock=lambda: NOW)
        generation = self.store.open_generation()
        seq = generation.through_seq if at is None else at
        rows = generation.con.execute(
            "SELECT voucher, amount FROM d_payment WHERE rec_from <= $1 AND $1 < rec_to ORDER BY voucher", [seq]
        ).fetchall()
        generation.close()
        return dict(rows)
