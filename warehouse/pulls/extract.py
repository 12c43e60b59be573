"""What a query brings, as texts in a Parquet file: one read-only snapshot, read by a cursor of the server.

Every value leaves the server as the text that loses nothing of it; a moment with a zone is told in the store's zone.
The last column, which no contract knows, is what the query grows by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from warehouse.base.errors import ServerError
from warehouse.postgres import Address, connect, explain
from warehouse.pulls.declaration import Declaration
from warehouse.pulls.words import refusal, sentence

GROWS = {
    "smallint": "number", "integer": "number", "bigint": "number", "numeric": "number",
    "date": "time", "timestamp without time zone": "time", "timestamp with time zone": "time",
}  # fmt: skip
"""Types of which one value is later than another."""

OVERLAP = {"number": "1000", "time": "10 minutes", "date": "1 days"}
"""Rows are numbered and dated before they are committed; so far back they are read again."""

BATCH_BYTES = 8 << 20
"""Texts held at once; rows so long that fewer fit are fetched by fewer."""

FIRST_ROWS = 50
"""Rows fetched before it is known how long they are."""

MOST_COLUMNS_NAMED = 30


@dataclass(frozen=True)
class Shape:
    """The columns of a query: names and types, in its order."""

    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(name for name, _ in self.columns)

    def type_of(self, name: str) -> str | None:
        """Return the type of a column, None where there is none of that name."""
        return dict(self.columns).get(name)


@dataclass(frozen=True)
class Extract:
    """The rows that were read: how many, of which shape, and up to where."""

    rows: int
    shape: Shape
    reached: str | None


def read_out(
    declaration: Declaration, address: Address, since: str | None, zone: str, target: Path,
    check: Callable[[Shape], None], progress: Callable[[str], None] | None = None,
) -> Extract:  # fmt: skip
    """Write the rows of a query to a file; `since` is how far an earlier pull came, `check` refuses a strange shape."""
    try:
        with connect(address, declaration.timeout_seconds) as con:
            con.read_only, con.isolation_level = True, psycopg.IsolationLevel.REPEATABLE_READ
            con.execute(sql.SQL("SET TIME ZONE {}").format(sql.Literal(zone)))
            shape = _describe(con, declaration)
            check(shape)
            return _stream(con, declaration, shape, since, zone, target, progress)
    except psycopg.Error as cause:
        raise _told(cause, declaration, address) from cause


def _told(cause: psycopg.Error, declaration: Declaration, address: Address) -> Exception:
    known = explain(cause, address.shown)
    state = cause.sqlstate or ""
    if isinstance(cause, psycopg.DataError | psycopg.ProgrammingError) and state != "42501":
        primary = cause.diag.message_primary or str(cause).splitlines()[0]
        return refusal("bad_query", where=declaration.name, value=primary)
    return known if isinstance(known, ServerError) else cause


def _describe(con: psycopg.Connection[Any], declaration: Declaration) -> Shape:
    with con.cursor() as cursor:
        cursor.execute(_within(declaration, "SELECT * FROM (", ") q LIMIT 0"))
        found = [(column.name, column.type_code) for column in cursor.description or ()]
        kinds = sorted({kind for _, kind in found})
        cursor.execute("SELECT t, format_type(t, NULL) FROM unnest(%s::oid[]) AS t", [kinds])
        names = dict(cursor.fetchall())
    shape = Shape(tuple((name, names[kind]) for name, kind in found))
    _refuse_strange(declaration, shape)
    return shape


def _within(declaration: Declaration, before: str, after: str) -> Any:
    """The declared query as it stands, on lines of its own: a comment at its end ends with it."""
    return sql.SQL("{}\n{}\n{}").format(sql.SQL(before), sql.SQL(declaration.sql), sql.SQL(after))


def _refuse_strange(declaration: Declaration, shape: Shape) -> None:
    named = {"where": declaration.name}
    if twice := [name for name, count in Counter(shape.names).items() if count > 1]:
        raise refusal("same_name", **named, value="、".join(twice))
    there = "、".join(shape.names[:MOST_COLUMNS_NAMED])
    wanted = [*declaration.columns, *([declaration.grows_by] if declaration.grows_by else [])]
    if gone := [name for name in wanted if name not in shape.names]:
        raise refusal("column_gone", **named, value="、".join(gone), hint=there)
    if blobs := [name for name, kind in shape.columns if kind == "bytea"]:
        raise refusal("bytes_column", **named, value="、".join(blobs))
    if declaration.grows_by is None:
        return
    kind = shape.type_of(declaration.grows_by) or ""
    if kind not in GROWS:
        raise refusal("does_not_grow", **named, value=declaration.grows_by, hint=kind)
    if declaration.overlap and declaration.overlap.isdigit() != (GROWS[kind] == "number"):
        raise refusal("overlap_kind", **named, value=declaration.overlap, hint=kind)


def refuse_other_shape(declaration: Declaration, before: Shape | None, now: Shape) -> None:
    """Columns that vanished or changed their type are no missing values; new ones are nobody's harm."""
    changed = []
    for name, was in before.columns if before else ():
        kind = now.type_of(name)
        if kind is None:
            changed.append(sentence("column_vanished", value=name, was=was))
        elif kind != was:
            changed.append(sentence("column_retyped", value=name, was=was, hint=kind))
    if changed:
        told = {"zh": "；".join(one["zh"] for one in changed), "en": "; ".join(one["en"] for one in changed)}
        raise refusal("shape_changed", where=declaration.name, name=declaration.name, **told)


# --- reading ----------------------------------------------------------------------------------------------------------


def _stream(
    con: psycopg.Connection[Any], declaration: Declaration, shape: Shape, since: str | None, zone: str, target: Path,
    progress: Callable[[str], None] | None,
) -> Extract:  # fmt: skip
    labels = [declaration.columns.get(name, name) for name in shape.names]
    schema = pa.schema([(label, pa.string()) for label in labels])
    rows, reached = 0, since
    with con.cursor(name="pull") as cursor, pq.ParquetWriter(target, schema, compression="zstd") as writer:
        cursor.execute(_statement(declaration, shape, since, zone))
        for batch in _batches(cursor, declaration.batch_rows):
            columns = list(zip(*batch, strict=True))
            reached = next((text for text in reversed(columns[-1]) if text is not None), reached)
            arrays = [pa.array(column, pa.string()) for column in columns[:-1]]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            rows += len(batch)
            if progress:
                progress(f"{rows}/? {declaration.name}")
    return Extract(rows, shape, reached)


def _batches(cursor: Any, most_rows: int) -> Iterator[Sequence[tuple[str | None, ...]]]:
    """Give the rows in parts that can be held: so many rows at most, and fewer where their texts are long."""
    size = min(most_rows, FIRST_ROWS)
    while batch := cursor.fetchmany(size):
        yield batch
        weight = sum(len(text) for row in batch for text in row if text) + 1
        size = max(1, min(most_rows, size * BATCH_BYTES // weight, size * 4))


def _statement(declaration: Declaration, shape: Shape, since: str | None, zone: str) -> Any:
    texts = [_text(name, kind, zone) for name, kind in shape.columns]
    if declaration.grows_by is None:
        return _within(declaration, _sql("SELECT ", texts, ", NULL::text FROM ("), ") q")
    kind = shape.type_of(declaration.grows_by) or ""
    column = sql.SQL("q.{}").format(sql.Identifier(declaration.grows_by)).as_string()
    before = _sql("SELECT ", texts, f", CASE WHEN {column} {_not_yet(kind)} THEN {_exact(column, kind)} END FROM (")
    return _within(declaration, before, f") q{_newer(column, kind, since, declaration)} ORDER BY {column} NULLS FIRST")


def _sql(before: str, texts: Sequence[str], after: str) -> str:
    return before + ", ".join(texts) + after


def _text(name: str, kind: str, zone: str) -> str:
    column = sql.SQL("q.{}").format(sql.Identifier(name)).as_string()
    if kind == "timestamp with time zone":
        return f"({column} AT TIME ZONE {sql.Literal(zone).as_string()})::text"
    if kind == "money":
        return f"{column}::numeric::text"
    return f"{column}::text"


def _not_yet(kind: str) -> str:
    """A date of the year 9999, or no number at all, is no place to read on from."""
    if GROWS[kind] == "number":
        return "< 'Infinity'::numeric"
    return {"date": "<= current_date", "timestamp without time zone": "<= localtimestamp"}.get(kind, "<= now()")


def _exact(column: str, kind: str) -> str:
    return f"({column} AT TIME ZONE 'UTC')::text || '+00'" if kind == "timestamp with time zone" else f"{column}::text"


def _newer(column: str, kind: str, since: str | None, declaration: Declaration) -> str:
    """Rows from the last value on, less the overlap; equal values and rows without one are read again each time."""
    if since is None:
        return ""
    overlap = declaration.overlap or OVERLAP.get(kind) or OVERLAP[GROWS[kind]]
    typed = "numeric" if GROWS[kind] == "number" else kind
    back = f"{overlap}::numeric" if GROWS[kind] == "number" else f"interval {sql.Literal(overlap).as_string()}"
    last = sql.Literal(since).as_string()
    return f" WHERE {column} >= {last}::{typed} - {back} OR {column} IS NULL"
