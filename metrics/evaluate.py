"""Evaluate: one question, one statement, one answer per indicator, node and window.

The generation and the catalogue are parameters, the clock is a field of the question. Statements are kept by shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from metrics.compiler import Ask, Compiled, Layout, Reading, Shape, compile_shape
from metrics.cubes import OWN
from metrics.formula import parse_formula
from metrics.knowledge import Kept, Known, knowledge
from metrics.model import Answer, Catalogue, Figure, Indicator, Query, Status
from metrics.question import CHILDREN, Question, read_question
from metrics.status import Rule, due_and_got, judge, nothing_due, rule_of
from warehouse.base.errors import QueryError
from warehouse.base.periods import Window
from warehouse.store import Generation

Row = Sequence[Any]
_SHOWN: frozenset[Status] = frozenset({"ok", "incomplete"})
_HALF_SHOWN: frozenset[Status] = frozenset({"no_base", "no_denominator"})


@dataclass(frozen=True)
class Statement:
    """A compiled statement with the rule that reads each indicator from its rows."""

    compiled: Compiled
    rules: Mapping[str, Rule]


_statements: Kept[Statement] = Kept(512)


@dataclass(frozen=True)
class Spot:
    """One node, or part of a node, in one window: everything an answer has beside its figures."""

    node: str
    name: str
    dim: str | None
    part: str | None
    window: Window
    elapsed: Window
    row: Row | None
    status: Status | None
    """Set when it is decided before any figure is looked at."""
    alive_last: bool


def evaluate(generation: Generation, catalogue: Catalogue, query: Query) -> tuple[Answer, ...]:
    """Answer a query: every indicator × node × window in this order, parts and children after each other."""
    known = knowledge(generation)
    question = read_question(generation, catalogue, query, known)
    asked = [i for i in question.indicators if _has_source(i, known.layout) and query.scope.allows_theme(i.theme)]
    statement = statement_for(question, known, asked, generation.through_seq) if asked else None
    rows = _ask(generation, question, statement) if statement else {}
    spots = list(_spots(question, known, rows))
    return tuple(
        _answer(question, known, indicator, spot, statement) for indicator in question.indicators for spot in spots
    )


def sql_text(generation: Generation, catalogue: Catalogue, query: Query) -> str:
    """Return the statement a query runs, its parameters as comments above it, for people who audit a number."""
    known = knowledge(generation)
    question = read_question(generation, catalogue, query, known)
    asked = [i for i in question.indicators if _has_source(i, known.layout) and query.scope.allows_theme(i.theme)]
    if not asked:
        return "-- nothing to ask: no rows for these indicators, or outside the scope\n"
    compiled = statement_for(question, known, asked, generation.through_seq).compiled
    values = "".join(f"-- ${name} = {value!r}\n" for name, value in sorted(parameters(question, compiled).items()))
    return f"{values}{compiled.sql};\n"


def has_source(generation: Generation, indicator: Indicator) -> bool:
    """Tell whether the generation holds rows for everything an indicator reads."""
    return _has_source(indicator, knowledge(generation).layout)


def _has_source(indicator: Indicator, layout: Layout) -> bool:
    return all(atom in layout.atoms for atom in indicator.atoms)


# --- asking -----------------------------------------------------------------------------------------------------------


def statement_for(question: Question, known: Known, asked: Sequence[Indicator], through_seq: int) -> Statement:
    """Return the statement of a question, compiled once per shape."""
    shape = _shape(question, asked, through_seq)
    where = question.where
    key = (
        known.layout.key, tuple((i.id, i.fingerprint) for i in asked), shape.reading, shape.single, shape.one_node,
        shape.dim, shape.stays, shape.as_of, (where.rows, where.units) if where else None,
    )  # fmt: skip
    found = _statements.get(key)
    if found is None:
        compiled = compile_shape(shape, known.layout)
        rules = {ask.id: rule_of(ask.id, ask.formula, known.layout, compiled) for ask in shape.asks}
        found = _statements.put(key, Statement(compiled, rules))
    return found


def _shape(question: Question, asked: Sequence[Indicator], through_seq: int) -> Shape:
    query = question.query
    return Shape(
        asks=tuple(Ask(i.id, parse_formula(i.value), i.scale) for i in asked),
        reading=_reading(question, through_seq),
        single=query.grain == "month",
        one_node=len(query.nodes) == 1 and not question.by_children,
        dim=question.dim,
        stays=question.by_children and question.tree_month is None,
        as_of=question.tree_month is not None,
        where=question.where,
    )


def _reading(question: Question, through_seq: int) -> Reading:
    if question.dim is not None or question.where is not None or question.tree_month is not None:
        return "leaf"
    return "now" if question.seq >= through_seq else "then"


def parameters(question: Question, compiled: Compiled) -> dict[str, object]:
    """Return the values a statement takes."""
    asked = [part for w in question.windows if (part := question.elapsed_part(w)).months > 0]
    first = min((w.from_m for w in asked), default=0)
    last = max((w.to_m for w in asked), default=0)
    codes = [s.child for s in question.stays] if question.by_children else list(question.query.nodes)
    stays = question.stays if question.by_children else ()
    every: dict[str, object] = {
        "nodes": codes[0] if len(codes) == 1 and not question.by_children else codes,
        "windows": [w.to_m for w in asked] if question.query.grain == "month" else list(range(len(asked))),
        "starts": [w.from_m for w in asked],
        "ends": [w.to_m for w in asked],
        "from": first,
        "to": last,
        "lo": first - _reach(question),
        "hi": last,
        "seq": question.seq,
        "tree_month": question.tree_month,
        "parents": [s.parent for s in stays],
        "children": [s.child for s in stays],
        "stay_from": [s.from_m for s in stays],
        "stay_to": [s.to_m for s in stays],
    }
    if question.where is not None:
        every |= question.where.parameters
    return {name: value for name, value in every.items() if name in compiled.parameters}


def _reach(question: Question) -> int:
    return max((o.shift for i in question.indicators for o in parse_formula(i.value).operands), default=0)


def _ask(generation: Generation, question: Question, statement: Statement) -> dict[tuple[Any, ...], Row]:
    """Run the statement; rows by (node, window number) or (node, part, window number)."""
    asked = [n for n, w in enumerate(question.windows) if question.elapsed_part(w).months > 0]
    if not asked:
        return {}
    compiled = statement.compiled
    try:
        rows = generation.con.execute(compiled.sql, parameters(question, compiled)).fetchall()
    except duckdb.ConversionException as cause:
        raise QueryError(f"The filter compares a dimension with a value of another kind: {cause}") from cause
    place = compiled.place["w"]
    first = question.windows[0].from_m
    if question.query.grain == "month":
        return {(*row[:place], row[place] - first): row for row in rows}
    return {(*row[:place], asked[row[place]]): row for row in rows}


# --- answering --------------------------------------------------------------------------------------------------------


def _spots(question: Question, known: Known, rows: Mapping[tuple[Any, ...], Row]) -> Iterator[Spot]:
    """Return every node, part or child of every window that gets a row."""
    for node in question.query.nodes:
        if question.by_children:
            yield from _child_spots(question, known, rows, node)
        elif question.dim is not None:
            yield from _part_spots(question, known, rows, node)
        else:
            for number, window in enumerate(question.windows):
                yield _spot(question, known, node, node, None, None, window, rows.get((node, number)))


def _child_spots(question: Question, known: Known, rows: Mapping[tuple[Any, ...], Row], node: str) -> Iterator[Spot]:
    stays = [stay for stay in question.stays if stay.parent == node]
    children = list(dict.fromkeys(stay.child for stay in stays))
    for child in children:
        for number, window in enumerate(question.windows):
            if not any(s.child == child and s.from_m < window.to_m and window.from_m < s.to_m for s in stays):
                continue
            row = rows.get((child, number) if question.tree_month is not None else (node, child, number))
            if child.endswith(OWN) and row is None:
                continue
            shown = child.removesuffix(OWN)
            yield _spot(question, known, shown, node, CHILDREN, shown, window, row)


def _part_spots(question: Question, known: Known, rows: Mapping[tuple[Any, ...], Row], node: str) -> Iterator[Spot]:
    parts = {key[1] for key in rows if key[0] == node}
    for part in sorted(parts, key=lambda value: (value is None, str(value))):
        for number, window in enumerate(question.windows):
            text = None if part is None else str(part)
            yield _spot(question, known, node, node, question.dim, text, window, rows.get((node, part, number)))
    if not parts:
        for window in question.windows:
            yield _spot(question, known, node, node, question.dim, None, window, None)


def _spot(question: Question, known: Known, node: str, seen: str, dim: str | None, part: str | None,
          window: Window, row: Row | None) -> Spot:  # fmt: skip
    """Decide what needs no figure; `seen` is the node whose visibility counts."""
    register, seq = known.register, question.seq
    elapsed = question.elapsed_part(window)
    name = register.name(node, window.to_m - 1, seq)
    status: Status | None = None
    if not register.visible(seen, window.from_m, window.to_m, seq, question.query.scope):
        status = "forbidden"
    elif not register.begun(seq):
        status = "not_reported"
    elif not register.lives(node, window.from_m, window.to_m, seq):
        status = "not_existing"
    elif register.excluded(node, window.from_m, window.to_m, seq):
        status = "excluded"
    elif elapsed.months <= 0:
        status = "not_due"
    alive = register.lives(node, elapsed.to_m - 1, elapsed.to_m, seq)
    return Spot(node, name, dim, part, window, elapsed, row, status, alive)


def _answer(question: Question, known: Known, indicator: Indicator, spot: Spot, statement: Statement | None) -> Answer:
    rule = statement.rules.get(indicator.id) if statement else None
    status = _status(question, known, indicator, spot, rule)
    due = got = 0
    value: Figure | None = None
    numerator: Figure | None = None
    denominator: Figure | None = None
    if rule is not None and spot.row is not None and status not in ("forbidden", "not_existing", "excluded", "not_due"):
        due, got = due_and_got(rule, spot.row)
        if status in _SHOWN:
            value = spot.row[rule.value]
        if status in _SHOWN or status in _HALF_SHOWN:
            numerator = spot.row[rule.numerator]
            denominator = spot.row[rule.denominator] if rule.denominator is not None else None
    query = question.query
    return Answer(
        indicator.id, spot.node, spot.name, spot.dim, spot.part, spot.window.label, query.grain, value, numerator,
        denominator, indicator.unit, due, got, status, indicator.fingerprint, question.seq, query.known_at, query.tree,
        known.origin,
    )  # fmt: skip


def _status(question: Question, known: Known, indicator: Indicator, spot: Spot, rule: Rule | None) -> Status:
    if spot.status == "forbidden" or not question.query.scope.allows_theme(indicator.theme):
        return "forbidden"
    if rule is None:
        return "no_source"
    if spot.status is not None:
        return spot.status
    if spot.row is None or nothing_due(rule, spot.row):
        return _without_duty(known, spot)
    over = spot.window.to_m <= question.elapsed and spot.window.to_m <= known.layout.end
    return judge(rule, spot.row, spot.elapsed.months, over)


def _without_duty(known: Known, spot: Spot) -> Status:
    """A living node nobody below which owes a report: out of the population, or beyond the months laid out."""
    if spot.elapsed.to_m > known.layout.end or spot.elapsed.from_m < known.layout.first:
        return "not_reported"
    return "excluded" if spot.alive_last else "not_existing"


def answers_by_key(answers: Iterable[Answer]) -> dict[tuple[str, str, str], Answer]:
    """Return answers by (indicator, node, period), for questions without parts."""
    return {(a.indicator, a.node, a.period): a for a in answers}
