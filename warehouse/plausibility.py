"""Checks of staged rows against what surrounds them: the months declared for the file, and the figures known before."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from warehouse import stage
from warehouse.base.periods import month_label
from warehouse.contracts import Contract
from warehouse.crossed import crossed_name
from warehouse.manifest import Delivery
from warehouse.mapping import column_of


def declared_range(
    con: duckdb.DuckDBPyConnection, contract: Contract, delivery: Delivery, *, sheet_no: int | None = None
) -> None:
    """Rows outside the months their delivery declares are set aside; of all sheets, or of one."""
    if delivery.span is None or contract.time_kind in ("span", "year"):
        return
    start, _ = stage.valid_span(replace(contract, month_expr=None))
    low, high = delivery.span
    con.execute(
        f"""INSERT INTO faults SELECT sheet_no, row_no, '{contract.time_column}', 'outside_period',
            {stage.as_told(column_of(contract, contract.time_column))}, '{month_label(low)}..{month_label(high - 1)}'
        FROM staged WHERE ({start} < {low} OR {start} >= {high})"""
        + ("" if sheet_no is None else f" AND sheet_no = {sheet_no}")
    )


def magnitude(con: duckdb.DuckDBPyConnection, contract: Contract, *, beside_known: bool = False) -> None:
    """Sums a thousand times off their own history are asked about, not believed: yuan sent as ten thousands.

    With `beside_known` the rows come beside those known of their months, as single lines handed in later do.
    """
    rule = contract.magnitude or {}
    column, factor = rule["column"], rule.get("factor", 1000)
    per = ", ".join(f'"{name}"' for name in rule["per"])
    on = " AND ".join(f'n."{name}" IS NOT DISTINCT FROM h."{name}"' for name in rule["per"])
    measure = column_of(contract, column)
    start, _ = stage.valid_span(contract)
    rows = f'SELECT {per}, {start} AS m, "{column}" FROM staged'
    if beside_known:
        same = " AND ".join(f'k."{key}" = s."{key}"' for key in contract.keys)
        rows += f"""
            UNION ALL SELECT {per}, from_m, "{column}" FROM known k
            WHERE from_m IN (SELECT {start} FROM staged) AND NOT EXISTS (SELECT 1 FROM staged s WHERE {same})"""
    con.execute(
        f"""INSERT INTO faults
        WITH now AS (SELECT {per}, m, sum("{column}") AS v FROM ({rows}) GROUP BY ALL),
        history AS (
            SELECT {per}, median(v) AS usual FROM (
                SELECT {per}, from_m, sum("{column}") AS v FROM known
                WHERE from_m NOT IN (SELECT m FROM now WHERE m IS NOT NULL) GROUP BY ALL
            ) WHERE v > 0 GROUP BY ALL HAVING count(*) >= 3
        ),
        off AS (
            SELECT n.*, h.usual FROM now n JOIN history h ON {on}
            WHERE n.v > h.usual * {factor} OR (n.v > 0 AND n.v * {factor} < h.usual)
        )
        SELECT s.sheet_no, s.row_no, {crossed_name(column)}, 'magnitude', {stage.as_told(measure, f's."{column}"')},
               {stage.as_told(measure, "h.usual")}
        FROM staged s JOIN off h ON {on.replace("n.", "s.")} AND h.m = {start}"""
    )
