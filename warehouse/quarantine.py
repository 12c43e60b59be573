"""Quarantine: rows kept aside with their reason, the sentences people read, and what closes an entry again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from warehouse import stage
from warehouse.contracts import Contract
from warehouse.crosstab import heading_of
from warehouse.layout import Layout
from warehouse.readers.faults import Fault
from warehouse.readers.messages import message, place
from warehouse.readers.raw import RawTable

_UNSAID = (None, None, None)
MOST_ROWS_COMPARED = 50_000
"""A larger file is not searched row by row for rows that were set aside without a key."""


def entries(
    con: duckdb.DuckDBPyConnection, contract: Contract, file_name: str, sheets: Sequence[str],
    tables: Sequence[RawTable], opened_at: str, spans: Sequence[tuple[int, int] | None] = (),
) -> list[dict[str, Any]]:  # fmt: skip
    """Return one entry per fault of the staged file, each with its whole raw row.

    `spans` are the months declared for the file of each sheet; without them nothing was declared.
    """
    found = con.execute(
        "SELECT DISTINCT sheet_no, row_no, column_name, code, value, hint FROM faults ORDER BY ALL"
    ).fetchall()
    if not found:
        return []
    raw: dict[tuple[int, int], str] = {}
    for number, table in enumerate(tables):
        rows = {row[1] for row in found if row[0] == number}
        raw.update({(number, no): text for no, text in stage.raw_json(table, rows).items()} if rows else {})
    org = f'"{contract.org_column}"' if contract.org_column else "NULL"
    start, _ = stage.valid_span(contract)
    described = con.execute(
        f"SELECT s.sheet_no, s.row_no, {_one(stage.key_text(contract))}, any_value(CAST({org} AS VARCHAR)),"
        f" min({start}) FROM staged s"
        " WHERE EXISTS (SELECT 1 FROM faults f WHERE f.sheet_no = s.sheet_no AND f.row_no = s.row_no) GROUP BY ALL"
    ).fetchall()
    about = {(row[0], row[1]): row[2:] for row in described}
    layouts = [layout.name for layout in layouts_of(tables, spans)]
    return [
        {
            "dataset": contract.name,
            "file_name": file_name,
            "sheet": sheets[sheet],
            "row_no": row_no,
            "column_name": column or "",
            "code": code,
            "value": value,
            "hint": hint,
            "raw": raw.get((sheet, row_no), "{}"),
            "row_hash": _hash(raw.get((sheet, row_no))),
            "row_key": about.get((sheet, row_no), _UNSAID)[0],
            "unit": about.get((sheet, row_no), _UNSAID)[1],
            "month": about.get((sheet, row_no), _UNSAID)[2],
            "layout": layouts[sheet],
            "opened_at": opened_at,
            "closed_by": None,
        }
        for sheet, row_no, column, code, value, hint in found
    ]


def _one(key: str) -> str:
    """SQL of the key of a line; one whose columns are months has a key each, so that no other row can close it."""
    return f"CASE WHEN min({key}) = max({key}) THEN min({key}) END"


def layouts_of(tables: Sequence[RawTable], spans: Sequence[tuple[int, int] | None] = ()) -> list[Layout]:
    """Return what stands above the rows of each table."""
    declared = spans or [None] * len(tables)
    return [Layout.of(table, span) for table, span in zip(tables, declared, strict=True)]


def mended(
    con: duckdb.DuckDBPyConnection, contract: Contract, waiting: Sequence[Mapping[str, Any]],
    tables: Sequence[RawTable], found: Sequence[Mapping[str, Any]],
) -> list[int]:  # fmt: skip
    """Return the waiting entries this file closes: a good row of the same key, or the very row, now understood."""
    if not waiting:
        return []
    still = {(entry["row_hash"], entry["code"], entry["column_name"]) for entry in found}
    keys = [entry["row_key"] for entry in waiting if entry["row_key"]]
    wanted = f"SELECT DISTINCT {stage.key_text(contract)} FROM good WHERE {stage.key_text(contract)} IN (SELECT unnest($1::VARCHAR[]))"
    good = {row[0] for row in con.execute(wanted, [keys]).fetchall()} if keys else set()
    seen: set[str] = set()
    if len(keys) < len(waiting) and sum(table.rows for table in tables) <= MOST_ROWS_COMPARED:
        seen = {_hash(text) for table in tables for text in stage.raw_json(table).values()}
    return [
        entry["entry_id"]
        for entry in waiting
        if (entry["row_key"] in good if entry["row_key"] else entry["row_hash"] in seen)
        and (entry["row_hash"], entry["code"], entry["column_name"]) not in still
    ]


def _hash(text: str | None) -> str:
    return hashlib.sha256(f"{text}".encode()).hexdigest()


def fault_texts(contract: Contract | None, entry: Mapping[str, Any], label: str | None = None) -> dict[str, str]:
    """Return the sentence of a quarantine entry in both languages; the column under a label that is given."""
    heading, name = heading_of(entry["column_name"] or "")
    shown = label or heading or name or None
    if contract and shown and not label and not heading:
        named = [c for c in contract.all_columns if c.name == shown]
        shown = named[0].aliases[0] if named and named[0].aliases else shown
    if contract:
        for check in contract.checks:
            if check.code == entry["code"]:
                found = entry["value"]
                where = f"{entry['file_name']} {entry['sheet']}".strip()
                cell = {"zh": f"“{heading}”列" if heading else "", "en": f", column “{heading}”" if heading else ""}
                return {
                    "zh": f"{where} 第 {entry['row_no']} 行{cell['zh']}：{check.text['zh']}"
                    + (f"（{found}）" if found else ""),
                    "en": f"{where} row {entry['row_no']}{cell['en']}: {check.text['en']}"
                    + (f" ({found})" if found else ""),
                }
    fault = Fault(
        entry["code"], entry["file_name"], entry["sheet"], entry["row_no"], shown, entry["value"], entry["hint"]
    )
    return {"zh": message(fault, "zh"), "en": message(fault, "en")}


def reason(contract: Contract | None, entry: Mapping[str, Any], lang: str, label: str | None = None) -> str:
    """Return why a row was set aside without saying where it stands: beside the row that is plain."""
    sentence = fault_texts(contract, entry, label)[lang]
    fault = Fault(entry["code"], entry["file_name"], entry["sheet"], entry["row_no"])
    named = f"{entry['file_name']} {entry['sheet']}".strip()
    if lang == "zh":
        bare = sentence.replace(place(fault, "zh"), "", 1)
        is_of_row = bare != sentence and not bare.startswith("“")
        return f"此行{bare}" if is_of_row else bare.removeprefix(f"{named} 第 {entry['row_no']} 行：")
    where = place(fault, "en")
    bare = sentence.replace(f", {where}", "", 1).removeprefix(f"{named} row {entry['row_no']}: ")
    return bare.replace(where.capitalize(), "This row", 1).replace(where, "this row", 1)
