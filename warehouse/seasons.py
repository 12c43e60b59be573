"""Bills of a heating season: from which day to which day, as the city of the unit heats.

A bill that names its season and no days stands for the days the table of heating seasons (采暖期) gives the climate zone
of its unit. Where the table says nothing of them the row is set aside and its days are asked for, never guessed. Both
the table and the register are facts in both times: a bill is cut at every batch at which its days changed.
"""

from __future__ import annotations

import duckdb

from warehouse.base.periods import OPEN
from warehouse.contract_rules import Billing
from warehouse.contracts import Contract
from warehouse.deltas import standing_rows
from warehouse.store import Store

TABLE, REGISTER = "heating_season", "org_unit"
CODE = "season_unknown"


def fill_seasons(con: duckdb.DuckDBPyConnection, contract: Contract, rule: Billing) -> None:
    """Give bills of a season the first and the last day it had, in every batch; `d_` tables must all lie there."""
    table, asked = f"d_{contract.name}", _asked(rule)
    if not rule.season or con.execute(f"SELECT 1 FROM {table} WHERE {asked} LIMIT 1").fetchone() is None:
        return
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE of_season AS
        SELECT *, row_number() OVER (ORDER BY row_id, rec_from) AS rid FROM {table} WHERE {asked}"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE season_days AS
        SELECT b.rid, {_first("b", rule)} AS first_day, {_last("b", rule)} AS last_day,
               greatest(b.rec_from, o.rec_from, h.rec_from) AS rec_from, least(b.rec_to, o.rec_to, h.rec_to) AS rec_to, h.from_m AS since
        FROM of_season b
        JOIN d_{REGISTER} o ON o.code = b.unit AND o.from_m <= b."{rule.season}" AND b."{rule.season}" < o.to_m
         AND o.rec_from < b.rec_to AND b.rec_from < o.rec_to
        JOIN d_{TABLE} h ON h.zone = o.climate AND h.begins <> '' AND h.from_m <= b."{rule.season}" AND b."{rule.season}" < h.to_m
         AND h.rec_from < least(b.rec_to, o.rec_to) AND greatest(b.rec_from, o.rec_from) < h.rec_to"""
    )
    con.execute(f"DELETE FROM {table} WHERE {asked}")
    con.execute(
        f"""INSERT INTO {table} BY NAME
        WITH points AS (
            SELECT rid, rec_from AS seq FROM of_season UNION SELECT rid, rec_from FROM season_days
            UNION SELECT s.rid, s.rec_to FROM season_days s JOIN of_season b ON b.rid = s.rid AND s.rec_to < b.rec_to
        ), pieces AS (
            SELECT p.rid, p.seq, lead(p.seq, 1, b.rec_to) OVER (PARTITION BY p.rid ORDER BY p.seq) AS upto
            FROM points p JOIN of_season b ON b.rid = p.rid
        )
        SELECT b.* EXCLUDE (rid) REPLACE (p.seq::INTEGER AS rec_from, p.upto::INTEGER AS rec_to,
               s.first_day AS "{rule.start}", s.last_day AS "{rule.end}")
        FROM pieces p JOIN of_season b ON b.rid = p.rid
        LEFT JOIN season_days s ON s.rid = p.rid AND s.rec_from <= p.seq AND p.seq < s.rec_to
        -- of two rows for a zone the later-starting one counts
        QUALIFY row_number() OVER (PARTITION BY p.rid, p.seq ORDER BY s.since DESC NULLS LAST) = 1"""
    )


def ask_for_days(con: duckdb.DuckDBPyConnection, store: Store, contract: Contract) -> None:
    """Add a fault to every staged bill of a season whose days nobody knows for the climate zone of its unit."""
    rule = contract.billing
    if (
        rule is None
        or not rule.season
        or con.execute(f"SELECT 1 FROM staged WHERE {_asked(rule)} LIMIT 1").fetchone() is None
    ):
        return
    units, seasons = (_standing(store, name) for name in (REGISTER, TABLE))
    con.execute(
        f"""INSERT INTO faults
        SELECT s.sheet_no, s.row_no, '{rule.season}', '{CODE}',
               printf('%d-%d', s."{rule.season}" // 12, s."{rule.season}" // 12 + 1), nullif(any_value(o.climate), '')
        FROM staged s
        LEFT JOIN ({units}) o ON o.code = s."{contract.org_column}" AND o.from_m <= s."{rule.season}" AND s."{rule.season}" < o.to_m
        LEFT JOIN ({seasons}) h ON h.zone = o.climate AND h.begins <> '' AND h.from_m <= s."{rule.season}" AND s."{rule.season}" < h.to_m
        WHERE {_asked(rule, "s.")} GROUP BY s.sheet_no, s.row_no, s."{rule.season}" HAVING count(h.zone) = 0"""
    )


def _standing(store: Store, name: str) -> str:
    contract, segments = store.contracts[name], store.control.segments(name)
    if segments:
        return standing_rows(contract, store.segments, segments)
    columns = ", ".join(f'CAST(NULL AS {column.sql_type}) AS "{column.name}"' for column in contract.columns)
    return f"SELECT 0 AS from_m, {OPEN} AS to_m, {columns} WHERE FALSE"


def _asked(rule: Billing, row: str = "") -> str:
    """SQL of a row that names a season and neither of its days."""
    return f'({row}"{rule.season}" IS NOT NULL AND {row}"{rule.start}" IS NULL AND {row}"{rule.end}" IS NULL)'


def _first(row: str, rule: Billing) -> str:
    return _day("h.begins", f'{row}."{rule.season}" // 12')


def _last(row: str, rule: Billing) -> str:
    """A season whose last day is not after its first runs over the turn of the year."""
    year = f'{row}."{rule.season}" // 12'
    return _day("h.ends", f"{year} + CASE WHEN h.ends <= h.begins THEN 1 ELSE 0 END")


def _day(text: str, year: str) -> str:
    """SQL of a day of a year; 29 February is the 28th where there is none."""
    dated = f"printf('%04d-', {year}) || {text}"
    return f"coalesce(try_cast({dated} AS DATE), CAST(printf('%04d-02-28', {year}) AS DATE))"
