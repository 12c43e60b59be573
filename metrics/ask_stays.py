"""Step 1: who is asked when a node is split into its children."""

from __future__ import annotations

from metrics.plan import Plan


def ask_stays(plan: Plan) -> Plan:
    """Lay out which child hung under which parent in which months."""
    if not plan.shape.stays:
        return plan
    sql = (
        "SELECT unnest($parents) AS parent, unnest($children) AS child, "
        "unnest($stay_from) AS stay_from, unnest($stay_to) AS stay_to"
    )
    why = "children while they hung under their parent; the parent's own figures as one more"
    return plan.with_cte("stays", why, sql)
