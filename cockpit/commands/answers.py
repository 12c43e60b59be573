"""Answers as rows for people and machines: table, json, csv, parquet. Exact figures are text in JSON and csv."""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from cockpit.commands.common import print_json, print_table
from cockpit.commands.words import headings
from metrics.model import Answer, Catalogue, Query
from warehouse.base.errors import QueryError
from warehouse.base.money import exact
from warehouse.store import Generation

OUTSIDE = "outside_life"
"""Beside every answer: how many facts of its node and period lie outside the life of their unit, and are in no figure."""
COLUMNS = (*(field.name for field in fields(Answer)), OUTSIDE)
SHOWN = ("indicator", "node", "node_name", "dim_value", "period", "value", "unit", "due", "got", "status")
RULES = ("definition_evidence", "rules", "to_verify")
"""Beside every answer in JSON: how well its definition is known, the rows of reference tables behind it with document,
evidence and start, and whether any of them, or the definition, is still to be verified (待核实)."""
FORMATS = ("table", "json", "csv", "parquet", "sql")


def as_row(answer: Answer, outside: int = 0) -> dict[str, Any]:
    """Return an answer as a row of surfaces §4, figures as they are."""
    return {**{field.name: getattr(answer, field.name) for field in fields(Answer)}, OUTSIDE: outside}


def rules_behind_answers(generation: Generation, catalogue: Catalogue, query: Query, answers: Sequence[Answer]) -> list[dict[str, Any]]:  # fmt: skip
    """Return what JSON says of the rules behind each answer: those looked up for it, and those it is held against."""
    from metrics.rule_rows import CONFIRMED, rules_behind
    from metrics.targets import held_against

    looked, told = rules_behind(generation, catalogue, query, answers), []
    against = held_against(generation, query, answers)
    for answer, *found in zip(answers, looked, against, strict=True):
        rules = [rule for rows in found for rule in rows]
        evidence = catalogue.indicators[answer.indicator].evidence
        told.append({
            "definition_evidence": evidence,
            "rules": [{name: _plain(value) for name, value in rule.as_json().items()} for rule in rules],
            "to_verify": evidence not in CONFIRMED or any(rule.to_verify for rule in rules),
        })  # fmt: skip
    return told


def show_rows(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], shown: Sequence[str], form: str, out: Path | None
) -> None:
    """Print or write rows in one of the formats; `columns` are all of them, `shown` those of the table for people."""
    if form == "parquet":
        _write_parquet(rows, columns, out)
        return
    plain = [{name: _plain(row.get(name)) for name in columns} for row in rows]
    if form == "json":
        print_json(plain)
    elif form == "csv" and out is not None:
        with out.open("w", encoding="utf-8-sig", newline="") as handle:
            _write_csv(plain, columns, handle)
    elif form == "csv":
        _write_csv(plain, columns, sys.stdout)
    else:
        print_table(plain, shown, headings(shown))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _write_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], handle: Any) -> None:
    writer = csv.DictWriter(handle, list(columns))
    writer.writeheader()
    writer.writerows(rows)


def _write_parquet(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], out: Path | None) -> None:
    """Write a parquet file, or its bytes to a pipe; a screen is refused.

    A column of exact figures is DECIMAL, one with a ratio in it DOUBLE: a DOUBLE column never holds what a file reader
    would take for an exact sum.
    """
    if out is None and sys.stdout.isatty():
        raise QueryError("Parquet is not text.", "name a file with --out FILE.parquet, or send it on: > FILE.parquet")
    import polars as pl

    frame = pl.DataFrame([_series(name, [row.get(name) for row in rows]) for name in columns])
    if out is not None:
        frame.write_parquet(out)
        return
    held = io.BytesIO()
    frame.write_parquet(held)
    sys.stdout.buffer.write(held.getvalue())


def _series(name: str, values: Sequence[Any]) -> Any:
    import polars as pl

    known = [value for value in values if value is not None]
    if known and all(isinstance(value, Decimal | int | float) and not isinstance(value, bool) for value in known):
        if any(isinstance(value, float) for value in known):
            return pl.Series(name, [None if v is None else float(v) for v in values], pl.Float64)
        if any(isinstance(value, Decimal) for value in known):
            scale = max(-int(Decimal(value).as_tuple().exponent) for value in known)
            exact_ones = [None if v is None else Decimal(v) for v in values]
            return pl.Series(name, exact_ones, pl.Decimal(38, max(scale, 0)))
        return pl.Series(name, values, pl.Int64)
    if known and all(isinstance(value, dt.datetime) for value in known):
        return pl.Series(name, values)
    return pl.Series(name, [None if v is None else str(_plain(v)) for v in values], pl.String)
