"""Statuses: what was due, what came, and the first thing that stands between a figure and "ok".

The order is that of surfaces §4. Missing is not zero: a figure exists where a report came, and it is "incomplete" as
long as anything it needs is missing: a report, or the rest of the window. A mean of which a month is wholly missing has
no value at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metrics.compiler import Compiled
from metrics.formula import TIMES, Formula, Operand, View
from metrics.model import Status
from metrics.plan import Layout, Report, reports_of


@dataclass(frozen=True)
class Count:
    """Where the counts of one report stand in a row of the statement."""

    due: int
    got: int
    view: View


@dataclass(frozen=True)
class Rule:
    """How the status of one indicator is read from a row."""

    kind: str
    value: int
    numerator: int
    denominator: int | None
    current: int | None
    needed: tuple[Count, ...]
    """Reports of the figure itself, now."""
    counts: tuple[Count, ...]
    """Reports of every operand, also earlier ones."""
    means: tuple[tuple[int, tuple[Count, ...]], ...] = ()
    """The months of each mean, empty where one is wholly missing, and the reports it rests on."""
    standing: tuple[int, int, int, int] | None = None
    """Of a rank or percentile: what is shown, the rank, how many peers were compared, how many owed a figure."""
    above: bool = False
    """The figure is held against one of the parent, who must be in the viewer's scope."""
    panel: bool = False
    """The counts are of units that owed, or handed in, both sides of a comparison."""


def rule_of(name: str, formula: Formula, layout: Layout, compiled: Compiled, *, panel: bool = False,
            standing: str | None = None) -> Rule:  # fmt: skip
    """Return where a compiled statement keeps the columns of an indicator."""
    place = compiled.place
    value = place[f"{name}.value"]
    main = formula.current if formula.current is not None else formula.numerator
    needed = [operand for operand in formula.side(main) if operand.shift == 0 and not operand.above] or list(
        formula.side(main)
    )
    return Rule(
        formula.kind,
        value,
        place.get(f"{name}.numerator", value),
        place.get(f"{name}.denominator"),
        place.get(f"{name}.current"),
        _counts(needed, layout, compiled),
        _counts(formula.operands, layout, compiled),
        tuple(
            (place[operand.months], _counts([operand], layout, compiled))
            for operand in formula.operands
            if operand.how == "avg" and operand.months in place
        ),
        _standing(name, standing, place) if standing else None,
        any(operand.above for operand in formula.operands),
        panel,
    )


def _standing(name: str, shown: str, place: Mapping[str, int]) -> tuple[int, int, int, int]:
    return place[f"{name}.{shown}"], place[f"{name}.rank"], place[f"{name}.peers"], place[f"{name}.peers_due"]


def _counts(operands: Sequence[Operand], layout: Layout, compiled: Compiled) -> tuple[Count, ...]:
    reports = {report for operand in operands if operand.atom not in TIMES for report in reports_of(operand, layout)}
    return tuple(count_of(report, compiled) for report in sorted(reports))


def count_of(report: Report, compiled: Compiled) -> Count:
    """Return where a compiled statement keeps the counts of one report."""
    return Count(compiled.place[report.column("due")], compiled.place[report.column("got")], report.view)


def due_and_got(rule: Rule, row: Sequence[object]) -> tuple[int, int]:
    """Return the counts of the operand that misses most, in the asked window."""
    if rule.standing is not None:
        return _whole(row[rule.standing[3]]), _whole(row[rule.standing[2]])
    due, got, gap = 0, 0, -1
    for count in rule.counts:
        if count.view.shift or count.view.above or count.view.span.endswith("before"):
            continue
        owed, came = owed_and_came(count, row)
        if owed - came > gap:
            due, got, gap = owed, came, owed - came
    return due, got


def owed_and_came(count: Count, row: Sequence[object]) -> tuple[int, int]:
    """Return how many reports were due and how many came."""
    return _whole(row[count.due]), _whole(row[count.got])


def lacks(count: Count, row: Sequence[object]) -> bool:
    """Tell whether fewer reports came than were due."""
    owed, came = owed_and_came(count, row)
    return came < owed


def judge(rule: Rule, row: Sequence[object], over: bool) -> Status:
    """Return the status of a figure whose node exists, is visible and has an elapsed part of the window."""
    if not any(_whole(row[count.got]) for count in rule.needed):
        return "not_reported"
    if any(row[place] is None and _came(counts, row) for place, counts in rule.means):
        return "incomplete"
    if rule.kind == "change":
        if rule.current is not None and row[rule.current] is None:
            return "no_denominator"
        if rule.denominator is not None and not _positive(row[rule.denominator]):
            return "no_base"
    elif rule.denominator is not None and not row[rule.denominator]:
        return "no_denominator"
    if row[rule.numerator] is None:
        return "not_reported"
    if not over or any(lacks(count, row) for count in rule.counts):
        return "incomplete"
    return "ok"


def judge_standing(standing: tuple[int, int, int, int], row: Sequence[object], status: Status) -> Status:
    """Return the status of a place among peers: too few give no percentile, and who is missing may still change it."""
    if status not in ("ok", "incomplete") or row[standing[1]] is None:
        return status
    if row[standing[0]] is None:
        return "no_denominator"
    return "incomplete" if _whole(row[standing[2]]) < _whole(row[standing[3]]) else status


def nothing_due(rule: Rule, row: Sequence[object]) -> bool:
    """Tell whether no unit below the node owes any report of the figure itself."""
    return not any(_whole(row[count.due]) for count in rule.needed)


def _came(counts: Sequence[Count], row: Sequence[object]) -> bool:
    return any(_whole(row[count.got]) for count in counts)


def _positive(value: object) -> bool:
    return value is not None and value > 0  # type: ignore[operator]


def _whole(value: object) -> int:
    return int(value) if value is not None else 0  # type: ignore[call-overload]
