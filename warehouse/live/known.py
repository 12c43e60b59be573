"""What a fold needs to know of a store: the live rows of a dataset, what moved since the last fold, the fold rules."""

from __future__ import annotations

import csv
import datetime as dt
import zoneinfo
from collections.abc import Sequence
from decimal import Decimal
from importlib import resources
from typing import Any

import duckdb

from warehouse import history, operations
from warehouse.base.clock import DEFAULT_ZONE
from warehouse.control import HISTORY, SegmentRow
from warehouse.deltas import BATCH_ROOM
from warehouse.growth import with_columns
from warehouse.metering.rules import FoldRules, rules_of
from warehouse.operations import RunRow
from warehouse.store import Store

JOB = "fold"
RULES = "fold_rule"


def zone_of(store: Store) -> zoneinfo.ZoneInfo:
    """Return the store's time zone."""
    return zoneinfo.ZoneInfo(store.control.meta().get("timezone", DEFAULT_ZONE))


def live_rows(
    con: duckdb.DuckDBPyConnection, store: Store, dataset: str, columns: Sequence[str], where: str = "TRUE",
    values: Sequence[Any] = (), months: tuple[int, int] | None = None,
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Return columns of the live rows of a dataset that meet a condition; only segments of the months are opened."""
    segments = [s for s in store.control.segments(dataset) if months is None or _meets(s, months)]
    if not segments:
        return []
    contract = store.contracts[dataset]
    names = ", ".join(f'p."{name}"' for name in columns)
    rows = with_columns(history.live(store.segments, segments), contract)
    return con.execute(f"SELECT {names} FROM ({rows}) p WHERE {where}", list(values)).fetchall()


def _meets(segment: SegmentRow, months: tuple[int, int]) -> bool:
    return segment.from_m <= months[1] and segment.to_m > months[0]


def moved_rows(
    con: duckdb.DuckDBPyConnection, store: Store, dataset: str, columns: Sequence[str], since: int
) -> list[tuple[Any, ...]]:
    """Return distinct values of columns in all rows of a dataset that came or went with batches after one."""
    standing = store.control.segments(dataset)
    recent = [s for s in standing if s.batch_seq > since]
    if not recent:
        return []
    # what is taken back says its values in the batch that brought it, which is the first part of its number
    came = f"SELECT DISTINCT row_id // {BATCH_ROOM} FROM ({history.signed(store.segments, recent)}) WHERE n = -1"
    brought = {int(row[0]) for row in con.execute(came).fetchall()}
    segments = [s for s in standing if s in recent or s.batch_seq in brought or (s.kind == HISTORY and brought)]
    names = ", ".join(f'"{name}"' for name in columns)
    rows = with_columns(history.told(store.segments, segments), store.contracts[dataset])
    return con.execute(f"SELECT DISTINCT {names} FROM ({rows}) WHERE batch_seq > ?", [since]).fetchall()


def fold_rules(con: duckdb.DuckDBPyConnection, store: Store) -> FoldRules:
    """Return the fold rules the store knows; a store made before they were shipped goes by the shipped ones."""
    rows = live_rows(con, store, RULES, ("rule", "valid_from", "value"))
    return rules_of(rows or shipped_rules())


def shipped_rules() -> list[tuple[str, dt.date, Decimal]]:
    """Return the fold rules of the package."""
    text = (resources.files("warehouse") / "reference" / f"{RULES}.csv").read_text(encoding="utf-8")
    return [
        (row["rule"], dt.date.fromisoformat(row["valid_from"]), Decimal(row["value"]))
        for row in csv.DictReader(text.splitlines())
    ]


def folded_through(store: Store, kind: str) -> int:
    """Return the last batch a fold has looked at."""
    run = operations.find_run(store.control.engine, JOB, kind)
    return int(run.message) if run else 0


def set_folded(store: Store, kind: str, seq: int, now: dt.datetime) -> None:
    """Note the last batch a fold has looked at."""
    operations.add_run(store.control.engine, RunRow(JOB, kind, now, now, True, str(seq)))
