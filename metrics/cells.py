"""Atoms that are not sums of rows: leaf formulas and distinct counts, kept exact by the history of each cell.

A cell is a unit, a month and the `by` columns. For every cell and every batch that touches it the operands are summed
up to that batch, the formula is taken, and the difference to before is the change. A missing operand gives what the
definition says, or nothing at all: `greatest(NULL, 0)` is 0 in DuckDB, so counters guard every operand.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
from sqlglot import exp

from metrics import expressions as ex
from metrics.catalogue import row_columns
from metrics.facts import cell_sources, part_sql
from metrics.model import Atom, Catalogue, Part
from metrics.tables import month_list, narrow_counts, quoted
from warehouse.base.periods import OPEN
from warehouse.contracts import Contract


def build_cells(con: duckdb.DuckDBPyConnection, atom: Atom, catalogue: Catalogue, contracts: Mapping[str, Contract],
                months: tuple[int, int]) -> bool:  # fmt: skip
    """Write leaf_<atom> and unit_<atom>; False when the atom is a plain sum or a source it needs has no rows."""
    if not (atom.is_leaf or atom.is_distinct):
        return False
    prepared = {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()}
    if any(f"rows_{source}" not in prepared for source in cell_sources(atom, catalogue)):
        return False
    con.execute(f"""
    CREATE OR REPLACE TABLE {quoted("leaf_" + atom.name)} AS
    {cells_sql(atom, catalogue, contracts, months)}""")
    con.execute(f"""
    CREATE OR REPLACE TABLE {quoted("unit_" + atom.name)} AS
    SELECT unit, month_no, batch_seq, sum({quoted(atom.name)}) AS {quoted(atom.name)}
    FROM {quoted("leaf_" + atom.name)} GROUP BY unit, month_no, batch_seq ORDER BY unit, month_no, batch_seq""")
    narrow_counts(con, f"leaf_{atom.name}")
    narrow_counts(con, f"unit_{atom.name}")
    return True


def operands_of(atom: Atom, catalogue: Catalogue) -> dict[str, tuple[Part, ...]]:
    """Return operand → parts; a distinct count is a formula over "how many rows has this thing"."""
    if atom.is_leaf:
        return {name: catalogue.atoms[name].parts for name in atom.operands}
    return {"things": atom.parts}


def cell_formula(atom: Atom) -> str:
    """Return the formula of a cell."""
    return atom.leaf if atom.leaf is not None else "case when things > 0 then 1 else 0 end"


def cells_sql(atom: Atom, catalogue: Catalogue, contracts: Mapping[str, Contract], months: tuple[int, int]) -> str:
    """Return unit, month_no, batch_seq, by…, change of the formula."""
    operands = operands_of(atom, catalogue)
    by = "".join(f", {quoted(name)}" for name in atom.by)
    reads = [
        _operand_changes(name, part, atom, catalogue, contracts, months)
        for name, parts in operands.items()
        for part in parts
    ]
    named = [f"{name}{suffix}" for name in operands for suffix in ("", "#")]
    folded = "".join(f", sum({quoted(name)}) AS {quoted(name)}" for name in named)
    running = "".join(f", sum({quoted(name)}) OVER cell AS {quoted(name)}" for name in named)
    value = guarded_formula(atom, tuple(operands))
    return f"""
    WITH changes AS ({" UNION ALL BY NAME ".join(reads)}),
    touched AS (SELECT unit, month_no, batch_seq{by}{folded} FROM changes GROUP BY unit, month_no, batch_seq{by}),
    known AS (
        SELECT unit, month_no, batch_seq{by}{running} FROM touched
        WINDOW cell AS (PARTITION BY unit, month_no{by} ORDER BY batch_seq ROWS UNBOUNDED PRECEDING)
    ),
    valued AS (SELECT unit, month_no, batch_seq{by}, coalesce({value}, 0) AS v FROM known),
    moved AS (
        SELECT unit, month_no, batch_seq{by}, v - lag(v, 1, 0) OVER (PARTITION BY unit, month_no{by} ORDER BY batch_seq) AS d
        FROM valued
    )
    SELECT unit, month_no, batch_seq{by}, d AS {quoted(atom.name)} FROM moved WHERE d <> 0
    ORDER BY unit, month_no, batch_seq"""


def guarded_formula(atom: Atom, operands: tuple[str, ...]) -> str:
    """Return the formula with every missing operand replaced by what the definition says; NULL where it says nothing."""
    tree = ex.read(cell_formula(atom), ex.ROW)

    def present(_: str, name: str) -> exp.Expr:
        default = atom.missing.get(name)
        if default is None:
            return ex.column(name)
        text = f'CASE WHEN "{name}#" > 0 THEN "{name}" ELSE {ex.sql(ex.read(default, ex.ROW))} END'
        made: exp.Expr = exp.maybe_parse(text, dialect=ex.DIALECT)
        return made

    needed = [f"{quoted(name + '#')} > 0" for name in operands if name not in atom.missing]
    formula = ex.sql(ex.rename(tree, present))
    return f"CASE WHEN {' AND '.join(needed)} THEN {formula} END" if needed else formula


def _operand_changes(name: str, part: Part, atom: Atom, catalogue: Catalogue, contracts: Mapping[str, Contract],
                     span: tuple[int, int]) -> str:  # fmt: skip
    """Return the changes of one operand and of its row counter, in the cells of the atom."""
    source = catalogue.sources[part.of]
    known = row_columns(source, contracts)
    cells = "".join(f", {quoted(known[column])} AS {quoted(column)}" for column in atom.by)
    listed = "".join(f", {quoted(column)}" for column in atom.by)
    value = part_sql(part, source, contracts)
    months = month_list(*span)
    count = f"CASE WHEN ({value}) IS NOT NULL THEN sign END"
    filled = " AND ".join(f"{quoted(column)} IS NOT NULL" for column in atom.by) or "true"
    return f"""
    SELECT unit, {months}, rec_from AS batch_seq{listed}, v AS {quoted(name)}, c AS {quoted(name + "#")} FROM (
        SELECT unit, from_m, to_m, rec_from, rec_to{cells}, sum({value}) AS v, sum({count}) AS c
        FROM {quoted("rows_" + source.name)} GROUP BY ALL) WHERE {filled} AND (v IS NOT NULL OR c IS NOT NULL)
    UNION ALL BY NAME
    SELECT unit, {months}, rec_to AS batch_seq{listed}, -v AS {quoted(name)}, -c AS {quoted(name + "#")} FROM (
        SELECT unit, from_m, to_m, rec_from, rec_to{cells}, sum({value}) AS v, sum({count}) AS c
        FROM {quoted("rows_" + source.name)} GROUP BY ALL)
    WHERE rec_to < {OPEN} AND {filled} AND (v IS NOT NULL OR c IS NOT NULL)"""
