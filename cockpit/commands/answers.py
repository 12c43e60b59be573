"""Answers as rows for people and machines: table, json, csv, parquet. Exact figures are text in JSON."""

from __future__ import annotations

import csv
import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from cockpit.commands.common import in_currency, print_json, print_table
from metrics.model import Answer
from warehouse.base.errors import QueryError
from warehouse.base.money import exact

COLUMNS = tuple(field.name for field in fields(Answer))
FORMATS = ("table", "json", "csv", "parquet", "sql")


def as_row(answer: Answer) -> dict[str, Any]:
    """Return an answer as plain values: exact figures as text, ratios as numbers."""
    return {name: _plain(getattr(answer, name)) for name in COLUMNS}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return exact(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value


def show(answers: Sequence[Answer], facts: Mapping[str, str], form: str, out: Path | None) -> None:
    """Print or write the answers of a store in one of the formats."""
    rows = in_currency([as_row(answer) for answer in answers], facts)
    if form == "json":
        print_json(rows)
    elif form == "csv":
        if out is None:
            _write_csv(rows, sys.stdout)
        else:
            with out.open("w", encoding="utf-8-sig", newline="") as handle:
                _write_csv(rows, handle)
    elif form == "parquet":
        if out is None:
            raise QueryError("Parquet is not text.", "name a file with --out FILE.parquet")
        import polars as pl

        texts = [{key: None if value is None else str(value) for key, value in row.items()} for row in rows]
        pl.DataFrame(texts, schema=dict.fromkeys(COLUMNS, pl.String)).write_parquet(out)
    else:
        print_table(
            rows, ("indicator", "node", "node_name", "dim_value", "period", "value", "unit", "due", "got", "status")
        )


def _write_csv(rows: Sequence[dict[str, Any]], handle: Any) -> None:
    writer = csv.DictWriter(handle, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
