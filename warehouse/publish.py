"""Publishing: segments → an immutable, numbered DuckDB generation, swapped in by renaming a pointer.

Each dataset becomes `d_<dataset>`: one row per version of a fact with the interval of knowledge
`[rec_from, rec_to)`, so that "as known at B" is `rec_from <= B AND B < rec_to`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from warehouse import history
from warehouse.allocating import divide_shared
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import StoreError
from warehouse.base.periods import OPEN
from warehouse.base.sql import quote
from warehouse.billing import spread_bills
from warehouse.closure import build_closure
from warehouse.contracts import FEW, Contract
from warehouse.control import from_iso
from warehouse.doubts import build_doubts
from warehouse.durable import settle_new, sha256_of, write_text
from warehouse.growth import with_columns
from warehouse.reviewed import copy_reviewed, is_owed, lay_out, looking_at_reviewed, works_with_review
from warehouse.store import Store, connect

SCHEMA_VERSION = "5"
KEPT_GENERATIONS = 3
"""The newest files that stay; who still reads an older one keeps it open although its name is gone."""

Builder = Callable[[duckdb.DuckDBPyConnection, Mapping[str, Contract]], None]


def publish(
    store: Store, builders: Sequence[Builder] = (), *, catalogue: str = "", clock: Clock = system_clock,
    force: bool = False,
) -> int:  # fmt: skip
    """Build the next generation when batches are newer than the current one; return its number.

    The caller holds the writer lock. `builders` add their own tables (cubes) to the same file.
    """
    last, _ = store.control.last()
    current = store.current()
    segments = history.fingerprint(store.control.segments())
    if current and current.exists() and not force and is_current(current, last, catalogue, segments):
        return int(current.stem)
    _refuse_damaged(store, thoroughly=force)
    number = _next_number(store)
    temporary = store.generations / f"{number}.duckdb.tmp"
    temporary.unlink(missing_ok=True)
    try:
        _build(temporary, store, builders, last, catalogue, clock())
    except BaseException:
        temporary.unlink(missing_ok=True)  # on a full disk its room is needed
        raise
    final = store.generations / f"{number}.duckdb"
    size, digest = temporary.stat().st_size, sha256_of(temporary)
    settle_new(temporary, final)
    store.control.add_generation(number, last, final.name, catalogue, clock(), size, digest)
    write_text(store.generations / "CURRENT", final.name)
    _drop_old(store)
    if force:
        _drop_altered(store, number)
    return number


def _build(
    file: Path, store: Store, builders: Sequence[Builder], through: int, catalogue: str, built_at: dt.datetime
) -> None:
    """Write a whole generation to a file; the file is let go of whatever happens."""
    with contextlib.closing(connect(spill=store.tmp, memory="6GB")) as con:
        con.execute(f"ATTACH {quote(str(file))} AS g (STORAGE_VERSION 'v1.5.0')")
        con.execute("USE g")
        project(con, store, through, catalogue, built_at)
        for builder in builders:
            builder(con, store.contracts)
        con.execute("CHECKPOINT g")
        con.execute("USE memory")
        con.execute("DETACH g")


def is_current(path: Path, last: int, catalogue: str, segments: str) -> bool:
    """Tell whether a generation was made of these very segments by the same definitions."""
    try:
        with connect(str(path), read_only=True, memory="128MB", threads=1) as con:
            meta = dict(con.execute("SELECT key, value FROM meta").fetchall())
    except duckdb.Error:
        return False
    return (
        meta.get("through_seq") == str(last)
        and meta.get("segments") == segments
        and meta.get("schema_version") == SCHEMA_VERSION
        and meta.get("catalogue", "") == catalogue
    )


def _next_number(store: Store) -> int:
    numbers = [int(file.stem) for file in store.generations.glob("*.duckdb") if file.stem.isdigit()]
    return max(*numbers, store.control.last_generation(), 0) + 1


def _drop_old(store: Store) -> None:
    """Remove all but the newest generations; a file that cannot be removed now is tried again at the next publish."""
    numbered = [file for file in store.generations.glob("*.duckdb") if file.stem.isdigit()]
    for file in sorted(numbered, key=lambda file: int(file.stem))[:-KEPT_GENERATIONS]:
        with contextlib.suppress(OSError):
            file.unlink()


def _drop_altered(store: Store, newest: int) -> None:
    """Remove earlier generations that are no longer what was published: a rebuild leaves nothing behind to mistrust."""
    for name, digest in store.control.generation_sums().items():
        file = store.generations / name
        if file.stem != str(newest) and digest and file.is_file() and sha256_of(file) != digest:
            file.unlink()


def _refuse_damaged(store: Store, *, thoroughly: bool) -> None:
    """Figures are never made of a segment that was cut off; a rebuild also looks at every byte."""
    for segment in store.control.segments():
        file = store.segments / segment.path
        sound = file.is_file() and file.stat().st_size == segment.bytes
        if not sound or (thoroughly and sha256_of(file) != segment.sha256):
            raise StoreError(
                f"The segment {file} is missing or was altered; nothing was published.",
                f"see what is wrong and what to do with: cockpit doctor --store {store.path}",
            )


def project(con: duckdb.DuckDBPyConnection, store: Store, through: int, catalogue: str, built_at: dt.datetime) -> None:
    """Write meta, batch, every `d_<dataset>` and the closures into the open generation."""
    _write_batches(con, store)
    for contract in _project_each(con, store):
        if contract.cumulative:
            _difference(con, contract)
        spread_bills(con, contract)
    build_doubts(con, store.contracts)
    divide_shared(con, store.contracts)
    build_closure(con)
    _write_meta(con, store, through, catalogue, built_at)


def _project_each(con: duckdb.DuckDBPyConnection, store: Store) -> Iterator[Contract]:
    """Write each dataset and hand it out to be derived from; one under review a second time, as it stands reviewed."""
    segments = store.control.segments()
    empty = {c.name for c in (*store.records.values(), *store.contracts.values())} - {s.dataset for s in segments}
    con.execute("BEGIN")  # a commit of its own for each of many empty tables would wait for the disk each time
    for contract in (*store.records.values(), *store.contracts.values()):
        if contract.name in empty:
            _lay_empty(con, contract)
    con.execute("COMMIT")
    for record in store.records.values():
        if record.name not in empty:
            _project_dataset(con, store, record)
    has_review = lay_out(con)
    for contract in store.contracts.values():
        if contract.name not in empty:
            _project_dataset(con, store, contract)
        if has_review and is_owed(contract):
            copy_reviewed(con, contract)
        yield contract
        if has_review and is_owed(contract):
            with looking_at_reviewed(con):
                yield contract


def _write_batches(con: duckdb.DuckDBPyConnection, store: Store) -> None:
    con.execute(
        "CREATE TABLE batch (batch_seq INTEGER, dataset VARCHAR, source VARCHAR, file_name VARCHAR, file_sha VARCHAR,"
        " recorded_at TIMESTAMP, recorded_by VARCHAR, kind VARCHAR, origin VARCHAR, period_from INTEGER,"
        " period_to INTEGER, rows_in BIGINT, accepted BIGINT, unchanged BIGINT, quarantined BIGINT, skipped BIGINT,"
        " removed BIGINT, delta_rows BIGINT, withdraws INTEGER, why VARCHAR)"
    )
    rows = [
        (
            b["batch_seq"], b["dataset"], b["dataset"], b["file_name"], b["file_sha"],
            from_iso(b["recorded_at"]).replace(tzinfo=None), b["recorded_by"], b["kind"], b["origin"],
            b["period_from"], b["period_to"], b["rows_in"], b["accepted"], b["unchanged"], b["quarantined"],
            b["skipped"], b["removed"], b["delta_rows"], b["withdraws"], b["why"],
        )
        for b in store.control.batches()
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


def _project_dataset(con: duckdb.DuckDBPyConnection, store: Store, contract: Contract) -> None:
    """One row per version of a fact; a row's end of knowledge is the batch that took it back."""
    columns = ", ".join(f'p."{column.name}"' for column in contract.columns)
    unit = f'p."{contract.org_column}"' if contract.org_column else "CAST(NULL AS VARCHAR)"
    if contract.name == "org_unit":
        unit = 'p."code"'
    named = any(column.name == "unit" for column in contract.columns)
    unit_column = "" if named else f"{unit} AS unit, "
    con.execute(
        f"""CREATE TABLE d_{contract.name} AS
        SELECT p.row_id, p.rec_from, p.rec_to, {unit_column}p.from_m, p.to_m, {columns}, p.note, p.file_name, p.sheet,
               p.row_no
        FROM ({with_columns(history.versions(store.segments, store.control.segments(contract.name)), contract)}) p ORDER BY p.from_m, unit"""
    )


def _difference(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Cumulative columns become month flows `<column>_flow`, as known at each batch; falls stay negative months.

    Within key and year the flow of a month is its figure less the latest earlier one. A correction of a month
    changes that month and the next, so a row's interval is cut at every batch that touches its year.
    """
    name = f"d_{contract.name}"
    group = ", ".join(f'"{key}"' for key in contract.keys if key != contract.time_column)
    flows = ", ".join(
        f'"{column}" - coalesce(lag("{column}") OVER w, 0) AS "{column}_flow"' for column in contract.cumulative
    )
    names = ", ".join(f'"{column}_flow"' for column in contract.cumulative)
    con.execute(
        f"""CREATE TABLE differenced AS
        WITH rows_ AS (SELECT *, from_m // 12 AS y, hash({group}, from_m // 12) AS series FROM {name}),
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


def _write_meta(
    con: duckdb.DuckDBPyConnection, store: Store, through: int, catalogue: str, built_at: dt.datetime
) -> None:
    filled = {row[0] for row in con.execute("SELECT DISTINCT dataset FROM batch").fetchall()}
    flows = [c for c in store.contracts.values() if c.name in filled and c.time_kind in ("month", "date", "datetime")]
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
        "catalogue": catalogue,
        "built_at": built_at.isoformat(),
        "first_month": "" if low is None else str(low),
        "last_month": "" if high is None else str(high),
    }
    if works_with_review(con):
        meta["review"] = "1"
    con.execute("CREATE TABLE meta (key VARCHAR, value VARCHAR)")
    con.executemany("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))
    if through < 0:
        raise StoreError(f"The store {store.path} holds no batch.", "load something first")
