"""What changed between two moments of knowledge, and which batches moved it.

For a figure that is a sum, each batch in between carries its part of the difference and the parts add up to it exactly.
For a ratio the batches that touched its numerator or denominator are named, with what each moved on both sides.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from metrics.drill import Read, reads_of
from metrics.editions import in_force
from metrics.evaluate import evaluate
from metrics.formula import parse_formula
from metrics.knowledge import Known, knowledge
from metrics.model import Answer, Catalogue, Figure, Indicator, Query
from metrics.parted import Parts, parts_of
from metrics.question import elapsed_month
from metrics.tables import quoted
from warehouse.base.errors import QueryError
from warehouse.base.money import exact
from warehouse.base.periods import Grain, Period, Window, windows
from warehouse.base.scope import Scope
from warehouse.store import Generation, State


@dataclass(frozen=True)
class Moved:
    """One batch and what it moved, in base units."""

    batch_seq: int
    file_name: str
    numerator: Decimal
    denominator: Decimal | None
    withdraws: int | None = None
    """The batch it takes back; its file then names what was withdrawn."""
    is_tree: bool = False
    """A batch of the organisation register."""


@dataclass(frozen=True)
class Difference:
    """One figure at two moments of knowledge."""

    old: Answer
    new: Answer
    batches: tuple[Moved, ...]
    parts: Parts | None = None
    """How much of the change comes from definitions, data and tree."""

    @property
    def change(self) -> Figure | None:
        """New minus old, when both have a value in one unit."""
        if self.old.value is None or self.new.value is None or self.old.unit != self.new.unit:
            return None
        if isinstance(self.new.value, float) or isinstance(self.old.value, float):
            return float(self.new.value) - float(self.old.value)
        return self.new.value - self.old.value

    @property
    def is_change(self) -> bool:
        """Tell whether anything a reader sees differs."""
        shown = ("value", "numerator", "denominator", "status", "due", "got")
        return any(getattr(self.old, name) != getattr(self.new, name) for name in shown)

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing; exact figures as strings."""
        return {
            "indicator": self.new.indicator,
            "node": self.new.node,
            "period": self.new.period,
            "grain": self.new.grain,
            "unit": self.new.unit,
            "old": _plain(self.old.value),
            "new": _plain(self.new.value),
            "change": _plain(self.change),
            "old_status": self.old.status,
            "new_status": self.new.status,
            "from_definitions": _plain(self.parts.definitions) if self.parts else None,
            "from_data": _plain(self.parts.data) if self.parts else None,
            "from_tree": _plain(self.parts.tree) if self.parts else None,
            "old_fingerprint": self.old.fingerprint,
            "new_fingerprint": self.new.fingerprint,
            "batches": [
                {
                    "batch_seq": moved.batch_seq,
                    "file": moved.file_name,
                    "withdraws": moved.withdraws,
                    "numerator": exact(moved.numerator),
                    "denominator": None if moved.denominator is None else exact(moved.denominator),
                }
                for moved in self.batches
            ],
        }


def _plain(value: Figure | None) -> str | float | None:
    if value is None or isinstance(value, float):
        return value
    return exact(value)


def difference(
    generation: Generation,
    catalogue: Catalogue,
    *,
    indicators: Sequence[str],
    nodes: Sequence[str],
    period_from: str,
    period_to: str,
    grain: Grain,
    from_time: dt.datetime | None,
    to_time: dt.datetime | None,
    scope: Scope,
    actor: str,
    changed_only: bool = False,
    state: State | None = None,
) -> tuple[Difference, ...]:
    """Compare the answers at two moments, each as it was seen then, and tell what moved them.

    Definitions that changed in between are a part of the difference of their own: what the batches moved is told by the
    definitions of the later moment, on both sides.
    """
    if from_time is None or (to_time is not None and to_time < from_time):
        raise QueryError("The earlier moment must come first.", "give --from before --to")
    generation = generation.seen(state)
    before = Query(
        indicators=tuple(indicators),
        nodes=tuple(nodes),
        period_from=period_from,
        period_to=period_to,
        grain=grain,
        scope=scope,
        actor=actor,
        known_at=from_time,
        state=state,
    )
    after = replace(before, known_at=to_time)
    later = replace(in_force(generation, catalogue, to_time), fitted=generation.meta.get("catalogue", ""))
    seen, restated = evaluate(generation, catalogue, before), evaluate(generation, later, before)
    finder = _Finder(generation, later, before, after)
    found = tuple(
        finder.difference(*answers) for answers in zip(seen, restated, evaluate(generation, later, after), strict=True)
    )
    return tuple(item for item in found if item.is_change) if changed_only else found


class _Finder:
    """Finds what each batch between two moments moved."""

    def __init__(self, generation: Generation, catalogue: Catalogue, before: Query, after: Query) -> None:
        self.generation = generation
        self.catalogue = catalogue
        self.known: Known = knowledge(generation)
        self.first, self.last = generation.batch_at(before.known_at), generation.batch_at(after.known_at)
        self.elapsed = tuple(elapsed_month(generation, self.known, query) for query in (before, after))
        self.windows = dict(_windows(after, generation.fiscal_start))
        rows = generation.con.execute("SELECT batch_seq, file_name, withdraws, dataset FROM batch").fetchall()
        self.files = {seq: (name or "", withdraws) for seq, name, withdraws, _ in rows}
        self.trees = {seq for seq, _, _, dataset in rows if dataset == "org_unit"}

    def difference(self, old: Answer, restated: Answer, new: Answer) -> Difference:
        """Return one figure at two moments with the batches and the parts of its change."""
        batches = self.batches(new)
        scale = self._definition(new).scale if new.indicator in self.catalogue.indicators else 0
        return Difference(old, new, batches, parts_of(old, restated, new, batches, scale))

    def _definition(self, answer: Answer) -> Indicator:
        """Return the version that gave an answer."""
        versions = self.catalogue.indicators[answer.indicator].versions
        return next((one for one in versions if one.fingerprint == answer.fingerprint), versions[-1])

    def batches(self, new: Answer) -> tuple[Moved, ...]:
        """Return the batches that moved a figure, oldest first: what each gives the new one less what it gave the old."""
        if new.status == "forbidden" or new.indicator not in self.catalogue.indicators:
            return ()
        formula = parse_formula(self._definition(new).value)
        if any(operand.is_top for operand in formula.operands):
            return ()  # which part is the greatest is told by all batches together
        sides: dict[str, dict[int, Decimal]] = {"numerator": defaultdict(Decimal), "denominator": defaultdict(Decimal)}
        for sign, seq, elapsed in ((1, self.last, self.elapsed[1]), (-1, self.first, self.elapsed[0])):
            window = self.windows[new.period]
            window = Window(window.label, window.from_m, min(window.to_m, elapsed))
            for read in reads_of(formula, window, self.generation.fiscal_start) if window.months > 0 else ():
                for batch, moved in self._moved(read, new.node, seq):
                    sides[read.side][batch] += sign * read.weight * moved
        above, below = sides["numerator"], sides["denominator"]
        return tuple(
            Moved(seq, self.files[seq][0], above.get(seq, Decimal(0)),
                  None if formula.denominator is None else below.get(seq, Decimal(0)), self.files[seq][1], seq in self.trees)
            for seq in sorted({*above, *below})
            if above.get(seq) or below.get(seq)
        )  # fmt: skip

    def _moved(self, read: Read, node: str, seq: int) -> list[tuple[int, Decimal]]:
        """Return what each batch up to `seq` gives one operand."""
        laid = self.known.layout.atoms.get(read.operand.atom)
        found: list[tuple[int, Decimal]] = []
        for table in laid.tables if laid else ():
            found += self.generation.con.execute(
                f"SELECT batch_seq, sum({quoted(read.operand.atom)}) FROM {quoted('node_' + table)} "
                "WHERE node = $node AND month_no >= $from AND month_no < $to AND batch_seq <= $seq GROUP BY batch_seq",
                {"node": node, "from": read.from_m, "to": read.to_m, "seq": seq},
            ).fetchall()
        return [(batch, Decimal(str(value))) for batch, value in found if value is not None]


def _windows(query: Query, fiscal_start: int) -> list[tuple[str, Window]]:
    start, end = Period.parse(query.period_from, fiscal_start), Period.parse(query.period_to, fiscal_start)
    return [(w.label, w) for w in windows(query.grain, start.from_m, end.to_m, fiscal_start)]
