"""A generation carried on says what one built anew says, table by table, and is built anew where that could not be.

The oracle is the full build of the same segments. That the shorter way was gone is told by the log.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.catalogue import load_catalogue
from metrics.facts import cell_sources
from metrics.model import Catalogue
from tests.fakes.carried import Cubes, carried_on, differences, why_anew
from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from tests.fakes.reviewers import ALWAYS_READ, REGISTER, Reviewers, energy
from warehouse.base.errors import RefusedInput
from warehouse.compaction import Policy, compact
from warehouse.contracts import load_contracts
from warehouse.publish import publish

READ = {*ALWAYS_READ, "energy_use", "payment", "budget_execution", "expense_item", "coal_factor", "co2_factor"}
RULE = "分摊对象,能源品种,分摊单位,分摊方式,分摊比例(%),分摊面积,分摊依据,启用日期,停用日期\n"
STAFF = "单位名称,统计期,编制人数,实有人数,用能人数\n"
BUDGET = "单位名称,统计期,部门经济分类编码,部门经济分类名称,资金类型,全年计划,累计执行数\n"
FACTOR = "能源品种,折标系数,启用日期,停用日期\n"
UNITS = {"A": "市财政局", "B": "市教育局", "Z": "市民中心"}
MONTHS = ("2024-11", "2024-12", "2025-01", "2025-02", "2025-03")


@pytest.fixture(autouse=True)
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="warehouse.publish")
    return caplog


@cache
def some() -> Catalogue:
    """Return the definitions that read only a few datasets: sums, quotients by lookup, formulas in cells."""
    every = load_catalogue()
    sources = {n: s for n, s in every.sources.items() if {s.of, *(k.table for k in s.lookups)} <= READ}
    atoms = {n: a for n, a in every.atoms.items() if set(cell_sources(a, every)) <= set(sources)}
    return replace(every, sources=sources, atoms=atoms)


class Desk(Reviewers):
    """An office of which every kind of report comes, in any order."""

    def __init__(self, folder: Path, *, is_new: bool = True) -> None:
        super().__init__(folder, is_new=False)
        self.store.contracts = {name: one for name, one in load_contracts().items() if name in READ}
        self.builders = [Cubes(some())]
        if is_new:
            self.report("组织机构.csv", REGISTER + "Z,市民中心,,R,市,集中办公区,9,否,是,2020-01-01,\n")
            self.report("规则.csv", RULE + "Z,,A,按人数,,,1号,2024-01-01,\nZ,,B,按人数,,,1号,2024-01-01,\n")
            for month in MONTHS[:3]:
                for kind in (self.energy, self.pay, self.staff, self.budget):
                    kind(random.Random(month), month)

    def show(self) -> None:
        publish(self.store, self.builders, clock=lambda: NOW)

    def take(self, name: str, text: str) -> None:
        report = self.report(f"{name}{self.minute}.csv", text)
        assert report.status in ("committed", "unchanged"), report.message

    def energy(self, dice: random.Random, month: str) -> None:
        units = dice.sample(list(UNITS.values()), dice.randint(1, 3))
        self.take("电", energy(*(f"{unit} {month} {dice.randint(0, 40)}" for unit in units)))

    def pay(self, dice: random.Random, month: str) -> None:
        lines = (
            f"{month}-{n},1,{UNITS[dice.choice('AB')]},{month}-{dice.randint(10, 20)},{dice.choice(('30201,办公费', '30202,印刷费'))},"
            f"一般公共预算财政拨款,{dice.choice(('基本支出-公用', '项目支出'))},{dice.randint(1, 900)}"
            for n in range(dice.randint(1, 4))
        )
        self.take("支付", pay(*lines))

    def staff(self, dice: random.Random, month: str) -> None:
        self.take("人员", STAFF + "".join(f"{UNITS[u]},{month},9,9,{dice.randint(1, 9)}\n" for u in "AB"))

    def budget(self, dice: random.Random, month: str) -> None:
        lines = (f"{UNITS[u]},{month},30201,办公费,合计,500,{dice.randint(1, 400)}\n" for u in "AB")
        self.take("执行", BUDGET + "".join(lines))

    def withdrawal(self, dice: random.Random, _: str) -> None:
        batches = self.store.control.batches()
        gone = {batch["withdraws"] for batch in batches}
        left = [
            b["batch_seq"]
            for b in batches
            if b["kind"] == "load" and b["batch_seq"] > 2 and b["batch_seq"] not in gone and b["dataset"] in READ
        ]
        self.take_back(dice.choice(left))

    def decision(self, dice: random.Random, month: str) -> None:
        with_review = any(batch["kind"] == "review" for batch in self.store.control.batches())
        try:
            if not with_review:
                self.begin(dice.choice(MONTHS[2:]))
            else:
                dataset = dice.choice(("energy_use", "payment", "budget_execution"))
                self.judge(dice.choice(("accept", "return")), dice.choice("AB"), month, dataset=dataset, why="缺附件")
        except RefusedInput:
            pass  # there is nothing to decide on

    def organisation(self, dice: random.Random, _: str) -> None:
        self.take("更名", REGISTER.replace("市教育局,教育局", f"市教育局,教育{dice.randint(1, 9)}"))

    def open(self):  # type: ignore[no-untyped-def]
        self.show()
        return self.store.open_generation()


STEPS = ("energy", "pay", "staff", "budget", "withdrawal", "decision", "energy", "pay", "decision", "organisation")


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Three months of every report, published."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.show()
    desk.store.control.close()
    return desk


def again(stocked: Desk, folder: Path) -> Desk:
    """Return a copy of it to go on with."""
    stocked.copied(folder)
    other = Desk(folder, is_new=False)
    other.minute = stocked.minute
    return other


def run(desk: Desk, seed: int, steps: int, log: pytest.LogCaptureFixture) -> list[bool]:
    """Let things happen, publish after each or after some of them, and compare each time."""
    dice, ways = random.Random(seed), []
    for _ in range(steps):
        for _ in range(dice.choice((1, 1, 2))):
            getattr(desk, dice.choice(STEPS))(dice, dice.choice(MONTHS))
        before = desk.store.current()
        desk.show()
        if desk.store.current() != before:
            ways.append(carried_on(log))
        assert differences(desk.store, desk.builders) == [], (seed, why_anew(log))
    desk.store.control.close()
    return ways


CALM = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


def test_random_histories(stocked: Desk, tmp_path_factory: pytest.TempPathFactory, told) -> None:  # type: ignore[no-untyped-def]
    ways: list[bool] = []

    @settings(max_examples=2, **CALM)  # type: ignore[arg-type]
    @given(seed=st.integers(0, 10**6))
    def tried(seed: int) -> None:
        ways.extend(run(again(stocked, tmp_path_factory.mktemp("run")), seed, 4, told))

    tried()
    assert ways.count(True) >= 3, ways


@pytest.mark.soak
def test_many_random_histories(stocked: Desk, tmp_path_factory: pytest.TempPathFactory, told) -> None:  # type: ignore[no-untyped-def]
    @settings(max_examples=40, **{**CALM, "derandomize": False})  # type: ignore[arg-type]
    @given(seed=st.integers(0, 10**9))
    def tried(seed: int) -> None:
        run(again(stocked, tmp_path_factory.mktemp("run")), seed, 12, told)

    tried()


def test_each_kind_of_batch_is_carried_on(stocked: Desk, tmp_path: Path, told) -> None:  # type: ignore[no-untyped-def]
    """Also a month nobody spoke of before, a weight that moves every division, and decisions on submissions."""
    desk, dice = again(stocked, tmp_path), random.Random(1)
    for kind, month in (
        ("energy", "2025-03"),
        ("pay", "2025-03"),
        ("staff", "2025-01"),
        ("budget", "2024-11"),
        ("withdrawal", ""),
    ):
        getattr(desk, kind)(dice, month)
        desk.show()
        assert carried_on(told), (kind, why_anew(told))
    assert differences(desk.store, desk.builders) == [], (
        "each step stands on the one before: what went wrong stays wrong"
    )
    desk.begin("2025-01")
    desk.show()
    assert why_anew(told) == "submission came for the first time"
    for dataset in ("energy_use", "payment", "budget_execution"):
        desk.judge("accept", "A", "2025-01", dataset=dataset)
        desk.show()
        assert carried_on(told), why_anew(told)
    assert differences(desk.store, desk.builders) == [], "decisions"
    for kind in ("energy", "pay", "budget"):
        getattr(desk, kind)(dice, "2025-01")
        desk.show()
        assert carried_on(told), why_anew(told)
    assert differences(desk.store, desk.builders) == [], "rows of what was decided on"


# --- where it is built anew -------------------------------------------------------------------------------------------


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("支付.csv", pay(P1, P2))
    publish(office.store, clock=lambda: NOW)
    yield office
    office.store.control.close()


def corrected(office: Office) -> None:
    assert office.hand_in("更正.csv", pay(P1, P2B)).status == "committed"


def test_an_organisation_moves_everything(office: Office, told) -> None:  # type: ignore[no-untyped-def]
    office.hand_in("机构2.csv", ORG.replace("市教育局,教育局", "市教育局,教委"))
    publish(office.store, clock=lambda: NOW)
    assert why_anew(told) == "org_unit came"


def test_a_damaged_generation_is_not_carried_on(office: Office, told) -> None:  # type: ignore[no-untyped-def]
    file = office.store.current()
    assert file
    with file.open("r+b") as handle:  # beyond the head, where opening it does not look
        handle.seek(file.stat().st_size - 4096)
        handle.write(b"\xff" * 64)
    corrected(office)
    publish(office.store, clock=lambda: NOW)
    assert why_anew(told) == "1.duckdb is not what was published"
    assert office.amounts() == {"V1": 100.5, "V2": 250}


def test_what_was_compacted_is_read_anew(office: Office, told) -> None:  # type: ignore[no-untyped-def]
    corrected(office)
    publish(office.store, clock=lambda: NOW)
    assert carried_on(told)
    compact(office.store, Policy(most_segments=1), clock=lambda: NOW)
    publish(office.store, clock=lambda: NOW)
    assert "are not those that stand" in why_anew(told)


def test_other_definitions_and_builders_that_cannot_carry_on(office: Office, told) -> None:  # type: ignore[no-untyped-def]
    publish(office.store, catalogue="other", clock=lambda: NOW)
    assert why_anew(told) == "1.duckdb was made by other catalogue"
    publish(office.store, [build_nothing], clock=lambda: NOW)
    assert why_anew(told) == "not all that is built can be carried on"


def build_nothing(con: object, contracts: object) -> None:
    """A builder that knows only the whole."""
    assert con and contracts


def test_a_generation_missing_from_the_disk_is_built_anew(office: Office, told) -> None:  # type: ignore[no-untyped-def]
    for file in office.store.generations.glob("*.duckdb"):
        file.unlink()
    corrected(office)
    publish(office.store, clock=lambda: NOW)
    assert why_anew(told) == "nothing is published"
    assert office.amounts() == {"V1": 100.5, "V2": 250}


# --- killed on the way ------------------------------------------------------------------------------------------------

KILLED = """
import datetime as dt, os, signal, sys
from warehouse import publish as module
from warehouse.store import Store

place, where = sys.argv[1:]
real = getattr(module, where)

def killed(*args, **more):
    done = real(*args, **more)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(module, where, killed)
module.publish(Store(place))
"""


@pytest.mark.parametrize("where", ["copy_whole", "advance", "sha256_of", "settle_new"])
def test_killed_while_it_carries_on_the_old_generation_is_served(office: Office, where: str, told) -> None:  # type: ignore[no-untyped-def]
    corrected(office)
    office.store.control.close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(office.store.path), where], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    generation = office.store.open_generation()
    assert (generation.number, generation.through_seq) == (1, 2)
    generation.close()
    assert office.amounts() == {"V1": 100.5, "V2": 250}
    assert carried_on(told)
    assert differences(office.store) == []
