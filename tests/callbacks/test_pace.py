"""What an execution rate is held against: the plan by month where there is a whole one, else the year elapsed, in words."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from callbacks.board import PLANNED_BY_NOW, pace_mark
from callbacks.language import Language, load_texts
from metrics.catalogue import load_catalogue
from metrics.insights.kinds import pace
from metrics.insights.kinds.cells import Cells
from metrics.insights.rules import load_rules
from metrics.model import Answer


@pytest.mark.parametrize(
    ("value", "status", "expected"),
    [
        (22.5, "ok", (22.5, "plan")),
        (22.5, "incomplete", (50.0, "time")),
        (None, "no_source", (50.0, "time")),
    ],
)
def test_the_mark_is_the_plan_only_where_nobody_below_lacks_one(
    value: float | None, status: str, expected: tuple[float, str]
) -> None:
    focus = SimpleNamespace(last_month="2025-06", session=SimpleNamespace(facts=SimpleNamespace(fiscal_start=1)))
    assert pace_mark(focus, SimpleNamespace(value=value, status=status)) == expected  # type: ignore[arg-type]
    assert pace_mark(focus, None) == (50.0, "time")  # type: ignore[arg-type]


def test_every_rate_and_its_plan_are_defined() -> None:
    indicators = load_catalogue().indicators
    assert {*PLANNED_BY_NOW, *PLANNED_BY_NOW.values()} <= set(indicators)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_words_say_which_of_the_two_it_is(language: str) -> None:
    say = Language(language, load_texts(language)).say
    assert say("ruler.pace.plan", value="1") != say("ruler.pace.time", value="1")
    for judged in ("plan", "time", "some"):
        assert "3" in say(f"pace.reading.{judged}", count="3", total="9", plans="5")
    for by in ("plan", "time"):
        told = [
            say(f"pace.sub.{by}.some", year="FY9", progress="7", shown="4"),
            say(f"pace.sub.{by}", year="FY9", progress="7"),
        ]
        assert all("7" in one and "FY9" in one for one in told)


def test_the_rule_reads_its_shares_from_the_first_month_of_the_fiscal_year() -> None:
    """In a year that begins in October, November is its second month: 10 % may be used, and 33 % is 23 points ahead."""
    rule = next(one for one in load_rules(indicators=load_catalogue().indicators) if one.id == "budget_pace")
    answer = Answer("budget_exec_rate", "u", "u", None, None, "2024-11", "ytd", 33.0, Decimal(330000), Decimal(1000000), "%", 1, 1,
                    "ok", "f", 1, None, "as-was", "simulated")  # fmt: skip
    levels = {start: [one.level for one in pace.read(rule, Cells({"budget_exec_rate": {"2024-11": answer}}, fiscal_start=start))]
              for start in (1, 10)}  # fmt: skip
    assert levels[1] == [] and len(levels[10]) == 1
