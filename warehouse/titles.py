"""What stands over a table against what stands in it: last year's title over this year's rows is asked about.

A title is often left over from the file a clerk started from. Which of the two is right only the office knows, so
neither is believed and nothing of the file is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from warehouse import stage
from warehouse.base.periods import month_label
from warehouse.contracts import Contract
from warehouse.readers.faults import Fault, ReadRefused
from warehouse.readers.labels import find_period, find_sheet_month
from warehouse.readers.month_values import parse_months
from warehouse.readers.raw import RawTable
from warehouse.readers.values import Parsed

Span = tuple[int, int]
"""Months from the first to before the last."""


def refuse_contradictions(con: duckdb.DuckDBPyConnection, contract: Contract, tables: Sequence[RawTable]) -> None:
    """Refuse a staged file in which a title names other months than the sheet or the rows below it."""
    faults = [*_against_sheets(tables), *_against_rows(con, contract, tables)]
    if faults:
        raise ReadRefused(*faults)


def _against_sheets(tables: Sequence[RawTable]) -> Iterator[Fault]:
    for table in tables:
        title, month = find_period(table.title), find_sheet_month(table.sheet)
        span = _span(title)
        if span and month and not any(at % 12 + 1 == month for at in range(*span)):
            yield Fault("month_conflict", table.file, table.sheet, value=title, hint=table.sheet)


def _against_rows(con: duckdb.DuckDBPyConnection, contract: Contract, tables: Sequence[RawTable]) -> Iterator[Fault]:
    """A table none of whose rows lies in the months of its title; of rows with a day, in its years.

    A voucher of one month may well be listed in the next, and a span lasts longer than any title.
    """
    if contract.time_kind == "span" or not any(_said(table) for table in tables):
        return
    start, end = stage.valid_span(contract)
    found = con.execute(
        f"SELECT sheet_no, list(DISTINCT {start}), max({end}) FROM staged WHERE {start} IS NOT NULL GROUP BY sheet_no"
    ).fetchall()
    for number, months, last in found:
        table = tables[number]
        said, span = _said(table), _span(_said(table))
        if span is None:
            continue
        low, high = span if contract.time_kind == "month" else (span[0] // 12 * 12, (span[1] + 11) // 12 * 12)
        if not any(low <= month < high for month in months):
            rows = f"{month_label(min(months))}..{month_label(last - 1)}"
            yield Fault("period_conflict", table.file, table.sheet, value=said, hint=rows)


def _said(table: RawTable) -> str | None:
    """The period of the title, else of the name of the sheet; file names are given in passing and prove nothing."""
    return find_period(table.title) or find_period(table.sheet)


def _span(text: str | None) -> Span | None:
    parsed = parse_months(text) if text else None
    return (parsed.value.from_m, parsed.value.to_m) if isinstance(parsed, Parsed) and parsed.value else None
