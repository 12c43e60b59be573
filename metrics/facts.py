"""Source rows as the atoms see them: signed rectangles of validity × knowledge, lookups joined.

A row is true in months `[from_m, to_m)` and known in batches `[rec_from, rec_to)`. Joining a dated reference table cuts
this rectangle: where the reference row is true and known it gives its values, elsewhere they are NULL. Because atoms are
sums, the cut is written as signed rectangles (− the uncut row there, + the row with values) and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import duckdb
from sqlglot import exp

from metrics import expressions as ex
from metrics.define_source import row_columns
from metrics.due_window import cut_by_due
from metrics.model import Atom, Catalogue, Latest, Lookup, Part, Source
from metrics.tables import quoted
from warehouse.base.periods import OPEN
from warehouse.contracts import Contract

PLACE = ("row_id", "file_name", "sheet", "row_no")


@dataclass(frozen=True)
class Needs:
    """The columns of the prepared rows a source must carry, by the table they come from."""

    own: tuple[str, ...]
    looked_up: Mapping[str, tuple[str, ...]]


def source_atoms(source: str, catalogue: Catalogue) -> tuple[tuple[Atom, Part], ...]:
    """Return the plain sums read from a source, in the order of their names."""
    found = [(a, p) for a in catalogue.atoms.values() for p in a.parts if p.of == source and not a.is_distinct]
    return tuple(sorted(found, key=lambda pair: pair[0].name))


def cell_atoms(source: str, catalogue: Catalogue) -> tuple[Atom, ...]:
    """Return the atoms counted in cells (leaf formulas, distinct counts) that read this source."""
    return tuple(
        a for a in catalogue.atoms.values() if (a.is_leaf or a.is_distinct) and source in cell_sources(a, catalogue)
    )


def cell_sources(atom: Atom, catalogue: Catalogue) -> tuple[str, ...]:
    """Return every source the cells of an atom are filled from."""
    parts = [p for name in atom.operands for p in catalogue.atoms[name].parts] if atom.is_leaf else list(atom.parts)
    return tuple(dict.fromkeys(part.of for part in parts))


def needs(source: Source, catalogue: Catalogue, contracts: Mapping[str, Contract]) -> Needs:
    """Return what the atoms, dimensions, cells and joins of a source read."""
    known = row_columns(source, contracts)
    texts = [text for _, part in source_atoms(source.name, catalogue) for text in (part.value, part.where) if text]
    texts += [
        text for atom in cell_atoms(source.name, catalogue) for p in atom.parts for text in (p.value, p.where) if text
    ]
    names = [f"{t}.{n}" if t else n for text in texts for t, n in ex.columns(ex.read(text, ex.AGGREGATE))]
    names += [*source.dims, *(name for atom in cell_atoms(source.name, catalogue) for name in atom.by)]
    if source.month:
        names += [name for _, name in ex.columns(ex.read(source.month, ex.ROW))]
    return _split({known[name] for name in names} | set(_join_columns(source)))


def _join_columns(source: Source) -> Iterable[str]:
    for lookup in source.lookups:
        yield from lookup.bands
        for name in lookup.on.values():
            yield name.replace("org.", "org__") if name.startswith("org.") else name
    if source.latest:
        yield source.latest.by
        yield from source.latest.within


def _split(columns: set[str]) -> Needs:
    looked: dict[str, list[str]] = {}
    own = []
    for name in sorted(columns - {"unit"}):
        table, _, column = name.partition("__")
        if column:
            looked.setdefault(table, []).append(column)
        else:
            own.append(name)
    return Needs(tuple(own), {table: tuple(names) for table, names in looked.items()})


def prepare(con: duckdb.DuckDBPyConnection, source: Source, catalogue: Catalogue, contracts: Mapping[str, Contract], *,
            place: bool = False) -> str:  # fmt: skip
    """Build the temporary table of a source's signed rectangles and return its name."""
    want = needs(source, catalogue, contracts)
    carried = [*want.own, *(PLACE if place else ())]
    name = f"rows_{source.name}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS {base_sql(source, carried)}")
    for lookup, columns in joins(source, want):
        carried = _join(con, name, lookup, columns, carried)
    return name


def joins(source: Source, want: Needs) -> list[tuple[Lookup, tuple[str, ...]]]:
    """Return (lookup, columns read) of the register first, then of the lookups in their order."""
    found: list[tuple[Lookup, tuple[str, ...]]] = []
    if columns := want.looked_up.get("org"):
        found.append((Lookup("org", {"code": "unit"}), columns))
    for lookup in source.lookups:
        found.append((replace(lookup, on=_on(lookup)), want.looked_up.get(lookup.table, ())))
    return [item for item in found if item[1] or item[0].required]


def _on(lookup: Lookup) -> dict[str, str]:
    return {k: v.replace("org.", "org__") if v.startswith("org.") else v for k, v in lookup.on.items()}


def base_sql(source: Source, carried: Iterable[str]) -> str:
    """Return the rows of the dataset, or of its latest versions, with the months they belong to."""
    rows = latest_sql(source.of, source.latest) if source.latest else f"SELECT * FROM {quoted('d_' + source.of)}"
    from_m, to_m = "from_m", "to_m"
    if source.due:
        rows = cut_by_due(source.due, rows)
    if source.month:
        day = ex.sql(ex.rename(ex.read(source.month, ex.ROW), lambda _, n: ex.column(n)))
        from_m = f"(year({day}) * 12 + month({day}) - 1)::INTEGER"
        to_m = f"{from_m} + 1"
    columns = "".join(f", {quoted(name)}" for name in carried)
    kept = f" WHERE {ex.sql(ex.read(source.where, ex.ROW))}" if source.where else ""
    return (
        f"SELECT 1::TINYINT AS sign, unit, {from_m} AS from_m, {to_m} AS to_m, rec_from, rec_to{columns} "
        f"FROM ({rows}){kept}"
    )


def latest_sql(dataset: str, latest: Latest) -> str:
    """Return only the latest version of each group, at every moment of knowledge; a withdrawal brings the older back."""
    keys = ", ".join(quoted(name) for name in latest.within)
    same = " AND ".join(f"r.{quoted(name)} IS NOT DISTINCT FROM s.{quoted(name)}" for name in latest.within)
    table = quoted("d_" + dataset)
    return f"""
    WITH points AS (
        SELECT {keys}, rec_from AS seq FROM {table} UNION SELECT {keys}, rec_to FROM {table} WHERE rec_to < {OPEN}
    ), slices AS (
        SELECT {keys}, seq, lead(seq, 1, {OPEN}) OVER (PARTITION BY {keys} ORDER BY seq) AS seq_to FROM points
    )
    SELECT r.* REPLACE (s.seq AS rec_from, s.seq_to AS rec_to)
    FROM slices s JOIN {table} r ON {same} AND r.rec_from <= s.seq AND s.seq < r.rec_to
    QUALIFY row_number() OVER (PARTITION BY {", ".join("s." + quoted(n) for n in latest.within)}, s.seq
                               ORDER BY r.{quoted(latest.by)} DESC NULLS LAST, r.row_id DESC) = 1"""


def settled_sql(table: str, keys: Iterable[str], where: str | None = None) -> str:
    """Return a reference table in which, at every moment of knowledge, a later-starting row ends the one before it."""
    if table == "org":
        return "SELECT * FROM d_org_unit"
    names = [quoted(name) for name in keys]
    listed, rows = ", ".join(names), looked_rows(f"d_{table}", where)
    return f"""
    WITH points AS (
        SELECT {listed}, rec_from AS seq FROM {rows} UNION SELECT {listed}, rec_to FROM {rows} WHERE rec_to < {OPEN}
    ), slices AS (
        SELECT {listed}, seq, lead(seq, 1, {OPEN}) OVER (PARTITION BY {listed} ORDER BY seq) AS seq_to FROM points
    ), settled AS (
        SELECT r.* REPLACE (s.seq AS rec_from, s.seq_to AS rec_to,
                            least(r.to_m, lead(r.from_m, 1, {OPEN}) OVER place) AS to_m)
        FROM slices s JOIN {rows} r
          ON {" AND ".join(f"r.{name} IS NOT DISTINCT FROM s.{name}" for name in names)}
         AND r.rec_from <= s.seq AND s.seq < r.rec_to
        WINDOW place AS (PARTITION BY {", ".join("r." + name for name in names)}, s.seq ORDER BY r.from_m, r.row_id)
    )
    SELECT * FROM settled WHERE from_m < to_m"""


def lookup_sql(lookup: Lookup) -> str:
    """Return the rows of a lookup, of which at every moment of knowledge and in every month one at most fits a row."""
    if not lookup.bands:
        return settled_sql(lookup.table, lookup.on, lookup.where)
    return _banded_sql(lookup, looked_rows(f"d_{lookup.table}", lookup.where))


def _banded_sql(lookup: Lookup, rows: str) -> str:
    """Return rows chosen by bands: one whose bands a later-starting row meets ends where that begins, whole.

    What is left of its band has no rule from then on, and is not judged: a new table is loaded with all of its bands.
    """
    names = [quoted(name) for name in lookup.on]
    listed = ", ".join(names)
    same = " AND ".join(f"o.{name} IS NOT DISTINCT FROM r.{name}" for name in names)
    meets = " AND ".join(
        f"coalesce(o.{quoted(low)} < r.{quoted(high)}, TRUE) AND coalesce(r.{quoted(low)} < o.{quoted(high)}, TRUE)"
        for low, high in lookup.bands.values()
    )
    return f"""
    WITH points AS (
        SELECT {listed}, rec_from AS seq FROM {rows} UNION SELECT {listed}, rec_to FROM {rows} WHERE rec_to < {OPEN}
    ), slices AS (
        SELECT {listed}, seq, lead(seq, 1, {OPEN}) OVER (PARTITION BY {listed} ORDER BY seq) AS seq_to FROM points
    ), sliced AS (
        SELECT r.* REPLACE (s.seq AS rec_from, s.seq_to AS rec_to)
        FROM slices s JOIN {rows} r
          ON {" AND ".join(f"r.{name} IS NOT DISTINCT FROM s.{name}" for name in names)}
         AND r.rec_from <= s.seq AND s.seq < r.rec_to
    ), ended AS (
        SELECT r.row_id, r.rec_from, min(o.from_m) AS ends
        FROM sliced r JOIN sliced o ON {same} AND o.rec_from = r.rec_from AND o.row_id <> r.row_id AND {meets}
         AND (o.from_m > r.from_m OR (o.from_m = r.from_m AND o.row_id > r.row_id))
        GROUP BY r.row_id, r.rec_from
    ), settled AS (
        SELECT r.* REPLACE (least(r.to_m, coalesce(e.ends, {OPEN})) AS to_m)
        FROM sliced r LEFT JOIN ended e ON e.row_id = r.row_id AND e.rec_from = r.rec_from
    )
    SELECT * FROM settled WHERE from_m < to_m"""


def looked_rows(table: str, where: str | None) -> str:
    """Return the rows of a table that are looked up, as something to read from."""
    return table if where is None else f"(SELECT * FROM {table} WHERE {ex.sql(ex.read(where, ex.ROW))})"


def met_sql(lookup: Lookup, looked: str = "l", row: str = "r") -> str:
    """Return the condition that a row of the table is the one for a row, by its keys and by the bands of its values."""
    keys = [f"{looked}.{quoted(left)} = {row}.{quoted(right)}" for left, right in lookup.on.items()]
    for measured, (low, high) in lookup.bands.items():
        value = f"{row}.{quoted(measured)}"
        keys.append(f"({looked}.{quoted(low)} IS NULL OR {value} >= {looked}.{quoted(low)})")
        keys.append(f"({looked}.{quoted(high)} IS NULL OR {value} < {looked}.{quoted(high)})")
    return " AND ".join(keys)


def _join(con: duckdb.DuckDBPyConnection, name: str, lookup: Lookup, columns: Iterable[str],
          carried: list[str]) -> list[str]:  # fmt: skip
    """Cut the rectangles of `name` by a dated table; replaces the temporary table."""
    looked = quoted(f"look_{lookup.table}")
    keys = [*lookup.on, *lookup.bounds]
    read = list(dict.fromkeys([*keys, *columns]))
    settled = lookup_sql(lookup)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {looked} AS SELECT from_m, to_m, rec_from, rec_to, "
        f"{', '.join(quoted(c) for c in read)} FROM ({settled})"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE cut AS {join_sql(name, lookup, columns, carried)}")
    con.execute(f"DROP TABLE {quoted(name)}")
    con.execute(f"ALTER TABLE cut RENAME TO {quoted(name)}")
    con.execute(f"DROP TABLE {looked}")
    return [*carried, *(f"{lookup.table}__{column}" for column in columns)]


def join_sql(name: str, lookup: Lookup, columns: Iterable[str], carried: Iterable[str]) -> str:
    """Return the rectangle join: rows wholly inside one reference row keep one piece, the others are cut."""
    table = lookup.table
    keep = "".join(f", r.{quoted(column)}" for column in carried)
    given = "".join(f", l.{quoted(column)} AS {quoted(f'{table}__{column}')}" for column in columns)
    empty = "".join(f", NULL AS {quoted(f'{table}__{column}')}" for column in columns)
    keys = met_sql(lookup)
    met = f"{keys} AND l.from_m < r.to_m AND r.from_m < l.to_m AND l.rec_from < r.rec_to AND r.rec_from < l.rec_to"
    inside = "l.from_m <= r.from_m AND r.to_m <= l.to_m AND l.rec_from <= r.rec_from AND r.rec_to <= l.rec_to"
    overlap = (
        "greatest(r.from_m, l.from_m) AS from_m, least(r.to_m, l.to_m) AS to_m, "
        "greatest(r.rec_from, l.rec_from) AS rec_from, least(r.rec_to, l.rec_to) AS rec_to"
    )
    rows, looked = f"{quoted(name)} r", f"{quoted(f'look_{table}')} l"
    matched = f"SELECT r.sign, r.unit, {overlap}{keep}{given} FROM {rows} JOIN {looked} ON {met}"
    if lookup.required:
        return matched
    return f"""
    {matched}
    UNION ALL
    SELECT (-r.sign)::TINYINT, r.unit, {overlap}{keep}{empty} FROM {rows} JOIN {looked} ON {met} WHERE NOT ({inside})
    UNION ALL
    SELECT r.sign, r.unit, r.from_m, r.to_m, r.rec_from, r.rec_to{keep}{empty} FROM {rows}
    WHERE NOT EXISTS (SELECT 1 FROM {looked} WHERE {keys} AND {inside})"""


def part_sql(part: Part, source: Source, contracts: Mapping[str, Contract]) -> str:
    """Return what one prepared row adds to an atom, with its sign; NULL adds nothing."""
    value, condition = row_value(part, source, contracts)
    signed = f"CASE WHEN sign > 0 THEN {value} ELSE -({value}) END"
    return signed if condition is None else f"CASE WHEN {condition} THEN {signed} END"


def row_value(part: Part, source: Source, contracts: Mapping[str, Contract]) -> tuple[str, str | None]:
    """Return the value of one row and the condition under which it counts, over the prepared rows."""
    known = row_columns(source, contracts)

    def named(table: str, name: str) -> exp.Expr:
        return ex.column(known[f"{table}.{name}" if table else name])

    tree = ex.read(part.value, ex.AGGREGATE)
    condition = ex.sql(ex.rename(ex.read(part.where, ex.ROW), named)) if part.where else None
    if isinstance(tree, exp.Sum):
        return ex.sql(ex.rename(tree.this, named)), condition
    if isinstance(tree.this, exp.Star):
        return "1", condition
    inner = tree.this.expressions[0] if isinstance(tree.this, exp.Distinct) else tree.this
    present = f"{ex.sql(ex.rename(inner, named))} IS NOT NULL"
    return "1", present if condition is None else f"({condition}) AND {present}"
