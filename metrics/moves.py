"""What one batch moved: every figure just before and just after it, for the whole board and for each unit.

Both sides are asked of the same moment and differ by the batch alone, so batches recorded at one moment are told apart.
For additive figures the moves of the units add up to the move of the board.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from metrics.cubes import OWN
from metrics.diff import Difference
from metrics.evaluate import evaluate
from metrics.knowledge import knowledge
from metrics.model import Answer, Catalogue, Indicator, Query
from metrics.question import CHILDREN
from metrics.tables import quoted
from warehouse.base.errors import QueryError
from warehouse.base.periods import Grain, fiscal_year, month_label
from warehouse.base.scope import Scope
from warehouse.store import Generation, State

SUBMISSION = "submission"
"""The dataset of decisions on submissions."""
DUE = "due"
"""The node table of reports that are owed; a register moves it without moving a figure."""
Place = Literal["board", "unit", "own"]


@dataclass(frozen=True)
class Move:
    """A figure before and after a batch; `own` is what a unit with units below it reported itself."""

    place: Place
    figure: Difference

    @property
    def size(self) -> float:
        """How far the figure moved, whichever way."""
        return abs(float(self.figure.change or 0))

    @property
    def share(self) -> float:
        """How far it moved against what it was: comparable between indicators."""
        largest = max(abs(float(side.value or 0)) for side in (self.figure.old, self.figure.new))
        return self.size / largest if largest else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing; exact figures as strings."""
        told = self.figure.as_json()
        del told["batches"]
        return {"place": self.place, **told, "node_name": self.figure.new.node_name}


@dataclass(frozen=True)
class Span:
    """The periods a batch is looked at in."""

    period_from: str
    period_to: str
    grain: Grain


def moves(
    generation: Generation, catalogue: Catalogue, batch_seq: int, *, scope: Scope, actor: str,
    indicators: Sequence[str] = (), span: Span | None = None, state: State | None = None,
) -> tuple[Move, ...]:  # fmt: skip
    """Return what a batch moved: indicators by their largest relative move, the board first, then units by size."""
    generation = generation.seen(state or state_of(generation, batch_seq))
    moment = recorded(generation, batch_seq)
    touched = touched_tables(generation, batch_seq)
    span = span or span_of(generation, touched)
    asked = tuple(indicators) or tuple(i.id for i in catalogue.written if _reads(generation, i, touched))
    if span is None or not asked:
        return ()
    query = Query(
        indicators=asked, nodes=(), period_from=span.period_from, period_to=span.period_to, grain=span.grain,
        scope=scope, actor=actor, known_at=moment, state=generation.state,
    )  # fmt: skip
    found: list[Move] = []
    for place, nodes in _places(generation, touched, batch_seq):
        found += _moved(generation, catalogue, replace(query, nodes=nodes), batch_seq, place)
    return tuple(_ranked(found))


def state_of(generation: Generation, batch_seq: int) -> State:
    """Return the state of the figures a batch moves: a decision moves what stands reviewed, a load what is reported."""
    row = generation.con.execute("SELECT dataset FROM batch WHERE batch_seq = $seq", {"seq": batch_seq}).fetchone()
    return "reviewed" if row and row[0] == SUBMISSION else "reported"


def recorded(generation: Generation, batch_seq: int) -> dt.datetime:
    """Return when a batch was recorded; a batch that is not there is refused."""
    moment = generation.recorded_at(batch_seq)
    if moment is None or not 1 <= batch_seq <= generation.through_seq:
        raise QueryError(
            f"没有批次 {batch_seq}。 There is no batch {batch_seq}.",
            f"现有批次 1 至 {generation.through_seq} · the batches are 1 to {generation.through_seq}: cockpit batches",
        )
    return moment


def touched_tables(generation: Generation, batch_seq: int) -> dict[str, tuple[int, int]]:
    """Return the node tables a batch moved, each with its first and last month."""
    atoms = knowledge(generation).layout
    names = {table for laid in atoms.atoms.values() for table in (*laid.tables, *laid.sources)}
    found = {}
    for name in sorted({*names, DUE}):
        low, high = generation.con.execute(
            f"SELECT min(month_no), max(month_no) FROM {quoted('node_' + name)} WHERE batch_seq = $seq",
            {"seq": batch_seq},
        ).fetchone() or (None, None)
        if low is not None:
            found[name] = (low, high)
    return found


def span_of(generation: Generation, touched: Mapping[str, tuple[int, int]]) -> Span | None:
    """Return the months of the touched tables, as far as data reach: one month as such, more as whole years."""
    months = dict(touched)
    if len(months) > 1:
        months.pop(DUE, None)
    last = int(generation.meta.get("last_month") or 0)
    if not months or not last:
        return None
    first, end = min(low for low, _ in months.values()), max(high for _, high in months.values())
    low, high = min(first, last), min(end, last)
    if low == high:
        return Span(month_label(low), month_label(low), "month")
    first_year, last_year = (fiscal_year(month, generation.fiscal_start) for month in (low, high))
    return Span(str(first_year), str(last_year), "year")


def _reads(generation: Generation, indicator: Indicator, touched: Iterable[str]) -> bool:
    names, layout = set(touched), knowledge(generation).layout
    if not all(atom in layout.atoms for atom in indicator.atoms):
        return False
    laid = [layout.atoms[atom] for atom in indicator.atoms]
    return DUE in names or any(names & {*one.tables, *one.sources} for one in laid)


def _places(generation: Generation, touched: Iterable[str], batch_seq: int) -> list[tuple[Place, tuple[str, ...]]]:
    """Return the roots, the units without units below them, and the parents whose own figures moved."""
    register = knowledge(generation).register
    roots = register.roots(batch_seq) or register.roots(batch_seq - 1)
    nodes: set[str] = set()
    for name in touched:
        rows = generation.con.execute(
            f"SELECT DISTINCT node FROM {quoted('node_' + name)} WHERE batch_seq = $seq", {"seq": batch_seq}
        ).fetchall()
        nodes |= {row[0] for row in rows}
    above = {row[0] for row in generation.con.execute("SELECT DISTINCT anc FROM closure WHERE depth > 0").fetchall()}
    units = sorted(node for node in nodes - above if not node.endswith(OWN))
    own = sorted(node.removesuffix(OWN) for node in nodes if node.endswith(OWN))
    places: list[tuple[Place, tuple[str, ...]]] = [("board", roots), ("unit", tuple(units)), ("own", tuple(own))]
    return [(place, chosen) for place, chosen in places if chosen]


def _moved(generation: Generation, catalogue: Catalogue, query: Query, batch_seq: int, place: Place) -> list[Move]:
    asked = replace(query, by=CHILDREN) if place == "own" else query
    sides = [
        {(a.indicator, a.node, a.period): a for a in evaluate(side, catalogue, asked) if place != "own" or a.node in query.nodes}
        for side in (generation.as_known_at(batch_seq - 1), generation.as_known_at(batch_seq))
    ]  # fmt: skip
    old, new = sides
    pairs = ((old.get(key) or _nothing(new[key]), new.get(key) or _nothing(old[key])) for key in {**old, **new})
    found = (Difference(before, after, ()) for before, after in pairs)
    return [
        Move(place, item) for item in found if item.is_change and "forbidden" not in (item.old.status, item.new.status)
    ]


def _nothing(answer: Answer) -> Answer:
    """A parent's own figures are a row only where there are some."""
    return replace(answer, value=None, numerator=None, denominator=None, due=0, got=0, status="not_reported")


def _ranked(found: Sequence[Move]) -> list[Move]:
    shares: dict[str, float] = {}
    for move in found:
        name = move.figure.new.indicator
        shares[name] = max(shares.get(name, 0.0), move.share)
    return sorted(
        found,
        key=lambda move: (
            -shares[move.figure.new.indicator], move.figure.new.indicator, move.place != "board", -move.size,
            move.figure.new.node, move.figure.new.period,
        ),
    )  # fmt: skip
