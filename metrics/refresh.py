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

from collections.abc import Iterable, Mapping, Sequence

import duckdb

from metrics.cells import build_cells
from metrics.cubes import (
    MONTHLY_PLANS,
    BuiltAtom,
    Span,
    build_due,
    build_leaf,
    build_node,
    build_now,
    build_unit,
    built_atoms,
    is_followed,
    outside_sql,
    tells,
)
from metrics.facts import cell_sources, prepare
from metrics.lanes import (
    SCRATCH,
    Lane,
    Piece,
    drop,
    is_filled,
    of_units,
    pieces,
    reach,
    tables,
    take_rows,
    take_units,
    touch,
    touch_unlike,
)
from metrics.lay_plans import add_region_changes, moved_months, region_changes
from metrics.model import Atom, Catalogue, Source
from metrics.reviewed_cubes import file_reports, touched_sources
from metrics.tables import literal, quoted, table_names
from warehouse.contracts import Contract
from warehouse.declared import declared_months
from warehouse.incremental import Anew, Change
from warehouse.reviewed import SCHEMA, is_owed, works_with_review

LOOK_BACK = 12
"""Months before one that decide whether a file of it speaks for all (`cubes`)."""


def refresh(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], catalogue: Catalogue, change: Change) -> None:  # fmt: skip
    """Carry every cube on in a generation file whose fact tables were; raise `Anew` where that is not enough."""
    parts = pieces(con, change.before)
    live = _live(con, contracts, catalogue, change)
    counted = _counted(catalogue, live)
    built = built_atoms(catalogue, {s.name for s in live}, {a.name for a in counted})
    (database,) = con.execute("SELECT current_database()").fetchone() or ("",)
    con.execute("CREATE OR REPLACE TEMP TABLE touched_node (state VARCHAR, node VARCHAR, month_no INTEGER)")
    con.execute(f"ATTACH ':memory:' AS {SCRATCH.partition('.')[0]}")
    con.execute(f"CREATE SCHEMA {SCRATCH}")
    there = tables(con, database)
    main = Lane(con, contracts, catalogue, database, ("main",), change.before, change.reported, parts, there)
    _refresh_due(main)
    _refresh_changes(main, live, counted)
    _refresh_regions(main, live)
    _refresh_now(main, live, counted, built)
    _refresh_outside(main)
    if works_with_review(con):
        both = {**change.reported, **change.reviewed}
        reviewed = Lane(con, contracts, catalogue, database, (SCHEMA, "main"), change.before, both, parts, there)
        touched = touched_sources(live, contracts)
        names = {source.name for source in touched}
        _refresh_changes(reviewed, touched, [a for a in counted if names & set(cell_sources(a, catalogue))])
        reviewed.whole |= main.whole
        _refresh_now(reviewed, live, counted, built)
    con.execute("UPDATE cube_span SET end_m = $1", [parts[-1].span.end])
    if moved_months(con, contracts, catalogue, change.reported):
        raise Anew("plans are split by month otherwise than before")
    for source in live:
        con.execute(f"DROP TABLE IF EXISTS {quoted('rows_' + source.name)}")
    con.execute(f"DETACH {SCRATCH.partition('.')[0]}")


# --- what is built ----------------------------------------------------------------------------------------------------


def _live(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], catalogue: Catalogue,
          change: Change) -> list[Source]:  # fmt: skip
    """Return the sources with rows; one that gets its first rows now has no tables yet."""
    names = [row[0] for row in con.execute("SELECT source FROM cube_source").fetchall()]
    for source in catalogue.sources.values():
        if source.name in names or not ({source.of, *_looked_up(source)} & set(change.reported)):
            continue
        if tells(con, source, catalogue, contracts):
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


def _refresh_regions(lane: Lane, live: Iterable[Source]) -> None:
    """Lay out the plans of regions for months the cubes did not reach; elsewhere they stand, or all is built anew."""
    for source in live:
        if source.of != MONTHLY_PLANS or lane.pieces[-1].is_moved or source.name in lane.whole:
            continue
        table = f"node_{source.name}"
        rows = region_changes(lane.con, source, lane.pieces[-1].span.first)
        lane.con.execute(f"CREATE OR REPLACE TABLE {SCRATCH}.regions AS SELECT * FROM {lane.place(table)} WHERE FALSE")
        with lane.looking(scratch=True):
            add_region_changes(lane.con, rows, "regions")
        lane.con.execute(f"INSERT INTO {lane.place(table)} BY NAME SELECT * FROM {SCRATCH}.regions")
        touch(lane, f"{SCRATCH}.regions")
        drop(lane, "regions")


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
        build_unit(lane.con, source, lane.catalogue, lane.contracts[source.of], span, _reports(lane, source))
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
    declared = declared_months(lane.con, source.of, low=lane.pieces[0].span.first, high=lane.pieces[-1].span.end)
    return file_reports(source, contract, declared) if by_file else None


def _append_source(lane: Lane, source: Source) -> None:
    """Add the new changes of a source, then what they do to units and nodes."""
    con, leaf = lane.con, f"leaf_{source.name}"
    place = lane.place(leaf)
    con.execute(f"CREATE OR REPLACE TABLE {SCRATCH}.added AS SELECT * FROM {place} WHERE FALSE")
    for piece in lane.pieces:
        if (piece.is_moved and source.of not in lane.moved) or not take_rows(lane, source, piece):
            continue
        with lane.looking(scratch=True):
            prepare(con, source, lane.catalogue, lane.contracts)
            build_leaf(con, source, lane.catalogue, lane.contracts, piece.span)
        con.execute(f"INSERT INTO {SCRATCH}.added BY NAME SELECT * FROM {SCRATCH}.{quoted(leaf)} WHERE {piece.new}")
        drop(lane, f"d_{source.of}", leaf)
    reports = _reports(lane, source) if source.of in lane.moved or len(lane.pieces) > 1 else None
    declared = _declared_anew(lane, source)
    if reports is None and not declared and not is_filled(lane, "added"):
        return
    con.execute(f"INSERT INTO {place} BY NAME SELECT * FROM {SCRATCH}.added")
    con.execute(f"CREATE VIEW {SCRATCH}.{quoted(leaf)} AS {_bearing(lane, source, place, declared)}")
    with lane.looking(scratch=True):
        span = Span(lane.pieces[0].span.first, lane.pieces[-1].span.end)
        build_unit(con, source, lane.catalogue, lane.contracts[source.of], span, reports)
    con.execute(f"DROP VIEW {SCRATCH}.{quoted(leaf)}")
    _carry_up(lane, source.name, source.theme, lane.new)


def _declared_anew(lane: Lane, source: Source) -> set[int]:
    """Return the months that were declared, or no longer are, since; in months the cubes did not reach, whenever."""
    con, found = lane.con, set[int]()
    for piece in lane.pieces if lane.contracts[source.of].coverage == "file" else ():
        since = lane.before if piece.is_moved else -1
        if told := declared_months(con, source.of, since=since, low=piece.span.first, high=piece.span.end):
            found |= {
                row[0] for row in con.execute(f"SELECT month_no FROM ({told}) WHERE batch_seq > {since}").fetchall()
            }
    return found


def _bearing(lane: Lane, source: Source, place: str, declared: set[int]) -> str:
    """SQL of the changes of a source that decide the reports of the units and months it moved in."""
    if lane.contracts[source.of].coverage != "file":
        return f"""SELECT l.* FROM {place} l SEMI JOIN {SCRATCH}.added a
            ON a.unit IS NOT DISTINCT FROM l.unit AND a.month_no = l.month_no"""
    months = {
        row[0] for row in lane.con.execute(f"SELECT DISTINCT month_no FROM {SCRATCH}.added").fetchall()
    } | declared
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
    touch(lane, f"{SCRATCH}.{node}")
    drop(lane, f"unit_{name}", f"node_{name}")


# --- cells ------------------------------------------------------------------------------------------------------------


def _append_cells(lane: Lane, piece: Piece, atoms: Sequence[Atom]) -> None:
    """Count the cells of the units that moved again and add what is new of the atoms counted in cells."""
    if piece.is_moved:
        atoms = [a for a in atoms if any(s.of in lane.moved for s in _sources(lane, a))]
    sources = {source.name: source for atom in atoms for source in _sources(lane, atom)}
    if not atoms or not take_units(lane, piece, sources.values()):
        return
    with lane.looking(scratch=True):
        for source in sources.values():
            prepare(lane.con, source, lane.catalogue, lane.contracts)
        months, only = (piece.span.first, piece.span.end), {atom.name for atom in atoms}
        build_cells(lane.con, lane.catalogue, lane.contracts, sources, months, only=only)
    drop(lane, *{f"d_{source.of}" for source in sources.values()})
    for atom in atoms:
        leaf = quoted(f"leaf_{atom.name}")
        lane.con.execute(
            f"INSERT INTO {lane.place(f'leaf_{atom.name}')} BY NAME SELECT * FROM {SCRATCH}.{leaf} WHERE {piece.new}"
        )
        _carry_up(lane, atom.name, atom.theme, piece.new)
        drop(lane, f"leaf_{atom.name}")


def _sources(lane: Lane, atom: Atom) -> list[Source]:
    return [lane.catalogue.sources[name] for name in cell_sources(atom, lane.catalogue)]


# --- now --------------------------------------------------------------------------------------------------------------


def _refresh_due(lane: Lane) -> None:
    """Count the units that owe a report in months the cubes did not reach; elsewhere nobody came or went."""
    for piece in lane.pieces:
        if piece.is_moved:
            continue
        with lane.looking(scratch=True):
            build_due(lane.con, piece.span)
        lane.con.execute(f"INSERT INTO {lane.place('node_due')} BY NAME SELECT * FROM {SCRATCH}.node_due")
        touch(lane, f"{SCRATCH}.node_due")
        drop(lane, "node_due")


def _refresh_now(lane: Lane, live: Sequence[Source], counted: Sequence[Atom], built: Sequence[BuiltAtom]) -> None:
    """Write the cells of now that any change touched; all of them where something was built whole."""
    con, now = lane.con, lane.place("node_now")
    if lane.whole:
        con.execute(f"ALTER TABLE {now} RENAME TO node_before")
        with lane.looking(scratch=False):
            build_now(con, live, built)
        touch_unlike(lane, now, lane.beside(now, "node_before"))
        return
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
    drop(lane, "node_now")


# --- facts outside the life of their unit -----------------------------------------------------------------------------


def _refresh_outside(lane: Lane) -> None:
    """Count the facts of units that did not live, where facts moved and in new months."""
    con, there = lane.con, table_names(lane.con)
    for piece in lane.pieces:
        for name, contract in lane.contracts.items():
            if (piece.is_moved and name not in lane.moved) or not is_followed(con, contract, there):
                continue
            rows = piece.rows
            if piece.is_moved and not lane.moved[name]:
                rows = "TRUE"
                con.execute(f"DELETE FROM {lane.place('outside_life')} WHERE dataset = {literal(name)}")
            if reach(lane, piece, {name: rows}):
                _count_outside(lane, name, piece)


def _count_outside(lane: Lane, name: str, piece: Piece) -> None:
    """Count the facts of one dataset again for the units and months in `reach`."""
    con, place = lane.con, lane.place("outside_life")
    there = "o.unit IS NOT DISTINCT FROM r.unit AND o.month_no >= r.low AND o.month_no < r.high"
    if piece.is_moved:
        con.execute(f"DELETE FROM {place} o USING {SCRATCH}.reach r WHERE o.dataset = {literal(name)} AND {there}")
    con.execute(f"CREATE VIEW {SCRATCH}.{quoted(f'd_{name}')} AS {of_units(con, lane.place(f'd_{name}'))}")
    with lane.looking(scratch=True):
        found = f"SELECT o.* FROM ({outside_sql(name, piece.span)}) o SEMI JOIN {SCRATCH}.reach r ON {there}"
        con.execute(f"INSERT INTO {place} {found}")
    con.execute(f"DROP VIEW {SCRATCH}.{quoted(f'd_{name}')}")
