"""Cubes: every atom per unit and month (leaf) and per node and month (node), as signed changes per batch.

    population        closure × who counts in a theme: alive, in scope, not excluded; two times
    leaf_<source>     unit × month × batch × dimensions: changes of the source's atoms, `n` = rows
    unit_<source>     the same without dimensions, with `got`: the unit's report appeared (+1) or was taken back (−1)
    node_<source>     node × month × batch, by the rectangle rule over the population of the theme
    node_due          node × month × batch: how many units owe a report, per theme
    node_now          node × month: every atom, got and due as known now; NULL = nothing reported
    outside_life      facts of units that did not live in that month, dropped from every node and counted here

A store that works with review holds the leaf, unit and node tables twice: as reported, and in the schema `reviewed` as
reviewed (`reviewed_cubes`).

The rectangle rule: the join of two recorded histories appears at the later of both starts and is taken back when
either ends. Known at B is therefore `sum(…) WHERE batch_seq <= B`, for every table above.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from metrics.cells import build_cells
from metrics.define_source import row_columns
from metrics.facts import part_sql, prepare, source_atoms
from metrics.model import THEMES, Atom, Catalogue, Source
from metrics.reviewed_cubes import file_reports, prepare_touched, rebuild_cells, touched_sources
from metrics.tables import columns_of, create_table, decimals, has_rows, literal, month_list, quoted, table_names
from warehouse.base.periods import OPEN, month_of
from warehouse.contracts import Contract
from warehouse.declared import declared_months
from warehouse.file_reports import as_reported
from warehouse.owing import placed_steps
from warehouse.reviewed import is_owed, looking_at_reviewed, works_with_review

OWN = "|own"
"""Suffix of a node that stands for a parent's own figures without its children's."""
BY_UNIT = "unit, month_no, batch_seq"
BY_NODE = "node, month_no, batch_seq"
MONTHLY_PLANS = "plan_month"
"""Plans by month are no file of anybody's: they are split here, from figures the other cubes give."""
AHEAD = 12
"""Months beyond the last data for which standing registers and duties are laid out."""
LARGEST = 32_000_000
"""Figures of the cube of now summed by one statement, about 32 bytes each while it runs."""


@dataclass(frozen=True)
class Span:
    """The months cubes are laid out for, `[first, end)`."""

    first: int
    end: int


def build(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], catalogue: Catalogue) -> None:
    """Build every cube in a generation file that holds the fact tables, the closure and meta."""
    span = month_span(con)
    build_population(con)
    live, tables = [], table_names(con)
    for source in catalogue.sources.values():
        if source.of != MONTHLY_PLANS and build_source(con, source, catalogue, contracts, span, tables):
            live.append(source)
    counted = build_cells(con, catalogue, contracts, [source.name for source in live], (span.first, span.end))
    _carry_up(con, live, counted)
    build_due(con, span)
    built = built_atoms(catalogue, {s.name for s in live}, {a.name for a in counted})
    build_now(con, live, built)
    build_outside_life(con, contracts, span)
    write_register(con, live, built, span)
    from metrics.lay_plans import build_plans  # plans are split by figures that are asked of what stands here

    if plans := build_plans(con, contracts, catalogue, span):
        live += plans
        built = built_atoms(catalogue, {s.name for s in live}, {a.name for a in counted})
        build_now(con, live, built)
        write_register(con, live, built, span)
    if works_with_review(con):
        with looking_at_reviewed(con):
            _build_reviewed(con, contracts, catalogue, live, counted, built, span)
    for source in catalogue.sources.values():
        con.execute(f"DROP TABLE IF EXISTS {quoted('rows_' + source.name)}")


def build_source(con: duckdb.DuckDBPyConnection, source: Source, catalogue: Catalogue, contracts: Mapping[str, Contract],
                  span: Span, tables: Container[str]) -> bool:  # fmt: skip
    """Write the changes of a source per unit; tell whether it has any rows."""
    if f"d_{source.of}" not in tables or not tells(con, source, catalogue, contracts):
        return False
    build_leaf(con, source, catalogue, contracts, span)
    build_unit(con, source, catalogue, contracts[source.of], span)
    return True


def tells(con: duckdb.DuckDBPyConnection, source: Source, catalogue: Catalogue, contracts: Mapping[str, Contract]) -> bool:  # fmt: skip
    """Prepare the rows of a source; tell whether there are any, or a file said of some month that there were none."""
    declared = declared_months(con, source.of) is not None
    if not declared and not has_rows(con, f"d_{source.of}"):
        return False
    return has_rows(con, prepare(con, source, catalogue, contracts)) or declared


def _carry_up(con: duckdb.DuckDBPyConnection, sources: Iterable[Source], counted: Iterable[Atom]) -> None:
    for name, theme in [*((s.name, s.theme) for s in sources), *((a.name, a.theme) for a in counted)]:
        build_node(con, name, theme)


def _build_reviewed(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], catalogue: Catalogue,
                    live: Sequence[Source], counted: Sequence[Atom], built: Sequence[BuiltAtom], span: Span) -> None:  # fmt: skip
    """Build what rests on a dataset under review once more; everything else is read from where it lies."""
    touched = touched_sources(live, contracts)
    prepare_touched(con, touched, catalogue, contracts)
    for source in touched:
        contract = contracts[source.of]
        build_leaf(con, source, catalogue, contracts, span)
        by_file = is_owed(contract) and contract.coverage == "file"
        declared = declared_months(con, source.of, low=span.first, high=span.end)
        build_unit(
            con, source, catalogue, contract, span, file_reports(source, contract, declared) if by_file else None
        )
    cells = rebuild_cells(con, catalogue, contracts, touched, counted, (span.first, span.end))
    _carry_up(con, touched, cells)
    build_now(con, live, built)


def month_span(con: duckdb.DuckDBPyConnection) -> Span:
    """Return the months to lay out: from the first data to some months beyond the last data or the last batch."""
    meta = dict(con.execute("SELECT key, value FROM meta").fetchall())
    born = con.execute(f"SELECT min(from_m) FROM closure WHERE depth = 0 AND from_m < {OPEN}").fetchone()
    last = con.execute("SELECT max(recorded_at) FROM batch").fetchone()
    recorded = last[0] if last and isinstance(last[0], dt.datetime) else None
    first = int(meta.get("first_month") or (born[0] if born and born[0] is not None else 0))
    ends = [int(meta.get("last_month") or first), month_of(recorded.date()) if recorded else 0]
    return Span(first, max(ends[0], min(ends[1], ends[0] + 2 * AHEAD)) + AHEAD)


def build_population(con: duckdb.DuckDBPyConnection) -> None:
    """Restrict the closure to the units that count in each theme (`warehouse.owing`); a parent's own figures get a node
    of their own."""
    con.execute(f"""
    CREATE OR REPLACE TABLE population AS
    WITH {placed_steps(THEMES)}
    SELECT theme, anc, dsc, depth, from_m, to_m, rec_from, rec_to, owes FROM placed
    UNION ALL
    SELECT theme, anc || '{OWN}', dsc, 0, from_m, to_m, rec_from, rec_to, owes FROM placed
    WHERE depth = 0 AND anc IN (SELECT anc FROM closure WHERE depth > 0)""")


def build_leaf(con: duckdb.DuckDBPyConnection, source: Source, catalogue: Catalogue, contracts: Mapping[str, Contract],
               span: Span) -> None:  # fmt: skip
    """Write the changes of a source's atoms per unit, month, batch and dimensions."""
    atoms = source_atoms(source.name, catalogue)
    values = {atom.name: part_sql(part, source, contracts) for atom, part in atoms}
    dims = leaf_dims(source, contracts)
    create_table(con, f"leaf_{source.name}", leaf_sql(f"rows_{source.name}", dims, values, span), order=BY_UNIT)


def leaf_dims(source: Source, contracts: Mapping[str, Contract]) -> dict[str, str]:
    """Return dimension → column of the prepared rows."""
    known = row_columns(source, contracts)
    return {dim: known[dim] for dim in source.dims}


def leaf_sql(rows: str, dims: Mapping[str, str], values: Mapping[str, str], span: Span) -> str:
    """Return the changes: + when a row becomes known, − when it is taken back; standing rows count in every month."""
    names = [*values, "n"]
    sums = "".join(f", sum({text}) AS {quoted(name)}" for name, text in values.items())
    split = "".join(f", {quoted(column)} AS {quoted(dim)}" for dim, column in dims.items())
    listed = "".join(f", {quoted(dim)}" for dim in dims)
    plus = "".join(f", {quoted(name)}" for name in names)
    minus = "".join(f", -{quoted(name)} AS {quoted(name)}" for name in names)
    total = "".join(f", sum({quoted(name)}) AS {quoted(name)}" for name in names)
    moved = " OR ".join(f"coalesce(sum({quoted(name)}), 0) <> 0" for name in names)
    months = month_list(span.first, span.end)
    return f"""
    WITH folded AS (
        SELECT unit, from_m, to_m, rec_from, rec_to{split}{sums}, sum(sign) AS n FROM {quoted(rows)} GROUP BY ALL
    ), changes AS (
        SELECT unit, {months}, rec_from AS batch_seq{listed}{plus} FROM folded
        UNION ALL
        SELECT unit, {months}, rec_to{listed}{minus} FROM folded WHERE rec_to < {OPEN}
    )
    SELECT unit, month_no, batch_seq{listed}{total} FROM changes
    GROUP BY unit, month_no, batch_seq{listed} HAVING {moved}"""


def build_unit(con: duckdb.DuckDBPyConnection, source: Source, catalogue: Catalogue, contract: Contract, span: Span,
               reports: str | None = None) -> None:  # fmt: skip
    """Fold the dimensions and add `got`: by the unit's own rows, or by any row of the month when a file covers all."""
    names = [atom.name for atom, _ in source_atoms(source.name, catalogue)]
    if reports is None:
        by_file = contract.coverage == "file"
        declared = declared_months(con, source.of, low=span.first, high=span.end) if by_file else None
        reports = _file_reports(source, declared) if by_file else _unit_reports(source)
    sums = "".join(f", sum({quoted(name)}) AS {quoted(name)}" for name in names)
    empty = "".join(f", NULL AS {quoted(name)}" for name in names)
    select = f"""
    WITH reports AS ({reports}), merged AS (
        SELECT unit, month_no, batch_seq{"".join(", " + quoted(n) for n in names)}, 0 AS got
        FROM {quoted("leaf_" + source.name)}
        UNION ALL
        SELECT unit, month_no, batch_seq{empty}, got FROM reports WHERE got <> 0
    )
    SELECT unit, month_no, batch_seq{sums}, sum(got) AS got FROM merged GROUP BY unit, month_no, batch_seq"""
    create_table(con, f"unit_{source.name}", select, order=BY_UNIT)


def _unit_reports(source: Source) -> str:
    return f"""
    SELECT unit, month_no, batch_seq, (rows_now > 0)::INT - (rows_now - n > 0)::INT AS got FROM (
        SELECT unit, month_no, batch_seq, n, sum(n) OVER (PARTITION BY unit, month_no ORDER BY batch_seq) AS rows_now
        FROM (SELECT unit, month_no, batch_seq, sum(n) AS n FROM {quoted("leaf_" + source.name)} GROUP BY ALL))"""


def _file_reports(source: Source, declared: str | None) -> str:
    """SQL of reports where a file of the month speaks for every unit of the theme, or for those it names alone."""
    changes = f"SELECT unit, month_no, batch_seq, n FROM {quoted('leaf_' + source.name)}"
    members = f"SELECT DISTINCT dsc AS unit FROM population WHERE theme = {literal(source.theme)}"
    return as_reported(changes, members, declared)


def build_node(con: duckdb.DuckDBPyConnection, name: str, theme: str) -> None:
    """Carry unit changes up the tree by the rectangle rule."""
    columns = [c for c in columns_of(con, f"unit_{name}") if c not in ("unit", "month_no", "batch_seq")]
    read = {
        c: "CASE WHEN k.owes OR k.depth = 0 THEN u.got ELSE 0 END" if c == "got" else f"u.{quoted(c)}" for c in columns
    }
    plus = "".join(f", {text} AS {quoted(c)}" for c, text in read.items())
    minus = "".join(f", -({text})" for text in read.values())
    sums = "".join(f", sum({quoted(c)}) AS {quoted(c)}" for c in columns)
    moved = " OR ".join(f"coalesce(sum({quoted(c)}), 0) <> 0" for c in columns)
    joined = (
        f"FROM {quoted('unit_' + name)} u JOIN population k ON k.theme = {literal(theme)} AND k.dsc = u.unit "
        "AND u.month_no >= k.from_m AND u.month_no < k.to_m AND greatest(u.batch_seq, k.rec_from) < k.rec_to"
    )
    select = f"""
    WITH carried AS (
        SELECT k.anc AS node, u.month_no, greatest(u.batch_seq, k.rec_from) AS batch_seq{plus} {joined}
        UNION ALL
        SELECT k.anc, u.month_no, k.rec_to{minus} {joined} AND k.rec_to < {OPEN}
    )
    SELECT node, month_no, batch_seq{sums} FROM carried
    GROUP BY node, month_no, batch_seq HAVING {moved}"""
    create_table(con, f"node_{name}", select, order=BY_NODE)


def build_due(con: duckdb.DuckDBPyConnection, span: Span) -> None:
    """Count the units that owe a report, per node, month and theme."""
    months = month_list(span.first, span.end)
    each = "".join(f", sum(d) FILTER (theme = {literal(t)})::BIGINT AS {quoted('due_' + t)}" for t in THEMES)
    select = f"""
    WITH changes AS (
        SELECT theme, anc AS node, {months}, rec_from AS batch_seq, 1 AS d FROM population WHERE owes OR depth = 0
        UNION ALL
        SELECT theme, anc, {months}, rec_to, -1 FROM population WHERE (owes OR depth = 0) AND rec_to < {OPEN}
    )
    SELECT node, month_no, batch_seq{each} FROM changes
    GROUP BY node, month_no, batch_seq HAVING sum(d) <> 0 OR count(DISTINCT theme) > 1"""
    create_table(con, "node_due", select, order=BY_NODE)


@dataclass(frozen=True)
class BuiltAtom:
    """An atom as it lies in the cubes: the node tables that carry it and the sources whose reports it needs."""

    atom: Atom
    tables: tuple[str, ...]
    sources: tuple[str, ...]


def built_atoms(catalogue: Catalogue, sources: set[str], counted: set[str]) -> tuple[BuiltAtom, ...]:
    """Return the atoms this generation can answer, with the sources that have rows."""
    found = []
    for atom in catalogue.atoms.values():
        if atom.is_leaf or atom.is_distinct:
            tables: tuple[str, ...] = (atom.name,) if atom.name in counted else ()
        else:
            tables = tuple(part.of for part in atom.parts if part.of in sources)
        if tables:
            found.append(BuiltAtom(atom, tables, tuple(s for s in atom.sources if s in sources)))
    return tuple(found)


def cells_select(built: Sequence[BuiltAtom], sources: Iterable[str]) -> str:
    """Return the columns that turn sums of changes into figures: NULL where nothing was reported."""
    columns = []
    for item in built:
        value = " + ".join(f"coalesce({quoted(_raw(table, item))}, 0)" for table in item.tables)
        got = " OR ".join(f"{quoted('got_' + source)} > 0" for source in item.sources)
        columns.append(f", CASE WHEN {got} THEN {value} END AS {quoted(item.atom.name)}")
    columns += [f", coalesce({quoted('got_' + source)}, 0) AS {quoted('got_' + source)}" for source in sources]
    return "".join(columns)


def _raw(table: str, item: BuiltAtom) -> str:
    return f"{item.atom.name}@{table}"


def table_sums(table: str, built: Sequence[BuiltAtom], is_source: bool) -> str:
    """Return the sums read from one node table, named so that parts of one atom stay apart."""
    atoms = [item for item in built if table in item.tables]
    columns = "".join(f", sum({quoted(i.atom.name)}) AS {quoted(_raw(table, i))}" for i in atoms)
    return columns + (f", sum(got)::BIGINT AS {quoted('got_' + table)}" if is_source else "")


def build_now(con: duckdb.DuckDBPyConnection, live: Sequence[Source], built: Sequence[BuiltAtom]) -> None:
    """Write the wide cube of now, as many nodes at a time as memory holds."""
    first, *more = [_now_sql(live, built, nodes) for nodes in _node_ranges(con, len(live) + 2 * len(built))]
    create_table(con, "node_now", first, order="node, month_no")
    for select in more:
        con.execute(f"INSERT INTO node_now BY NAME SELECT * FROM ({select}) ORDER BY node, month_no")


def _node_ranges(con: duckdb.DuckDBPyConnection, columns: int) -> list[str]:
    """Return conditions that part all nodes, in their order; each part is a statement of its own, which costs a second."""
    rows, nodes = con.execute("SELECT count(*), count(DISTINCT node) FROM node_due").fetchone() or (0, 0)
    room = max(1, LARGEST * nodes // max(1, rows * columns))
    found = con.execute(
        f"""SELECT node FROM (SELECT node, row_number() OVER (ORDER BY node) AS place FROM (SELECT DISTINCT node FROM node_due))
        WHERE place > 1 AND place % {room} = 1 % {room} ORDER BY node"""
    ).fetchall()
    bounds = [literal(row[0]) for row in found]
    lows = ["TRUE", *(f"node >= {bound}" for bound in bounds)]
    highs = [*(f"node < {bound}" for bound in bounds), "TRUE"]
    return [f"{low} AND {high}" for low, high in zip(lows, highs, strict=True)]


def _now_sql(live: Sequence[Source], built: Sequence[BuiltAtom], nodes: str) -> str:
    """Return the rows of the wide cube of now for some nodes: each table is joined to the cells there are in any."""
    sources = [source.name for source in live]
    tables = [*sources, *(i.atom.name for i in built if i.atom.name in i.tables)]
    sums = {table: table_sums(table, built, table in sources) for table in tables}
    sums["due"] = "".join(f", sum({quoted('due_' + t)})::BIGINT AS {quoted('due_' + t)}" for t in THEMES)
    cells = " UNION ".join(f"SELECT node, month_no FROM {quoted('node_' + table)} WHERE {nodes}" for table in sums)
    joined = "\n".join(
        f"LEFT JOIN (SELECT node, month_no{listed} FROM {quoted('node_' + table)} WHERE {nodes} GROUP BY ALL) {name}"
        f" ON {name}.node = s.node AND {name}.month_no = s.month_no"
        for table, listed in sums.items()
        for name in [quoted("j_" + table)]
    )
    raw = [_raw(table, item) for item in built for table in item.tables] + [f"got_{s}" for s in sources]
    listed = "".join(f", {quoted(name)}" for name in [*raw, *(f"due_{t}" for t in THEMES)])
    owed = "".join(f", coalesce({quoted('due_' + t)}, 0)::BIGINT AS {quoted('due_' + t)}" for t in THEMES)
    return f"""
    WITH wide AS (SELECT s.node, s.month_no{listed} FROM ({cells}) s {joined})
    SELECT node, month_no{cells_select(built, sources)}{owed} FROM wide"""


def build_outside_life(con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], span: Span) -> None:
    """Count the facts known now whose unit did not live in their month."""
    con.execute("CREATE OR REPLACE TABLE outside_life (dataset VARCHAR, unit VARCHAR, month_no INTEGER, rows BIGINT)")
    tables = table_names(con)
    for name, contract in contracts.items():
        if is_followed(con, contract, tables):
            con.execute(f"INSERT INTO outside_life {outside_sql(name, span)}")


def is_followed(con: duckdb.DuckDBPyConnection, contract: Contract, tables: Container[str]) -> bool:
    """Tell whether a dataset holds facts of units."""
    if contract.is_reference or contract.name in ("org_unit", MONTHLY_PLANS) or f"d_{contract.name}" not in tables:
        return False
    return has_rows(con, f"d_{contract.name}")


def outside_sql(name: str, span: Span) -> str:
    """Return dataset, unit, month_no and number of the facts known now whose unit did not live then."""
    months = month_list(span.first, span.end)
    return f"""
        WITH facts AS (
            SELECT unit, month_no, sum(n)::BIGINT AS rows FROM (
                SELECT unit, {months}, n FROM (
                    SELECT unit, from_m, to_m, count(*) AS n FROM {quoted("d_" + name)} WHERE rec_to = {OPEN} GROUP BY ALL))
            GROUP BY unit, month_no)
        SELECT {literal(name)} AS dataset, f.unit, f.month_no, f.rows FROM facts f
        WHERE NOT EXISTS (SELECT 1 FROM closure c WHERE c.dsc = f.unit AND c.depth = 0
                          AND f.month_no >= c.from_m AND f.month_no < c.to_m AND c.rec_to = {OPEN})"""


def write_register(
    con: duckdb.DuckDBPyConnection, live: Sequence[Source], built: Sequence[BuiltAtom], span: Span
) -> None:
    """Note what was built, so that a question knows which sources have rows and how many decimals an atom has."""
    con.execute("CREATE OR REPLACE TABLE cube_source (source VARCHAR, dataset VARCHAR, theme VARCHAR)")
    con.execute(
        "CREATE OR REPLACE TABLE cube_atom (atom VARCHAR, digits INTEGER, tables VARCHAR[], sources VARCHAR[], theme VARCHAR)"
    )
    con.execute("CREATE OR REPLACE TABLE cube_span (first_m INTEGER, end_m INTEGER)")
    con.execute("INSERT INTO cube_span VALUES ($1, $2)", [span.first, span.end])
    for source in live:
        con.execute("INSERT INTO cube_source VALUES ($1, $2, $3)", [source.name, source.of, source.theme])
    scales = {name: decimals(kind) for name, kind in columns_of(con, "node_now").items()}
    for item in built:
        con.execute(
            "INSERT INTO cube_atom VALUES ($1, $2, $3, $4, $5)",
            [item.atom.name, scales[item.atom.name], list(item.tables), list(item.sources), item.atom.theme],
        )
