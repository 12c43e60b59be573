"""The statement behind an answer, as text that runs as it stands in the DuckDB shell on a generation file.

    duckdb gen/7.duckdb < question.sql

Above each statement stand the question in words and the values it takes, as SET VARIABLE lines; the statement is the one
that answered, with every `$name` read from the variable of that name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from metrics.calibers import of_caliber
from metrics.editions import in_force
from metrics.factors import factor_year
from metrics.knowledge import knowledge
from metrics.model import AS_DATED, AS_WAS, Catalogue, Indicator, Query
from metrics.prepared import Prepared, Run, make_ready
from metrics.tables import literal
from warehouse.base.errors import QueryError
from warehouse.store import REVIEWED_FIRST, Generation

_PARAMETER = re.compile(r"\$(\w+)")
_NAMES = ("nodes", "parents", "children", "hang_parent", "hang_child")
"""Parameters that are lists of codes, also where they are empty; other empty lists are of numbers."""
NOTHING = "-- nothing to ask: no rows for these indicators, outside the scope, or no month has elapsed\n"


def sql_text(generation: Generation, catalogue: Catalogue, query: Query) -> str:
    """Return the statements a query runs, for people who audit a number."""
    if factor_year(query.factors) is not None:
        raise QueryError("The coefficients of one year stand in no generation file.", f"ask for --factors {AS_DATED}")
    generation = generation.seen(query.state)
    catalogue = of_caliber(in_force(generation, catalogue, query.known_at), query.caliber, query.grain)
    prepared = make_ready(generation, catalogue, query, knowledge(generation))
    if not prepared.runs:
        return NOTHING
    seen = f"SET search_path = {literal(REVIEWED_FIRST)};\n" if generation.state == "reviewed" else ""
    return seen + "\n".join(f"{_question(prepared, run)}{shell_sql(run)}" for run in prepared.runs)


def shell_sql(run: Run) -> str:
    """Return a statement with the values it takes, in words the shell reads."""
    given = "".join(
        f"SET VARIABLE {name} = {value_text(name, value)};\n" for name, value in sorted(run.parameters.items())
    )
    return given + _PARAMETER.sub(lambda found: f"getvariable('{found[1]}')", run.statement.compiled.sql) + ";\n"


def value_text(name: str, value: object) -> str:
    """Return a bound value as a constant of the same type; an empty list has that of the parameter's name."""
    if not isinstance(value, list | tuple):
        return _constant(value)
    inner = [each for one in value for each in (one if isinstance(one, list | tuple) else (one,))]
    nested = any(isinstance(one, list | tuple) for one in value)
    texts = any(isinstance(one, str) for one in inner) or (not inner and name in _NAMES)
    exact = "" if any(isinstance(one, Decimal | float) for one in inner) else "::VARCHAR" if texts else "::INTEGER"
    return f"{_listed(value)}{exact and exact + '[]' + '[]' * nested}"


def _listed(values: list[object] | tuple[object, ...]) -> str:
    return f"[{', '.join(_listed(v) if isinstance(v, list | tuple) else _constant(v) for v in values)}]"


def _constant(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool | int):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value!r}::DOUBLE"
    raise TypeError(f"no statement takes a {type(value).__name__}")  # an assertion about ourselves: see `parameters`


def _question(prepared: Prepared, run: Run) -> str:
    """Return the question in words, as comments."""
    question = prepared.question
    names = {i.id: i for one in question.indicators for i in question.versions(one)}
    lines = [line for name in run.statement.rules for line in _columns(name, names[name], run.statement.compiled.place)]
    tree = (
        "the tree of each month's own time" if question.query.tree == AS_WAS else f"the tree of {question.query.tree}"
    )
    windows = ", ".join(f"{n} = {question.windows[w].label}" for n, w in enumerate(prepared.asked))
    lines += [
        f"w, the number of the period: {windows}",
        f"known at batch {question.seq}, by {tree}",
        "due_… and got_… count the reports that were owed and that came",
    ]
    return "".join(f"-- {' '.join(line.split())}\n" for line in lines)


def _columns(name: str, indicator: Indicator, place: Mapping[str, int]) -> list[str]:
    """Return what the columns of an indicator hold."""
    found = [f'"{name}.value": {indicator.title.zh} · {indicator.title.en}, {indicator.unit} = {indicator.value}']
    if f"{name}.denominator" in place:
        found.append(f'"{name}.numerator", "{name}.denominator": the two sides, in base units')
    elif f"{name}.numerator" in place:
        found.append(f'"{name}.numerator": the same in the base unit')
    return found
