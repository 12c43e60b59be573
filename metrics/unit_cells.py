"""Figures, reports and duties of each unit below a node: what every statement reads, before it is summed to the node.

The steps are those of every answer, stopped before units are put together; so whoever lists units (who is missing, who
came in under another tree) lists exactly what the answer was made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from metrics.compiler import Compiled, write
from metrics.filters import Filter
from metrics.plan import Ask, Layout, Plan, Shape, sources, tables, themes
from metrics.read_cells import read_cells
from metrics.tables import quoted


def unit_cells(asks: Sequence[Ask], layout: Layout, *, as_of: bool = False, where: Filter | None = None) -> Compiled:
    """Return the statement of one row per unit and month below `$nodes` in months `[$lo, $hi)`.

    Columns: unit, month_no, `got_<source>`, `due_<theme>` and `<atom>@<table>` of everything the formulas read.
    """
    shape = Shape(tuple(asks), "leaf", windows="many", one_node=True, as_of=as_of, where=where, panel=True)
    plan = read_cells(Plan(shape, layout))
    columns = ("unit", "month_no", *(f"got_{s}" for s in sources(plan)), *(f"due_{t}" for t in themes(plan)))
    columns += tuple(f"{atom}@{table}" for table, atoms in tables(plan).items() for atom in atoms)
    steps = tuple(step for step in plan.ctes if step.name != "cells")
    final = f"SELECT {', '.join(quoted(c) for c in columns)} FROM folded"
    return write(replace(plan, ctes=steps, columns=columns, final=final))
