"""Quarantine: rows kept aside with their reason, the sentences people read, and what closes an entry again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from warehouse import stage
from warehouse.contracts import Contract
from warehouse.readers.faults import Fault
from warehouse.readers.messages import message
from warehouse.readers.raw import RawTable

MOST_ROWS_COMPARED = 50_000
"""A larger file is not searched row by row for rows that were set aside without a key."""


def entries(
    con: duckdb.DuckDBPyConnection, contract: Contract, file_name: str, sheets: Sequence[str],
    tables: Sequence[RawTable], opened_at: str,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return one entry per fault of the staged file, each with its whole raw row."""
    found = con.execute(
        "SELECT DISTINCT sheet_no, row_no, column_name, code, value, hint FROM faults ORDER BY ALL"
    ).fetchall()
    if not found:
        return []
    raw: dict[tuple[int, int], str] = {}
    for number, table in enumerate(tables):
        rows = {row[1] for row in found if row[0] == number}
        raw.update({(number, no): text for no, text in stage.raw_json(table, rows).items()} if rows else {})
    keyed = con.execute(
        f"SELECT DISTINCT s.sheet_no, s.row_no, {stage.key_text(contract)} FROM staged s"
        " WHERE EXISTS (SELECT 1 FROM faults f WHERE f.sheet_no = s.sheet_no AND f.row_no = s.row_no)"
    ).fetchall()
    keys = {(row[0], row[1]): row[2] for row in keyed}
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
            "row_key": keys.get((sheet, row_no)),
            "opened_at": opened_at,
            "closed_by": None,
        }
        for sheet, row_no, column, code, value, hint in found
    ]


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


def fault_texts(contract: Contract | None, entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the sentence of a quarantine entry in both languages."""
    shown = entry["column_name"] or None
    if contract and shown:
        named = [c for c in contract.columns if c.name == shown]
        shown = named[0].aliases[0] if named and named[0].aliases else shown
    if contract:
        for check in contract.checks:
            if check.code == entry["code"]:
                found = entry["value"]
                place = f"{entry['file_name']} {entry['sheet']}".strip()
                return {
                    "zh": f"{place} 第 {entry['row_no']} 行：{check.text['zh']}" + (f"（{found}）" if found else ""),
                    "en": f"{place} row {entry['row_no']}: {check.text['en']}" + (f" ({found})" if found else ""),
                }
    fault = Fault(
        entry["code"], entry["file_name"], entry["sheet"], entry["row_no"], shown, entry["value"], entry["hint"]
    )
    return {"zh": message(fault, "zh"), "en": message(fault, "en")}
