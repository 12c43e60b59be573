"""Atoms that are not sums of rows: leaf formulas and distinct counts, kept exact by the history of each cell.

A cell is a unit, a month and the `by` columns. For every cell and every batch that touches it the operands are summed
up to that batch, the formula is taken, and the difference to before is the change. A missing operand gives what the
definition says, or nothing at all: `greatest(NULL, 0)` is 0 in DuckDB, so counters guard every operand. A row without a
value in a `by` column belongs to no cell. Atoms with the same cells are computed in one pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence

import duckdb
from sqlglot import exp

from metrics import expressions as ex
from metrics.define_source import row_columns
from metrics.facts import cell_sources, part_sql
from metrics.model import Atom, Catalogue, Part
from metrics.tables import create_table, month_list, quoted
from warehouse.base.periods import OPEN
from warehouse.contracts import Contract

THINGS = "things"
"""Operand of a distinct count: how many rows has this thing."""


def build_cells(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, contracts: Mapping[str, Contract],
                sources: Iterable[str], months: tuple[int, int], only: Container[str] | None = None) -> tuple[Atom, ...]:  # fmt: skip
    """Write leaf_<atom> and unit_<atom> of every atom counted in cells whose sources have rows; return those atoms."""
    prepared = set(sources)
    groups: dict[tuple[str, ...], list[Atom]] = defaultdict(list)
    for atom in catalogue.atoms.values():
        if only is not None and atom.name not in only:
            continue
        if (atom.is_leaf or atom.is_distinct) and set(cell_sources(atom, catalogue)) <= prepared:
            groups[(*atom.by, *((atom.name,) if atom.is_distinct else ()))].append(atom)
    for atoms in groups.values():
        create_table(con, "moved", cells_sql(atoms, catalogue, contracts, months), temporary=True)
        for atom in atoms:
            _write(con, atom)
    con.execute("DROP TABLE IF EXISTS moved")
    return tuple(atom for atoms in groups.values() for atom in atoms)


def _write(con: duckdb.DuckDBPyConnection, atom: Atom) -> None:
    name, by = quoted(atom.name), "".join(f", {quoted(column)}" for column in atom.by)
    order = "unit, month_no, batch_seq"
    moved = f"SELECT unit, month_no, batch_seq{by}, {name} FROM moved WHERE {name} <> 0"
    create_table(con, f"leaf_{atom.name}", moved, order=order)
    folded = f"SELECT {order}, sum({name}) AS {name} FROM {quoted('leaf_' + atom.name)} GROUP BY {order}"
    create_table(con, f"unit_{atom.name}", folded, order=order)


def operands_of(atom: Atom, catalogue: Catalogue) -> dict[str, tuple[Part, ...]]:
    """Return operand → parts; a distinct count is a formula over "how many rows has this thing"."""
    if atom.is_leaf:
        return {name: catalogue.atoms[name].parts for name in atom.operands}
    return {THINGS: atom.parts}


def cells_sql(atoms: Sequence[Atom], catalogue: Catalogue, contracts: Mapping[str, Contract], months: tuple[int, int]) -> str:  # fmt: skip
    """Return unit, month_no, batch_seq, by…, and the change of each atom, for atoms with the same cells."""
    operands: dict[str, tuple[Part, ...]] = {}
    for atom in atoms:
        operands |= operands_of(atom, catalogue)
    by = "".join(f", {quoted(name)}" for name in atoms[0].by)
    reads = [
        operand_changes(name, part, atoms[0], catalogue, contracts, months)
        for name, parts in operands.items()
        for part in parts
    ]
    named = [quoted(f"{name}{suffix}") for name in operands for suffix in ("", "#")]
    folded = "".join(f", sum({name}) AS {name}" for name in named)
    running = "".join(f", sum({name}) OVER cell AS {name}" for name in named)
    values = "".join(f", coalesce({guarded_formula(atom, catalogue)}, 0) AS {quoted(atom.name)}" for atom in atoms)
    moves = "".join(f", {quoted(a.name)} - lag({quoted(a.name)}, 1, 0) OVER cell AS {quoted(a.name)}" for a in atoms)
    cell = f"PARTITION BY unit, month_no{by} ORDER BY batch_seq"
    return f"""
    WITH changes AS ({" UNION ALL BY NAME ".join(reads)}),
    touched AS (SELECT unit, month_no, batch_seq{by}{folded} FROM changes GROUP BY unit, month_no, batch_seq{by}),
    known AS (
        SELECT unit, month_no, batch_seq{by}{running} FROM touched WINDOW cell AS ({cell} ROWS UNBOUNDED PRECEDING)
    ),
    valued AS (SELECT unit, month_no, batch_seq{by}{values} FROM known)
    SELECT unit, month_no, batch_seq{by}{moves} FROM valued WINDOW cell AS ({cell})"""


def guarded_formula(atom: Atom, catalogue: Catalogue) -> str:
    """Return the formula with every missing operand replaced by what the definition says; NULL where it says nothing."""
    text = atom.leaf if atom.leaf is not None else f"case when {THINGS} > 0 then 1 else 0 end"

    def present(_: str, name: str) -> exp.Expr:
        default = atom.missing.get(name)
        if default is None:
            return ex.column(name)
        made: exp.Expr = exp.maybe_parse(
            f'CASE WHEN "{name}#" > 0 THEN "{name}" ELSE {ex.sql(ex.read(default, ex.ROW))} END', dialect=ex.DIALECT
        )
        return made

    needed = [f"{quoted(name + '#')} > 0" for name in operands_of(atom, catalogue) if name not in atom.missing]
    formula = ex.sql(ex.rename(ex.read(text, ex.ROW), present))
    return f"CASE WHEN {' AND '.join(needed)} THEN {formula} END" if needed else formula


def operand_changes(name: str, part: Part, atom: Atom, catalogue: Catalogue, contracts: Mapping[str, Contract],
                    months: tuple[int, int]) -> str:  # fmt: skip
    """Return the changes of one operand and of its row counter, in the cells of the atom."""
    source = catalogue.sources[part.of]
    known = row_columns(source, contracts)
    value = part_sql(part, source, contracts)
    cells = "".join(f", {quoted(known[column])} AS {quoted(column)}" for column in atom.by)
    listed = "".join(f", {quoted(column)}" for column in atom.by)
    filled = " AND ".join(["c IS NOT NULL", *(f"{quoted(column)} IS NOT NULL" for column in atom.by)])
    folded = (
        f"SELECT unit, from_m, to_m, rec_from, rec_to{cells}, sum({value}) AS v, "
        f"sum(CASE WHEN ({value}) IS NOT NULL THEN sign END) AS c FROM {quoted('rows_' + source.name)} GROUP BY ALL"
    )
    laid = f"SELECT unit, {month_list(*months)}"
    return f"""
    {laid}, rec_from AS batch_seq{listed}, v AS {quoted(name)}, c AS {quoted(name + "#")}
    FROM ({folded}) WHERE {filled}
    UNION ALL BY NAME
    {laid}, rec_to AS batch_seq{listed}, -v AS {quoted(name)}, -c AS {quoted(name + "#")}
    FROM ({folded}) WHERE rec_to < {OPEN} AND {filled}"""
