"""Step 2c: all parts together beside the part that is asked (`whole`), and the figures of parts of which one is the greatest (`top`).

A part of a dimension of the rows carries the reports of its node, so the whole has the reports of any one of them; parts
by an attribute of units have their own, which add up. The greatest part is found after months and units were summed: the
largest supplier of a year and a city is not the largest one of each month and unit. Rows that name no part are in the
whole, and never the greatest.
"""

from __future__ import annotations

from metrics.formula import WHOLE
from metrics.model import UNIT_DIMS
from metrics.plan import WHOLE_CELLS, Plan, cell_columns, parts_of, top_cells
from metrics.read_cells import unit_part, with_places
from metrics.tables import literal, quoted


def read_parts(plan: Plan) -> Plan:
    """Lay out what the parts of a node are held against, where a formula reads it."""
    read = {view.over for view in plan.views}
    if WHOLE in read and plan.shape.dim:
        plan = plan.with_cte(WHOLE_CELLS, "figures of all parts together, beside each part", _whole(plan))
    for dim in sorted(read - {"", WHOLE}):
        plan = _tops(plan, dim)
    return plan


def _whole(plan: Plan) -> str:
    counts = "sum" if plan.shape.dim in UNIT_DIMS else "max"
    atoms = {o.atom for o in plan.operands}
    listed = "".join(
        f", {'sum' if column in atoms else counts}(c.{quoted(column)}) AS {quoted(column)}"
        for column in cell_columns(plan)
    )
    named = ", ".join(f"c.{quoted(key)}" for key in plan.keys if key != "part")
    return (
        f"SELECT {named}, p.part, c.month_no{listed}\n"
        f"FROM {plan.cells} c JOIN (SELECT DISTINCT node, part FROM {plan.cells}) p ON p.node = c.node\n"
        f"GROUP BY {named}, p.part, c.month_no"
    )


def _tops(plan: Plan, dim: str) -> Plan:
    if not any(cte.name == "places" for cte in plan.ctes):
        plan = with_places(plan)
    atoms = sorted({o.atom for o in plan.operands if o.over == dim})
    keys = ", ".join(quoted(key) for key in plan.keys)
    sums = "".join(f", sum({quoted(atom)}) AS {quoted(atom)}" for atom in atoms)
    rows = "\nUNION ALL BY NAME\n".join(_rows(plan, dim, table, atoms) for table in _tables(plan, atoms))
    plan = plan.with_cte(
        parts_of(dim),
        f"figures by {dim}, of which the greatest is wanted",
        f"SELECT {keys}, thing, month_no{sums} FROM (\n{rows}\n)\nWHERE thing IS NOT NULL GROUP BY {keys}, thing, month_no",
    )
    if not plan.single:
        return plan
    tops = "".join(f", max({quoted(atom)}) AS {quoted(atom)}" for atom in atoms)
    sql = f"SELECT {keys}, month_no{tops} FROM {quoted(parts_of(dim))} GROUP BY {keys}, month_no"
    return plan.with_cte(top_cells(dim), "the greatest of each month", sql)


def _tables(plan: Plan, atoms: list[str]) -> list[str]:
    return sorted({table for atom in atoms for table in plan.layout.atoms[atom].tables})


def _rows(plan: Plan, dim: str, table: str, atoms: list[str]) -> str:
    """Return the figures of one table by unit changes, as they were known."""
    where = plan.shape.where
    split = plan.shape.dim is not None and plan.shape.dim not in UNIT_DIMS
    part = f", u.{quoted(str(plan.shape.dim))} AS part" if split else unit_part(plan)
    held = [atom for atom in atoms if table in plan.layout.atoms[atom].tables]
    sums = "".join(f", sum(u.{quoted(atom)}) AS {quoted(atom)}" for atom in held)
    kept = f" AND ({where.rows})" if where and where.row_dims else ""
    return (
        f"SELECT p.node{part}, u.{quoted(dim)} AS thing, u.month_no{sums} FROM places p JOIN {quoted('leaf_' + table)} u "
        "ON u.unit = p.unit AND u.month_no >= p.from_m AND u.month_no < p.to_m "
        f"WHERE p.theme = {literal(plan.layout.themes[table])} AND u.month_no >= $lo AND u.month_no < $hi "
        f"AND u.batch_seq <= $seq{kept} GROUP BY ALL"
    )
