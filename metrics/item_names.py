"""Names of budget items: as the reference table has them, else as the files wrote them."""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.store import Generation

WRITTEN_IN = (
    ("d_budget_execution", "item_code", "item_name"),
    ("d_payment", "item_code", "item_name"),
    ("d_expense_item", "code", "name"),
)
"""Where names of budget items stand; later tables win."""


def item_names(generation: Generation) -> Mapping[str, str]:
    """Return code → name."""
    found: dict[str, str] = {}
    for table, code, name in WRITTEN_IN:
        rows = generation.con.execute(
            f"SELECT {code}, any_value({name}) FROM {table} WHERE {name} IS NOT NULL GROUP BY {code}"
        ).fetchall()
        found |= dict(rows)
    return found
