"""A question made ready: its statement read by the database, its parameters, and the frame of every answer.

Everything here depends on the question, the generation and the catalogue, but on no figure; so it is kept, and asking
the same board again costs its statement and its answers only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from metrics.compiler import Compiled, compile_shape
from metrics.cubes import OWN
from metrics.formula import TIMES, View, formula_at, seen_window
from metrics.knowledge import Kept, Known
from metrics.model import Catalogue, Indicator, Query, Status
from metrics.nodes import Stay
from metrics.plan import Ask, Layout, Reading, Shape, Windows
from metrics.question import CHILDREN, Question, elapsed_month, read_question, refuse_future
from metrics.rank_peers import peer_codes
from metrics.snapshot_reach import from_snapshot
from metrics.status import Rule, rule_of
from metrics.time_words import days_given
from warehouse.base.periods import Grain, Window
from warehouse.store import Generation

Key = tuple[Any, ...]
_KEPT_STATEMENTS = 512
_KEPT_QUESTIONS = 96
_LARGEST_KEPT = 1500
"""Frames of a question that is kept; leagues of thousands of nodes are made ready each time."""


@dataclass(frozen=True)
class Statement:
    """A compiled statement, read once by the database, with the rule that reads each indicator from its rows."""

    compiled: Compiled
    parsed: Any
    rules: Mapping[str, Rule]


@dataclass(frozen=True)
class Run:
    """A statement with the values it takes for one question."""

    statement: Statement
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Frame:
    """One node, or part of a node, in one window: everything an answer has beside its figures."""

    key: Key
    node: str
    name: str
    dim: str | None
    part: str | None
    label: str
    months: int
    """Elapsed months of the window."""
    over: bool
    """The whole window has elapsed and is laid out in the cubes."""
    status: Status | None
    """Set when it is decided before any figure is looked at."""
    idle: Status
    """The status when nobody below the node owes a report."""
    optional: bool = False
    """A parent's own figures: a row only where there are some."""


@dataclass(frozen=True)
class Prepared:
    """A question, ready to be asked."""

    question: Question
    known: Known
    runs: tuple[Run, ...]
    asked: tuple[int, ...]
    """Numbers of the windows that have an elapsed part."""
    frames: tuple[Frame, ...] | None
    """None: parts of a dimension are known only from the rows."""

    def run_of(self, indicator: str) -> int | None:
        """Return the place of the statement that answers an indicator."""
        return next((n for n, run in enumerate(self.runs) if indicator in run.statement.rules), None)


_statements: Kept[Statement] = Kept(_KEPT_STATEMENTS)
_questions: Kept[Prepared] = Kept(_KEPT_QUESTIONS)


def prepare_question(generation: Generation, catalogue: Catalogue, query: Query, known: Known) -> Prepared:
    """Make a question ready, or take the one kept: the moment counts only by what was known and what had elapsed."""
    refuse_future(generation, query)
    key = (
        str(generation.path), catalogue.fingerprint, query.indicators, query.nodes, query.period_from, query.period_to,
        query.grain, query.by, query.where, query.tree, query.scope, generation.batch_at(query.known_at),
        elapsed_month(generation, known, query), query.align,
    )  # fmt: skip
    found = _questions.get(key)
    if found is not None and found.known is known:
        return found
    made = make_ready(generation, catalogue, query, known)
    if made.frames is None or len(made.frames) <= _LARGEST_KEPT:
        _questions.put(key, made)
    return made


def make_ready(generation: Generation, catalogue: Catalogue, query: Query, known: Known) -> Prepared:
    """Read a question, compile it and lay out its answers."""
    question = read_question(generation, catalogue, query, known)
    asked = tuple(n for n, w in enumerate(question.windows) if question.elapsed_part(w).months > 0)
    wanted = askable(question, known.layout)
    runs = tuple(_run(generation, question, known, group) for group in _groups(question, wanted)) if asked else ()
    frames = None if question.dim is not None else tuple(_frames(question, known))
    return Prepared(question, known, runs, asked, frames)


def _groups(question: Question, wanted: Sequence[Indicator]) -> list[list[Indicator]]:
    """Return the indicators that share a statement: what reads only the months asked is not burdened with more."""
    found: dict[object, list[Indicator]] = {}
    for indicator in wanted:
        views = {(o.span, o.above, o.over) for o in formula_at(indicator.value, question.query.grain).operands}
        manner = indicator.id if indicator.role == "same" else (views <= {("asked", False, "")}, peers_of(indicator))
        found.setdefault(manner, []).append(indicator)
    return list(found.values())


def _run(generation: Generation, question: Question, known: Known, asked: Sequence[Indicator]) -> Run:
    shape = from_snapshot(shape_of(question, asked, generation.through_seq), question, known)
    formulas = tuple((i.id, i.fingerprint, i.value, question.query.grain) for i in asked)
    statement = keep_statement(generation, known.layout, shape, formulas)
    given = parameters(question, known, asked, shape, statement.compiled)
    if shape.peers:
        given["nodes"] = peer_codes(generation, question, shape.peers, _given_codes(given), _ends(question))
    given |= _lengths(generation, question, asked, statement.compiled, given)
    return Run(statement, given)


def _lengths(generation: Generation, question: Question, asked: Sequence[Indicator], compiled: Compiled, given: Mapping[str, object]) -> dict[str, object]:  # fmt: skip
    """Return the working days and the days of heating of every window that is read."""
    parts = [part for w in question.windows if (part := question.elapsed_part(w)).months > 0]
    codes = _given_codes(given) if "nodes" in given else question.query.nodes
    nodes = list(dict.fromkeys([*codes, *(stay.child for stay in question.stays)]))
    found: dict[str, object] = {}
    for operand in {o for i in asked for o in formula_at(i.value, question.query.grain).operands if o.atom in TIMES}:
        seen = [seen_window(part, View(operand.shift, operand.span), question.fiscal_start) for part in parts]
        found |= days_given(generation, question.seq, operand, seen, nodes)
    return {name: value for name, value in found.items() if name in compiled.parameters}


def _given_codes(given: Mapping[str, object]) -> list[str]:
    codes = given["nodes"]
    return [str(code) for code in codes] if isinstance(codes, list) else [str(codes)]


def _ends(question: Question) -> list[int]:
    return [part.to_m for w in question.windows if (part := question.elapsed_part(w)).months > 0]


def peers_of(indicator: Indicator) -> tuple[str, ...]:
    """Return what an indicator's figures are ranked within; nothing for one that is no rank."""
    return indicator.peers if indicator.role in ("rank", "pct") else ()


def askable(question: Question, layout: Layout) -> list[Indicator]:
    """Return the indicators that may be seen, in the versions that answer, and have rows for everything they read."""
    scope = question.query.scope
    allowed = [i for i in question.indicators if scope.allows_theme(i.theme)]
    return [version for i in allowed for version in question.versions(i) if is_laid(version, layout)]


def is_laid(indicator: Indicator, layout: Layout) -> bool:
    """Tell whether the cubes hold every atom of an indicator."""
    return all(atom in layout.atoms for atom in indicator.atoms)


# --- the statement ----------------------------------------------------------------------------------------------------


def keep_statement(generation: Generation, layout: Layout, shape: Shape, formulas: tuple[object, ...]) -> Statement:
    """Return the statement of a shape, compiled once; `formulas` tell what is asked as the shape's formulas do."""
    where = shape.where
    key = (
        layout.key, formulas, shape.reading, shape.windows, shape.one_node, shape.dim, shape.stays, shape.as_of, shape.snap,
        (where.rows, where.units) if where else None, shape.panel, shape.peers,
    )  # fmt: skip
    found = _statements.get(key)
    if found is None:
        compiled = compile_shape(shape, layout)
        rules = {
            ask.id: rule_of(ask.id, ask.formula, layout, compiled, panel=shape.panel, standing=_standing(ask.id, shape))
            for ask in shape.asks
        }
        parsed = generation.con.extract_statements(compiled.sql)[0]
        found = _statements.put(key, Statement(compiled, parsed, rules))
    return found


def _standing(name: str, shape: Shape) -> str | None:
    """Return which column of a rank is shown; versions of an indicator carry their month behind its name."""
    if not shape.peers:
        return None
    return "pct" if name.partition("@")[0].endswith("_pct") else "rank"


def shape_of(question: Question, asked: Sequence[Indicator], through_seq: int) -> Shape:
    """Return everything that decides the text of the statement."""
    query = question.query
    return Shape(
        asks=tuple(
            Ask(i.id, formula_at(i.value, query.grain, question.dim is not None), i.scale, _order(i)) for i in asked
        ),
        reading="leaf" if _is_panel(asked) else _reading(question, through_seq),
        windows="many" if _is_panel(asked) else _windows(question, asked),
        one_node=len(query.nodes) == 1 and not question.by_children and not _reads_others(asked, query.grain),
        dim=question.dim,
        stays=question.by_children and question.tree_month is None and not peers_of(asked[0]),
        as_of=question.tree_month is not None,
        where=question.where,
        panel=_is_panel(asked),
        peers=peers_of(asked[0]),
    )


def _order(indicator: Indicator) -> Literal["ASC", "DESC"]:
    """Return the direction of a rank: the best is first, and without a good direction the greatest."""
    return "ASC" if indicator.first == "lower" else "DESC"


def _windows(question: Question, asked: Sequence[Indicator]) -> Windows:
    operands = [o for i in asked for o in formula_at(i.value, question.query.grain).operands]
    if all(o.span == "asked" for o in operands):
        if question.query.grain == "month":
            return "months"
        ends = [question.elapsed_part(w).to_m for w in question.windows]
        if len(set(ends)) == len(ends) and all(o.how == "last" for o in operands):
            return "ends"
    return "one" if len(question.windows) == 1 else "many"


def _is_panel(asked: Sequence[Indicator]) -> bool:
    return any(indicator.role == "same" for indicator in asked)


def _reads_others(asked: Sequence[Indicator], grain: Grain) -> bool:
    """Tell whether nodes beside the one asked are read: units of a panel, peers, a parent."""
    if _is_panel(asked) or peers_of(asked[0]):
        return True
    return any(o.above for i in asked for o in formula_at(i.value, grain).operands)


def _reading(question: Question, through_seq: int) -> Reading:
    if question.dim is not None or question.where is not None or question.tree_month is not None:
        return "leaf"
    return "now" if question.seq >= through_seq else "then"


def parameters(question: Question, known: Known, asked: Sequence[Indicator], shape: Shape, compiled: Compiled) -> dict[str, object]:  # fmt: skip
    """Return the values a statement takes."""
    elapsed = [part for w in question.windows if (part := question.elapsed_part(w)).months > 0]
    given = elapsed or list(question.windows)
    views = {o.view for i in asked for o in formula_at(i.value, question.query.grain).operands} | {View()}
    begins = question.fiscal_start
    read = [seen_window(window, view, begins) for view in views for window in given]
    above = any(view.above for view in views)
    stays = _with_parents(question) if above and shape.stays else question.stays
    codes = [s.child for s in stays] if question.by_children else list(question.query.nodes)
    hangs = _hangs(question, known, min(w.from_m for w in read), max(w.to_m for w in read)) if above else ()
    if hangs and shape.reading != "now":
        codes = list(dict.fromkeys([*codes, *(hang.parent for hang in hangs)]))
    every: dict[str, object] = {
        "nodes": codes[0] if shape.one_node else codes,
        "lo": min(w.from_m for w in read),
        "hi": max(w.to_m for w in read),
        "seq": question.seq,
        "tree_month": question.tree_month,
        "parents": [s.parent for s in stays],
        "children": [s.child for s in stays],
        "stay_from": [s.from_m for s in stays],
        "stay_to": [s.to_m for s in stays],
        "hang_parent": [s.parent for s in hangs],
        "hang_child": [s.child for s in hangs],
        "hang_from": [s.from_m for s in hangs],
        "hang_to": [s.to_m for s in hangs],
    }
    for span in sorted({view.span for view in views}):
        seen = [seen_window(w, View(span=span), begins) for w in given]
        every |= window_values(seen, "" if span == "asked" else f"_{span}")
    if question.where is not None:
        every |= question.where.parameters
    return {name: value for name, value in every.items() if name in compiled.parameters}


def window_values(given: Sequence[Window], suffix: str) -> dict[str, object]:
    """Return the parameters that say which months the windows of one span hold."""
    first, last = min(w.from_m for w in given), max(w.to_m for w in given)
    return {
        f"first{suffix}": first,
        f"last{suffix}": last,
        f"firsts{suffix}": [w.from_m for w in given],
        f"ends{suffix}": [w.to_m for w in given],
        f"months{suffix}": [w.months for w in given],
        f"member{suffix}": [[n for n, w in enumerate(given) if w.from_m <= m < w.to_m] for m in range(first, last)],
    }


def _with_parents(question: Question) -> list[Stay]:
    """Return the children with each parent itself as one more, whose figures its children are held against."""
    bounds = {stay.parent: (stay.from_m, stay.to_m) for stay in question.stays if stay.child.endswith(OWN)}
    return [*question.stays, *(Stay(node, node, *months) for node, months in bounds.items())]


def _hangs(question: Question, known: Known, from_m: int, to_m: int) -> tuple[Stay, ...]:
    """Return under whom each asked node hung in which months."""
    if question.by_children:
        return question.stays
    tree, seq = question.tree_month, question.seq
    if tree is None:
        return tuple(s for node in question.query.nodes for s in known.register.parents(node, from_m, to_m, seq))
    under = [s for node in question.query.nodes for s in known.register.parents(node, tree, tree + 1, seq)]
    return tuple(Stay(stay.parent, stay.child, from_m, to_m) for stay in under)


# --- the frames -------------------------------------------------------------------------------------------------------


def _frames(question: Question, known: Known) -> Iterator[Frame]:
    for node in question.query.nodes:
        if question.by_children:
            yield from _child_frames(question, known, node)
        else:
            for number, window in enumerate(question.windows):
                yield make_frame(question, known, (node, number), node, node, (None, None), window)


def _child_frames(question: Question, known: Known, node: str) -> Iterator[Frame]:
    stays: dict[str, list[Stay]] = {}
    for stay in question.stays:
        if stay.parent == node:
            stays.setdefault(stay.child, []).append(stay)
    for child, own in stays.items():
        for number, window in enumerate(question.windows):
            if not any(stay.from_m < window.to_m and window.from_m < stay.to_m for stay in own):
                continue
            key: Key = (child, number) if question.tree_month is not None else (node, child, number)
            shown = child.removesuffix(OWN)
            yield make_frame(question, known, key, shown, node, (CHILDREN, shown), window, optional=child != shown)


def part_frames(prepared: Prepared, rows: Collection[Key]) -> Iterator[Frame]:
    """Return the frames of every part of every node; a node without any part keeps one frame a window."""
    question, known = prepared.question, prepared.known
    for node in question.query.nodes:
        parts = {key[1] for key in rows if key[0] == node} or {None}
        for part in sorted(parts, key=lambda value: (value is None, str(value))):
            text = None if part is None else str(part)
            for number, window in enumerate(question.windows):
                yield make_frame(question, known, (node, part, number), node, node, (question.dim, text), window)


def make_frame(question: Question, known: Known, key: Key, node: str, seen: str, part: tuple[str | None, str | None],
               window: Window, *, optional: bool = False) -> Frame:  # fmt: skip
    """Decide what needs no figure; `seen` is the node whose visibility counts."""
    register, seq, layout = known.register, question.seq, known.layout
    elapsed = question.elapsed_part(window)
    alive = register.lives(node, elapsed.to_m - 1, elapsed.to_m, seq)
    idle: Status = "excluded" if alive else "not_existing"
    if elapsed.to_m > layout.end or elapsed.from_m < layout.first:
        idle = "not_reported"
    return Frame(
        key, node, register.name(node, window.to_m - 1, seq), part[0], part[1], window.label, elapsed.months,
        window.to_m <= min(question.elapsed, layout.end), _early_status(question, known, node, seen, window), idle, optional,
    )  # fmt: skip


def _early_status(question: Question, known: Known, node: str, seen: str, window: Window) -> Status | None:
    register, seq = known.register, question.seq
    if not register.visible(seen, window.from_m, window.to_m, seq, question.query.scope):
        return "forbidden"
    if not register.begun(seq):
        return "not_reported"
    if not register.lives(node, window.from_m, window.to_m, seq):
        return "not_existing"
    if register.excluded(node, window.from_m, window.to_m, seq):
        return "excluded"
    return "not_due" if question.elapsed_part(window).months <= 0 else None
