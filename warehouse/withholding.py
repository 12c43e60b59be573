"""Withholding: the part of a shared bill that belongs to a unit kept out of the figures (不纳入).

What is shown must not give it away: neither by the share of the others, nor by the whole bill at a moment when it was
not divided. Every bill is therefore divided as if it had been known in every batch; where a unit that is kept out by
what is known now ever has a part, the latest such part is taken off the bill wherever the bill stands undivided.

    withheld    rid, m_0 …: what is taken off a bill, in whole last digits of its measures
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from warehouse.base.periods import OPEN
from warehouse.sharing import Shared

_CONCERNED = f"""
SELECT DISTINCT b.rid FROM bills b JOIN rules r ON r.key = b.bill_key AND r.from_m <= b.from_m AND b.from_m < r.to_m
JOIN d_org_unit o ON o.code = r.unit AND o.excluded AND o.rec_to = {OPEN} AND o.from_m <= b.from_m AND b.from_m < o.to_m"""


def find_withheld(con: duckdb.DuckDBPyConnection, shared: Shared, divide: Callable[[], None]) -> None:
    """Write `withheld` for the bills in `bills`; `divide` makes `parts` of what stands there."""
    sums = "".join(f", sum(m_{i})::HUGEINT AS m_{i}" for i in range(len(shared.measures)))
    none = "".join(f", 0::HUGEINT AS m_{i}" for i in range(len(shared.measures)))
    con.execute(f"CREATE OR REPLACE TEMP TABLE concerned AS {_CONCERNED}")
    if con.execute("SELECT count(*) FROM concerned").fetchone() == (0,):
        con.execute(f"CREATE OR REPLACE TEMP TABLE withheld AS SELECT 0::BIGINT AS rid{none} WHERE false")
        return
    con.execute("ALTER TABLE bills RENAME TO real_bills")
    con.execute(
        f"""CREATE TEMP TABLE bills AS
        SELECT * REPLACE (0 AS rec_from, {OPEN} AS rec_to) FROM real_bills WHERE rid IN (SELECT rid FROM concerned)"""
    )
    divide()
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE withheld AS
        WITH kept_out AS (
            SELECT p.* FROM parts p JOIN bills b ON b.rid = p.rid
            SEMI JOIN d_org_unit o ON o.code = p.part_of AND o.excluded AND o.rec_to = {OPEN}
             AND o.from_m <= b.from_m AND b.from_m < o.to_m
        ), latest AS (SELECT rid, max(rec_to) AS until FROM kept_out GROUP BY rid)
        SELECT k.rid{sums} FROM kept_out k JOIN latest l ON l.rid = k.rid AND k.rec_from < l.until AND k.rec_to = l.until
        GROUP BY k.rid"""
    )
    con.execute("DROP TABLE bills")
    con.execute("ALTER TABLE real_bills RENAME TO bills")
