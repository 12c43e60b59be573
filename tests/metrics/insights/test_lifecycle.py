"""Warnings open with the batch that made them known and close with the batch that cured them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from metrics.insights import lifecycle
from metrics.insights.judge import Bench, bench_months
from metrics.insights.lifecycle import Life, Moment, Walk
from metrics.insights.rules import load_rules
from tests.metrics.insights.figures import Figures, known
from warehouse import operations
from warehouse.base.periods import month_no
from warehouse.base.scope import Scope
from warehouse.schema import upgrade

RULES = {rule.id: rule for rule in load_rules()}
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def engine() -> Engine:
    made = sa.create_engine("sqlite://")
    upgrade(made)
    return made


def moments(*days: str) -> tuple[Moment, ...]:
    return tuple(Moment(number, known(day)) for number, day in enumerate(days, start=1))


def go(engine: Engine, figures: Figures, rule: str, seen: tuple[Moment, ...]) -> operations.WarningChange:
    """Judge one rule at the last of these moments and keep the change."""

    def bench(moment: Moment) -> Bench:
        low, high = bench_months(month_no(moment.at.year, moment.at.month))
        return Bench("city", ("a", "b"), low, high, Scope.everything(), "test", known_at=moment.at)

    walk = Walk(figures.evaluate, {rule: RULES[rule]}, bench, seen, seen[-1].at)
    told = operations.readings(engine)
    rows = operations.standing_warnings(engine, "2023")
    lives = [Life(row, told.get((row.warning_id, row.opened_seq), ())) for row in rows]
    change = lifecycle.step(walk, lives)
    operations.apply_warnings(engine, change)
    return change


def ids(engine: Engine, day: str | None = None) -> list[str]:
    return [row.warning_id for row in operations.warnings(engine, known(day) if day else None)]


WEEKS = moments(*[f"2024-{month:02d}-{day:02d}" for month in range(3, 9) for day in (5, 12, 19, 26)])


def test_a_warning_is_dated_by_the_batch_that_made_it_known(engine: Engine, figures: Figures) -> None:
    figures.put("veh_over_quota", "a", {"2024-03": 1}, day="2024-04-19")
    go(engine, figures, "veh_over_quota", WEEKS)
    (row,) = operations.warnings(engine)
    assert (row.opened_at, row.opened_seq, row.first_period) == (known("2024-04-19"), 7, "2024-03")
    assert ids(engine, "2024-04-18") == []
    assert ids(engine, "2024-04-19") == ["veh_over_quota@a@2024-03"]


def test_judging_twice_changes_nothing(engine: Engine, figures: Figures) -> None:
    figures.put("veh_over_quota", "a", {"2024-03": 1, "2024-04": 2})
    go(engine, figures, "veh_over_quota", WEEKS)
    assert go(engine, figures, "veh_over_quota", WEEKS[-1:]).is_empty


def test_a_spell_grows_under_the_same_identity(engine: Engine, figures: Figures) -> None:
    figures.put("veh_over_quota", "a", {"2024-03": 1}, day="2024-04-12")
    go(engine, figures, "veh_over_quota", WEEKS[:8])
    figures.put("veh_over_quota", "a", {"2024-04": 2, "2024-05": 3}, day="2024-06-12")
    go(engine, figures, "veh_over_quota", WEEKS[8:])
    (row,) = operations.warnings(engine)
    assert (row.warning_id, row.last_period, row.value) == ("veh_over_quota@a@2024-03", "2024-05", "3")
    (then,) = operations.warnings(engine, known("2024-05-01"))
    assert (then.last_period, then.value) == ("2024-03", "1")


def test_data_closes_a_cured_state_on_the_day_the_cure_was_known(engine: Engine, figures: Figures) -> None:
    figures.put("veh_over_quota", "a", {"2024-03": 1}, day="2024-04-12")
    figures.put("veh_over_quota", "a", {"2024-04": 0}, day="2024-05-19")
    go(engine, figures, "veh_over_quota", WEEKS)
    assert ids(engine) == []
    (row,) = operations.warnings(engine, with_closed=True)
    assert (row.opened_at, row.closed_at, row.closed_why) == (known("2024-04-12"), known("2024-05-19"), "cured")
    assert ids(engine, "2024-05-18") == ["veh_over_quota@a@2024-03"]
    assert ids(engine, "2024-05-19") == []


def test_a_cured_warning_is_not_opened_again_by_the_next_judgement(engine: Engine, figures: Figures) -> None:
    figures.put("veh_over_quota", "a", {"2024-03": 1, "2024-04": 0})
    go(engine, figures, "veh_over_quota", WEEKS[:16])
    assert go(engine, figures, "veh_over_quota", WEEKS[16:]).is_empty


def test_a_cure_that_is_taken_back_opens_a_second_life(engine: Engine, figures: Figures) -> None:
    figures.put("veh_over_quota", "a", {"2024-03": 1, "2024-04": 0})
    go(engine, figures, "veh_over_quota", WEEKS[:16])
    figures.put("veh_over_quota", "a", {"2024-04": 1}, day="2024-07-12")
    go(engine, figures, "veh_over_quota", WEEKS[16:])
    first, second = sorted(operations.warnings(engine, with_closed=True), key=lambda row: row.opened_seq)
    assert (first.closed_why, second.closed_why) == ("cured", None)
    assert (second.opened_at, second.last_period) == (known("2024-07-12"), "2024-04")
    assert go(engine, figures, "veh_over_quota", WEEKS[20:]).is_empty


def test_a_correction_takes_a_warning_back_but_not_from_the_past(engine: Engine, figures: Figures) -> None:
    figures.put("veh_no_order", "a", {"2024-03": 4}, day="2024-04-05")
    go(engine, figures, "veh_no_order", WEEKS[:6])
    figures.put("veh_no_order", "a", {"2024-03": 0}, day="2024-06-12")
    go(engine, figures, "veh_no_order", WEEKS[6:])
    (row,) = operations.warnings(engine, with_closed=True)
    assert (row.closed_at, row.closed_why) == (known("2024-06-12"), "corrected")
    assert ids(engine, "2024-06-11") == ["veh_no_order@a@2024-03"]
    assert ids(engine) == []


def test_there_and_back_again_is_two_lives(engine: Engine, figures: Figures) -> None:
    for day, value, upto in (("2024-04-05", 4, 8), ("2024-05-05", 0, 12), ("2024-06-05", 4, 24)):
        figures.put("veh_no_order", "a", {"2024-03": value}, day=day)
        go(engine, figures, "veh_no_order", WEEKS[:upto] if upto == 8 else WEEKS[upto - 4 : upto])
    rows = operations.warnings(engine, with_closed=True)
    assert {row.warning_id for row in rows} == {"veh_no_order@a@2024-03"}
    assert sorted(row.closed_why or "open" for row in rows) == ["corrected", "open"]


def test_a_restated_value_is_a_new_reading_of_the_same_warning(engine: Engine, figures: Figures) -> None:
    figures.put("veh_no_order", "a", {"2024-03": 4}, day="2024-04-05")
    go(engine, figures, "veh_no_order", WEEKS[:6])
    figures.put("veh_no_order", "a", {"2024-03": 2}, day="2024-06-12")
    go(engine, figures, "veh_no_order", WEEKS[6:])
    (row,) = operations.warnings(engine)
    (then,) = operations.warnings(engine, known("2024-05-01"))
    assert (row.value, then.value) == ("2", "4")
    assert row.opened_at == then.opened_at


def test_an_old_event_leaves_the_list_when_its_year_is_no_longer_looked_at(engine: Engine, figures: Figures) -> None:
    figures.put("veh_no_order", "a", {"2024-03": 4}, day="2024-04-05")
    go(engine, figures, "veh_no_order", WEEKS[:6])
    go(engine, figures, "veh_no_order", (Moment(30, known("2026-02-05")),))
    (row,) = operations.warnings(engine, with_closed=True)
    assert row.closed_why == "aged"


def test_a_rule_that_is_gone_closes_its_warnings(engine: Engine, figures: Figures) -> None:
    figures.put("veh_no_order", "a", {"2024-03": 4}, day="2024-04-05")
    go(engine, figures, "veh_no_order", WEEKS[:6])
    go(engine, figures, "veh_over_quota", WEEKS[6:8])
    (row,) = operations.warnings(engine, with_closed=True)
    assert row.closed_why == "retired"


def test_only_visible_nodes_are_listed(engine: Engine, figures: Figures) -> None:
    for node in ("a", "b"):
        figures.put("veh_no_order", node, {"2024-03": 1})
    go(engine, figures, "veh_no_order", WEEKS)
    assert [row.node for row in operations.warnings(engine, nodes=frozenset({"b"}))] == ["b"]


def test_halving_finds_the_first_moment_of_each_item_with_few_questions() -> None:
    starts = {"x": 3, "y": 3, "z": 90}
    asked = []

    def fires(moment: Moment, items: Collection[str]) -> list[str]:
        asked.append(moment.seq)
        return [item for item in items if starts[item] <= moment.seq]

    hundred = tuple(Moment(seq, dt.datetime(2024, 1, 1, tzinfo=dt.UTC)) for seq in range(1, 101))
    found = lifecycle.since(fires, hundred, list(starts))
    assert {item: moment.seq for item, moment in found.items()} == starts
    assert len(asked) <= 14


def test_moments_are_grouped_by_month_and_batches_of_one_instant_are_one() -> None:
    at = dt.datetime(2024, 1, 31, 17, tzinfo=dt.UTC)
    groups = lifecycle.stops([Moment(1, at - dt.timedelta(hours=3)), Moment(2, at), Moment(3, at)], ZONE)
    assert [[moment.seq for moment in group] for group in groups] == [[1], [3]]
