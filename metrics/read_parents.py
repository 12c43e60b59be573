"""Step 2b: the figures of the parent of each month beside those of the node, for shares of a parent."""

from __future__ import annotations

from metrics.plan import PARENT_CELLS, Plan, cell_columns, reads_parents
from metrics.tables import quoted


def read_parents(plan: Plan) -> Plan:
    """Lay the cells of a parent under the name of its child, in the months the child hung there."""
    if not reads_parents(plan):
        return plan
    columns = "".join(f", c.{quoted(column)}" for column in cell_columns(plan))
    why = "figures of the parent of that month, under the name of the child"
    if plan.shape.stays:
        met = "c.node = s.parent AND c.part = s.parent AND c.month_no >= s.stay_from AND c.month_no < s.stay_to"
        sql = (
            f"SELECT s.parent AS node, s.child AS part, c.month_no{columns}\nFROM stays s JOIN {plan.cells} c ON {met}\n"
            "WHERE s.child <> s.parent"
        )
        return plan.with_cte(PARENT_CELLS, why, sql)
    plan = plan.with_cte(
        "hangs",
        "the parent of each node, and in which months",
        "SELECT unnest($hang_child) AS child, unnest($hang_parent) AS parent, "
        "unnest($hang_from) AS hang_from, unnest($hang_to) AS hang_to",
    )
    part = ", c.part" if plan.shape.dim else ""
    met = "c.node = h.parent AND c.month_no >= h.hang_from AND c.month_no < h.hang_to"
    sql = f"SELECT h.child AS node{part}, c.month_no{columns}\nFROM hangs h JOIN {plan.cells} c ON {met}"
    return plan.with_cte(PARENT_CELLS, why, sql)
