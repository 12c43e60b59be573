"""Step 2c: the same units on both sides of a comparison (同口径), where it asks for that.

A unit is in the panel of a node and a window when it stood below the node and reported in every month that is read, now
and a year before. Who came, closed, moved between nodes or is missing a report stays out of both sides alike; a unit that
owed all of these reports and lacks one is counted as missing, so that the answer says how much of the whole it speaks for.
"""

from __future__ import annotations

from dataclasses import replace

from metrics.formula import Operand, View
from metrics.plan import Plan, cell_columns, themes
from metrics.tables import quoted

PANEL_CELLS = "panel_cells"


def same_panel(plan: Plan) -> Plan:
    """Keep only the cells of units that reported in every month read, one copy for each window."""
    if not plan.shape.panel:
        return plan
    keys = [f"c.{quoted(key)}" for key in plan.keys]
    plan = plan.with_cte("windows", "the months each window holds, and its base", _windows(plan))
    plan = plan.with_cte(
        "members",
        "units below each node in every month read: who owed all reports, and who handed all of them in",
        f"SELECT {', '.join(keys)}, c.unit, v.w, {_owed(plan)} AS owed, {_came(plan)} AS came\n"
        f"FROM cells c JOIN windows v ON c.month_no >= v.lo AND c.month_no < v.hi\n"
        f"GROUP BY {', '.join(keys)}, c.unit, v.w",
    )
    named = ", ".join(quoted(key) for key in plan.keys)
    plan = plan.with_cte(
        "panel",
        "how many units owed both sides, and how many of them are compared",
        f"SELECT {named}, w, count(CASE WHEN owed THEN 1 END) AS owed, count(CASE WHEN owed AND came THEN 1 END) AS came\n"
        f"FROM members GROUP BY {named}, w",
    )
    same = " AND ".join(
        f"c.{quoted(k)} {'IS NOT DISTINCT FROM' if k == 'part' else '='} m.{quoted(k)}" for k in (*plan.keys, "unit")
    )
    listed = ", ".join(f"m.{quoted(key)}" for key in plan.keys)
    sums = "".join(f", sum(c.{quoted(column)}) AS {quoted(column)}" for column in cell_columns(plan))
    plan = plan.with_cte(
        PANEL_CELLS,
        "figures of the units that are compared",
        f"SELECT {listed}, m.w, c.month_no{sums}\nFROM members m JOIN cells c ON {same} JOIN windows v ON v.w = m.w\n"
        f"WHERE m.came AND c.month_no >= v.lo AND c.month_no < v.hi GROUP BY {listed}, m.w, c.month_no",
    )
    return replace(plan, cells=PANEL_CELLS)


def _windows(plan: Plan) -> str:
    spans = sorted({view.span for view in plan.views})
    columns = ["unnest(range(len($ends)))::INTEGER AS w"]
    for span in spans:
        given = "" if span == "asked" else f"_{span}"
        columns += [f"unnest($firsts{given}) AS first{given}", f"unnest($ends{given}) AS last{given}"]
    bounds = [bounds_of(view) for view in plan.views]
    lo, hi = (", ".join(ends) for ends in zip(*bounds, strict=True))
    named = ", ".join(["w", *(column.rpartition(" AS ")[2] for column in columns[1:])])
    return f"SELECT {named}, least({lo}) AS lo, greatest({hi}) AS hi FROM (SELECT {', '.join(columns)})"


def bounds_of(view: View) -> tuple[str, str]:
    """Return the columns of `windows` between which a view reads."""
    given = "" if view.span == "asked" else f"_{view.span}"
    back = f" - {view.shift}" if view.shift else ""
    return f"first{given}{back}", f"last{given}{back}"


def _within(operand: Operand) -> tuple[str, str]:
    """Return the condition that a cell lies in what an operand reads, and how many months that are."""
    first, last = (f"v.{end}" for end in bounds_of(operand.view))
    if operand.how == "last":
        return f"c.month_no = {last} - 1", "1"
    return f"c.month_no >= {first} AND c.month_no < {last}", f"any_value({last} - ({first}))"


def _every(within: str, months: str, holds: str) -> str:
    return f"count(CASE WHEN {within} AND {holds} THEN 1 END) = {months}"


def _owed(plan: Plan) -> str:
    found = {
        _every(*_within(operand), f"c.{quoted('due_' + theme)} > 0")
        for operand in plan.operands
        for theme in themes(plan)
        if theme in {plan.layout.themes[s] for s in plan.layout.atoms[operand.atom].sources}
    }
    return " AND ".join(sorted(found))


def _came(plan: Plan) -> str:
    """A figure counted in cells needs every report it is made of; a sum over several books needs the one that is kept."""
    found = set()
    for operand in plan.operands:
        laid = plan.layout.atoms[operand.atom]
        if set(laid.tables) == set(laid.sources):
            found.add(_every(*_within(operand), f"c.{quoted(operand.atom)} IS NOT NULL"))
        else:
            found |= {_every(*_within(operand), f"c.{quoted('got_' + source)} > 0") for source in laid.sources}
    return " AND ".join(sorted(found))
