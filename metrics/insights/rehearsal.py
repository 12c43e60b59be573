"""Tries a rule on its own examples: the tiny cases in its TOML file are its first test and its best explanation."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from metrics.insights.judge import read_cells
from metrics.insights.kinds.cells import Cells
from metrics.insights.model import Example, Level, Rule
from metrics.model import AS_WAS, Answer, Figure
from warehouse.base.periods import Period

RATE_BASE = Decimal(1_000_000)
"""Denominator of a rate in an example: large enough to be above every floor."""


def failures(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return one line for each example that does not give what it says."""
    lines = []
    for rule in rules:
        for number, example in enumerate(rule.examples, start=1):
            found = levels(rule, example)
            if found != dict(example.expect):
                lines.append(f"rule {rule.id}, example {number}: expected {dict(example.expect)}, found {found}")
    return tuple(lines)


def levels(rule: Rule, example: Example) -> dict[str, Level]:
    """Return the level the rule gives each period of an example."""
    cells = example_cells(rule, example)
    spans = [Period.parse(period) for period in cells.periods(rule.indicator)]
    if not spans:
        return {}
    found = read_cells(rule, cells, min(s.from_m for s in spans), max(s.to_m for s in spans))
    return {reading.period: reading.level for reading in found}


def example_cells(rule: Rule, example: Example) -> Cells:
    """Return the answers an example stands for; further indicators have the values of the first."""
    answers: dict[str, dict[str, Answer]] = {}
    for name in (rule.indicator, *rule.also):
        told = {period: answer(rule, name, period, value) for period, value in example.values}
        owed = {period: answer(rule, name, period, None) for period in example.absent}
        answers[name] = dict(sorted((told | owed).items()))
    return Cells(answers)


def answer(rule: Rule, indicator: str, period: str, value: Figure | None) -> Answer:
    """Return an answer as evaluate would give it; None is a report that is due and has not come."""
    is_rate = rule.kind == "pace" and value is not None
    return Answer(
        indicator=indicator,
        node="unit",
        node_name="unit",
        dim=rule.by,
        dim_value="member" if rule.by else None,
        period=period,
        grain=rule.grain,
        value=value,
        numerator=RATE_BASE * Decimal(value) / 100 if is_rate and value is not None else value,
        denominator=RATE_BASE if is_rate else None,
        unit="",
        due=1,
        got=0 if value is None else 1,
        status="not_reported" if value is None else "ok",
        fingerprint="",
        through_seq=1,
        known_at=None,
        tree=AS_WAS,
        origin="real",
    )
