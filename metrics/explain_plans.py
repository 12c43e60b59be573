"""How a plan by month came about: the version in force, what it was split by, each step of the rounding, and who has none.

The months themselves are answers of `evaluate`; beside them stands what a split made anew gives, so that a difference
between the two would be seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from metrics.evaluate import evaluate
from metrics.knowledge import knowledge
from metrics.lay_plans import by_plan, lay_all, plan_sources, read_versions
from metrics.model import Answer, Catalogue, Indicator, Query, Source
from metrics.plans import Laid, Share, Version, in_force
from metrics.tables import literal
from warehouse.base.errors import QueryError, suggest
from warehouse.base.periods import Grain, Period, month_label, month_start
from warehouse.base.scope import Scope
from warehouse.store import Generation


@dataclass(frozen=True)
class Month:
    """One month of a plan: what is answered, and the step of the split it comes from, of a node with a plan of its own."""

    month: int
    answer: Answer
    share: Share | None = None

    @property
    def is_reproduced(self) -> bool | None:
        """Tell whether the split made anew gives the figure answered; None where there is nothing to compare."""
        figure = self.answer.numerator if self.answer.numerator is not None else self.answer.value
        if self.share is None or figure is None:
            return None
        return Decimal(str(figure)) == self.share.amount


@dataclass(frozen=True)
class Explained:
    """A plan of one node and year as known at a batch."""

    node: str
    own: Laid | None
    """The node's own plan, whose months those of the year are; None: the months are the sum of those below."""
    months: tuple[Month, ...]
    below: tuple[Laid, ...] = ()
    lacking: tuple[str, ...] = ()
    """Units below that should have a plan and have none."""


def planned_indicator(catalogue: Catalogue, name: str) -> tuple[Source, Indicator]:
    """Return the source and the indicator that give the plan of an indicator; names nobody plans raise with suggestions."""
    found: dict[str, tuple[Source, Indicator]] = {}
    for source in plan_sources(catalogue):
        planned = next((one for one in catalogue.indicators if source.where == f"indicator = {literal(one)}"), None)
        made = next((i for i in catalogue.written if i.kind == "sum" and i.sources == (source.name,)), None)
        if planned and made:
            found[planned] = found[made.id] = (source, made)
    if name not in found:
        near = suggest(name, found)
        hint = f"did you mean '{near[0]}'?" if near else f"planned are: {', '.join(sorted(found))}"
        raise QueryError(f"'{name}' has no plans by month.", hint)
    return found[name]


def explain(
    generation: Generation, catalogue: Catalogue, name: str, node: str, year: Period, now: dt.datetime
) -> Explained:
    """Reproduce each month of a plan as known at the generation's last batch, or the one it is pinned to."""
    source, indicator = planned_indicator(catalogue, name)
    planned = (source.where or "").partition("'")[2].rstrip("'")
    seq = generation.batch_at(None)
    months = answers(generation, catalogue, indicator, node, year, now)
    versions = read_versions(generation.con, f"indicator = {literal(planned)} AND from_m = {year.from_m}")
    standing = {unit: one for (unit, _, _), plan in by_plan(versions).items() if (one := in_force(plan, seq))}
    if node in standing:
        own = _laid(generation, catalogue, [standing[node]], seq)[0]
        shares = {share.month: share for share in own.months}
        return Explained(node, own, tuple(Month(month, answer, shares.get(month)) for month, answer in months))
    below = members(generation, source, node, year, seq)
    held = _laid(generation, catalogue, [standing[unit] for unit in below if unit in standing], seq)
    return Explained(
        node, None, tuple(Month(month, answer) for month, answer in months), tuple(held),
        tuple(unit for unit in below if unit not in standing),
    )  # fmt: skip


def _laid(generation: Generation, catalogue: Catalogue, versions: Sequence[Version], seq: int) -> list[Laid]:
    """Split versions as the build did; what was split later than the moment asked was not split yet."""
    laid = lay_all(replace(generation, pinned=None, past=None), catalogue, versions)
    return [
        one if one.inputs.seq <= seq else Laid(one.version, one.inputs, missing=("later",))
        for one in (laid[version] for version in versions)
    ]


def answers(
    generation: Generation,
    catalogue: Catalogue,
    indicator: Indicator,
    node: str,
    year: Period,
    now: dt.datetime,
    grain: Grain = "month",
) -> list[tuple[int, Answer]]:
    """Return the twelve months of a plan, or the year up to each (grain ytd), also those that have not come yet."""
    after = max(now, dt.datetime.combine(month_start(year.to_m), dt.time(), dt.UTC) + dt.timedelta(days=1))
    found = evaluate(generation, catalogue, Query(
        indicators=(indicator.id,), nodes=(node,), period_from=month_label(year.from_m), period_to=month_label(year.to_m - 1),
        grain=grain, scope=Scope.everything(), actor="local", now=after,
    ))  # fmt: skip
    return [(year.from_m + place, answer) for place, answer in enumerate(found)]


def members(generation: Generation, source: Source, node: str, year: Period, seq: int) -> tuple[str, ...]:
    """Return the units whose plans a node's plan is the sum of, in the order of their codes."""
    rows = generation.con.execute(
        """SELECT DISTINCT dsc FROM population WHERE theme = $theme AND anc = $node AND (owes OR depth = 0)
           AND from_m < $to_m AND $from_m < to_m AND rec_from <= $seq AND $seq < rec_to ORDER BY dsc""",
        {"theme": source.theme, "node": node, "from_m": year.from_m, "to_m": year.to_m, "seq": seq},
    ).fetchall()
    return tuple(row[0] for row in rows)


def name_of(generation: Generation, code: str, month: int, seq: int) -> str:
    """Return a unit's name in a month."""
    return knowledge(generation).register.name(code, month, seq)
