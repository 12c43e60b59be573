"""Governance: what the store itself knows of its reports and warnings, as one more dataset that definitions name.

    d_governance    unit, month, dataset (of a warning: its rule), kind, mark, amount; two times like every dataset

    due, got               a unit owes a month's report (`owing`); it came, and was not taken back since
    due_in_time, in_time   the same for units that were on the register when the report fell due, and came by then
    checked, failed        rows taken or set aside; a row set aside without a known unit and month belongs to nobody
    warning                an open warning in every month from its opening to its closing
    closed, closed_in_time closed in that month, and within the days its level allows

A report counts as due from the batch that brought it, or from the first one after its day, whichever is earlier: what
is not due yet is neither owed nor late. Only datasets with a day of delivery and a report per unit are judged.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

import duckdb

from warehouse.base.clock import DEFAULT_ZONE
from warehouse.base.periods import OPEN, month_of
from warehouse.base.sql import quote
from warehouse.contracts import Contract
from warehouse.control import from_iso
from warehouse.operations.warning import warnings
from warehouse.owing import owing_units
from warehouse.report_periods import due_on, first_month, months_of
from warehouse.reviewed import changes_sql
from warehouse.store import Store
from warehouse.sums import table_sum

DATASET = "governance"
TABLE = f"d_{DATASET}"
WARNINGS = "warnings"
"""What a generation says of the warnings it was made of: they change without a batch, and figures count them."""
UNBATCHED = ("warning", "closed", "closed_in_time", "checked", "failed")
"""Kinds dated by the last batch that come without one: what was known at that batch may still grow."""
DAYS_TO_CLOSE = {"red": 7, "orange": 14, "yellow": 28, "blue": 42}
"""Calendar days a warning may stay open: 5, 10, 20 and 30 working days (a design default, to be verified)."""

LONGEST_SILENCE = 24
"""Months after the last report of anybody for which reports are asked for, as boards are laid out."""

Entry = tuple[str, int, int, int, int, str, str, str, int]
"""unit, from_m, to_m, rec_from, rec_to, dataset, kind, mark, amount."""


def build_governance(con: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Write `d_governance` from the projected tables and the control log, in place of what was there."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE told (unit VARCHAR, from_m INTEGER, to_m INTEGER, rec_from INTEGER, rec_to INTEGER,"
        " dataset VARCHAR, kind VARCHAR, mark VARCHAR, amount BIGINT)"
    )
    zone = ZoneInfo(store.control.meta().get("timezone", DEFAULT_ZONE))
    for contract in store.contracts.values():
        if _is_judged(contract) and con.execute(f"SELECT 1 FROM d_{contract.name} LIMIT 1").fetchone():
            _write_reports(con, contract, zone)
            _write_checked(con, contract)
    _write_entries(con, (*_refused(con, store), *_warned(store, zone)))
    con.execute(
        f"""CREATE OR REPLACE TABLE {TABLE} AS
        SELECT (md5_number_lower(concat_ws('|', unit, from_m, to_m, dataset, kind, mark, rec_from)) >> 2)::BIGINT AS row_id,
               rec_from, rec_to, from_m, to_m, unit, from_m AS "month", dataset, kind, mark, sum(amount)::BIGINT AS amount,
               NULL::VARCHAR AS note, NULL::VARCHAR AS file_name, NULL::VARCHAR AS sheet, NULL::INTEGER AS row_no
        FROM told WHERE rec_from < rec_to AND from_m < to_m GROUP BY ALL ORDER BY from_m, unit, dataset, kind, rec_from"""
    )
    con.execute("DROP TABLE told")


def warnings_mark(store: Store) -> str:
    """Return a mark of all that governance reads of the warnings as they stand."""
    rows = warnings(store.control.engine, with_closed=True)
    said = sorted((r.node, r.rule, r.warning_id, r.level, r.opened_seq, str(r.opened_at), r.closed_seq or 0, str(r.closed_at)) for r in rows)  # fmt: skip
    return hashlib.sha256(repr(said).encode()).hexdigest()


def renew_governance(con: duckdb.DuckDBPyConnection, store: Store, before: int) -> bool:
    """Write `d_governance` again; tell whether what was known up to a batch stands as it did."""
    said = table_sum(con, TABLE, before)
    build_governance(con, store)
    return said == table_sum(con, TABLE, before)


def _is_judged(contract: Contract) -> bool:
    has_unit = any(column.name == "unit" for column in contract.columns)
    return contract.due_day is not None and contract.coverage == "unit" and contract.time_kind == "month" and has_unit


def _write_reports(con: duckdb.DuckDBPyConnection, contract: Contract, zone: ZoneInfo) -> None:
    """Write which reports were due, came and came in time."""
    name = contract.name
    months = months_of(contract)
    moments = [(month, _falls_due(due_on(contract, month), zone)) for month in _reports(con, contract)]
    con.execute("CREATE OR REPLACE TEMP TABLE falls_due (m INTEGER, due_at TIMESTAMP)")
    con.executemany("INSERT INTO falls_due VALUES (?, ?)", moments)
    con.execute(
        f"""INSERT INTO told
        WITH moments AS (
            SELECT f.m, (SELECT max(batch_seq) FROM batch WHERE recorded_at <= f.due_at) AS by_then,
                   (SELECT min(batch_seq) FROM batch WHERE recorded_at > f.due_at) AS after
            FROM falls_due f
        ), turned AS (
            SELECT unit, month AS m, batch_seq AS seq, sum(n) AS n FROM ({changes_sql(contract)}) GROUP BY ALL
        ), held AS (
            SELECT *, sum(n) OVER (PARTITION BY unit, m ORDER BY seq) AS rows_now FROM turned
        ), came AS (
            -- from the batch that brought a report until the one that took the whole of it back
            SELECT unit, m, seq, lead(seq, 1, {OPEN}) OVER (PARTITION BY unit, m ORDER BY seq) AS gone, rows_now FROM held
            WHERE (rows_now > 0) <> (rows_now - n > 0)
        ), owed AS (
            SELECT o.unit, t.m, t.by_then, t.after, o.rec_from, o.rec_to, f.seq, o.rec_from <= coalesce(t.by_then, -1) AS was_listed
            FROM moments t JOIN {owing_units(contract.theme)} o ON o.from_m <= t.m AND t.m < o.to_m
            LEFT JOIN (SELECT unit, m, min(seq) AS seq FROM came GROUP BY ALL) f ON f.unit = o.unit AND f.m = t.m
        ), dues AS (
            SELECT *, greatest(rec_from, least(coalesce(seq, {OPEN}), coalesce(after, {OPEN}))) AS since FROM owed
        ), gots AS (
            SELECT d.unit, d.m, d.was_listed AND c.seq <= d.by_then AS is_in_time, greatest(d.rec_from, c.seq) AS since,
                   least(d.rec_to, c.gone) AS until
            FROM dues d JOIN came c ON c.unit = d.unit AND c.m = d.m AND c.rows_now > 0
            WHERE greatest(d.rec_from, c.seq) < least(d.rec_to, c.gone)
        )
        SELECT unit, m, m + {months}, since, rec_to, {quote(name)}, 'due', '', 1 FROM dues
        UNION ALL SELECT unit, m, m + {months}, since, rec_to, {quote(name)}, 'due_in_time', '', 1 FROM dues WHERE was_listed
        UNION ALL SELECT unit, m, m + {months}, since, until, {quote(name)}, 'got', '', 1 FROM gots
        UNION ALL SELECT unit, m, m + {months}, since, until, {quote(name)}, 'in_time', '', 1 FROM gots WHERE is_in_time"""
    )
    con.execute("DROP TABLE falls_due")


def _reports(con: duckdb.DuckDBPyConnection, contract: Contract) -> range:
    """Return the first months of the reports that are asked for: since the first one, as long as batches come in."""
    low, high = con.execute(f"SELECT min(from_m), max(from_m) FROM d_{contract.name}").fetchone() or (0, -1)
    last = con.execute("SELECT max(year(recorded_at) * 12 + month(recorded_at) - 1) FROM batch").fetchone()
    ended = (last[0] if last and last[0] else 0) - 1
    return range(first_month(contract, low), max(high, min(ended, high + LONGEST_SILENCE)) + 1, months_of(contract))


def _falls_due(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The last moment of the day a report is due, as batches are dated: in UTC."""
    last = dt.datetime.combine(day, dt.time(23, 59, 59), zone)
    return last.astimezone(dt.UTC).replace(tzinfo=None)


def _write_checked(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Every version of a row that was taken was checked once."""
    con.execute(
        f"INSERT INTO told SELECT unit, from_m, from_m + 1, rec_from, {OPEN}, {quote(contract.name)}, 'checked', '',"
        f" count(*) FROM d_{contract.name} WHERE unit IS NOT NULL GROUP BY unit, from_m, rec_from"
    )


def _refused(con: duckdb.DuckDBPyConnection, store: Store) -> Iterator[Entry]:
    """Rows set aside, of a known unit and month, since the last batch before they were handed in."""
    judged = {contract.name for contract in store.contracts.values() if _is_judged(contract)}
    seqs = {r["receipt_id"]: (r["batch_seq"], r["recorded_at"]) for r in store.control.receipts(limit=None)}
    batches = [(seq, at) for seq, at in con.execute("SELECT batch_seq, recorded_at FROM batch").fetchall() if at]
    rows = {
        (entry["receipt_id"], entry["file_name"], entry["sheet"], entry["row_no"]): entry
        for entry in store.control.quarantine(open_only=False)
    }
    for entry in rows.values():
        if entry["dataset"] not in judged or not entry["unit"] or entry["month"] is None:
            continue
        seq, told_at = seqs.get(entry["receipt_id"], (None, None))
        if seq is None and told_at is not None:
            moment = from_iso(told_at).replace(tzinfo=None)
            seq = max((number for number, at in batches if at <= moment), default=0)
        for kind in ("checked", "failed"):
            yield entry["unit"], entry["month"], entry["month"] + 1, seq or 0, OPEN, entry["dataset"], kind, "", 1


def _warned(store: Store, zone: ZoneInfo) -> Iterator[Entry]:
    """Every warning in the months it was open, and in the month it was closed."""
    for row in warnings(store.control.engine, with_closed=True):
        opened = month_of(row.opened_at.astimezone(zone).date())
        told = (row.rule, "warning", row.level, 1)
        if row.closed_at is None or row.closed_seq is None:
            yield row.node, opened, OPEN, row.opened_seq, OPEN, *told
            continue
        closed, seq = month_of(row.closed_at.astimezone(zone).date()), row.closed_seq
        yield row.node, opened, OPEN, row.opened_seq, seq, *told
        yield row.node, opened, closed, seq, OPEN, *told
        yield row.node, closed, closed + 1, seq, OPEN, row.rule, "closed", row.level, 1
        if row.closed_at - row.opened_at <= dt.timedelta(days=DAYS_TO_CLOSE.get(row.level, 42)):
            yield row.node, closed, closed + 1, seq, OPEN, row.rule, "closed_in_time", row.level, 1


def _write_entries(con: duckdb.DuckDBPyConnection, entries: Iterable[Entry]) -> None:
    found = list(entries)
    if found:
        con.executemany("INSERT INTO told VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", found)
