"""Generations: the pointer names one that is whole, readable, and holds what the log and the definitions say."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from warehouse.base.clock import system_clock
from warehouse.base.sql import quote
from warehouse.durable import sha256_of
from warehouse.health.finding import Finding, finding
from warehouse.health.log import Log
from warehouse.projection import SCHEMA_VERSION, project
from warehouse.publish import Builder
from warehouse.reviewed import SCHEMA
from warehouse.store import Store, connect

_NAME = re.compile(r"\d+\.duckdb")
SCHEMAS = ("main", SCHEMA)
NOT_COMPARED = "key = 'built_at'"
"""Facts of a generation that differ from build to build."""


def check_generations(store: Store, log: Log, catalogue: str) -> Iterator[Finding]:
    """Check every generation's bytes, and that the current one can be read and is of these definitions."""
    name = _named(store)
    if (store.generations / name).is_file():
        yield from _check_current(log, store.generations / name, catalogue)
    for file in sorted(store.generations.glob("*")):
        if _NAME.fullmatch(file.name) and file.name != name:
            yield from _check_bytes(file, log, "generation_old_altered")


def check_pointer(store: Store, log: Log) -> Iterator[Finding]:
    """Check what the pointer names against the log, and that no other file lies among the generations."""
    if not log.batches:
        return
    pointer = store.generations / "CURRENT"
    text = _pointed(store)
    if not text:
        yield finding("pointer_missing", pointer)
    elif not _NAME.fullmatch(text):
        yield finding("pointer_wrong", pointer, text[:60])
    elif not (store.generations / text).is_file():
        yield finding("generation_missing", store.generations / text)
    else:
        yield from _check_reach(store.generations / text, log, pointer)
    for file in sorted(store.generations.glob("*")):
        if not _NAME.fullmatch(file.name) and file.name != "CURRENT" and ".tmp" not in file.name:
            yield finding("generation_foreign", file)


def _pointed(store: Store) -> str:
    pointer = store.generations / "CURRENT"
    return pointer.read_text(encoding="utf-8", errors="replace").strip() if pointer.is_file() else ""


def _named(store: Store) -> str:
    text = _pointed(store)
    return text if _NAME.fullmatch(text) else ""


def _check_reach(file: Path, log: Log, pointer: Path) -> Iterator[Finding]:
    newest = max((row["gen"] for row in log.generations), default=int(file.stem))
    if newest != int(file.stem):
        yield finding("pointer_old", pointer, int(file.stem), newest)
    try:
        with connect(str(file), read_only=True, threads=1) as con:
            meta = _meta(con)
    except duckdb.Error:
        return  # unreadable, which is told by itself
    through = int(meta.get("through_seq", -1))
    if through != log.last:
        yield finding("generation_ahead" if through > log.last else "generation_behind", file, through, log.last)


def _check_current(log: Log, file: Path, catalogue: str) -> Iterator[Finding]:
    altered = tuple(_check_bytes(file, log, "generation_altered"))
    yield from altered
    if altered:
        return
    try:
        with connect(str(file), read_only=True, threads=1) as con:
            meta = _meta(con)
            _read_through(con)
    except duckdb.Error as cause:
        if file.exists():  # else newer ones were published meanwhile
            yield finding("generation_unreadable", file, str(cause).splitlines()[0])
        return
    if meta.get("schema_version") != SCHEMA_VERSION or meta.get("catalogue", "") != catalogue:
        yield finding("generation_stale", file)


def _meta(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(con.execute("SELECT key, value FROM meta").fetchall())


def _check_bytes(file: Path, log: Log, code: str) -> Iterator[Finding]:
    listed = next((row for row in log.generations if row["file"] == file.name), None)
    if listed is None or not listed.get("sha256"):
        return  # published before sums were kept, or by a publish that was interrupted
    with contextlib.suppress(FileNotFoundError):  # an old one removed since it was listed
        if (size := file.stat().st_size) != listed["bytes"]:
            yield finding(code, file, f"{size} B", f"{listed['bytes']} B")
        elif (digest := sha256_of(file)) != listed["sha256"]:
            yield finding(code, file, digest, listed["sha256"])


def _read_through(con: duckdb.DuckDBPyConnection) -> None:
    for schema in SCHEMAS:
        for table in _tables(con, schema):
            con.execute(f'SELECT count(COLUMNS(*)) FROM {schema}."{table}"').fetchone()


def _tables(con: duckdb.DuckDBPyConnection, schema: str, database: str | None = None) -> list[str]:
    rows = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = $1 AND database_name = coalesce($2, current_database())"
        " AND NOT temporary ORDER BY 1",
        [schema, database],
    ).fetchall()
    return [row[0] for row in rows]


# --- the generation against the segments ------------------------------------------------------------------------------


def check_contents(store: Store, builders: Sequence[Builder], catalogue: str) -> Iterator[Finding]:
    """Build the projection anew beside the published one and compare every table. The caller holds the writer lock."""
    current = store.current()
    if current is None or not current.is_file():
        return
    scratch = store.tmp / "doctor.duckdb.tmp"
    scratch.unlink(missing_ok=True)
    con = connect(spill=store.tmp, memory="6GB")
    try:
        con.execute(f"ATTACH {quote(str(scratch))} AS anew (STORAGE_VERSION 'v1.5.0')")
        con.execute("USE anew")
        project(con, store, store.control.last()[0], catalogue, system_clock())
        for builder in builders:
            builder(con, store.contracts)
        con.execute(f"ATTACH {quote(str(current))} AS published (READ_ONLY)")
        yield from _compare(con, current)
    finally:
        con.close()
        scratch.unlink(missing_ok=True)


def _compare(con: duckdb.DuckDBPyConnection, file: Path) -> Iterator[Finding]:
    for schema in SCHEMAS:
        yield from _compare_schema(con, file, schema)


def _compare_schema(con: duckdb.DuckDBPyConnection, file: Path, schema: str) -> Iterator[Finding]:
    tables = {name: set(_tables(con, schema, name)) for name in ("anew", "published")}
    for table in sorted(tables["anew"] | tables["published"]):
        places = {name: f"{name}.{schema}" for name in ("published", "anew")}
        sums = [_sum(con, place, table) if table in tables[name] else "—" for name, place in places.items()]
        if sums[0] != sums[1]:
            yield finding("generation_differs", f"{file}: {table}", *sums)


def _sum(con: duckdb.DuckDBPyConnection, place: str, table: str) -> str:
    """Return the number of rows and a sum over all cells that does not depend on their order."""
    columns = [row[0] for row in con.execute(f'DESCRIBE {place}."{table}"').fetchall()]
    cells = ", ".join(f'"{column}"' for column in sorted(columns))
    where = f" WHERE NOT ({NOT_COMPARED})" if table == "meta" else ""
    row = con.execute(f'SELECT count(*), sum(hash({cells})::HUGEINT) FROM {place}."{table}"{where}').fetchone()
    return f"{row[0]} rows, sum {row[1]}" if row else ""
