"""kill -9 at random moments of loading and publishing: nothing acknowledged is lost, nothing half-loaded is seen."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.store import Store

ROOT = Path(__file__).parents[2]
LINES = 400
FILES = 40
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
CHILD = """
import sys
from pathlib import Path
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.store import Store
store, folder, first = Store(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
for number in range(first, int(sys.argv[4])):
    report = load(store, [folder / f"pay{number}.csv"])[0]
    assert report.status in ("committed", "unchanged"), report
    print(f"acknowledged {number}", flush=True)
    publish(store)
"""
HEAD = "凭证号,行号,单位名称,支付日期,部门经济分类编码,资金来源,支出类型,金额(元)\n"
ORG = "单位代码,单位名称,上级单位代码,层级,单位性质,机构序列,生效日期,失效日期\nR,模拟市,,市,区域,1,2020-01-01,\nA,市财政局,R,市,政府,2,2020-01-01,\n"


def write_files(folder: Path) -> None:
    (folder / "org.csv").write_text(ORG, encoding="utf-8")
    for number in range(FILES):
        month = f"{2022 + number // 12}-{number % 12 + 1:02d}"
        lines = (
            f"V{number}-{i},1,市财政局,{month}-15,30201,一般公共预算财政拨款,基本支出-公用,{10**6 + number}\n"
            for i in range(LINES)
        )
        (folder / f"pay{number}.csv").write_text(HEAD + "".join(lines), encoding="utf-8")


def months_known(store: Store) -> dict[int, tuple[int, int]]:
    generation = store.open_generation()
    rows = generation.con.execute(
        "SELECT from_m, count(*), sum(amount)::BIGINT FROM d_payment WHERE rec_to = 2147483647 GROUP BY 1"
    ).fetchall()
    generation.close()
    return {month - 2022 * 12: (count, total) for month, count, total in rows}


def crash_once(store: Path, folder: Path, first: int, delay: float) -> int:
    """Load from file `first` on, kill after the delay; return how many files were acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(store), str(folder), str(first), str(FILES)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "ready"
    try:
        child.wait(timeout=delay)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
    rest = child.stdout.read().splitlines()
    child.wait()
    child.stdout.close()
    acknowledged = [int(line.split()[1]) for line in rest if line.startswith("acknowledged")]
    return max(acknowledged, default=first - 1) + 1


def hammer(tmp_path: Path, kills: int) -> None:
    folder, place = tmp_path / "files", tmp_path / "store"
    folder.mkdir()
    write_files(folder)
    store = Store(place)
    load(store, [folder / "org.csv"], clock=lambda: NOW)
    publish(store)
    chance = random.Random(7)
    done = 0
    for _ in range(kills):
        before = done % FILES
        done = crash_once(place, folder, before, chance.uniform(0.02, 0.9))
        fresh = Store(place)
        publish(fresh, force=True)
        known = months_known(fresh)
        assert set(range(done)) <= set(known), "an acknowledged file is missing"
        for number, (count, total) in known.items():
            assert (count, total) == (LINES, LINES * (10**6 + number)), f"file {number} is half loaded"
        fresh.control.close()
        done = 0 if done >= FILES else done
    reports = load(Store(place), [folder / f"pay{number}.csv" for number in range(FILES)])
    assert {report.status for report in reports} <= {"committed", "unchanged"}
    final = Store(place)
    publish(final)
    assert len(months_known(final)) == FILES


def test_twenty_kills_lose_and_half_load_nothing(tmp_path: Path) -> None:
    hammer(tmp_path, 20)


@pytest.mark.soak
def test_five_hundred_kills_lose_and_half_load_nothing(tmp_path: Path) -> None:
    hammer(tmp_path, 500)
