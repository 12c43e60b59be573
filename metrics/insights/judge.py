"""Rules over answers: one evaluate call for all rules that look at the same, readings per place, readings into findings.

`judge` sees what was known at one moment and nothing else; the same call with an earlier `known_at` is the replay.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType

from metrics.insights.kinds import change, missing, pace, repeat, threshold
from metrics.insights.kinds.cells import Cells
from metrics.insights.model import Evaluate, Finding, Reading, Rule, RuleKind
from metrics.model import AS_WAS, Answer, Query
from warehouse.base.periods import Period, month_label
from warehouse.base.scope import Scope
from warehouse.contracts import Contract

KINDS: dict[RuleKind, ModuleType] = {
    "threshold": threshold,
    "change": change,
    "missing": missing,
    "repeat": repeat,
    "pace": pace,
}

Place = tuple[str, str | None]
"""A node and, for rules by a dimension, its member."""
TELLING = frozenset({"ok"})
"""Only a complete period can end a state: one that is not (fully) reported says nothing about it."""


@dataclass(frozen=True)
class Bench:
    """What a judgement looks at: nodes, months, what was known, and for whom."""

    root: str
    units: tuple[str, ...]
    from_m: int
    to_m: int
    scope: Scope
    actor: str
    known_at: dt.datetime | None = None
    now: dt.datetime | None = None
    tree: str = AS_WAS
    today: dt.date | None = None
    """The day at the store's place, for what is overdue."""
    reports: Mapping[str, tuple[Contract, ...]] = field(default_factory=dict)
    """The datasets behind an indicator, which say when their reports are due."""
    fiscal_start: int = 1
    """The month the store's fiscal year begins in."""
    only: tuple[str, ...] | None = None
    """Judge at these nodes only (dating a known warning), whatever the rule says."""

    def nodes(self, rule: Rule) -> tuple[str, ...]:
        """Return the nodes a rule is judged at."""
        if self.only is not None:
            return self.only
        if rule.at == "root":
            return (self.root,)
        return self.units if rule.at == "unit" else tuple(dict.fromkeys((self.root, *self.units)))


def bench_months(latest: int) -> tuple[int, int]:
    """Return the months that are judged: those of the current year so far and of the year before."""
    return (latest // 12 - 1) * 12, latest + 1


def judge(evaluate: Evaluate, rules: Iterable[Rule], bench: Bench) -> tuple[Finding, ...]:
    """Return every warning as known at the bench's moment, also those a later period has ended."""
    return tuple(sorted(judge_rules(evaluate, rules, bench), key=lambda found: (found.rule, found.node, found.key)))


def judge_rules(evaluate: Evaluate, rules: Iterable[Rule], bench: Bench) -> Iterator[Finding]:
    """Judge rules in their order; those that look at the same nodes and periods share one evaluate call."""
    listed = list(rules)
    alike: dict[object, list[Rule]] = {}
    for rule in listed:
        alike.setdefault(_outlook(rule, bench), []).append(rule)
    found = {rule.id: judged for group in alike.values() for rule, judged in _judged(evaluate, group, bench)}
    for rule in listed:
        yield from found[rule.id]


def judge_rule(evaluate: Evaluate, rule: Rule, bench: Bench) -> tuple[Finding, ...]:
    """Judge one rule at all its nodes."""
    return tuple(judge_rules(evaluate, (rule,), bench))


def _outlook(rule: Rule, bench: Bench) -> object:
    """Return what rules that are asked about together have in common; one by a dimension chooses its own nodes."""
    if rule.by is not None:
        return rule.id
    return bench.nodes(rule), rule.grain, KINDS[rule.kind].LOOKBACK


def _judged(evaluate: Evaluate, rules: Sequence[Rule], bench: Bench) -> Iterator[tuple[Rule, tuple[Finding, ...]]]:
    """Judge rules of one outlook at all its nodes with one evaluate call."""
    nodes = bench.nodes(rules[0])
    if bench.from_m >= bench.to_m:
        nodes = ()
    if nodes and rules[0].by is not None and bench.only is None:
        nodes = _worth_a_look(evaluate, rules[0], bench, nodes)
    answers = evaluate(question(rules, bench, nodes)) if nodes else ()
    for rule in rules:
        places = gather(rule, (answer for answer in answers if answer.indicator in rule.indicators), bench)
        yield (
            rule,
            tuple(finding for place, cells in places.items() for finding in _findings(rule, place, cells, bench)),
        )


def _worth_a_look(evaluate: Evaluate, rule: Rule, bench: Bench, nodes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the nodes that fire at the end of a year or now: members times months of all nodes are too many to ask."""
    ends = {bench.to_m - 1, *(month for month in range(bench.from_m, bench.to_m) if month % 12 == 11)}
    found: set[str] = set()
    for month in sorted(ends):
        short = replace(bench, from_m=month, to_m=month + 1)
        places = gather(rule, evaluate(question((rule,), short, nodes)), short)
        found |= {node for (node, _), cells in places.items() if read_cells(rule, cells, month, month + 1)}
    return tuple(node for node in nodes if node in found)


def question(rules: Sequence[Rule], bench: Bench, nodes: Sequence[str]) -> Query:
    """Return the one query rules of one outlook need."""
    rule = rules[0]
    lookback: int = KINDS[rule.kind].LOOKBACK
    return Query(
        indicators=tuple(dict.fromkeys(name for one in rules for name in one.indicators)),
        nodes=tuple(nodes),
        period_from=month_label(bench.from_m - lookback),
        period_to=month_label(bench.to_m - 1),
        grain=rule.grain,
        by=rule.by,
        known_at=bench.known_at,
        tree=bench.tree,
        scope=bench.scope,
        actor=bench.actor,
        now=bench.now,
    )


def gather(rule: Rule, answers: Iterable[Answer], bench: Bench) -> dict[Place, Cells]:
    """Sort answers by node and member; periods stay in the order they were given."""
    found: dict[Place, dict[str, dict[str, Answer]]] = {}
    for answer in answers:
        place = (answer.node, answer.dim_value if rule.by else None)
        found.setdefault(place, {}).setdefault(answer.indicator, {})[answer.period] = answer
    reports = bench.reports.get(rule.indicator, ())
    return {place: Cells(cells, bench.today, reports, bench.fiscal_start) for place, cells in found.items()}


def read_cells(rule: Rule, cells: Cells, from_m: int, to_m: int) -> tuple[Reading, ...]:
    """Return the readings of the judged periods (periods of the lookback are only compared with)."""
    found: tuple[Reading, ...] = KINDS[rule.kind].read(rule, cells)
    return tuple(reading for reading in found if _is_judged(rule, cells, reading.period, from_m, to_m))


def _is_judged(rule: Rule, cells: Cells, period: str, from_m: int, to_m: int) -> bool:
    """A year is judged when it is over, a month when it lies on the bench."""
    span = Period.parse(period, cells.fiscal_start)
    return from_m <= span.from_m and (span.to_m <= to_m if rule.grain in {"year", "quarter"} else span.from_m < to_m)


def _findings(rule: Rule, place: Place, cells: Cells, bench: Bench) -> list[Finding]:
    readings = read_cells(rule, cells, bench.from_m, bench.to_m)
    if not readings:
        return []
    runs = [(reading,) for reading in readings] if rule.shape == "each" else _runs(rule, cells, readings)
    name = next((answer.node_name for by in cells.answers.values() for answer in by.values()), place[0])
    return [
        Finding(
            rule=rule.id,
            indicator=rule.indicator,
            node=place[0],
            node_name=name,
            dim_value=place[1],
            grain=rule.grain,
            title=rule.title,
            readings=tuple(run),
            is_over=rule.shape == "spell" and _is_over(rule, cells, run[-1]),
            to_verify=rule.to_verify,
        )
        for run in runs
    ]


def _runs(rule: Rule, cells: Cells, readings: Sequence[Reading]) -> list[tuple[Reading, ...]]:
    """Join readings into spells: a telling period without a reading, or a new year of running totals, parts them."""
    by_period = {reading.period: reading for reading in readings}
    runs: list[list[Reading]] = []
    unbroken = False
    for period in cells.periods(rule.indicator):
        if rule.grain == "ytd" and period.endswith("-01"):
            unbroken = False
        if period in by_period:
            if not unbroken:
                runs.append([])
            runs[-1].append(by_period[period])
            unbroken = True
        elif _tells(rule, cells, period):
            unbroken = False
    return [tuple(run) for run in runs]


def _is_over(rule: Rule, cells: Cells, last: Reading) -> bool:
    """Tell whether a later period (of the same year, for running totals) is known and does not fire."""
    later = [period for period in cells.periods(rule.indicator) if period > last.period]
    if rule.grain == "ytd":
        later = [period for period in later if period[:4] == last.period[:4]]
    return any(_tells(rule, cells, period) for period in later)


def _tells(rule: Rule, cells: Cells, period: str) -> bool:
    answer = cells.answer(rule.indicator, period)
    return answer is not None and answer.status in TELLING
