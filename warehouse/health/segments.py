"""Segments: every file the log names is there, byte for byte, readable, and no other file lies among them."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import duckdb

from warehouse import history
from warehouse.base.paths import one_file
from warehouse.control import HISTORY, SegmentRow
from warehouse.durable import sha256_of
from warehouse.health.finding import Finding, finding
from warehouse.health.log import Log, Row
from warehouse.store import connect


def check_segments(folder: Path, log: Log) -> Iterator[Finding]:
    """Check every segment of the manifest."""
    with connect(threads=1) as con:
        found = [one for row in standing(log) for one in _check_file(con, folder / row.path, row)]
        yield from found
        if not found:
            yield from _check_batches(con, folder, log)
    for row in log.segments:
        if _stands(row):
            continue
        with contextlib.suppress(FileNotFoundError):  # its days are over
            if sha256_of(folder / row["path"]) != row["sha256"]:
                yield finding("segment_replaced_altered", folder / row["path"])


def standing(log: Log) -> list[SegmentRow]:
    """Return the segments that figures are made of, without those a rebase replaced."""
    names = {field.name for field in fields(SegmentRow)}
    return [SegmentRow(**{key: row[key] for key in row if key in names}) for row in log.segments if _stands(row)]


def _stands(row: Row) -> bool:
    return row.get("valid_to_seq") is None


def check_foreign(folder: Path, log: Log) -> Iterator[Finding]:
    """Check that the manifest names every file of the folder; one that vanishes meanwhile is gone, not wrong."""
    named = {row["path"] for row in log.segments}
    for file in sorted(folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            if file.is_file() and str(file.relative_to(folder)) not in named:
                yield finding("segment_foreign", file, file.stat().st_size)


def _check_file(con: duckdb.DuckDBPyConnection, file: Path, row: SegmentRow) -> Iterator[Finding]:
    if not file.is_file():
        yield finding("segment_missing", file)
        return
    if file.stat().st_size != row.bytes:
        yield finding("segment_size", file, file.stat().st_size, row.bytes)
        return
    digest = sha256_of(file)
    if digest != row.sha256:
        yield finding("segment_hash", file, digest, row.sha256)
        return
    try:
        strange = f"batch_seq <> {row.batch_seq}"
        if row.kind == HISTORY:
            strange = f"batch_seq > {row.batch_seq} OR taken_seq > {row.batch_seq} OR taken_seq <= batch_seq"
        sql = f"SELECT count(*), count(*) FILTER ({strange}) FROM read_parquet({one_file(file)})"
        count, wrong = con.execute(sql).fetchone() or (0, 0)
    except duckdb.Error as cause:
        yield finding("segment_unreadable", file, str(cause).splitlines()[0])
        return
    if count != row.rows or wrong:
        yield finding("segment_rows", file, count - wrong, row.rows)


def _check_batches(con: duckdb.DuckDBPyConnection, folder: Path, log: Log) -> Iterator[Finding]:
    held: dict[int, int] = defaultdict(int)
    for row in standing(log):
        if row.kind != HISTORY:
            held[row.batch_seq] += row.rows
            continue
        rows = history.signed(folder, [row])
        for seq, count in con.execute(f"SELECT batch_seq, count(*) FROM ({rows}) GROUP BY 1").fetchall():
            held[seq] += count
    said = {row["batch_seq"]: row["delta_rows"] for row in log.batches}
    for seq in sorted({*held, *said}):
        if held.get(seq, 0) != said.get(seq, 0):
            yield finding("segment_loose", f"#{seq}", held.get(seq, 0), said.get(seq, 0))


def check_pairs(folder: Path, log: Log) -> Iterator[Finding]:
    """Every row that is taken back was there, once, and was taken back once, later. Reads every segment."""
    files: dict[str, list[SegmentRow]] = defaultdict(list)
    for row in standing(log):
        files[row.dataset].append(row)
    with connect() as con:
        for dataset, segments in sorted(files.items()):
            wrong = con.execute(
                f"""SELECT count(*) FROM (
                    SELECT row_id FROM ({history.signed(folder, segments)}) GROUP BY row_id
                    HAVING count(*) FILTER (n = 1) <> 1 OR count(*) FILTER (n = -1) > 1
                        OR min(batch_seq) FILTER (n = -1) <= min(batch_seq) FILTER (n = 1))"""
            ).fetchone()
            if wrong and wrong[0]:
                yield finding("row_unpaired", dataset, wrong[0])
