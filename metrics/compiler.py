"""From a question to one SQL statement, in visible steps. Fixed order of CTEs; every value is a parameter.

    stays      who is asked: children in the months they hung under their parent
    cells      figures per node and month as they were known: from node_now, node deltas or leaf deltas × the tree
    parents    figures of the parent of each month under the name of its child, where a formula reads them
    parts      figures of all parts together, or of each part of which the greatest is wanted, where a formula reads them
    panel      only units that reported on both sides, where a comparison asks for the same ones
    operands   what the formulas read, per node and window; earlier windows beside them
    sides      ratios that a change holds against each other, each divided once
    answers    ratios as one DOUBLE division of two exact sides, with nullif; exact sums as DECIMAL
    ranked     the order of the answers among peers, where a rank is asked

A month belongs to the windows `$member` lists for it, so that one mechanism serves every grain without a range join.
Where every window is one month the cells are the operands; where there is one window nothing is listed. These are the
shapes a person would write by hand, and they cost the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from metrics.ask_stays import ask_stays
from metrics.plan import Layout, Plan, Shape
from metrics.rank_peers import rank_peers
from metrics.read_cells import read_cells
from metrics.read_parents import read_parents
from metrics.read_parts import read_parts
from metrics.same_panel import same_panel
from metrics.sum_operands import sum_operands
from metrics.tables import quoted
from metrics.take_formulas import take_formulas

STEPS: tuple[Callable[[Plan], Plan], ...] = (
    ask_stays, read_cells, read_parents, read_parts, same_panel, sum_operands, take_formulas, rank_peers,
)  # fmt: skip
_PARAMETER = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Compiled:
    """A finished statement: its text, the columns it gives and the parameters it takes."""

    sql: str
    columns: tuple[str, ...]
    parameters: frozenset[str]
    place: Mapping[str, int] = field(default_factory=dict)


def compile_shape(shape: Shape, layout: Layout) -> Compiled:
    """Run every step and write the statement."""
    plan = Plan(shape, layout)
    for step in STEPS:
        plan = step(plan)
    return write(plan)


def write(plan: Plan) -> Compiled:
    """Return the text: CTEs in order, a comment above each."""
    steps = ",\n".join(f"-- {cte.why}\n{quoted(cte.name)} AS (\n{cte.sql.strip()}\n)" for cte in plan.ctes)
    text = (f"WITH\n{steps}\n" if steps else "") + plan.final
    place = {name: i for i, name in enumerate(plan.columns)}
    return Compiled(text, plan.columns, frozenset(_PARAMETER.findall(text)), place)
