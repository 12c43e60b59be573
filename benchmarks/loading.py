"""Loading: rows a second from file to COMMIT, against a bare read_csv into a table of a DuckDB file on the same disk."""

from __future__ import annotations

import csv
import datetime as dt
import random
import shutil
import time
from pathlib import Path

import duckdb

from benchmarks.report import Line
from warehouse.base.clock import system_clock
from warehouse.ingest import load
from warehouse.store import Store

AT_LEAST = 0.5
ROUNDS = 3
HEAD = ("凭证号", "单位名称", "支付日期", "部门经济分类编码", "资金来源", "支出类型", "金额(元)")
ORG = (
    "单位代码,单位名称,上级单位代码,层级,单位性质,机构序列,生效日期,失效日期\n"
    "R,示例市,,市,区域,1,2020-01-01,\nA,市财政局,R,市,政府,2,2020-01-01,\n"
)


def write_payments(path: Path, rows: int) -> None:
    """Write a clean export of payments, always the same."""
    chance = random.Random(1)
    first = dt.date(2024, 1, 1)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEAD)
        for number in range(rows):
            day = first + dt.timedelta(days=number % 360)
            amount = f"{chance.randrange(100, 10**7) / 100:.2f}"
            writer.writerow(
                (
                    f"V{number:08d}",
                    "市财政局",
                    day,
                    f"302{number % 30 + 1:02d}",
                    "一般公共预算财政拨款",
                    "基本支出-公用",
                    amount,
                )
            )


def bare(path: Path, folder: Path) -> float:
    """Return the seconds a bare read into a file takes, closed."""
    target = folder / "bare.duckdb"
    target.unlink(missing_ok=True)
    start = time.perf_counter()
    con = duckdb.connect(str(target))
    con.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{path}')")
    con.close()
    return time.perf_counter() - start


def ours(path: Path, folder: Path) -> float:
    """Return the seconds the whole way to an acknowledged batch takes, in a store that knows its organisations."""
    place = folder / "store"
    shutil.rmtree(place, ignore_errors=True)
    store = Store(place)
    org = folder / "org.csv"
    org.write_text(ORG, encoding="utf-8")
    load(store, [org], clock=system_clock)
    start = time.perf_counter()
    report = load(store, [path], clock=system_clock)[0]
    seconds = time.perf_counter() - start
    if report.status != "committed":
        raise RuntimeError(f"the bench file was not taken: {report.message}")
    store.control.close()
    return seconds


def measure(folder: Path, rows: int) -> list[Line]:
    """Return the ratio of rows a second, best of interleaved rounds."""
    path = folder / "payments.csv"
    write_payments(path, rows)
    pairs = [(bare(path, folder), ours(path, folder)) for _ in range(ROUNDS)]
    by_hand, whole = min(p[0] for p in pairs), min(p[1] for p in pairs)
    return [
        Line(f"load: rows/s of a {rows:,}-row csv / bare read_csv", by_hand / whole, AT_LEAST, at_least=True),
        Line(f"load: {rows:,} rows, file to COMMIT", whole, unit="s"),
    ]
