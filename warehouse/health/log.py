"""The control log, read without touching it: is it whole, and does what it says hang together."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from warehouse.control import from_iso, iso
from warehouse.health.finding import Finding, finding
from warehouse.postgres import Address, first_line, open_engine
from warehouse.schema import NEWEST

TABLES = ("batch", "segment", "receipt", "quarantine", "generation", "store_meta", "alembic_version")
WITHDRAWABLE = ("load", "resubmit", "review")
MOST_FAULTS = 3
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Log:
    """Every row the checks look at, as written."""

    path: Path | Address
    batches: tuple[Row, ...]
    segments: tuple[Row, ...]
    receipts: tuple[Row, ...]
    quarantine: tuple[Row, ...]
    generations: tuple[Row, ...]
    revision: str

    @property
    def last(self) -> int:
        """Number of the last batch, -1 before the first."""
        return max((row["batch_seq"] for row in self.batches), default=-1)


class DamagedLog(Exception):
    """The log cannot be trusted; the text says why."""


def read_log(place: Path | Address) -> Log:
    """Read the whole log as of one moment, or raise DamagedLog; nothing is written to it."""
    if isinstance(place, Address):
        return _read_server(place)
    try:
        con = sqlite3.connect(f"file:{quote(str(place))}?mode=ro", uri=True, timeout=30)
        try:
            return _read(place, con)
        finally:
            con.close()
    except sqlite3.Error as cause:
        raise DamagedLog(str(cause)) from cause


def _read(path: Path, con: sqlite3.Connection) -> Log:
    con.row_factory = sqlite3.Row
    faults = [row[0] for row in con.execute("PRAGMA integrity_check").fetchmany(MOST_FAULTS)]
    if faults != ["ok"]:
        raise DamagedLog("; ".join(str(fault) for fault in faults))
    there = {row[0] for row in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    _refuse_absent(there)
    return _log(path, {name: [dict(row) for row in con.execute(_all(name))] for name in TABLES})


def _read_server(address: Address) -> Log:
    """A server checks its own pages; what it holds is looked at in one snapshot."""
    engine = open_engine(address)
    try:
        with engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True).connect() as con:
            _refuse_absent(set(sa.inspect(con).get_table_names()))
            rows = {name: [dict(row) for row in con.execute(sa.text(_all(name))).mappings()] for name in TABLES}
        return _log(address, rows)
    except sa.exc.SQLAlchemyError as cause:
        raise DamagedLog(first_line(getattr(cause, "orig", None) or cause)) from cause
    finally:
        engine.dispose()


def _refuse_absent(there: Collection[str]) -> None:
    if absent := [name for name in TABLES if name not in there]:
        raise DamagedLog(f"no table {', '.join(absent)}")


def _all(table: str) -> str:
    return f"SELECT * FROM {table} ORDER BY 1"


def _log(place: Path | Address, rows: Mapping[str, Sequence[Row]]) -> Log:
    found = {name: tuple(listed) for name, listed in rows.items()}
    revision = found["alembic_version"][0]["version_num"] if found["alembic_version"] else ""
    return Log(
        place, found["batch"], found["segment"], found["receipt"], found["quarantine"], found["generation"], revision
    )


def check_log(log: Log, now: dt.datetime) -> Iterator[Finding]:
    """Check what the log says against itself."""
    if log.revision != NEWEST:
        yield finding("schema_ahead" if log.revision > NEWEST else "schema_behind", log.path, log.revision, NEWEST)
    yield from _order(log, now)
    yield from _counts(log)
    yield from _receipts(log)
    yield from _withdrawals(log)
    yield from _quarantine(log)


def _order(log: Log, now: dt.datetime) -> Iterator[Finding]:
    numbers = {row["batch_seq"] for row in log.batches}
    for absent in sorted(set(range(log.last + 1)) - numbers):
        yield finding("batch_gap", log.path, absent)
    loaded = [row for row in log.batches if row["batch_seq"] > 0]
    for before, after in pairwise(loaded):
        if after["recorded_at"] < before["recorded_at"]:
            yield finding("batch_time", _batch(after), after["recorded_at"], before["recorded_at"])
    newest = max((row["recorded_at"] for row in loaded), default=None)
    if newest is not None and from_iso(newest) > now:
        yield finding("clock_behind", log.path, iso(now), newest)


def _counts(log: Log) -> Iterator[Finding]:
    said = [(_batch(row), row) for row in log.batches]
    said += [(_receipt(row), json.loads(row["counts"])) for row in log.receipts if row["counts"] not in ("", "{}")]
    for where, counts in said:
        parts = sum(counts.get(name, 0) for name in ("accepted", "unchanged", "quarantined", "skipped"))
        if counts.get("rows_in", 0) != parts:
            yield finding("counts_wrong", where, counts.get("rows_in", 0), parts)


def _receipts(log: Log) -> Iterator[Finding]:
    numbers = {row["batch_seq"] for row in log.batches}
    told = {row["batch_seq"] for row in log.receipts if row["batch_seq"] is not None}
    for row in log.receipts:
        if row["batch_seq"] is not None and row["batch_seq"] not in numbers:
            yield finding("receipt_loose", _receipt(row), row["batch_seq"])
    for row in log.batches:
        if row["batch_seq"] not in told:
            yield finding("receipt_loose", _batch(row), row["batch_seq"])


def _withdrawals(log: Log) -> Iterator[Finding]:
    kinds = {row["batch_seq"]: row["kind"] for row in log.batches}
    taken = [row for row in log.batches if row.get("withdraws") is not None or row["kind"] == "withdrawal"]
    times = Counter(row.get("withdraws") for row in taken)
    for row in taken:
        target = row.get("withdraws")
        sound = (
            kinds.get(target) in WITHDRAWABLE and target < row["batch_seq"] and times[target] == 1 and row.get("why")
        )
        if not sound:
            yield finding("withdrawal_loose", _batch(row), target)


def _quarantine(log: Log) -> Iterator[Finding]:
    receipts = {row["receipt_id"] for row in log.receipts}
    for row in log.quarantine:
        for name in ("receipt_id", "closed_by"):
            if row[name] is not None and row[name] not in receipts:
                yield finding("quarantine_loose", row["entry_id"], row[name])


def _batch(row: Row) -> str:
    return f"#{row['batch_seq']} {row['file_name']}"


def _receipt(row: Row) -> str:
    return f"receipt {row['receipt_id']} {row['file_name']}"
