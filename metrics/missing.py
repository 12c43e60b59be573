"""Late data: which unit still owes which report an answer needs, since when.

An answer counts what is due and what came (`due`, `got`); this names the difference, read by the steps of the answer
itself stopped before units are summed. What a change needs of the year before is named too, with its month.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metrics.calibers import of_caliber
from metrics.editions import in_force
from metrics.filters import Filter
from metrics.formula import MONTHS, View, formula_at, seen_window
from metrics.knowledge import Known, knowledge
from metrics.model import Catalogue, Indicator, Query
from metrics.plan import Ask, Layout, reports_of
from metrics.prepared import is_laid
from metrics.question import Question, moment_of, read_question
from metrics.status import Count, lacks
from metrics.unit_cells import unit_cells
from warehouse import report_periods
from warehouse.base.periods import Window, fiscal_shift, month_label
from warehouse.store import Generation


@dataclass(frozen=True)
class Gap:
    """One report that did not come: the source it is counted by, the unit that owes it, the month."""

    source: str
    theme: str
    unit: str
    month: int


@dataclass(frozen=True)
class Missing:
    """A report an answer needs and does not have; a register that is not handed in monthly is told as one span."""

    node: str
    dataset: str
    title: Mapping[str, str]
    unit: str
    unit_name: str
    period: str
    due_on: dt.date | None
    """None: the source has no day by which it is due."""
    days_late: int | None
    """0 while there is still time; None without a day."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return {
            "node": self.node, "dataset": self.dataset, "source": self.title["zh"], "source_en": self.title["en"],
            "unit": self.unit, "unit_name": self.unit_name, "period": self.period,
            "due_on": self.due_on.isoformat() if self.due_on else None, "days_late": self.days_late,
        }  # fmt: skip


def missing_reports(generation: Generation, catalogue: Catalogue, query: Query) -> tuple[Missing, ...]:
    """Return every report that the answers to a query lack, the latest first; each once, whatever many figures need it."""
    generation = generation.seen(query.state)
    catalogue = of_caliber(in_force(generation, catalogue, query.known_at), query.caliber, query.grain)
    known = knowledge(generation)
    question = read_question(generation, catalogue, query, known)
    moment = moment_of(generation, known, query)
    found: list[Missing] = []
    for node in query.nodes:
        needed, asks = _needed(question, known, node)
        if asks and moment is not None:
            gaps = _wanted(generation, question, known, node, asks, needed)
            found += _told(generation, catalogue, question, known, node, gaps, moment.date())
    return tuple(sorted(found, key=_by_delay))


def gaps_below(generation: Generation, layout: Layout, asks: Sequence[Ask], node: str, months: Window, seq: int, *,
               tree_month: int | None = None, where: Filter | None = None) -> list[Gap]:  # fmt: skip
    """Return the reports that units below a node owe in some months and that had not come at a batch."""
    compiled = unit_cells(asks, layout, as_of=tree_month is not None, where=where)
    every: dict[str, object] = {
        "nodes": node, "lo": months.from_m, "hi": months.to_m, "seq": seq, "tree_month": tree_month,
        **(where.parameters if where else {}),
    }  # fmt: skip
    given = {name: value for name, value in every.items() if name in compiled.parameters}
    place = compiled.place
    counts = [
        (name[4:], layout.themes[name[4:]], Count(place[f"due_{layout.themes[name[4:]]}"], place[name], View()))
        for name in compiled.columns
        if name.startswith("got_")
    ]
    return sorted(
        (
            Gap(source, theme, row[0], row[1])
            for row in generation.con.execute(compiled.sql, given).fetchall()
            for source, theme, count in counts
            if lacks(count, row)
        ),
        key=lambda gap: (gap.source, gap.unit, gap.month),
    )


Needed = Mapping[str, set[int]]


def _needed(question: Question, known: Known, node: str) -> tuple[Needed, tuple[Ask, ...]]:
    """Return the months each source is needed in, and the formulas that read them, as far as the viewer may see."""
    needed: dict[str, set[int]] = defaultdict(set)
    asks: dict[str, Ask] = {}
    for window in question.windows:
        elapsed = question.elapsed_part(window)
        seen = known.register.visible(node, window.from_m, window.to_m, question.seq, question.query.scope)
        for indicator in question.indicators if seen and elapsed.months > 0 else ():
            version = question.version(indicator, window)
            if not question.query.scope.allows_theme(version.theme) or not is_laid(version, known.layout):
                continue
            for source, months in _months_of(version, question, elapsed, known.layout):
                needed[source].update(months)
            asks[version.id] = Ask(version.id, formula_at(version.value, question.query.grain), version.scale)
    return needed, tuple(asks.values())


def _months_of(version: Indicator, question: Question, elapsed: Window, layout: Layout) -> Iterable[tuple[str, range]]:
    for operand in formula_at(version.value, question.query.grain).operands:
        if operand.atom == MONTHS or operand.above:
            continue
        read = seen_window(elapsed, operand.view, question.fiscal_start)
        for report in reports_of(operand, layout):
            yield report.source, range(read.to_m - 1 if report.how == "last" else read.from_m, read.to_m)


def _wanted(generation: Generation, question: Question, known: Known, node: str, asks: Sequence[Ask],
            needed: Needed) -> list[Gap]:  # fmt: skip
    months = {month for each in needed.values() for month in each if known.layout.first <= month < known.layout.end}
    if not months:
        return []
    span = Window("", min(months), max(months) + 1)
    found = gaps_below(generation, known.layout, asks, node, span, question.seq,
                       tree_month=question.tree_month, where=question.where)  # fmt: skip
    return [gap for gap in found if gap.month in needed.get(gap.source, ())]


def _told(generation: Generation, catalogue: Catalogue, question: Question, known: Known, node: str, gaps: Iterable[Gap],
          today: dt.date) -> list[Missing]:  # fmt: skip
    """Return the gaps by dataset: reports of a month one by one, what stands for longer as one span."""
    found: dict[tuple[str, str, int], set[int]] = defaultdict(set)
    scope, register = question.query.scope, known.register
    for gap in gaps:
        if register.visible(gap.unit, gap.month, gap.month + 1, question.seq, scope):
            dataset = catalogue.sources[gap.source].of
            contract = generation.contracts[dataset]
            report = report_periods.first_month(contract, gap.month) if contract.due_day is not None else 0
            found[dataset, gap.unit, report].add(gap.month)
    told = []
    for (dataset, unit, _), months in found.items():
        contract = generation.contracts[dataset]
        first, last = min(months), max(months)
        ahead = fiscal_shift(question.fiscal_start)
        due_on = report_periods.due_on(contract, last, ahead) if report_periods.has_due_day(contract) else None
        if contract.due_day is not None:
            period = report_periods.label_of(contract, first)
        else:
            period = month_label(first) if first == last else f"{month_label(first)}..{month_label(last)}"
        name = register.name(unit, last, question.seq)
        late = None if due_on is None else max((today - due_on).days, 0)
        told.append(Missing(node, dataset, contract.title, unit, name, period, due_on, late))
    return told


def _by_delay(one: Missing) -> tuple[int, str, str, str]:
    return -(-1 if one.days_late is None else one.days_late), one.dataset, one.period, one.unit
