"""What the cubes are carried on with: the months in question, where tables lie, and the scratch schema.

A `Lane` is one state of the figures (as reported, as reviewed). A `Piece` is a part of the months: those the cubes reached
before, where only what moved counts, and those they did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

from metrics.cubes import Span, month_span
from metrics.model import Catalogue, Source
from metrics.tables import literal, quoted
from warehouse.contracts import Contract
from warehouse.incremental import Anew, moved
from warehouse.reviewed import SCHEMA

SCRATCH = "scratch.fresh"


@dataclass(frozen=True)
class Piece:
    """A part of the months: which rows of a dataset bear on it, and which changes in it are new."""

    span: Span
    rows: str
    new: str
    is_moved: bool
    """True for the months there were, where only what moved counts; False for months the cubes did not reach."""


@dataclass
class Lane:
    """One state of the figures while it is carried on: where its tables lie and what moved in it."""

    con: duckdb.DuckDBPyConnection
    contracts: Mapping[str, Contract]
    catalogue: Catalogue
    database: str
    schemas: tuple[str, ...]
    """Where a name is looked for, in this order; what is new is written into the first."""
    before: int
    moved: Mapping[str, bool]
    pieces: tuple[Piece, ...]
    tables: frozenset[tuple[str, str]]
    """Schema and name of what lies in the generation."""
    whole: set[str] = field(default_factory=set)
    """Sources and atoms that are built whole."""

    @property
    def state(self) -> str:
        """The name of the state."""
        return "reviewed" if self.schemas[0] == SCHEMA else "reported"

    @property
    def new(self) -> str:
        """SQL of the changes that are new, whatever the month."""
        return " OR ".join(f"(month_no >= {p.span.first} AND month_no < {p.span.end} AND {p.new})" for p in self.pieces)

    def place(self, table: str) -> str:
        """Return where a table of this state lies."""
        schema = next(schema for schema in self.schemas if (schema, table) in self.tables)
        return f"{quoted(self.database)}.{schema}.{quoted(table)}"

    def beside(self, place: str, table: str) -> str:
        """Return where a table would lie in the schema of another."""
        return f"{place.rpartition('.')[0]}.{quoted(table)}"

    @contextmanager
    def looking(self, *, scratch: bool) -> Iterator[None]:
        """Look names up in this state's schemas, before them in the scratch schema."""
        paths = [f"{quoted(self.database)}.{schema}" for schema in self.schemas]
        path = ",".join([SCRATCH, *paths] if scratch else paths)
        self.con.execute(f"SET search_path = {literal(path)}")
        try:
            yield
        finally:
            self.con.execute(f"USE {quoted(self.database)}.main")


def tables(con: duckdb.DuckDBPyConnection, database: str) -> frozenset[tuple[str, str]]:
    """Return schema and name of what lies in a generation."""
    wanted = "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $1"
    return frozenset((row[0], row[1]) for row in con.execute(wanted, [database]).fetchall())


def pieces(con: duckdb.DuckDBPyConnection, before: int) -> tuple[Piece, ...]:
    """Return the months there were, and those that are new, if any."""
    first, end = con.execute("SELECT first_m, end_m FROM cube_span").fetchone() or (0, 0)
    span = month_span(con)
    if span.first != first or span.end < end:
        raise Anew(f"the months from {first} to {end} become those from {span.first} to {span.end}")
    pieces = [Piece(Span(first, end), moved(before), f"batch_seq > {before}", is_moved=True)]
    if span.end > end:
        pieces.append(Piece(Span(end, span.end), f"to_m > {end}", "TRUE", is_moved=False))
    return tuple(pieces)


def take_rows(lane: Lane, source: Source, piece: Piece) -> bool:
    """Lay the rows of a source that bear on a piece into the scratch schema; False when there are none."""
    place = lane.place(f"d_{source.of}")
    rows = f"SELECT * FROM {place} WHERE {'TRUE' if source.month and not piece.is_moved else piece.rows}"
    grouped = source.latest.within if source.latest else source.due.renewed_by if source.due else ()
    if grouped:  # which version counts, or whether a row was renewed, is told by all of its group
        keys = ", ".join(quoted(name) for name in grouped)
        same = " AND ".join(f"d.{quoted(n)} IS NOT DISTINCT FROM k.{quoted(n)}" for n in grouped)
        rows = f"SELECT * FROM {place} d SEMI JOIN (SELECT DISTINCT {keys} FROM ({rows})) k ON {same}"
    table = f"{SCRATCH}.{quoted('d_' + source.of)}"
    lane.con.execute(f"CREATE OR REPLACE TABLE {table} AS {rows}")
    if is_filled(lane, f"d_{source.of}"):
        return True
    drop(lane, f"d_{source.of}")
    return False


def is_filled(lane: Lane, table: str) -> bool:
    """Tell whether a table of the scratch schema holds anything."""
    return lane.con.execute(f"SELECT 1 FROM {SCRATCH}.{quoted(table)} LIMIT 1").fetchone() is not None


def touch(lane: Lane, table: str) -> None:
    """Note the cells of node changes, for `node_now` and for whoever keeps something of them elsewhere."""
    lane.con.execute(f"INSERT INTO touched_node SELECT DISTINCT {literal(lane.state)}, node, month_no FROM {table}")


def touch_unlike(lane: Lane, place: str, before: str) -> None:
    """Note the cells in which a table that was built whole says something else than before, and drop what it said."""
    named = [column[0] for column in lane.con.execute(f"SELECT * FROM {place} LIMIT 0").description]
    unlike = " OR ".join(f"n.{quoted(name)} IS DISTINCT FROM b.{quoted(name)}" for name in named)
    lane.con.execute(
        f"""INSERT INTO touched_node SELECT DISTINCT {literal(lane.state)}, coalesce(n.node, b.node), coalesce(n.month_no, b.month_no)
        FROM {place} n FULL JOIN {before} b ON b.node = n.node AND b.month_no = n.month_no WHERE {unlike}"""
    )
    lane.con.execute(f"DROP TABLE {before}")


def drop(lane: Lane, *tables: str) -> None:
    """Clear tables away from the scratch schema."""
    for table in tables:
        lane.con.execute(f"DROP TABLE IF EXISTS {SCRATCH}.{quoted(table)}")


def take_units(lane: Lane, piece: Piece, sources: Iterable[Source]) -> bool:
    """Lay the rows of all units that moved, over the months they moved in, into the scratch schema."""
    datasets = {source.of: source for source in sources}
    bearing = {name: piece.rows for name in datasets if not piece.is_moved or name in lane.moved}
    if not reach(lane, piece, bearing):
        return False
    for name, source in datasets.items():
        # the months of such rows, and which of their versions count, are not told by where they lie
        anywhere = source.month or source.latest or source.due
        table = f"{SCRATCH}.{quoted(f'd_{name}')}"
        rows = of_units(lane.con, lane.place(f"d_{name}"), anywhere=bool(anywhere))
        lane.con.execute(f"CREATE OR REPLACE TABLE {table} AS {rows}")
    return True


def reach(lane: Lane, piece: Piece, bearing: Mapping[str, str]) -> bool:
    """Write which units, in which months of a piece, the rows of some datasets speak of; False when of none."""
    reads = " UNION ALL ".join(
        f"SELECT unit, from_m, to_m FROM {lane.place(f'd_{name}')} WHERE {rows}" for name, rows in bearing.items()
    )
    first, end = piece.span.first, piece.span.end
    lane.con.execute(
        f"""CREATE OR REPLACE TABLE {SCRATCH}.reach AS
        SELECT unit, greatest(min(from_m), {first}) AS low, least(max(to_m), {end}) AS high
        FROM ({reads}) WHERE from_m < {end} AND to_m > {first} GROUP BY unit"""
    )
    return is_filled(lane, "reach")


def of_units(con: duckdb.DuckDBPyConnection, place: str, *, anywhere: bool = False) -> str:
    """SQL of the rows of the units in `reach`; a unit's own months narrow it, those of all spare the reading."""
    if anywhere:
        return f"SELECT * FROM {place}"
    low, high = con.execute(f"SELECT coalesce(min(low), 0), coalesce(max(high), 0) FROM {SCRATCH}.reach").fetchone() or (0, 0)  # fmt: skip
    return f"""SELECT d.* FROM {place} d SEMI JOIN {SCRATCH}.reach r
        ON r.unit IS NOT DISTINCT FROM d.unit AND d.from_m < r.high AND d.to_m > r.low
        WHERE d.from_m < {high} AND d.to_m > {low}"""
