"""Contracts grow: a column that a contract gained later is blank in every row that was stored before it.

A key that was gained later is what its contract says a blank means, so that a row of before is found again by its key.
"""

from __future__ import annotations

from warehouse.base.sql import quote
from warehouse.contracts import Contract


def with_columns(rows: str, contract: Contract) -> str:
    """SQL of stored rows with all columns the contract has today."""
    blank = ", ".join(f'CAST(NULL AS {column.sql_type}) AS "{column.name}"' for column in contract.columns)
    text = f"SELECT * FROM ({rows}) UNION ALL BY NAME SELECT {blank} WHERE FALSE"
    gained = [c for c in contract.columns if c.is_key and c.type == "text" and c.default is not None]
    if not gained:
        return text
    known = ", ".join(f'coalesce("{c.name}", {quote(str(c.default))}) AS "{c.name}"' for c in gained)
    return f"SELECT * REPLACE ({known}) FROM ({text})"
