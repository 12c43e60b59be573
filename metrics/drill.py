"""Drill: the rows of the files behind one figure, whose contributions add up to it to the last digit.

Rows are read as known at the asked batch, laid out by month (a standing row counts once per month), joined to the
reference rows of that month, and folded back to one line per row. A leaf formula is not a sum of rows but of cells:
where the formula returns one operand as it is, that operand's rows carry it; otherwise the cell itself is the line
and the rows of its operands follow as explanation, without a contribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlglot import exp

from metrics.calibers import of_caliber
from metrics.drill_cells import cell_lines
from metrics.drill_rows import months_sql, rows_sql
from metrics.drill_words import Division, DrillRow, DrillRows, Read, Side, divisor_of, is_linear, reads_of, side_reads
from metrics.editions import in_force
from metrics.evaluate import evaluate
from metrics.filters import PREFIX, Filter
from metrics.formula import parse_formula
from metrics.knowledge import Known, knowledge
from metrics.model import Answer, Atom, Catalogue, Query
from metrics.question import Question, read_question
from metrics.rule_rows import rules_behind
from metrics.tables import quoted
from warehouse.base.errors import Forbidden, QueryError
from warehouse.base.periods import Window, month_label
from warehouse.store import Generation

__all__ = ["Division", "DrillRow", "DrillRows", "Read", "reads_of", "rows"]
LISTED = 300


def rows(generation: Generation, catalogue: Catalogue, query: Query, *, limit: int | None = LISTED) -> DrillRows:
    """Return the lines behind the one figure a query asks for: one indicator, one node, one window."""
    generation = generation.seen(query.state)
    given, catalogue = (
        catalogue,
        of_caliber(in_force(generation, catalogue, query.known_at), query.caliber, query.grain),
    )
    known = knowledge(generation)
    question = read_question(generation, catalogue, query, known)
    if len(question.indicators) != 1 or len(query.nodes) != 1 or len(question.windows) != 1 or query.by is not None:
        raise QueryError(
            "Rows stand behind one indicator of one node in one period.", "ask without --by, for one period"
        )
    if question.indicators[0].role in ("rank", "pct", "same"):
        raise QueryError(
            f"{question.indicators[0].id} compares units with each other; no rows add up to it.",
            f"drill into {question.indicators[0].id.rpartition('_')[0]}",
        )
    answer = evaluate(generation, given, query)[0]
    if answer.status == "forbidden":
        raise Forbidden(f"{query.nodes[0]} or {answer.indicator} lies outside what {query.actor} may see.")
    if answer.status not in ("ok", "incomplete", "no_base", "no_denominator"):
        return DrillRows(answer, (), 0, None, None)
    window = question.elapsed_part(question.windows[0])
    (rules,) = rules_behind(generation, given, query, [answer])
    return replace(_collect(generation, catalogue, question, known, answer, window, limit), rules=rules)


def _collect(generation: Generation, catalogue: Catalogue, question: Question, known: Known, answer: Answer,
             window: Window, limit: int | None) -> DrillRows:  # fmt: skip
    formula = parse_formula(question.version(question.indicators[0], question.windows[0]).value)
    sides: dict[Side, exp.Expr | None] = {"numerator": formula.numerator, "denominator": formula.denominator}
    found: list[DrillRow] = []
    count, totals, divisors = 0, dict[Side, Decimal | None](), dict[Side, int]()
    for side, tree in sides.items():
        totals[side], divisors[side] = None, divisor_of(tree, window, question.fiscal_start)
        reads = side_reads(side, tree, window, question.fiscal_start)
        sums = [_read(generation, catalogue, question, known, read, limit) for read in reads]
        for listed, number, _ in sums:
            found += listed
            count += number
        if tree is not None and sums and (is_linear(tree) or _is_top(tree)):
            totals[side] = sum((total for _, _, total in sums), Decimal(0))
    found.sort(key=lambda row: (row.side == "denominator", -abs(row.contribution or Decimal(0))))
    kept = tuple(found if limit is None else found[:limit])
    return DrillRows(answer, kept, count, totals["numerator"], totals["denominator"], divisors["numerator"], divisors["denominator"])  # fmt: skip


Found = tuple[list[DrillRow], int, Decimal]


def _read(generation: Generation, catalogue: Catalogue, question: Question, known: Known, read: Read, limit: int | None) -> Found:  # fmt: skip
    atom = catalogue.atoms[read.operand.atom]
    if read.operand.is_top:
        question = _of_the_greatest(generation, catalogue, question, read, atom)
    if atom.is_leaf or atom.is_distinct:
        return _cells(generation, catalogue, question, known, read, atom, limit)
    listed: list[DrillRow] = []
    count, total = 0, Decimal(0)
    for part in atom.parts:
        if part.of not in known.layout.themes:
            continue
        source = catalogue.sources[part.of]
        text = rows_sql(part, source, catalogue, generation, question)
        params = _parameters(question, read)
        number, summed = _fetch_one(generation, f"SELECT count(*), sum(v) FROM ({text})", params)
        some = f"SELECT * FROM ({text}) ORDER BY abs(v) DESC, row_id" + (f" LIMIT {limit}" if limit is not None else "")
        for row in _fetch(generation, some, params):
            listed.append(_row(row, read, atom.name, source.of, known, question))
        count += int(number)
        total += _decimal(summed) * read.weight
    return listed, count, total


def _is_top(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Placeholder) and bool(tree.meta["operand"].is_top)


def _of_the_greatest(
    generation: Generation, catalogue: Catalogue, question: Question, read: Read, atom: Atom
) -> Question:
    """Return the question narrowed to the part that is the greatest; of several equal ones to the first by name."""
    dim = read.operand.over
    reads = " UNION ALL ".join(
        f"SELECT {quoted(dim)} AS thing, v FROM ({months_sql(part, catalogue.sources[part.of], catalogue, generation, question, (dim,))})"
        for part in atom.parts
    )  # fmt: skip
    found = _fetch(
        generation,
        f"SELECT thing FROM ({reads}) WHERE thing IS NOT NULL GROUP BY thing ORDER BY sum(v) DESC, thing LIMIT 1",
        _parameters(question, read),
    )
    if not found:
        return question
    also = Filter(f"{quoted(dim)} = ${PREFIX}0", None, (dim,), (found[0][0],))
    return replace(question, where=also if question.where is None else question.where.narrowed(also))


def _fetch(generation: Generation, text: str, params: Mapping[str, object]) -> list[tuple[Any, ...]]:
    used = {name: value for name, value in params.items() if f"${name}" in text}
    return generation.con.execute(text, used).fetchall()


def _fetch_one(generation: Generation, text: str, params: Mapping[str, object]) -> tuple[Any, ...]:
    return _fetch(generation, text, params)[0]


def _parameters(question: Question, read: Read) -> dict[str, object]:
    values: dict[str, object] = {
        "node": question.query.nodes[0], "seq": question.seq, "from": read.from_m, "to": read.to_m,
        "tree_month": question.tree_month,
    }  # fmt: skip
    return values | (question.where.parameters if question.where else {})


def _row(row: tuple[Any, ...], read: Read, atom: str, dataset: str, known: Known, question: Question, *,
         adds: bool = True) -> DrillRow:  # fmt: skip
    _, unit, first, last, file_name, sheet, row_no, label, division, value = row
    period = month_label(first) if first == last else f"{month_label(first)}..{month_label(last)}"
    figure = _decimal(value)
    return DrillRow(
        read.side, atom, dataset, unit, known.register.name(unit, last, question.seq), period, label or "",
        file_name or "", sheet or "", row_no or 0, figure * read.weight if adds else None, figure,
        Division(**division) if division else None,
    )  # fmt: skip


def _decimal(value: object) -> Decimal:
    return Decimal(0) if value is None else value if isinstance(value, Decimal) else Decimal(str(value))


def _cells(generation: Generation, catalogue: Catalogue, question: Question, known: Known, read: Read, atom: Atom,
           limit: int | None) -> Found:  # fmt: skip
    """Return the lines of a leaf atom: rows of the operand that is the cell's result, else the cell itself."""
    params = _parameters(question, read)
    operands = [(name, catalogue.atoms[name].parts) for name in atom.operands] or [(atom.name, atom.parts)]
    text = cell_lines(generation, catalogue, question, atom, operands)
    number, total = _fetch_one(generation, f"SELECT count(*) FILTER (adds), sum(v) FILTER (adds) FROM ({text})", params)
    kept = f" LIMIT {limit}" if limit is not None else ""
    order = "adds DESC, abs(v) DESC, unit, cell, row_id"
    listed = []
    for row in _fetch(generation, f"SELECT * FROM ({text}) ORDER BY {order}{kept}", params):
        *line, dataset, _, adds = row
        listed.append(_row(tuple(line), read, atom.name, dataset, known, question, adds=bool(adds)))
    return listed, int(number), _decimal(total) * read.weight
