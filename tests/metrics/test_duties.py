"""Duties: what the due list counts is what every answer counts, for every node, month and moment of knowledge."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from metrics.duties import Duty, duties, owed_reports
from metrics.knowledge import knowledge
from metrics.model import Answer
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
