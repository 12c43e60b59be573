"""Evaluate: one question, one statement, one answer per indicator, node and window.

The generation and the catalogue are parameters, the clock is a field of the question. Order of answers: indicator, node,
window; parts and children of a node stand where the node would.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import duckdb

from metrics.calibers import of_caliber
from metrics.editions import in_force
from metrics.factors import by_year, factor_year, reads_factors
from metrics.knowledge import knowledge
from metrics.model import Answer, Catalogue, Figure, Indicator, Query, Status
from metrics.prepared import Frame, Key, Prepared, Run, is_laid, part_frames, prepare_question
from metrics.question import find_indicator, moment_of
from metrics.status import Rule, due_and_got, judge, judge_standing, nothing_due
from warehouse.base.errors import QueryError
from warehouse.base.periods import fiscal_shift
from warehouse.report_periods import may_still_come
from warehouse.store import Generation, State

Row = Sequence[Any]
_BLANK: frozenset[Status] = frozenset({"forbidden", "no_source", "not_existing", "excluded", "not_due"})
_SHOWN: frozenset[Status] = frozenset({"ok", "incomplete"})
_HALF_SHOWN: frozenset[Status] = frozenset({"no_base", "no_denominator"})


def evaluate(generation: Generation, catalogue: Catalogue, query: Query) -> tuple[Answer, ...]:
    """Answer a query, as one state of the submissions shows it."""
    generation = generation.seen(query.state)
    catalogue = of_caliber(in_force(generation, catalogue, query.known_at), query.caliber, query.grain)
    if query.factors is None:
        return _evaluate(generation, catalogue, query)
    return _by_factors(generation, catalogue, query)


def _by_factors(generation: Generation, catalogue: Catalogue, query: Query) -> tuple[Answer, ...]:
    """Answer by the coefficients asked for; an indicator that reads none is answered as ever, and says none."""
    year = factor_year(query.factors)
    indicators = [find_indicator(catalogue, name) for name in query.indicators]
    reading = [i for i in indicators if reads_factors(i, catalogue)]
    others = replace(query, indicators=tuple(i.id for i in indicators if i not in reading), factors=None)
    found = list(_evaluate(generation, catalogue, others)) if others.indicators else []
    if reading:
        asked = replace(query, indicators=tuple(i.id for i in reading), factors=None)
        place = generation if year is None else by_year(generation, catalogue, reading, year)
        found += [replace(answer, factors=query.factors or "") for answer in _evaluate(place, catalogue, asked)]
    order = {name: number for number, name in enumerate(query.indicators)}
    return tuple(sorted(found, key=lambda answer: order[answer.indicator]))


def _evaluate(generation: Generation, catalogue: Catalogue, query: Query) -> tuple[Answer, ...]:
    known = knowledge(generation)
    prepared = prepare_question(generation, catalogue, query, known)
    rows = ask(generation, prepared)
    moment = moment_of(generation, known, query)
    frames = (
        prepared.frames
        if prepared.frames is not None
        else tuple(part_frames(prepared, {key for one in rows for key in one}))
    )
    answers: list[Answer] = []
    for indicator in prepared.question.indicators:
        waiting = (
            _awaited(generation, catalogue, prepared, indicator, moment.date()) if moment is not None else frozenset()
        )
        answers += _answers(prepared, query, indicator, frames, rows, waiting, generation.state)
    return tuple(answers)


def ask(generation: Generation, prepared: Prepared) -> tuple[dict[Key, Row], ...]:
    """Run every statement; rows by (node, window number) or (node, part, window number)."""
    return tuple(_rows(generation, run, prepared.asked) for run in prepared.runs)


def _rows(generation: Generation, run: Run, asked: Sequence[int]) -> dict[Key, Row]:
    try:
        rows = generation.con.execute(run.statement.parsed, run.parameters).fetchall()
    except duckdb.ConversionException as cause:
        raise QueryError(f"The filter compares a dimension with a value of another kind: {cause}") from cause
    place = run.statement.compiled.place["w"]
    return {(*row[:place], asked[row[place]]): row for row in rows}


def has_source(generation: Generation, indicator: Indicator) -> bool:
    """Tell whether the generation holds rows for everything an indicator reads."""
    return is_laid(indicator, knowledge(generation).layout)


def _answers(prepared: Prepared, query: Query, indicator: Indicator, frames: Sequence[Frame], asked: Sequence[Mapping[Key, Row]],
             waiting: frozenset[int], state: State) -> list[Answer]:  # fmt: skip
    """Return the answers of one indicator in all frames; of the windows `waiting` no report is due yet."""
    windows, seen = prepared.question.windows, dict[str, _Seen]()
    found: list[Answer] = []
    for frame in frames:
        version = prepared.question.version(indicator, windows[frame.key[-1]])
        if version.id not in seen:
            seen[version.id] = _seen(prepared, query, version, asked)
        rule, rows, refused = seen[version.id]
        row = rows.get(_ranked_key(frame) if rule is not None and rule.standing else frame.key)
        if frame.optional and (row is None or rule is None or nothing_due(rule, row)):
            continue
        status = _status(refused, frame, rule, row)
        if rule is not None and rule.above and _hides_parent(prepared, query, frame):
            status = "forbidden"
        if status == "not_reported" and frame.key[-1] in waiting:
            status = "not_due"
        due, got = (0, 0) if rule is None or row is None or status in _BLANK else due_and_got(rule, row)
        value, numerator, denominator = _figures(rule, row, status)
        found.append(
            Answer(
                indicator.id, frame.node, frame.name, frame.dim, frame.part, frame.label, query.grain, value, numerator,
                denominator, version.unit, due, got, status, version.fingerprint, prepared.question.seq,
                query.known_at, query.tree, prepared.known.origin, state, caliber=query.caliber, align=query.align or "",
            )
        )  # fmt: skip
    return found


_Seen = tuple[Rule | None, Mapping[Key, Row], Status | None]


def _seen(prepared: Prepared, query: Query, version: Indicator, asked: Sequence[Mapping[Key, Row]]) -> _Seen:
    """Return the rule of a version, the rows it reads, and the status of all its answers where that is decided."""
    refused: Status | None = None
    if not query.scope.allows_theme(version.theme):
        refused = "forbidden"
    elif prepared.question.seq > 0 and not is_laid(version, prepared.known.layout):
        refused = "no_source"
    run = prepared.run_of(version.id)
    if run is None:
        return None, {}, refused
    return prepared.runs[run].statement.rules[version.id], asked[run], refused


def _hides_parent(prepared: Prepared, query: Query, frame: Frame) -> bool:
    """Tell whether a share would tell a viewer the figure of a parent outside the scope."""
    if query.scope.nodes is None:
        return False
    register, question = prepared.known.register, prepared.question
    window, seq = question.windows[frame.key[-1]], question.seq
    above = register.parents(frame.node, window.from_m, window.to_m, seq)
    return any(not register.visible(stay.parent, window.from_m, window.to_m, seq, query.scope) for stay in above)


def _ranked_key(frame: Frame) -> Key:
    """Return where the place of a frame's node stands: a child is ranked as the node it is, its parent's own part is not."""
    return (None if frame.optional else frame.node, frame.key[-1])


def _awaited(generation: Generation, catalogue: Catalogue, prepared: Prepared, indicator: Indicator,
             today: dt.date) -> frozenset[int]:  # fmt: skip
    """Return the numbers of the windows of which some source may still report in time, from the first month on.

    What is owed by period must not have been due for any month that has elapsed; a survey asks for the window itself.
    """
    question = prepared.question
    contracts = [generation.contracts[name] for name in {catalogue.sources[name].of for name in indicator.sources}]
    ahead, found = fiscal_shift(question.fiscal_start), set[int]()
    for number, window in enumerate(question.windows if question.seq > 0 else ()):
        part = question.elapsed_part(window)
        for contract in contracts:
            month = window.to_m - 1 if contract.term is not None else part.from_m
            if (part.months > 0 or contract.term is not None) and may_still_come(contract, month, today, ahead):
                found.add(number)
    return frozenset(found)


def _status(refused: Status | None, frame: Frame, rule: Rule | None, row: Row | None) -> Status:
    if frame.status == "forbidden" or refused == "forbidden":
        return "forbidden"
    if refused is not None:
        return refused
    if frame.status is not None:
        return frame.status
    if rule is None or row is None:
        return frame.idle
    if nothing_due(rule, row):
        return "no_base" if rule.panel else frame.idle
    status = judge(rule, row, frame.over)
    return judge_standing(rule.standing, row, status) if rule.standing is not None else status


def _figures(rule: Rule | None, row: Row | None, status: Status) -> tuple[Figure | None, Figure | None, Figure | None]:
    """Return value, numerator and denominator as far as the status lets them be shown."""
    if rule is None or row is None:
        return None, None, None
    if rule.standing is not None:
        shown, rank, peers, _ = (row[place] for place in rule.standing)
        return (shown, rank, peers) if status in _SHOWN or (shown is None and rank is not None) else (None, None, None)
    below = row[rule.denominator] if rule.denominator is not None else None
    if status in _SHOWN:
        return row[rule.value], row[rule.numerator], below
    return (None, row[rule.numerator], below) if status in _HALF_SHOWN else (None, None, None)
