"""Duties: what the due list counts is what every answer counts, for every node, month and moment of knowledge."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest

from metrics.duties import Duty, duties, owed_reports
from metrics.knowledge import knowledge
from metrics.model import Answer
from tests.fakes.reviewers import REGISTER, Reviewers, energy, few
from tests.metrics.test_history import BATCHES, MONTHS, history
from warehouse.base.periods import month_no

NODES = ("root", "a", "b", "c")


def month(label: str) -> int:
    return month_no(int(label[:4]), int(label[5:7]))


def one_source(asker, dataset: str) -> list[str]:
    """Return the indicators that read nothing but the source a dataset's duties are counted by."""
    layout = knowledge(asker.generation).layout
    owed = {one.dataset: one.source for one in owed_reports(asker.generation, asker.catalogue, layout)}
    return [i.id for i in asker.catalogue.written if i.sources == (owed[dataset],)]


def moment(asker, seq: int) -> dt.datetime:
    return asker.generation.recorded_at(seq)


@pytest.mark.parametrize("seed", range(6))
def test_the_due_list_counts_as_answers_do(world, ask, seed: int) -> None:
    history(world, random.Random(seed))
    asker = ask(world)
    compared = 0
    for seq in range(1, BATCHES + 1):
        for label in MONTHS:
            for node in NODES:
                for duty in duties(asker.generation, asker.catalogue, node, month(label), seq):
                    assert duty.due - duty.got == len(duty.missing)
                    compared += sum(
                        agrees(duty, asker.one(name, node, label, known_at=moment(asker, seq)))
                        for name in one_source(asker, duty.dataset)
                    )
    assert compared > 20


def agrees(duty: Duty, answer: Answer) -> bool:
    """Tell whether an answer shows counts; those it shows are the duty's."""
    if answer.status in ("no_source", "not_existing", "excluded", "not_due"):
        return False
    assert (answer.due, answer.got) == (duty.due, duty.got), (duty, answer)
    return True


def test_a_unit_that_gathers_others_owes_its_own_report(world, ask) -> None:
    """root ─ a ─ b; staff of January came from b only. Below a two reports are due, and a's own is missing."""
    closed = dict.fromkeys(("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service"), False)
    world.unit("root", kind="region", **closed)
    world.unit("a", "root")
    world.unit("b", "a")
    world.defaults()
    world.add("staff", 1, unit="b", month="2024-01", authorised_staff=1, actual_staff=1, energy_headcount=1)
    asker = ask(world)
    for node, found in (("root", (2, 1, ("a",))), ("a", (2, 1, ("a",))), ("b", (1, 1, ()))):
        (duty,) = duties(asker.generation, asker.catalogue, node, month("2024-01"), 1)
        assert (duty.due, duty.got, duty.missing) == found


def test_a_late_report_is_late_only_after_its_day() -> None:
    duty = Duty("staff", "cost", 2, 1, ("a",), dt.date(2024, 2, 15))
    assert duty.standing(dt.date(2024, 2, 15)) == "not_due"
    assert duty.standing(dt.date(2024, 2, 16)) == "late"
    assert Duty("staff", "cost", 2, 2, (), dt.date(2024, 2, 15)).standing(dt.date(2024, 1, 1)) == "ok"


# --- with review ------------------------------------------------------------------------------------------------------

COMPOUND = REGISTER + "Z,市民中心,,R,市,集中办公区,9,否,是,2020-01-01,\n"
RULE = (
    "分摊对象,能源品种,分摊单位,分摊方式,分摊比例(%),分摊依据,启用日期\n"
    "Z,,A,固定比例,25,纪要7,2025-01-01\nZ,,B,固定比例,75,纪要7,2025-01-01\n"
)


def energy_duty(office: Reviewers, at: int | None = None, node: str = "R") -> tuple[int, int, int | None, tuple[str, ...]]:  # fmt: skip
    generation = office.open()
    seq = generation.through_seq if at is None else at
    (duty,) = (d for d in duties(generation, few(), node, month("2025-01"), seq) if d.dataset == "energy_use")
    return duty.due, duty.got, duty.reviewed, duty.waiting


def test_a_report_waits_until_it_is_reviewed_and_again_when_changed_or_returned(tmp_path: Path) -> None:
    office = Reviewers(tmp_path)
    office.report("1月.csv", energy("市财政局 2025-01 10", "市教育局 2025-01 20"))
    reported = office.begin("2025-01").batch_seq
    assert energy_duty(office) == (2, 2, 0, ("A", "B"))
    reviewed = office.judge("accept", "A", "2025-01").batch_seq
    assert energy_duty(office) == (2, 2, 1, ("B",))
    office.judge("return", "B", "2025-01", why="少了一块表")
    assert energy_duty(office) == (2, 2, 1, ("B",)), "what was returned is not reviewed"
    office.report("更正.csv", energy("市财政局 2025-01 15"), actor="赵报")
    assert energy_duty(office) == (2, 2, 0, ("A", "B")), "changed since its review"
    office.judge("return", "A", "2025-01", why="与发票不符")
    assert energy_duty(office) == (2, 2, 0, ("A", "B")), "the version reviewed before stands, but the newest went back"
    assert energy_duty(office, at=reported) == (2, 2, 0, ("A", "B"))
    assert energy_duty(office, at=reviewed) == (2, 2, 1, ("B",))


def test_a_part_of_a_divided_bill_is_reviewed_with_the_bill(tmp_path: Path) -> None:
    """The compound's 100 kWh go 25 : 75 to A and B, who hand in nothing themselves."""
    office = Reviewers(tmp_path)
    office.report("组织机构.csv", COMPOUND)
    office.report("规则.csv", RULE)
    office.report("1月.csv", energy("市民中心 2025-01 100"))
    before = office.begin("2025-01").batch_seq
    assert energy_duty(office) == (2, 2, 0, ("A", "B"))
    assert [office.ask(None, node=node).value for node in "ABR"] == [None, None, None]
    assert [office.ask("reported", node=node).value for node in "ABR"] == [25, 75, 100]
    office.judge("accept", "Z", "2025-01")
    assert energy_duty(office) == (2, 2, 2, ())
    assert [office.ask(None, node=node).value for node in "ABR"] == [25, 75, 100]
    office.report("规则更正.csv", RULE.replace("25,", "40,").replace("75,", "60,"))
    assert [office.ask(None, node=node).value for node in "ABR"] == [40, 60, 100], "a rule is no submission"
    office.report("更正.csv", energy("市民中心 2025-01 200"))
    assert [office.ask(None, node=node).value for node in "ABR"] == [40, 60, 100], "the changed bill waits"
    assert [office.ask("reported", node=node).value for node in "ABR"] == [80, 120, 200]
    assert energy_duty(office, at=before) == (2, 2, 0, ("A", "B"))
