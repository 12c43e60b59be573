"""Projection: segments → the tables of a generation, before any cube.

Each dataset becomes `d_<dataset>`: one row per version of a fact with the interval of knowledge
`[rec_from, rec_to)`, so that "as known at B" is `rec_from <= B AND B < rec_to`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

import duckdb

from warehouse import history
from warehouse.allocating import divide_shared
from warehouse.base.errors import StoreError
from warehouse.base.periods import FISCAL_START, OPEN, fiscal_shift
from warehouse.billing import spread_bills
from warehouse.closure import build_closure
from warehouse.contracts import FEW, Contract
from warehouse.control import SegmentRow, from_iso
from warehouse.declared import write_declared
from warehouse.doubts import build_doubts
from warehouse.governance import WARNINGS, build_governance, warnings_mark
from warehouse.growth import with_columns
from warehouse.reviewed import copy_reviewed, is_owed, lay_out, looking_at_reviewed, works_with_review
from warehouse.store import Store

SCHEMA_VERSION = "6"


def project(con: duckdb.DuckDBPyConnection, store: Store, through: int, catalogue: str, built_at: dt.datetime) -> None:
    """Write meta, batch, every `d_<dataset>` and the closures into the open generation."""
    write_batches(con, store)
    filled = {segment.dataset for segment in store.control.segments()}
    con.execute("BEGIN")  # a commit of its own for each of many empty tables would wait for the disk each time
    for contract in (*store.records.values(), *store.contracts.values()):
        if contract.name not in filled:
            _lay_empty(con, contract)
    con.execute("COMMIT")
    for record in store.records.values():
        if record.name in filled:
            write_rows(con, store, record)
    has_review = lay_out(con)
    for contract in store.contracts.values():
        if contract.name in filled:
            write_rows(con, store, contract)
    for contract in store.contracts.values():  # a bill may ask for the table of seasons, whatever its name
        derive(con, contract, has_review=has_review, ahead=months_ahead(store))
    build_doubts(con, store.contracts)
    divide_shared(con, store.contracts)
    build_closure(con)
    told = warnings_mark(store)  # before they are read: one that opens meanwhile is told of by the next generation
    build_governance(con, store)
    write_meta(con, store, through, catalogue, built_at, told)


def derive(con: duckdb.DuckDBPyConnection, contract: Contract, *, has_review: bool, ahead: int = 0) -> None:
    """Derive what the contract says from the rows as the segments say them; under review also as they stand reviewed."""
    is_reviewed = has_review and is_owed(contract)
    if is_reviewed:
        copy_reviewed(con, contract)
    _derive(con, contract, ahead)
    if is_reviewed:
        with looking_at_reviewed(con):
            _derive(con, contract, ahead)


def _derive(con: duckdb.DuckDBPyConnection, contract: Contract, ahead: int) -> None:
    if contract.cumulative:
        _difference(con, contract, ahead)
    spread_bills(con, contract)


def write_batches(con: duckdb.DuckDBPyConnection, store: Store) -> None:
    """Write what the control log knows of every batch."""
    con.execute(
        "CREATE OR REPLACE TABLE batch (batch_seq INTEGER, dataset VARCHAR, source VARCHAR, file_name VARCHAR, file_sha VARCHAR,"
        " recorded_at TIMESTAMP, recorded_by VARCHAR, kind VARCHAR, origin VARCHAR, period_from INTEGER,"
        " period_to INTEGER, rows_in BIGINT, accepted BIGINT, unchanged BIGINT, quarantined BIGINT, skipped BIGINT,"
        " removed BIGINT, delta_rows BIGINT, withdraws INTEGER, why VARCHAR)"
    )
    batches = store.control.batches()
    write_declared(con, batches)
    rows = [
        (
            b["batch_seq"], b["dataset"], b["dataset"], b["file_name"], b["file_sha"],
            from_iso(b["recorded_at"]).replace(tzinfo=None), b["recorded_by"], b["kind"], b["origin"],
            b["period_from"], b["period_to"], b["rows_in"], b["accepted"], b["unchanged"], b["quarantined"],
            b["skipped"], b["removed"], b["delta_rows"], b["withdraws"], b["why"],
        )
        for b in batches
    ]  # fmt: skip
    if rows:
        columns = list(map(list, zip(*rows, strict=True)))
        types = ["INTEGER", *["VARCHAR"] * 4, "TIMESTAMP", *["VARCHAR"] * 3, "INTEGER", "INTEGER", *["BIGINT"] * 7,
                 "INTEGER", "VARCHAR"]  # fmt: skip
        wanted = ", ".join(f"unnest(${i}::{kind}[])" for i, kind in enumerate(types, 1))
        con.execute(f"INSERT INTO batch SELECT {wanted}", columns)


def _lay_empty(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Lay out the table of a dataset nothing was ever loaded of."""
    named = any(column.name == "unit" for column in contract.columns)
    columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in contract.columns)
    con.execute(
        f"CREATE TABLE d_{contract.name} (row_id BIGINT, rec_from INTEGER, rec_to INTEGER,"
        f" {'' if named else 'unit VARCHAR, '}from_m INTEGER, to_m INTEGER, {columns}, note VARCHAR,"
        " file_name VARCHAR, sheet VARCHAR, row_no INTEGER)"
    )


def write_rows(con: duckdb.DuckDBPyConnection, store: Store, contract: Contract) -> None:
    """Write `d_<dataset>` from all its segments."""
    rows = rows_sql(store, contract, store.control.segments(contract.name))
    con.execute(f"CREATE OR REPLACE TABLE d_{contract.name} AS {rows}")


def rows_sql(store: Store, contract: Contract, segments: Sequence[SegmentRow]) -> str:
    """SQL of one row per version of a fact; a row's end of knowledge is the batch that took it back."""
    columns = ", ".join(f'p."{column.name}"' for column in contract.columns)
    unit = f'p."{contract.org_column}"' if contract.org_column else "CAST(NULL AS VARCHAR)"
    if contract.name == "org_unit":
        unit = 'p."code"'
    named = any(column.name == "unit" for column in contract.columns)
    unit_column = "" if named else f"{unit} AS unit, "
    # a row of a year is true in the months of the store's fiscal year
    ahead = months_ahead(store) if contract.time_kind == "year" else 0
    months = f"p.from_m - {ahead} AS from_m, p.to_m - {ahead} AS to_m" if ahead else "p.from_m, p.to_m"
    return f"""
        SELECT p.row_id, p.rec_from, p.rec_to, {unit_column}{months}, {columns}, p.note, p.file_name, p.sheet,
               p.row_no
        FROM ({with_columns(history.versions(store.segments, segments), contract)}) p ORDER BY p.from_m, unit"""


def months_ahead(store: Store) -> int:
    """Return by how many months the fiscal year of a store runs ahead of the calendar year of its name."""
    return fiscal_shift(int(store.control.meta().get(FISCAL_START, "1")))


def _difference(con: duckdb.DuckDBPyConnection, contract: Contract, ahead: int) -> None:
    """Cumulative columns become month flows `<column>_flow`, as known at each batch; falls stay negative months.

    Within key and fiscal year (`ahead` of the calendar's by so many months) the flow of a month is its figure less the
    latest earlier one. A correction of a month changes that month and the next, so a row's interval is cut at every
    batch that touches its year.
    """
    name = f"d_{contract.name}"
    group = ", ".join(f'"{key}"' for key in contract.keys if key != contract.time_column)
    flows = ", ".join(
        f'"{column}" - coalesce(lag("{column}") OVER w, 0) AS "{column}_flow"' for column in contract.cumulative
    )
    names = ", ".join(f'"{column}_flow"' for column in contract.cumulative)
    year = f"(from_m + {ahead}) // 12" if ahead else "from_m // 12"
    con.execute(
        f"""CREATE TABLE differenced AS
        WITH rows_ AS (SELECT *, {year} AS y, hash({group}, {year}) AS series FROM {name}),
        points AS (
            SELECT DISTINCT series, seq FROM (
                SELECT series, rec_from AS seq FROM rows_ UNION ALL
                SELECT series, rec_to FROM rows_ WHERE rec_to < {OPEN})
        ),
        spans AS (
            SELECT series, seq, lead(seq, 1, {OPEN}) OVER (PARTITION BY series ORDER BY seq)::INTEGER AS next FROM points
        ),
        live AS (
            SELECT r.* EXCLUDE (rec_from, rec_to), r.rec_to AS taken_back, s.seq AS rec_from, s.next AS rec_to
            FROM rows_ r JOIN spans s ON s.series = r.series AND r.rec_from <= s.seq AND s.seq < r.rec_to
        ),
        flows AS (
            SELECT * EXCLUDE (y, series), {flows} FROM live
            WINDOW w AS (PARTITION BY {group}, y, rec_from ORDER BY from_m)
        ),
        turns AS (
            SELECT * FROM flows
            -- a row that stood reviewed twice has two lives
            QUALIFY row({names}) IS DISTINCT FROM lag(row({names})) OVER (PARTITION BY row_id, taken_back ORDER BY rec_from)
        )
        -- an interval goes on until the flow itself turns
        SELECT * EXCLUDE (rec_to, taken_back),
               lead(rec_from, 1, taken_back) OVER (PARTITION BY row_id, taken_back ORDER BY rec_from)::INTEGER AS rec_to
        FROM turns"""
    )
    con.execute(f"DROP TABLE {name}")
    con.execute(f"ALTER TABLE differenced RENAME TO {name}")


def _reach(contract: Contract) -> str:
    """SQL of the first and last month of a dataset; a month only a few units reported early is not the last yet."""
    units = f"SELECT from_m, count(DISTINCT unit) AS units FROM d_{contract.name} WHERE rec_to = {OPEN} GROUP BY from_m"
    return f"""SELECT (SELECT min(from_m) FROM d_{contract.name}) AS low, max(from_m) AS high
        FROM ({units}) WHERE units * {FEW} >= (SELECT max(units) FROM ({units}))"""


def _is_reference(store: Store, dataset: str) -> bool:
    """Tell whether a dataset is a dated reference table, whose rows figures are judged and converted by."""
    contract = store.contracts.get(dataset)
    return contract is not None and contract.is_reference


def write_meta(
    con: duckdb.DuckDBPyConnection, store: Store, through: int, catalogue: str, built_at: dt.datetime, heard: str
) -> None:
    """Write what a generation says about itself: what it was made of, and which months its data reach.

    `heard` is the mark of the warnings, taken before governance read them.
    """
    filled = {row[0] for row in con.execute("SELECT DISTINCT dataset FROM batch").fetchall()}
    told = [c for c in store.contracts.values() if c.name in filled and not c.is_reference]
    flows = [c for c in told if c.time_kind in ("month", "date", "datetime")]
    # reports that are owed say how far the data reach; an order closed early in the next month does not
    flows = [contract for contract in flows if contract.due_day] or flows
    none = "SELECT CAST(NULL AS INTEGER) AS low, CAST(NULL AS INTEGER) AS high"
    months = " UNION ALL ".join([none, *(_reach(contract) for contract in flows)])
    # a month after the last delivery is a slip of the pen and must not stretch every stock to it
    newest = "(SELECT coalesce(max(year(recorded_at) * 12 + month(recorded_at) - 1), 0) FROM batch)"
    low, high = con.execute(f"SELECT min(low), least(max(high), {newest}) FROM ({months})").fetchone() or (None, None)
    meta = {
        **store.control.meta(),
        "through_seq": str(through),
        "schema_version": SCHEMA_VERSION,
        "segments": history.fingerprint(store.control.segments()),
        "references": history.fingerprint([s for s in store.control.segments() if _is_reference(store, s.dataset)]),
        "catalogue": catalogue,
        "contracts": contracts_mark((*store.records.values(), *store.contracts.values())),
        WARNINGS: heard,
        "built_at": built_at.isoformat(),
        "first_month": "" if low is None else str(low),
        "last_month": "" if high is None else str(high),
    }
    if works_with_review(con):
        meta["review"] = "1"
    con.execute("CREATE OR REPLACE TABLE meta (key VARCHAR, value VARCHAR)")
    con.executemany("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))
    if through < 0:
        raise StoreError(f"The store {store.path} holds no batch.", "load something first")


def contracts_mark(contracts: Iterable[Contract]) -> str:
    """Return a mark of what contracts say: tables made by others cannot be carried on."""
    return hashlib.sha256("\n".join(map(repr, contracts)).encode()).hexdigest()
