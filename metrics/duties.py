"""Duties: the reports a month owes below a node, how many came, and who is missing.

The counts are those of every answer: the same statement, read by the same rule, asked for a node and for each unit
that owes below it. A unit that also gathers others is asked for its own report.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from metrics.compiler import Compiled
from metrics.formula import parse_formula
from metrics.knowledge import knowledge
from metrics.model import THEMES, Catalogue
from metrics.plan import Ask, Layout, Reading, Report, Shape
from metrics.prepared import keep_statement
from metrics.status import count_of, owed_and_came
from warehouse.contracts import Contract
from warehouse.report_periods import due_on, first_month
from warehouse.store import Generation
from warehouse.submissions import submission_status

LONGEST = 12
"""Months of the longest period one report covers."""
Standing = Literal["ok", "late", "not_due"]
Row = Sequence[Any]


@dataclass(frozen=True)
class Owed:
    """A dataset that is owed every month, and the source whose reports are counted for it."""

    dataset: str
    source: str
    theme: str
    contract: Contract
    atom: str
    """An atom that reads the source, so that its reports are counted."""


@dataclass(frozen=True)
class Duty:
    """How complete one dataset is for one month below one node."""

    dataset: str
    theme: str
    due: int
    got: int
    missing: tuple[str, ...]
    due_on: dt.date
    reviewed: int | None = None
    """How many of those that came are reviewed; None in a store that does not work with review."""
    waiting: tuple[str, ...] = ()
    """The units whose report came and is not reviewed: not yet, not as changed since, or returned."""

    def standing(self, today: dt.date) -> Standing:
        """Return whether all is there, something is late, or there is still time."""
        if self.got >= self.due:
            return "ok"
        return "not_due" if today <= self.due_on else "late"


def duties(generation: Generation, catalogue: Catalogue, node: str, month: int, seq: int) -> tuple[Duty, ...]:
    """Return the duties of a month below a node as known at a batch, by theme and dataset."""
    generation = generation.seen("reported")
    layout = knowledge(generation).layout
    owed = owed_reports(generation, catalogue, layout)
    units = _units_below(generation, node, month, seq)
    if not owed or not units:
        return ()
    reading: Reading = "now" if seq >= generation.through_seq else "then"
    compiled, rows = _ask(generation, layout, owed, reading, [node, *_own_nodes(units.values())], month, seq)
    found = [_duty(one, units.get(one.theme, {}), node, month, compiled, rows) for one in owed]
    if generation.has_review:
        found = _with_reviews(generation, layout, found, owed, units, month, seq)
    return tuple(duty for duty in found if duty.due)


def _with_reviews(generation: Generation, layout: Layout, found: Sequence[Duty], owed: Sequence[Owed],
                  units: Mapping[str, Mapping[str, str]], month: int, seq: int) -> list[Duty]:  # fmt: skip
    """Add to each duty how many of its reports stand reviewed as they came, and whose do not."""
    names = [one.dataset for one in owed]
    contracts = generation.contracts
    told = submission_status(generation.as_known_at(seq), from_m=month - LONGEST + 1, to_m=month + 1, datasets=names)
    handed_in = {
        (one.dataset, one.unit): one
        for one in told
        if one.state != "missing" and one.month == first_month(contracts[one.dataset], month)
    }
    late = {key for key, one in handed_in.items() if one.state == "returned" or one.restated or not one.counts}
    # who only has a part of a bill that was divided handed nothing in: the part is reviewed with the bill
    parts = {
        (duty.dataset, unit): own
        for duty in found
        for unit, own in units.get(duty.theme, {}).items()
        if unit not in duty.missing and (duty.dataset, unit) not in handed_in
    }
    if parts:
        late |= parts.keys() - _standing_reviewed(generation, layout, owed, parts, month, seq)
    return [_reviewed(duty, units.get(duty.theme, {}), late) for duty in found]


def _standing_reviewed(generation: Generation, layout: Layout, owed: Sequence[Owed], parts: Mapping[tuple[str, str], str],
                       month: int, seq: int) -> set[tuple[str, str]]:  # fmt: skip
    """Return those of (dataset, unit) → own node for which something stands in the reviewed view."""
    seen = generation.seen("reviewed")
    reading: Reading = "now" if seq >= seen.through_seq else "then"
    compiled, rows = _ask(seen, layout, owed, reading, sorted(set(parts.values())), month, seq)
    counts = {one.dataset: count_of(Report(one.source, one.theme, "sum"), compiled) for one in owed}
    return {
        (dataset, unit)
        for (dataset, unit), own in parts.items()
        if own in rows and owed_and_came(counts[dataset], rows[own])[1]
    }


def _reviewed(duty: Duty, units: Mapping[str, str], late: Collection[tuple[str, str]]) -> Duty:
    waiting = tuple(unit for unit in units if (duty.dataset, unit) in late and unit not in duty.missing)
    return replace(duty, reviewed=duty.got - len(waiting), waiting=waiting)


def owed_reports(generation: Generation, catalogue: Catalogue, layout: Layout) -> tuple[Owed, ...]:
    """Return the datasets of this generation that are owed every month; one of several sources stands for a dataset."""
    found: dict[str, Owed] = {}
    for source in sorted(layout.themes, key=lambda name: (name not in generation.contracts, name)):
        dataset = catalogue.sources[source].of if source in catalogue.sources else ""
        atom = next((name for name, laid in sorted(layout.atoms.items()) if source in laid.sources), None)
        contract = generation.contracts.get(dataset)
        if contract is None or contract.time_kind == "span" or contract.due_day is None or atom is None:
            continue
        found.setdefault(dataset, Owed(dataset, source, layout.themes[source], contract, atom))
    order = {theme: place for place, theme in enumerate(THEMES)}
    return tuple(sorted(found.values(), key=lambda owed: (order[owed.theme], owed.dataset)))


def _units_below(generation: Generation, node: str, month: int, seq: int) -> dict[str, dict[str, str]]:
    """Return theme → unit that owes → the node that stands for the unit's own report."""
    rows = generation.con.execute(
        """SELECT p.theme, p.dsc, max(own.anc)
           FROM population p JOIN population own ON own.theme = p.theme AND own.dsc = p.dsc AND own.depth = 0
           WHERE p.anc = $node AND (p.owes OR p.depth = 0) AND p.from_m <= $month AND $month < p.to_m
             AND p.rec_from <= $seq AND $seq < p.rec_to
           GROUP BY p.theme, p.dsc ORDER BY p.theme, p.dsc""",
        {"node": node, "month": month, "seq": seq},
    ).fetchall()
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for theme, unit, own in rows:
        found[theme][unit] = own
    return found


def _own_nodes(units: Iterable[Mapping[str, str]]) -> list[str]:
    return sorted({own for members in units for own in members.values()})


def _ask(generation: Generation, layout: Layout, owed: Sequence[Owed], reading: Reading, nodes: list[str], month: int,
         seq: int) -> tuple[Compiled, dict[str, Row]]:  # fmt: skip
    """Run the statement every answer runs, for one month; rows by node."""
    asks = tuple(Ask(one.source, parse_formula(one.atom), 0) for one in owed)
    shape = Shape(asks, reading, windows="months", one_node=False)
    statement = keep_statement(generation, layout, shape, tuple((one.source, one.atom) for one in owed))
    compiled = statement.compiled
    every = {"nodes": nodes, "first": month, "last": month + 1, "lo": month, "hi": month + 1, "seq": seq}
    given = {name: value for name, value in every.items() if name in compiled.parameters}
    rows = generation.con.execute(statement.parsed, given).fetchall()
    return compiled, {row[compiled.place["node"]]: row for row in rows}


def _duty(owed: Owed, units: Mapping[str, str], node: str, month: int, compiled: Compiled, rows: Mapping[str, Row]) -> Duty:  # fmt: skip
    count = count_of(Report(owed.source, owed.theme, "sum"), compiled)
    due, got = owed_and_came(count, rows[node]) if node in rows else (0, 0)
    absent = [unit for unit, own in units.items() if own not in rows or not owed_and_came(count, rows[own])[1]]
    return Duty(owed.dataset, owed.theme, due, got, tuple(absent), due_on(owed.contract, month))
