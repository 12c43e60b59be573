"""An office that also reviews: two bureaux hand in energy reports, one person reports, another decides."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from metrics.catalogue import load_catalogue
from metrics.evaluate import evaluate
from metrics.model import Answer, Catalogue, Query
from tests.fakes.blank import lay_blank
from tests.fakes.carried import Cubes
from tests.fakes.office import NOW, Office
from warehouse.base.periods import Period
from warehouse.base.scope import Scope
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.receipts import FileReport
from warehouse.review import Action, Choice, Decision, decide, start
from warehouse.store import Generation
from warehouse.submissions import Submission, submission_status
from warehouse.withdrawal import Withdrawal, withdraw

REGISTER = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,纳入成本统计,纳入节能名录,生效日期,失效日期\n"
    "R,模拟市,,,市,区域,1,否,否,2020-01-01,\n"
    "A,市财政局,财政局,R,市,政府,2,是,是,2020-01-01,\n"
    "B,市教育局,教育局,R,市,政府,3,是,是,2020-01-01,\n"
)
ENERGY = "单位名称,统计期,用电量(千瓦时),电费(元)\n"
ALWAYS_READ = ("org_unit", "org_alias", "org_succession", "allocation", "building", "staff")
"""What a publish reads whatever is asked of it."""
CLERK, CHIEF = "王报", "李审"


def energy(*lines: str) -> str:
    """Return an energy report: `市财政局 2025-01 10` is a bureau, its month and its electricity in kWh."""
    rows = [line.split() for line in lines]
    return ENERGY + "".join(f"{unit},{month},{used},\n" for unit, month, used in rows)


TWO = ("elec_kwh", "op_funds_exp")


@cache
def few(names: tuple[str, ...] = TWO) -> Catalogue:
    """Return the definitions of two indicators: the cubes of all others would only take time."""
    every = load_catalogue()
    indicators = {name: every.indicators[name] for name in names}
    atoms = {name: every.atoms[name] for one in indicators.values() for name in one.atoms}
    sources = {part.of: every.sources[part.of] for atom in atoms.values() for part in atom.parts}
    return replace(every, indicators=indicators, atoms=atoms, sources=sources)


class Reviewers(Office):
    """A store, a clerk who reports, a chief who decides; everything happens one minute apart."""

    def __init__(
        self, folder: Path, *, is_new: bool = True, register: str = REGISTER, indicators: tuple[str, ...] = TWO
    ) -> None:
        super().__init__(folder)
        self.opened: Generation | None = None
        self.catalogue = few(indicators)
        read = {
            name
            for source in self.catalogue.sources.values()
            for name in (source.of, *(k.table for k in source.lookups))
        }
        kept = {*read, *ALWAYS_READ}
        self.store.contracts = {name: one for name, one in self.store.contracts.items() if name in kept}
        if is_new:
            lay_blank(self.store, lambda: NOW)
            assert self.report("组织机构.csv", register).status == "committed"

    def copied(self, folder: Path) -> Reviewers:
        """Return an office of its own that goes on from where this one stands."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        other = Reviewers(folder, is_new=False)
        other.minute = self.minute
        return other

    def tick(self) -> dt.datetime:
        self.minute += 1
        return NOW + dt.timedelta(minutes=self.minute)

    def report(self, name: str, text: str, *, actor: str = CLERK) -> FileReport:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        now = self.tick()
        return load(self.store, [path], actor=actor, clock=lambda: now)[0]

    def begin(self, month: str, actor: str = CHIEF) -> Decision:
        return self.settle(
            lambda g, now: start(self.store, g, Period.parse(month).from_m, actor=actor, clock=lambda: now)
        )

    def judge(self, action: Action, unit: str, month: str, actor: str = CHIEF, dataset: str = "energy_use", **more: Any) -> Decision:  # fmt: skip
        period = Period.parse(month)
        choice = Choice(period.from_m, period.to_m, (dataset,), frozenset([unit]), more.pop("changed_by", None))
        return self.settle(lambda g, now: decide(self.store, g, action, choice, actor=actor, clock=lambda: now, **more))

    def settle(self, take: Callable[[Generation, dt.datetime], Decision]) -> Decision:
        """Take a decision on what is published."""
        return take(self.open(), self.tick())

    def take_back(self, seq: int) -> Withdrawal:
        now = self.tick()
        return withdraw(self.store, seq, why="弄错了", actor=CHIEF, clock=lambda: now)

    def open(self) -> Generation:
        """Publish what is new and open it; the same one as long as nothing is new."""
        builders = [Cubes(self.catalogue)]
        last = self.store.control.last()[0]
        if self.opened is None or self.opened.through_seq != last:
            publish(self.store, builders, clock=lambda: NOW)
            self.opened = self.store.open_generation()
        return self.opened

    def where(self, unit: str, month: str, at: int | None = None, dataset: str = "energy_use") -> Submission:
        generation, period = self.open(), Period.parse(month)
        seen = generation if at is None else generation.as_known_at(at)
        found = submission_status(seen, from_m=period.from_m, to_m=period.to_m, datasets=(dataset,), units=(unit,))
        return found[0]

    def ask(self, state: str | None, month: str = "2025-01", node: str = "R", at: int | None = None,
            indicator: str = "elec_kwh") -> Answer:  # fmt: skip
        generation = self.open()
        query = Query(indicators=(indicator,), nodes=(node,), period_from=month, period_to=month, grain="month",
                      scope=Scope.everything(), actor="t", state=state)  # type: ignore[arg-type] # fmt: skip
        seen = generation if at is None else generation.as_known_at(at)
        return evaluate(seen, self.catalogue, query)[0]
