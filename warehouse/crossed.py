"""Staged rows that were columns of a crosstab: under which heading each stood, so that a fault names its cell."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from warehouse.base.sql import quote
from warehouse.mapping import Mapped


def filled(sheet: Mapped) -> frozenset[str]:
    """Return the columns of the contract that unfolding fills."""
    return sheet.crosstab.fills if sheet.crosstab else frozenset()


def write_crossed(con: duckdb.DuckDBPyConnection, sheets: Sequence[Mapped]) -> None:
    """Write temp table `crossed`: sheet, part of the line, column of the contract, and the name with the heading."""
    rows = [
        (number, at, column, name)
        for number, sheet in enumerate(sheets)
        for at, part in enumerate(sheet.crosstab.parts if sheet.crosstab else ())
        for column, name in part.figures.items()
    ]
    con.execute("CREATE OR REPLACE TEMP TABLE crossed (sheet_no INTEGER, part TINYINT, measure VARCHAR, name VARCHAR)")
    if rows:
        con.executemany("INSERT INTO crossed VALUES (?, ?, ?, ?)", rows)


def crossed_name(column: str) -> str:
    """SQL of the name a fault of a staged row `s` has: that of its cell in a crosstab, else the column's own.

    A fault of the row as a whole is one of the period it is of.
    """
    own = f"c.measure = {quote(column)}" if column else "TRUE"
    return (
        f"coalesce((SELECT min(c.name) FROM crossed c WHERE c.sheet_no = s.sheet_no AND c.part = s.part AND {own}), "
        f"{quote(column)})"
    )
