"""kill -9 at random moments of loading, publishing, withdrawing and compacting.

Nothing acknowledged is lost, nothing half-done is seen, every board of every earlier batch stays as it was, and the next
writer needs no hand.
"""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from warehouse.health.examine import examine
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.store import Store
from warehouse.sums import table_sum

ROOT = Path(__file__).parents[2]
LINES = 120
FILES = 24
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
STAGES = ("load", "publish", "withdraw", "compact")
HEAD = "凭证号,行号,单位名称,支付日期,部门经济分类编码,资金来源,支出类型,金额(元)\n"
ORG = "单位代码,单位名称,上级单位代码,层级,单位性质,机构序列,生效日期,失效日期\nR,模拟市,,市,区域,1,2020-01-01,\nA,市财政局,R,市,政府,2,2020-01-01,\n"


def write_files(folder: Path) -> None:
    folder.mkdir()
    (folder / "org.csv").write_text(ORG, encoding="utf-8")
    for number in range(FILES):
        month = f"{2022 + number // 12}-{number % 12 + 1:02d}"
        lines = (
            f"V{number}-{i},1,市财政局,{month}-15,30201,一般公共预算财政拨款,基本支出-公用,{10**6 + number}\n"
            for i in range(LINES)
        )
        (folder / f"pay{number}.csv").write_text(HEAD + "".join(lines), encoding="utf-8")


class Bench:
    """A store, the nursery that hurts it, and what the store has promised so far."""

    def __init__(self, folder: Path, nursery: subprocess.Popen[str]) -> None:
        self.folder, self.place, self.nursery = folder, folder / "store", nursery
        self.is_in: dict[int, bool] = {}
        """Files whose rows must be there, and files that must be gone."""
        self.boards: dict[int, str] = {}
        """Batch → sum of all that was known at it."""
        self.next = 0

    def trial(self, stage: str, seconds: float) -> list[str]:
        assert self.nursery.stdin and self.nursery.stdout
        print(self.next % FILES, stage, seconds, file=self.nursery.stdin, flush=True)
        lines = []
        for line in self.nursery.stdout:
            lines.append(line.strip())
            if line.startswith(("killed", "ended")):
                break
        assert lines[-1] in ("killed", "ended 0"), lines
        return lines

    def settle(self, lines: list[str]) -> None:
        """Take in what was acknowledged; what was under way may have happened or not, but only whole."""
        open_: dict[int, str] = {}
        for line in lines:
            verb, *rest = line.split()
            if verb not in ("begin", "done"):
                continue
            stage, number = rest[0], int(rest[1])
            self.next = number + 1 if verb == "done" else number
            if verb == "begin":
                open_[number] = stage
                continue
            open_.pop(number)
            if stage == "load":
                self.is_in[number] = True
            elif stage == "withdraw" and number % 2:
                self.is_in[number] = False
        self.check({number for number, stage in open_.items() if stage in ("load", "withdraw")})

    def check(self, unsure: set[int]) -> None:
        store = Store(self.place)
        publish(store, force=True)
        generation = store.open_generation()
        months = generation.con.execute(
            "SELECT from_m, count(*), sum(amount)::BIGINT FROM d_payment WHERE rec_to = 2147483647 GROUP BY 1"
        ).fetchall()
        known = {month - 2022 * 12: (count, total) for month, count, total in months}
        for number, (count, total) in known.items():
            assert (count, total) == (LINES, LINES * (10**6 + number)), f"file {number} is half there"
        for number, is_in in self.is_in.items():
            assert number in unsure or (number in known) is is_in, f"file {number} is acknowledged as {is_in}"
        self.is_in |= {number: number in known for number in unsure}
        for seq, sum_ in self.boards.items():
            assert table_sum(generation.con, "d_payment", seq) == sum_, f"the board of batch {seq} has changed"
        last = generation.through_seq
        self.boards[last] = table_sum(generation.con, "d_payment", last)
        generation.close()
        store.control.close()


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    write_files(folder / "files")
    store = Store(folder / "store")
    load(store, [folder / "files" / "org.csv"], clock=lambda: NOW)
    publish(store)
    store.control.close()
    command = [sys.executable, "-m", "tests.fakes.nursery", str(store.path), str(folder / "files"), str(FILES)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery:
        assert nursery.stdout and nursery.stdout.readline() == "ready\n"
        yield Bench(folder, nursery)
        assert nursery.stdin
        nursery.stdin.close()


def hammer(folder: Path, kills: int) -> None:
    """Kill in each stage in turn, at a random moment of the time it takes."""
    chance = random.Random(7)
    with bench(folder) as hurt:
        lines = [line for _ in range(2) for line in hurt.trial("none", 0)]  # an even file and an odd one
        hurt.next = 2
        took = {stage: max(float(x.split()[3]) for x in lines if x.startswith(f"done {stage}")) for stage in STAGES}
        done = 0
        while done < kills:
            lines = hurt.trial(STAGES[done % len(STAGES)], chance.uniform(0, took[STAGES[done % len(STAGES)]]))
            done += lines[-1] == "killed"
            hurt.settle(lines)
        assert {True, False} <= set(hurt.is_in.values())
        final = Store(hurt.place)
        load(final, [folder / "files" / f"pay{number}.csv" for number in range(FILES)])
        publish(final)
        found = examine(final, deep=True).findings
        assert not found, found


def test_twenty_kills_lose_and_half_do_nothing(tmp_path: Path) -> None:
    hammer(tmp_path, 20)


@pytest.mark.soak
def test_five_hundred_kills_lose_and_half_do_nothing(tmp_path: Path) -> None:
    hammer(tmp_path, 500)
