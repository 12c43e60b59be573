"""Locks: what would change a submission that is final (已定) is set aside, and a withdrawal that would is refused.

A row that says what is known already passes. A row that a full file no longer holds stays, and is counted.
"""

from __future__ import annotations

from dataclasses import replace

import duckdb

from warehouse.base.periods import month_label
from warehouse.contracts import Contract
from warehouse.deltas import Change, known_rows
from warehouse.report_periods import label_of, label_sql
from warehouse.review import DATASET, MOST_TOLD, refusal
from warehouse.reviewed import is_owed, period_of
from warehouse.stage import valid_span
from warehouse.store import Store

CODE = "locked_period"


def find_locks(con: duckdb.DuckDBPyConnection, store: Store, contract: Contract) -> bool:
    """Create temp table `locked` (unit, m): the submissions of a dataset that are final; False when none is.

    Overwrites temp table `known`.
    """
    segments = store.control.segments(DATASET) if is_owed(contract) else []
    if not segments or not known_rows(con, store.records[DATASET], store.segments, segments):
        return False
    con.execute(
        "CREATE OR REPLACE TEMP TABLE locked AS SELECT unit, month AS m FROM known WHERE dataset = $1 AND state = 'final'",
        [contract.name],
    )
    return con.execute("SELECT 1 FROM locked LIMIT 1").fetchone() is not None


def set_aside(con: duckdb.DuckDBPyConnection, contract: Contract, *, known: bool) -> None:
    """Add a fault to every staged row that would change a final submission: its own, or the one its key now lies in."""
    start, _ = valid_span(contract)
    unit, org = f's."{contract.org_column}"', contract.org_column
    at = start.replace(f'"{contract.time_column}"', f's."{contract.time_column}"')
    own = f"SELECT l.m FROM locked l WHERE l.unit = {unit} AND l.m = {at}"
    if not known:
        con.execute(_fault(f"SELECT s.sheet_no, s.row_no, ({own}) AS m FROM staged s", contract))
        return
    names = [column.name for column in contract.columns if not column.is_key]
    key = " AND ".join(f'k."{name}" = s."{name}"' for name in contract.keys)
    same = " AND ".join([f"k.from_m = {at}", *(f'k."{name}" IS NOT DISTINCT FROM s."{name}"' for name in names)])
    before = (
        f'SELECT l.m FROM known k JOIN locked l ON l.unit = k."{org}" AND l.m = {_known_period(contract)} WHERE {key}'
    )
    con.execute(
        _fault(
            f"SELECT s.sheet_no, s.row_no, coalesce(({own}), ({before} LIMIT 1)) AS m FROM staged s "
            f"WHERE NOT EXISTS (SELECT 1 FROM known k WHERE {key} AND {same})",
            contract,
        )
    )


def _fault(rows: str, contract: Contract) -> str:
    return (
        f"INSERT INTO faults SELECT sheet_no, row_no, '{contract.org_column}', '{CODE}', {label_sql(contract, 'm')}, NULL "
        f"FROM ({rows}) WHERE m IS NOT NULL"
    )


def _known_period(contract: Contract) -> str:
    return period_of(contract).replace(f'"{contract.time_column}"', f'k."{contract.time_column}"')


def keep_final(con: duckdb.DuckDBPyConnection, contract: Contract, change: Change) -> tuple[Change, int]:
    """Take rows of final submissions out of what a full file removes; return the change and how many were kept."""
    if not change.removed:
        return change, 0
    kept = con.execute(
        f"""DELETE FROM changed WHERE rowid IN (
            SELECT k.rowid FROM changed k JOIN locked l ON l.unit = k."{contract.org_column}" AND l.m = {_known_period(contract)}
            WHERE k.n = -1)"""
    ).fetchone()
    number = int(kept[0]) if kept else 0
    return replace(change, removed=change.removed - number, delta_rows=change.delta_rows - number), number


def refuse_withdrawal(con: duckdb.DuckDBPyConnection, store: Store, contract: Contract, seq: int) -> None:
    """Refuse a withdrawal that would change what is final; looks at temp tables `goes` and `comes`."""
    if contract.name == DATASET:
        _refuse_lock(con, seq)
        return
    if not is_owed(contract):
        return
    rows = f'SELECT "{contract.org_column}" AS unit, {period_of(contract)} AS m FROM'
    con.execute(f"CREATE OR REPLACE TEMP TABLE moving AS {rows} goes UNION {rows} comes")
    if not find_locks(con, store, contract):
        return
    found = con.execute(
        "SELECT DISTINCT unit, m FROM moving JOIN locked USING (unit, m) ORDER BY ALL LIMIT $1", [MOST_TOLD]
    ).fetchall()
    if found:
        raise refusal(
            "locked_batch", seq=seq, what="、".join(f"{unit} {label_of(contract, month)}" for unit, month in found)
        )


def _refuse_lock(con: duckdb.DuckDBPyConnection, seq: int) -> None:
    """A lock is opened by an approval, which says why; taking its batch back would open it without a word."""
    found = con.execute(
        "SELECT dataset, unit, month FROM goes WHERE state IN ('final', 'approved') ORDER BY ALL LIMIT $1", [MOST_TOLD]
    ).fetchall()
    if found:
        raise refusal("lock", seq=seq, what="、".join(f"{name} {unit} {month_label(m)}" for name, unit, m in found))
