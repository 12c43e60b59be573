"""What the readers find in files they never saw: scores on two public collections, and how long a workbook takes.

`python -m benchmarks.reading` writes the scores to `reading.md` beside this file.
"""

from __future__ import annotations

import datetime as dt
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import python_calamine
import xlsxwriter

from benchmarks import csvfiles, headers
from benchmarks.headers import knows
from benchmarks.report import Line
from warehouse.readers.tables import read_tables

DATA = Path(os.environ.get("COCKPIT_DATA", Path(__file__).parents[2] / "shared" / "data"))
SCORES = Path(__file__).with_name("reading.md")
ROWS = 100_000
AT_MOST = 1.3
ROUNDS = 7
HEAD = ("凭证号", "单位名称", "支付日期", "部门经济分类编码", "资金来源", "支出类型", "金额(元)")


def measure(folder: Path) -> list[Line]:
    """Return the ratio of a workbook, and the scores where the collections are there."""
    lines = measure_workbook(folder)
    if not (DATA / headers.TABLES).is_file():
        print("skipped: no data")
        return lines
    return lines + headers.measure(DATA, folder)[0] + _csv_lines(list(csvfiles.outcomes(DATA / csvfiles.FOLDER)))


def measure_workbook(folder: Path) -> list[Line]:
    """Return how long our reading of a workbook takes against calamine alone, best of interleaved rounds."""
    path = folder / "payments.xlsx"
    write_workbook(path, ROWS)
    aliases = knows()

    def ours_once() -> int:
        return sum(table.rows for table in read_tables(path, aliases))

    ours_once()  # contracts are read once a process
    pairs = [(_seconds(lambda: _alone(path)), _seconds(ours_once)) for _ in range(ROUNDS)]
    alone, ours = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    return [
        Line(f"reading: a {ROWS:,}-row xlsx / calamine alone", ours / alone, AT_MOST),
        Line(f"reading: {ROWS:,} rows of an xlsx", ours, unit="s"),
    ]


def write_workbook(path: Path, rows: int) -> None:
    """Write payments as an export has them, always the same."""
    with xlsxwriter.Workbook(path) as workbook:
        sheet, day = workbook.add_worksheet("支付"), workbook.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, HEAD)
        for number in range(rows):
            sheet.write_row(number + 1, 0, (f"V{number:08d}", "市财政局"))
            sheet.write_datetime(number + 1, 2, dt.datetime(2024, 1, 1) + dt.timedelta(days=number % 360), day)
            figures = (
                f"302{number % 30 + 1:02d}",
                "一般公共预算财政拨款",
                "基本支出-公用",
                number * 7919 % 10**7 / 100,
            )
            sheet.write_row(number + 1, 3, figures)


def _alone(path: Path) -> int:
    sheet = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    return len(sheet.to_python(skip_empty_area=False))


def _seconds(work: Callable[[], int]) -> float:
    gc.collect()
    start = time.perf_counter()
    rows = work()
    seconds = time.perf_counter() - start
    if not ROWS <= rows <= ROWS + 1:
        raise RuntimeError(f"{rows} rows were read of {ROWS}")
    return seconds


def _csv_lines(found: Sequence[csvfiles.Outcome]) -> list[Line]:
    counts = csvfiles.summary(found)
    lines = [
        Line(f"reading: odd csv files {kind}", counts[kind], unit="of " + str(len(found))) for kind in csvfiles.KINDS
    ]
    return [*lines, Line("reading: odd csv files read wrong", counts[csvfiles.WRONG], 0, unit="files")]


def write_scores() -> int:
    """Write the scores of both collections with the day; return 1 when a csv file is read wrong."""
    with tempfile.TemporaryDirectory(prefix="cockpit-bench-") as folder:
        _, rows = headers.measure(DATA, Path(folder))
    found = list(csvfiles.outcomes(DATA / csvfiles.FOLDER))
    SCORES.write_text(_report(rows, found), encoding="utf-8")
    return int(csvfiles.summary(found)[csvfiles.WRONG] > 0)


def _report(rows: Sequence[str], found: Sequence[csvfiles.Outcome]) -> str:
    counts = csvfiles.summary(found)
    refusals: dict[str, int] = {}
    for one in found:
        if one.kind == csvfiles.REFUSED:
            refusals[one.why] = refusals.get(one.why, 0) + 1
    special = [one for one in found if one.kind in (csvfiles.BY_HAND, csvfiles.ASIDE, csvfiles.WRONG)]
    intro = (Path(__file__).with_name("reading_intro.md")).read_text(encoding="utf-8")
    return "\n".join(
        [
            intro.replace("{day}", dt.datetime.now(dt.UTC).date().isoformat()).rstrip(),
            "",
            "| rendering | half | kind | tables | precision | recall | exact | right | wrong | missed | of them captions | the readers say |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            f"## {len(found)} odd csv files",
            "",
            "| outcome | files |",
            "|---|---|",
            *(f"| {kind} | {counts[kind]} |" for kind in (*csvfiles.KINDS, csvfiles.WRONG)),
            "",
            "Refused for: " + ", ".join(f"{why} {n}" for why, n in sorted(refusals.items(), key=lambda x: -x[1])) + ".",
            "",
            "| file | outcome | why | rows | columns |",
            "|---|---|---|---|---|",
            *(f"| {one.file} | {one.kind} | {one.why} | {one.rows} | {one.columns} |" for one in special),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(write_scores())
