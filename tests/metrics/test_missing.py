"""Late data named with the unit that owes it, and facts outside a unit's lifetime counted where they belong."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pytest

from metrics.missing import missing_reports
from metrics.model import Query
from metrics.outside import counts_outside, outside_life
from tests.metrics.conftest import World
from tests.metrics.test_history import history
from warehouse.base.scope import Scope
from warehouse.report_periods import due_on

NONE = dict.fromkeys(("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service"), False)


def query(indicators: str, nodes: str, period: str, grain: str = "month", **more: object) -> Query:
    first, _, last = period.partition("..")
    return Query(
        indicators=tuple(indicators.split()), nodes=tuple(nodes.split()), period_from=first, period_to=last or first, grain=grain,
        actor="test", **{"now": dt.datetime(2024, 3, 20, 4, tzinfo=dt.UTC), "scope": Scope.everything(), **more},
    )  # fmt: skip


@pytest.fixture
def town(world: World) -> World:
    """R over P (A and, until January, B) and Q (B since February). Energy is due on the 10th of the month after."""
    world.unit("R", **NONE)
    world.unit("P", "R", **NONE)
    world.unit("Q", "R", **NONE)
    world.unit("A", "P", name="财政局")
    world.unit("B", "P", valid=("2020-01", "2024-02"), name="教育局")
    world.unit("B", "Q", valid=("2024-02",), name="教育局")
    world.defaults()
    for unit, when in (("A", "2024-01"), ("B", "2024-02"), ("B", "2023-02")):
        world.add("energy_use", 1, unit=unit, month=when, carrier="water", quantity="1", cost="2")
    world.add("staff", 1, unit="A", month="2024-02", authorised_staff=1, actual_staff=1, energy_headcount=1)
    return world


def test_what_an_answer_lacks_is_named_with_its_unit_and_its_delay(town: World, ask) -> None:
    g = (asker := ask(town)).generation
    due = g.contracts["energy_use"].due_day
    found = missing_reports(g, asker.catalogue, query("water_m3", "R", "2024-01..2024-02"))
    assert [(m.dataset, m.unit, m.unit_name, m.period, m.due_on, m.days_late) for m in found] == [
        ("energy_use", "B", "教育局", "2024-01", dt.date(2024, 2, due), 49 - due),
        ("energy_use", "A", "财政局", "2024-02", dt.date(2024, 3, due), 20 - due),
    ]  # fmt: skip
    early = query("water_m3", "R", "2024-02", now=dt.datetime(2024, 3, 1, 4, tzinfo=dt.UTC))
    assert [(m.unit, m.days_late) for m in missing_reports(g, asker.catalogue, early)] == [("A", 0)]


def test_a_yearly_survey_is_due_after_its_own_year_ended(world: World) -> None:
    """Due on the 28th of the fourth month: of the calendar year 2025 in April 2026, of October 2024 to September 2025 in January."""
    survey = world.contracts["cost_survey"]
    assert due_on(survey, 2025 * 12 + 3) == dt.date(2026, 4, 28)
    assert due_on(survey, 2024 * 12 + 9, ahead=3) == due_on(survey, 2025 * 12 + 8, ahead=3) == dt.date(2026, 1, 28)


def test_below_whom_a_report_is_missing_follows_the_tree(town: World, ask) -> None:
    asker = ask(town)

    def units(node: str, **more: object) -> list[str]:
        return [
            m.unit
            for m in missing_reports(asker.generation, asker.catalogue, query("water_m3", node, "2024-01", **more))
        ]

    assert (units("P"), units("Q")) == (["B"], [])
    assert (units("P", tree="2024-02-29"), units("Q", tree="2024-02-29")) == ([], ["B"])


def test_a_figure_needs_every_report_of_both_its_sides_and_of_its_base(town: World, ask) -> None:
    asker = ask(town)
    ratio = missing_reports(asker.generation, asker.catalogue, query("water_per_head", "R", "2024-02"))
    assert {(m.dataset, m.unit) for m in ratio} == {("energy_use", "A"), ("staff", "B")}
    change = missing_reports(asker.generation, asker.catalogue, query("water_m3_yoy", "A", "2024-02"))
    assert [(m.period, m.unit) for m in change] == [("2023-02", "A"), ("2024-02", "A")]


def test_what_a_viewer_may_not_see_is_not_named(town: World, ask) -> None:
    asker = ask(town)
    narrow = query("water_m3", "R P", "2024-01", scope=Scope(frozenset({"P"}), None))
    assert {m.node for m in missing_reports(asker.generation, asker.catalogue, narrow)} == {"P"}
    other = query("water_m3", "R", "2024-01", scope=Scope(None, frozenset({"cost"})))
    assert missing_reports(asker.generation, asker.catalogue, other) == ()


@pytest.mark.parametrize("seed", range(2))
def test_as_many_are_named_as_an_answer_counts(world: World, ask, seed: int) -> None:
    """Of a figure with one source, due − got of its row is the number of months and units named."""
    history(world, random.Random(seed))
    asker = ask(world)
    names = [i.id for i in asker.catalogue.written if len(i.sources) == 1 and i.kind == "sum" and "(" not in i.value]
    compared = 0
    for node in ("root", "a"):
        for tree in ("as-was", "2024-03-31"):
            now = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
            for answer in asker.all(" ".join(names), node, "2024-03", "ytd", tree=tree, now=now):
                if answer.status in ("ok", "incomplete", "not_reported") and answer.due:
                    asked = query(answer.indicator, node, "2024-03", "ytd", tree=tree, now=now)
                    found = missing_reports(asker.generation, asker.catalogue, asked)
                    if all(m.due_on for m in found):
                        assert len(found) == answer.due - answer.got, answer
                        compared += 1
    assert compared > 10


# --- outside a lifetime -----------------------------------------------------------------------------------------------


@pytest.fixture
def ended(world: World) -> World:
    """C below P lived until January 2024 and then merged into B below Q; it still paid in February and March."""
    world.unit("R", **NONE)
    world.unit("P", "R", **NONE)
    world.unit("Q", "R", **NONE)
    world.unit("A", "P", name="财政局")
    world.unit("B", "Q", name="教育局")
    world.unit("C", "P", valid=("2020-01", "2024-02"), name="旧局")
    world.defaults()
    for number, (unit, day, known) in enumerate((
        ("A", "2024-02-03", 1), ("B", "2024-02-03", 1), ("C", "2024-01-03", 1), ("C", "2024-02-03", 1), ("C", "2024-02-04", 2),
        ("C", "2024-03-04", 2),
    )):  # fmt: skip
        world.add("payment", known, voucher=str(number), line=1, unit=unit, paid_on=day, item_code="30201", fund="general",
                  exp_kind="basic_public", amount="7.00")  # fmt: skip
    world.batch(1, "2024-03-01")
    world.batch(2, "2024-03-10")
    return world


def test_facts_outside_a_lifetime_are_told_at_every_node_above(ended: World, ask) -> None:
    asker = ask(ended)
    g, catalogue = asker.generation, asker.catalogue
    asked = query("op_cost_total water_m3", "R P Q", "2024-01..2024-02")
    found = outside_life(g, catalogue, asked)
    assert [(o.node, o.dataset, o.unit_name, o.month % 12 + 1, o.rows) for o in found] == [
        ("P", "payment", "旧局", 2, 2), ("R", "payment", "旧局", 2, 2),
    ]  # fmt: skip
    answers = asker.all("op_cost_total water_m3", "R P Q", "2024-01..2024-02", now=asked.now)
    told = {(a.indicator, a.node, a.period): n for a, n in zip(answers, counts_outside(g, catalogue, asked, answers), strict=True) if n}  # fmt: skip
    assert told == {("op_cost_total", node, "2024-02"): 2 for node in "RP"}
    assert next(a.numerator for a in answers if (a.node, a.period) == ("R", "2024-02")) == Decimal("14.00"), "not added"


def test_facts_outside_a_lifetime_are_those_known_then(ended: World, ask) -> None:
    asker = ask(ended)
    then = query("op_cost_total", "R", "2024-02", known_at=dt.datetime(2024, 3, 5, tzinfo=dt.UTC))
    assert [o.rows for o in outside_life(asker.generation, asker.catalogue, then)] == [1]
    last = query("op_cost_total", "R", "2024-02", known_at=dt.datetime(2024, 3, 11, tzinfo=dt.UTC))
    assert [o.rows for o in outside_life(asker.generation, asker.catalogue, last)] == [2]


def test_facts_outside_a_lifetime_follow_the_tree_of_a_day(ended: World, ask) -> None:
    ended.add("org_succession", 1, unit="C", successor="B", happened_on="2024-02-01", change="merge")
    asker = ask(ended)
    for tree, nodes in (("2024-03-10", ["B", "Q"]), ("2024-01-31", ["P"])):
        found = outside_life(asker.generation, asker.catalogue, query("op_cost_total", "P Q B", "2024-02", tree=tree))
        assert [o.node for o in found] == nodes


def test_a_unit_kept_out_and_a_unit_out_of_sight_are_not_named(ended: World, ask) -> None:
    asker = ask(ended)
    narrow = query("op_cost_total", "R P", "2024-02", scope=Scope(frozenset({"P"}), None))
    assert [(o.node, o.unit) for o in outside_life(asker.generation, asker.catalogue, narrow)] == [("P", "C")]
    ended.rows["org_unit"][-1]["excluded"] = True
    asker = ask(ended)
    assert outside_life(asker.generation, asker.catalogue, query("op_cost_total", "R", "2024-02")) == ()
