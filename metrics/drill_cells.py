"""Lines of a leaf formula: where it returns one operand as it is, that operand's rows; else the cell, explained."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from metrics import expressions as ex
from metrics.drill_rows import DIVISION, months_sql, tree_sql
from metrics.model import Atom, Catalogue, Part
from metrics.question import Question
from metrics.tables import literal, quoted
from warehouse.store import Generation


def cell_lines(generation: Generation, catalogue: Catalogue, question: Question, atom: Atom,
                operands: list[tuple[str, tuple[Part, ...]]]) -> str:  # fmt: skip
    """Return the lines of an atom below the asked node: those that add, and those that explain."""
    by = [quoted(name) for name in atom.by]
    cell = f"concat_ws(' · ', {', '.join(f'CAST({b} AS VARCHAR)' for b in by)})" if by else "''"
    listed = "".join(f", {b}" for b in by)
    same = " AND ".join(
        ["c.unit = o.unit", "c.month_no = o.month_no", *(f"c.{b} IS NOT DISTINCT FROM o.{b}" for b in by)]
    )
    where = f" AND ({question.where.rows})" if question.where and question.where.row_dims else ""
    reads = " UNION ALL BY NAME ".join(
        f"SELECT {place} AS operand, {literal(catalogue.sources[part.of].of)} AS dataset, row_id, unit, month_no, file_name, "
        f"sheet, row_no, label, division, v{listed} FROM ({months_sql(part, catalogue.sources[part.of], catalogue, generation, _unfiltered(question), atom.by)}) "
        f"WHERE v IS NOT NULL"
        for place, (_, parts) in enumerate(operands)
        for part in parts
    )
    chosen = ", ".join(str(place) for place, (name, _) in enumerate(operands) if name in _branches(atom)) or "NULL"
    return f"""
    WITH results AS (
        SELECT l.unit, l.month_no{"".join(f", l.{b}" for b in by)}, sum(l.{quoted(atom.name)}) AS r
        FROM {quoted("leaf_" + atom.name)} l JOIN ({tree_sql(atom.theme, question)}) t
          ON t.unit = l.unit AND l.month_no >= t.from_m AND l.month_no < t.to_m
        WHERE l.batch_seq <= $seq AND l.month_no >= $from AND l.month_no < $to{where}
        GROUP BY ALL HAVING sum(l.{quoted(atom.name)}) <> 0
    ),
    cells AS (SELECT *, row_number() OVER () AS cell FROM results),
    reads AS ({reads}),
    inside AS (SELECT c.cell, c.r, o.* FROM cells c JOIN reads o ON {same}),
    -- the operand whose rows are the whole result of their cell
    carried AS (
        SELECT cell, min(operand) AS operand FROM (
            SELECT cell, operand, r FROM inside WHERE operand IN ({chosen}) GROUP BY cell, operand, r HAVING sum(v) = r
        ) GROUP BY cell
    ),
    lines AS (
        SELECT i.row_id, i.unit, i.month_no, i.file_name, i.sheet, i.row_no, i.label, i.division, i.v, i.dataset, i.cell,
               i.operand = k.operand AS adds
        FROM inside i LEFT JOIN carried k ON k.cell = i.cell WHERE k.operand IS NULL OR i.operand = k.operand
        UNION ALL
        SELECT NULL, c.unit, c.month_no, NULL, NULL, NULL, {cell}, NULL::{DIVISION}, c.r, {literal(atom.name)}, c.cell, true
        FROM cells c WHERE c.cell NOT IN (SELECT cell FROM carried)
    )
    SELECT row_id, unit, month_no AS first, month_no AS last, file_name, sheet, row_no, label, division, v, dataset, cell,
           coalesce(adds, false) AS adds FROM lines"""


def _branches(atom: Atom) -> frozenset[str]:
    """Return the operands a formula may return as they are: `case when … then x else 0 end` returns x."""
    tree = ex.read(atom.leaf or "0", ex.ROW)
    if not isinstance(tree, exp.Case):
        return frozenset()
    branches = [branch.args.get("true") for branch in tree.args["ifs"]] + [tree.args.get("default")]
    return frozenset(branch.name.lower() for branch in branches if isinstance(branch, exp.Column))


def _unfiltered(question: Question) -> Question:
    return replace(question, where=None)
