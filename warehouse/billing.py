"""Bills that stand for other months than the one they were handed in for, spread when a generation is built.

A water bill comes every second month, heat once a season: a row that says from which day to which day it was billed,
or which heating season it is for (`warehouse.seasons`), becomes one row a month, each with its part by days. Parts are cut at the last digit the column keeps, so that they
add up to the bill exactly. All parts keep the id and the place of their row: a drill over the months shows one bill.
A card that was filled (充值) is money moved, not something used: the row stays in sight, its measures say nothing.
"""

from __future__ import annotations

import duckdb

from warehouse.contracts import Contract
from warehouse.seasons import fill_seasons

TOPUP = "topup"
"""The note on a row whose measures were left out because a card was filled, not used."""


def spread_bills(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Rewrite `d_<dataset>` by the billing rule of its contract; rows it does not touch stay as they are."""
    rule = contract.billing
    if rule is None:
        return
    if rule.topup:
        blanks = ", ".join(f'"{name}" = NULL' for name in rule.measures)
        con.execute(
            f"UPDATE d_{contract.name} SET {blanks}, note = concat_ws(';', note, '{TOPUP}') WHERE \"{rule.topup}\""
        )
    fill_seasons(con, contract, rule)
    if rule.start and rule.end:
        con.execute(_spread(contract, rule.start, rule.end))
        con.execute(f"DELETE FROM d_{contract.name} WHERE {_billed(rule.start, rule.end)} AND NOT part_of_bill")
        con.execute(f"ALTER TABLE d_{contract.name} DROP COLUMN part_of_bill")


def spread_label(start: str, end: str) -> str:
    """SQL of how a part of a spread bill came about: its days, and how many of them the part stands for."""
    first, following = _month_start("from_m"), _month_start("from_m + 1")
    mine = f"""date_diff('day', greatest("{start}", {first}), least("{end}" + 1, {following}))"""
    whole = f"""date_diff('day', "{start}", "{end}") + 1"""
    return (
        f"""CASE WHEN {_billed(start, end)} THEN "{start}" || '–' || "{end}" || ' ' || {mine} || '/' || ({whole}) END"""
    )


def _month_start(month: str) -> str:
    return f"make_date((({month}) // 12)::BIGINT, (({month}) % 12 + 1)::BIGINT, 1)"


def _billed(start: str, end: str) -> str:
    """SQL of a row that names its own days and does not lie within the month it was handed in for."""
    return f'("{start}" IS NOT NULL AND "{end}" IS NOT NULL AND "{start}" <= "{end}")'


def _spread(contract: Contract, start: str, end: str) -> str:
    """SQL that adds the parts of each spread row: what has fallen due by the end of a month less what had before."""
    assert contract.billing is not None
    parts = ", ".join(f'{_part(contract, name)} AS "{name}"' for name in contract.billing.measures)
    return f"""
    ALTER TABLE d_{contract.name} ADD COLUMN part_of_bill BOOLEAN DEFAULT FALSE;
    INSERT INTO d_{contract.name} BY NAME
    WITH bills AS (
        SELECT *, year("{start}") * 12 + month("{start}") - 1 AS low, year("{end}") * 12 + month("{end}") - 1 AS high,
               date_diff('day', "{start}", "{end}") + 1 AS days
        FROM d_{contract.name} WHERE {_billed(start, end)}
    ), months AS (SELECT *, unnest(range(low, high + 1))::INTEGER AS month_no FROM bills),
    due AS (
        SELECT *, least(days, date_diff('day', "{start}", make_date(((month_no + 1) // 12)::BIGINT, ((month_no + 1) % 12 + 1)::BIGINT, 1))) AS upto,
               greatest(0, date_diff('day', "{start}", make_date((month_no // 12)::BIGINT, (month_no % 12 + 1)::BIGINT, 1))) AS before
        FROM months
    )
    SELECT * EXCLUDE (low, high, days, month_no, upto, before)
           REPLACE ({parts}, month_no AS from_m, (month_no + 1)::INTEGER AS to_m, TRUE AS part_of_bill)
    FROM due"""


def _part(contract: Contract, name: str) -> str:
    """SQL of a measure's part, in whole last digits: decimals divide as floats, integers do not."""
    column = contract.column(name)
    precision, scale = column.digits
    # wide enough for any figure of the column: products of decimals must not overflow on the way
    units = f'(CAST("{name}" AS DECIMAL({37 - scale},{scale})) * CAST({10**scale} AS DECIMAL({scale + 1},0)))::HUGEINT'
    cut = f"({units} * upto // days - {units} * before // days)"
    last = f"CAST('{10**-scale:.{scale}f}' AS DECIMAL({scale + 1},{scale}))"
    return f"({cut}::DECIMAL({37 - scale},0) * {last})::DECIMAL({precision},{scale})"
