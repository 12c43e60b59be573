"""Contracts grow: a column that a contract gained later is blank in every row that was stored before it."""

from __future__ import annotations

from warehouse.contracts import Contract


def with_columns(rows: str, contract: Contract) -> str:
    """SQL of stored rows with all columns the contract has today."""
    blank = ", ".join(f'CAST(NULL AS {column.sql_type}) AS "{column.name}"' for column in contract.columns)
    return f"SELECT * FROM ({rows}) UNION ALL BY NAME SELECT {blank} WHERE FALSE"
