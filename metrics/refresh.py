"""The cubes carried on: only what a batch moved is computed, by the very statements that build them whole.

Every builder of `cubes` and `cells` reads tables by name. Here the names are looked up in a scratch schema first: it
holds the few rows of a dataset (changes of a source, …) that matter, the builders write their tables there, and what is
new is added to the generation. "Built whole" is the same code with everything in sight.

What is new in a table of changes: changes of batches after the generation before, because what was known up to it
stands (`Change`), and all changes of months that the cubes did not reach before. A source whose lookup table moved, or
whose dataset does not stand as it did, is built whole; a source with its first rows, or months before the first one,
mean that everything is (`Anew`).

    touched_node    temporary; state × node × month_no of the cells of `node_now` that were written, until the
                    connection ends: what is kept elsewhere of these cells (snapshots) is out of date
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

from metrics.cells import build_cells
from metrics.cubes import (
    BuiltAtom,
    Span,
    build_due,
    build_leaf,
    build_node,
    build_now,
    build_unit,
    built_atoms,
    is_followed,
    month_span,
    outside_sql,
)
from metrics.facts import cell_sources, prepare
from metrics.model import Atom, Catalogue, Source
from metrics.reviewed_cubes import file_reports, touched_sources
from metrics.tables import has_rows, literal, quoted
from warehouse.contracts import Contract
from warehouse.incremental import Anew, Change, moved
from warehouse.reviewed import SCHEMA, is_owed, works_with_review

SCRATCH = "scratch.fresh"
LOOK_BACK = 12
"""Months before one that decide whether a file of it speaks for all (`cubes`)."""


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


def refresh(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], catalogue: Catalogue, change: Change) -> None:  # fmt: skip
    """Carry every cube on in a generation file whose fact tables were; raise `Anew` where that is not enough."""
    pieces = _pieces(con, change.before)
    live = _live(con, contracts, catalogue, change)
    counted = _counted(catalogue, live)
    built = built_atoms(catalogue, {s.name for s in live}, {a.name for a in counted})
    (database,) = con.execute("SELECT current_database()").fetchone() or ("",)
    con.execute("CREATE OR REPLACE TEMP TABLE touched_node (state VARCHAR, node VARCHAR, month_no INTEGER)")
    con.execute(f"ATTACH ':memory:' AS {SCRATCH.partition('.')[0]}")
    con.execute(f"CREATE SCHEMA {SCRATCH}")
    tables = _tables(con, database)
    main = Lane(con, contracts, catalogue, database, ("main",), change.before, change.reported, pieces, tables)
    _refresh_due(main)
    _refresh_changes(main, live, counted)
    _refresh_now(main, live, counted, built)
    _refresh_outside(main)
    if works_with_review(con):
        both = {**change.reported, **change.reviewed}
        reviewed = Lane(con, contracts, catalogue, database, (SCHEMA, "main"), change.before, both, pieces, tables)
        touched = touched_sources(live, contracts)
        names = {source.name for source in touched}
        _refresh_changes(reviewed, touched, [a for a in counted if names & set(cell_sources(a, catalogue))])
        reviewed.whole |= main.whole
        _refresh_now(reviewed, live, counted, built)
    con.execute("UPDATE cube_span SET end_m = $1", [pieces[-1].span.end])
    for source in live:
        con.execute(f"DROP TABLE IF EXISTS {quoted('rows_' + source.name)}")
    con.execute(f"DETACH {SCRATCH.partition('.')[0]}")


def _tables(con: duckdb.DuckDBPyConnection, database: str) -> frozenset[tuple[str, str]]:
    wanted = "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $1"
    return frozenset((row[0], row[1]) for row in con.execute(wanted, [database]).fetchall())


def _pieces(con: duckdb.DuckDBPyConnection, before: int) -> tuple[Piece, ...]:
    """Return the months there were, and those that are new, if any."""
    first, end = con.execute("SELECT first_m, end_m FROM cube_span").fetchone() or (0, 0)
    span = month_span(con)
    if span.first != first or span.end < end:
        raise Anew(f"the months from {first} to {end} become those from {span.first} to {span.end}")
    pieces = [Piece(Span(first, end), moved(before), f"batch_seq > {before}", is_moved=True)]
    if span.end > end:
        pieces.append(Piece(Span(end, span.end), f"to_m > {end}", "TRUE", is_moved=False))
    return tuple(pieces)


# --- what is built ----------------------------------------------------------------------------------------------------


def _live(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], catalogue: Catalogue,
          change: Change) -> list[Source]:  # fmt: skip
    """Return the sources with rows; one that gets its first rows now has no tables yet."""
    names = [row[0] for row in con.execute("SELECT source FROM cube_source").fetchall()]
    for source in catalogue.sources.values():
        if source.name in names or not ({source.of, *_looked_up(source)} & set(change.reported)):
            continue
        if has_rows(con, f"d_{source.of}") and has_rows(con, prepare(con, source, catalogue, contracts)):
            raise Anew(f"the source {source.name} gets its first rows")
    return [catalogue.sources[name] for name in names]


def _counted(catalogue: Catalogue, live: Iterable[Source]) -> list[Atom]:
    names = {source.name for source in live}
    return [
        a for a in catalogue.atoms.values()
        if (a.is_leaf or a.is_distinct) and set(cell_sources(a, catalogue)) <= names
    ]  # fmt: skip


def _looked_up(source: Source) -> set[str]:
    return {lookup.table for lookup in source.lookups}


def _is_whole(lane: Lane, source: Source) -> bool:
    """Tell whether a source cannot be appended to: what its rows are joined to moved, or they do not stand as they did."""
    return bool(_looked_up(source) & set(lane.moved)) or lane.moved.get(source.of) is False


# --- changes ----------------------------------------------------------------------------------------------------------


def _refresh_changes(lane: Lane, sources: Sequence[Source], counted: Sequence[Atom]) -> None:
    """Carry on the leaf, unit and node tables of sources and of the atoms counted in cells."""
    lane.whole |= {source.name for source in sources if _is_whole(lane, source)}
    for source in sources:
        if source.name in lane.whole:
            _build_whole(lane, source)
        else:
            _append_source(lane, source)
    whole = [a for a in counted if lane.whole & set(cell_sources(a, lane.catalogue))]
    _build_whole_cells(lane, whole)
    for piece in lane.pieces:
        _append_cells(lane, piece, [a for a in counted if a not in whole])


def _build_whole(lane: Lane, source: Source) -> None:
    """Build the tables of a source as if there were none."""
    span = Span(lane.pieces[0].span.first, lane.pieces[-1].span.end)
    with lane.looking(scratch=False):
        prepare(lane.con, source, lane.catalogue, lane.contracts)
        build_leaf(lane.con, source, lane.catalogue, lane.contracts, span)
        build_unit(lane.con, source, lane.catalogue, lane.contracts[source.of], _reports(lane, source))
        build_node(lane.con, source.name, source.theme)


def _build_whole_cells(lane: Lane, atoms: Sequence[Atom]) -> None:
    names = sorted({name for atom in atoms for name in cell_sources(atom, lane.catalogue)})
    months = (lane.pieces[0].span.first, lane.pieces[-1].span.end)
    with lane.looking(scratch=False):
        for name in names:
            prepare(lane.con, lane.catalogue.sources[name], lane.catalogue, lane.contracts)
        build_cells(lane.con, lane.catalogue, lane.contracts, names, months, only={atom.name for atom in atoms})
        for atom in atoms:
            build_node(lane.con, atom.name, atom.theme)
    lane.whole |= {atom.name for atom in atoms}


def _reports(lane: Lane, source: Source) -> str | None:
    """SQL of reports that decisions tell, not rows; None where the rows do."""
    contract = lane.contracts[source.of]
    by_file = lane.state == "reviewed" and is_owed(contract) and contract.coverage == "file"
    return file_reports(source, contract) if by_file else None


def _append_source(lane: Lane, source: Source) -> None:
    """Add the new changes of a source, then what they do to units and nodes."""
    con, leaf = lane.con, f"leaf_{source.name}"
    place = lane.place(leaf)
    con.execute(f"CREATE OR REPLACE TABLE {SCRATCH}.added AS SELECT * FROM {place} WHERE FALSE")
    for piece in lane.pieces:
        if (piece.is_moved and source.of not in lane.moved) or not _take_rows(lane, source, piece):
            continue
        with lane.looking(scratch=True):
            prepare(con, source, lane.catalogue, lane.contracts)
            build_leaf(con, source, lane.catalogue, lane.contracts, piece.span)
        con.execute(f"INSERT INTO {SCRATCH}.added BY NAME SELECT * FROM {SCRATCH}.{quoted(leaf)} WHERE {piece.new}")
        _drop(lane, f"d_{source.of}", leaf)
    reports = _reports(lane, source) if source.of in lane.moved or len(lane.pieces) > 1 else None
    if reports is None and not _is_filled(lane, "added"):
        return
    con.execute(f"INSERT INTO {place} BY NAME SELECT * FROM {SCRATCH}.added")
    con.execute(f"CREATE VIEW {SCRATCH}.{quoted(leaf)} AS {_bearing(lane, source, place)}")
    with lane.looking(scratch=True):
        build_unit(con, source, lane.catalogue, lane.contracts[source.of], reports)
    con.execute(f"DROP VIEW {SCRATCH}.{quoted(leaf)}")
    _carry_up(lane, source.name, source.theme, lane.new)


def _take_rows(lane: Lane, source: Source, piece: Piece) -> bool:
    """Lay the rows of a source that bear on a piece into the scratch schema; False when there are none."""
    place = lane.place(f"d_{source.of}")
    rows = f"SELECT * FROM {place} WHERE {'TRUE' if source.month and not piece.is_moved else piece.rows}"
    if source.latest:  # which version counts is told by all of its group
        keys = ", ".join(quoted(name) for name in source.latest.within)
        same = " AND ".join(f"d.{quoted(n)} IS NOT DISTINCT FROM k.{quoted(n)}" for n in source.latest.within)
        rows = f"SELECT * FROM {place} d SEMI JOIN (SELECT DISTINCT {keys} FROM ({rows})) k ON {same}"
    table = f"{SCRATCH}.{quoted('d_' + source.of)}"
    lane.con.execute(f"CREATE OR REPLACE TABLE {table} AS {rows}")
    if _is_filled(lane, f"d_{source.of}"):
        return True
    _drop(lane, f"d_{source.of}")
    return False


def _is_filled(lane: Lane, table: str) -> bool:
    """Tell whether a table of the scratch schema holds anything."""
    return lane.con.execute(f"SELECT 1 FROM {SCRATCH}.{quoted(table)} LIMIT 1").fetchone() is not None


def _bearing(lane: Lane, source: Source, place: str) -> str:
    """SQL of the changes of a source that decide the reports of the units and months it moved in."""
    if lane.contracts[source.of].coverage != "file":
        return f"""SELECT l.* FROM {place} l SEMI JOIN {SCRATCH}.added a
            ON a.unit IS NOT DISTINCT FROM l.unit AND a.month_no = l.month_no"""
    months = {row[0] for row in lane.con.execute(f"SELECT DISTINCT month_no FROM {SCRATCH}.added").fetchall()}
    wanted = sorted({month - back for month in months for back in range(LOOK_BACK + 1)})
    return f"SELECT * FROM {place} WHERE month_no IN ({', '.join(map(str, wanted)) or 'NULL'})"


def _carry_up(lane: Lane, name: str, theme: str, new: str) -> None:
    """Add what is new in the unit table that lies in the scratch schema, and carry it up the tree."""
    con, unit, node = lane.con, quoted(f"unit_{name}"), quoted(f"node_{name}")
    con.execute(f"DELETE FROM {SCRATCH}.{unit} WHERE NOT ({new})")
    con.execute(f"INSERT INTO {lane.place(f'unit_{name}')} BY NAME SELECT * FROM {SCRATCH}.{unit}")
    with lane.looking(scratch=True):
        build_node(con, name, theme)
    con.execute(f"INSERT INTO {lane.place(f'node_{name}')} BY NAME SELECT * FROM {SCRATCH}.{node}")
    _touch(lane, f"{SCRATCH}.{node}")
    _drop(lane, f"unit_{name}", f"node_{name}")


def _touch(lane: Lane, table: str) -> None:
    lane.con.execute(f"INSERT INTO touched_node SELECT DISTINCT {literal(lane.state)}, node, month_no FROM {table}")


def _drop(lane: Lane, *tables: str) -> None:
    for table in tables:
        lane.con.execute(f"DROP TABLE IF EXISTS {SCRATCH}.{quoted(table)}")


# --- cells ------------------------------------------------------------------------------------------------------------


def _append_cells(lane: Lane, piece: Piece, atoms: Sequence[Atom]) -> None:
    """Count the cells of the units that moved again and add what is new of the atoms counted in cells."""
    if piece.is_moved:
        atoms = [a for a in atoms if any(s.of in lane.moved for s in _sources(lane, a))]
    sources = {source.name: source for atom in atoms for source in _sources(lane, atom)}
    if not atoms or not _take_units(lane, piece, sources.values()):
        return
    with lane.looking(scratch=True):
        for source in sources.values():
            prepare(lane.con, source, lane.catalogue, lane.contracts)
        months, only = (piece.span.first, piece.span.end), {atom.name for atom in atoms}
        build_cells(lane.con, lane.catalogue, lane.contracts, sources, months, only=only)
    _drop(lane, *{f"d_{source.of}" for source in sources.values()})
    for atom in atoms:
        leaf = quoted(f"leaf_{atom.name}")
        lane.con.execute(
            f"INSERT INTO {lane.place(f'leaf_{atom.name}')} BY NAME SELECT * FROM {SCRATCH}.{leaf} WHERE {piece.new}"
        )
        _carry_up(lane, atom.name, atom.theme, piece.new)
        _drop(lane, f"leaf_{atom.name}")


def _sources(lane: Lane, atom: Atom) -> list[Source]:
    return [lane.catalogue.sources[name] for name in cell_sources(atom, lane.catalogue)]


def _take_units(lane: Lane, piece: Piece, sources: Iterable[Source]) -> bool:
    """Lay the rows of all units that moved, over the months they moved in, into the scratch schema."""
    datasets = {source.of: source for source in sources}
    reads = [
        f"SELECT unit, min(from_m) AS low, max(to_m) AS high FROM {lane.place(f'd_{name}')} WHERE {piece.rows} GROUP BY ALL"
        for name in datasets
        if not piece.is_moved or name in lane.moved
    ]
    lane.con.execute(
        f"CREATE OR REPLACE TABLE {SCRATCH}.reach AS SELECT unit, min(low) AS low, max(high) AS high"
        f" FROM ({' UNION ALL '.join(reads)}) GROUP BY ALL"
    )
    for name, source in datasets.items():
        # the months of such rows, and which of their versions count, are not told by where they lie
        anywhere = source.month or source.latest
        table = f"{SCRATCH}.{quoted(f'd_{name}')}"
        rows = _of_units(lane.con, lane.place(f"d_{name}"), anywhere=bool(anywhere))
        lane.con.execute(f"CREATE OR REPLACE TABLE {table} AS {rows}")
    return _is_filled(lane, "reach")


def _of_units(con: duckdb.DuckDBPyConnection, place: str, *, anywhere: bool = False) -> str:
    """SQL of the rows of the units in `reach`; a unit's own months narrow it, those of all spare the reading."""
    if anywhere:
        return f"SELECT * FROM {place}"
    low, high = con.execute(f"SELECT coalesce(min(low), 0), coalesce(max(high), 0) FROM {SCRATCH}.reach").fetchone() or (0, 0)  # fmt: skip
    return f"""SELECT d.* FROM {place} d SEMI JOIN {SCRATCH}.reach r
        ON r.unit IS NOT DISTINCT FROM d.unit AND d.from_m < r.high AND d.to_m > r.low
        WHERE d.from_m < {high} AND d.to_m > {low}"""


# --- now --------------------------------------------------------------------------------------------------------------


def _refresh_due(lane: Lane) -> None:
    """Count the units that owe a report in months the cubes did not reach; elsewhere nobody came or went."""
    for piece in lane.pieces:
        if piece.is_moved:
            continue
        with lane.looking(scratch=True):
            build_due(lane.con, piece.span)
        lane.con.execute(f"INSERT INTO {lane.place('node_due')} BY NAME SELECT * FROM {SCRATCH}.node_due")
        _touch(lane, f"{SCRATCH}.node_due")
        _drop(lane, "node_due")


def _refresh_now(lane: Lane, live: Sequence[Source], counted: Sequence[Atom], built: Sequence[BuiltAtom]) -> None:
    """Write the cells of now that any change touched; all of them where something was built whole."""
    if lane.whole:
        with lane.looking(scratch=False):
            build_now(lane.con, live, built)
        _touch(lane, lane.place("node_now"))
        return
    con, now = lane.con, lane.place("node_now")
    # the state as reviewed rests on what was touched as reported as well
    con.execute(f"CREATE OR REPLACE TABLE {SCRATCH}.touched AS SELECT DISTINCT node, month_no FROM touched_node")
    names = [*(source.name for source in live), *(atom.name for atom in counted), "due"]
    for name in names:
        con.execute(
            f"CREATE VIEW {SCRATCH}.{quoted(f'node_{name}')} AS"
            f" SELECT * FROM {lane.place(f'node_{name}')} SEMI JOIN {SCRATCH}.touched USING (node, month_no)"
        )
    with lane.looking(scratch=True):
        build_now(con, live, built)
    for name in names:
        con.execute(f"DROP VIEW {SCRATCH}.{quoted(f'node_{name}')}")
    con.execute(f"DELETE FROM {now} n USING {SCRATCH}.touched t WHERE t.node = n.node AND t.month_no = n.month_no")
    con.execute(f"INSERT INTO {now} BY NAME SELECT * FROM {SCRATCH}.node_now")
    _drop(lane, "node_now")


# --- facts outside the life of their unit -----------------------------------------------------------------------------


def _refresh_outside(lane: Lane) -> None:
    """Count the facts of units that did not live, where facts moved and in new months."""
    con = lane.con
    for piece in lane.pieces:
        for name, contract in lane.contracts.items():
            if (piece.is_moved and name not in lane.moved) or not is_followed(con, contract):
                continue
            whole = piece.is_moved and lane.moved[name] is False
            place = lane.place(f"d_{name}")
            con.execute(
                f"CREATE OR REPLACE TABLE {SCRATCH}.reach AS SELECT unit, min(from_m) AS low, max(to_m) AS high"
                f" FROM {place} WHERE {'TRUE' if whole else piece.rows} GROUP BY unit"
            )
            if piece.is_moved:
                con.execute(
                    f"DELETE FROM {lane.place('outside_life')} o USING {SCRATCH}.reach r WHERE o.dataset = {literal(name)}"
                    " AND o.unit IS NOT DISTINCT FROM r.unit AND o.month_no >= r.low AND o.month_no < r.high"
                )
            con.execute(f"CREATE VIEW {SCRATCH}.{quoted(f'd_{name}')} AS {_of_units(con, place)}")
            with lane.looking(scratch=True):
                con.execute(
                    f"""INSERT INTO {lane.place("outside_life")} SELECT o.* FROM ({outside_sql(name, piece.span)}) o
                    SEMI JOIN {SCRATCH}.reach r
                    ON o.unit IS NOT DISTINCT FROM r.unit AND o.month_no >= r.low AND o.month_no < r.high"""
                )
            con.execute(f"DROP VIEW {SCRATCH}.{quoted(f'd_{name}')}")
