"""Signed deltas: what a file changes against what is known, and the immutable segments that hold it.

A changed row is written as -old and +new under a new batch number; nothing is updated or deleted. The old one is only
named: its values stand in the segment that brought it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse import history
from warehouse.base.sql import quote
from warehouse.contracts import Contract
from warehouse.control import SegmentRow
from warehouse.growth import with_columns
from warehouse.segment import BATCH_ROOM, PARTS, SHEET_ROOM, seal
from warehouse.stage import valid_span

__all__ = ["BATCH_ROOM", "PARTS"]


@dataclass(frozen=True)
class Change:
    """How a file's good rows stand against what is known; counts are source rows, `removed` known rows."""

    accepted: int
    unchanged: int
    removed: int
    delta_rows: int


def known_rows(con: duckdb.DuckDBPyConnection, contract: Contract, root: Path, segments: Sequence[SegmentRow]) -> bool:
    """Show the rows of a dataset that are live now as temp view `known`. False when nothing is known."""
    if not segments:
        return False
    con.execute(f"CREATE OR REPLACE TEMP TABLE known_rows AS {standing_rows(contract, root, segments)}")
    show_known(con, "known_rows")
    return True


def show_known(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Let `known` be the rows of a table."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW known AS SELECT * FROM {table}")


def standing_rows(contract: Contract, root: Path, segments: Sequence[SegmentRow]) -> str:
    """SQL of the rows that stand after some segments, with where each came from."""
    columns = ", ".join(f'p."{column.name}"' for column in contract.columns)
    return (
        f"SELECT p.row_id, p.from_m, p.to_m, {columns}, p.note, p.file_name, p.sheet, p.row_no"
        f" FROM ({with_columns(history.live(root, segments), contract)}) p"
    )


def compare(
    con: duckdb.DuckDBPyConnection, contract: Contract, *, known: bool, quarantined: int, span: tuple[int, int] | None,
    within: str | None = None,
) -> Change:  # fmt: skip
    """Split `good` into changes and unchanged rows; fill temp table `delta` (n, old_id, staged columns).

    `within` is SQL over the known rows `k` that the one who hands in may take back; None lets all be taken back.
    """
    if not known:
        con.execute(
            "CREATE OR REPLACE TEMP VIEW delta AS SELECT 1 AS n, CAST(NULL AS BIGINT) AS old_id, g.* FROM good g"
        )
        rows, parts = con.execute("SELECT count(*), max(part) FROM good").fetchone() or (0, 0)
        is_parted = contract.unpivot or parts
        lines = _count(con, "SELECT count(DISTINCT (sheet_no, row_no)) FROM good") if is_parted else rows
        return Change(lines, 0, 0, rows)
    on = " AND ".join(f'k."{key}" = g."{key}"' for key in contract.keys)
    same = " AND ".join(
        f'k."{name}" IS NOT DISTINCT FROM g."{name}"'
        for name in ("from_m", "to_m", *(c.name for c in contract.columns if not c.is_key))
    )
    columns = ", ".join(f'"{name}"' for name in _carried(contract))
    from_known = ", ".join(f'k."{name}"' for name in _carried(contract))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE changed AS
        SELECT 1 AS n, CAST(NULL AS BIGINT) AS old_id, sheet_no, row_no, part, {columns}
        FROM good g WHERE NOT EXISTS (SELECT 1 FROM known k WHERE {on} AND {same})
        UNION ALL
        SELECT -1, k.row_id, 0, k.row_no, 0, {from_known} FROM known k
        JOIN good g ON {on} WHERE NOT ({same})"""
    )
    con.execute("CREATE OR REPLACE TEMP VIEW delta AS SELECT * FROM changed")
    removed = 0
    if contract.slice == "full":
        removed = _take_back_absent(con, contract, on, from_known, quarantined, span, within)
    rows, accepted, total = con.execute(
        "SELECT count(*), count(DISTINCT (sheet_no, row_no)) FILTER (WHERE n = 1),"
        " (SELECT count(DISTINCT (sheet_no, row_no)) FROM good) FROM delta"
    ).fetchone() or (0, 0, 0)
    return Change(accepted, total - accepted, removed, rows)


def _carried(contract: Contract) -> tuple[str, ...]:
    return ("from_m", "to_m", *(column.name for column in contract.columns), "note")


def _take_back_absent(
    con: duckdb.DuckDBPyConnection, contract: Contract, on: str, from_known: str, quarantined: int,
    span: tuple[int, int] | None, within: str | None,
) -> int:  # fmt: skip
    """Rows of the slice that the file no longer holds are taken back, unless the file sets them aside as faulty."""
    keyless = " OR ".join(f'"{key}" IS NULL' for key in contract.keys)
    if quarantined and _count(con, f"SELECT count(*) FROM staged WHERE {keyless}"):
        return 0
    scope = [within or "TRUE"]
    for name in contract.slice_by:
        if name == "month":
            inside = "k.from_m IN (SELECT DISTINCT from_m FROM good)"
            if span:
                inside = f"({inside} OR k.from_m BETWEEN {span[0]} AND {span[1] - 1})"
            scope.append(inside)
        else:
            scope.append(f'k."{name}" IN (SELECT DISTINCT "{name}" FROM good)')
    return _count(
        con,
        f"""INSERT INTO changed SELECT -1, k.row_id, 0, k.row_no, 0, {from_known} FROM known k
        WHERE {" AND ".join(scope)} AND EXISTS (SELECT 1 FROM good)
          AND NOT EXISTS (SELECT 1 FROM staged g WHERE {on})""",
    )  # an insert answers with the number of its rows


def write_segment(
    con: duckdb.DuckDBPyConnection, contract: Contract, root: Path, tmp: Path, batch_seq: int,
    file_name: str | Sequence[str], sheets: Sequence[str],
) -> SegmentRow:  # fmt: skip
    """Write `delta` as one immutable Parquet segment, durable before it is named; each sheet may be of its own file."""
    columns = ", ".join(f'd."{column.name}"' for column in contract.columns)
    sheet = _by_sheet(sheets) if len(sheets) > 1 else _same_everywhere("".join(sheets))
    file = _same_everywhere(file_name) if isinstance(file_name, str) else _by_sheet(file_name)
    rows = f"""
            SELECT coalesce(d.old_id, {batch_seq}::BIGINT * {BATCH_ROOM} + d.sheet_no::BIGINT * {SHEET_ROOM} + d.row_no * {PARTS} + d.part) AS row_id,
                   {batch_seq}::INTEGER AS batch_seq, d.n::TINYINT AS n, d.from_m::INTEGER AS from_m,
                   d.to_m::INTEGER AS to_m, {columns}, d.note, {file} AS file_name,
                   {sheet} AS sheet, d.row_no::INTEGER AS row_no
            FROM delta d"""
    restates = con.execute("SELECT 1 FROM delta WHERE n = -1 LIMIT 1").fetchone() is not None
    return seal(con, contract.name, batch_seq, rows, root, tmp, restates=restates)


def _by_sheet(texts: Sequence[str]) -> str:
    return "CASE d.sheet_no " + " ".join(f"WHEN {i} THEN {quote(text)}" for i, text in enumerate(texts)) + " END"


def _same_everywhere(text: str) -> str:
    """SQL of one text in every row; as the only value of an enumeration it is written without looking at each row."""
    return f"CAST({quote(text)} AS ENUM({quote(text)}))"


def good_rows(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Create temp view `good`: staged rows without a fault, with the months they are true for."""
    start, end = valid_span(contract)
    faulty = _count(con, "SELECT count(*) FROM faults")
    where = "" if not faulty else (
        " WHERE NOT EXISTS (SELECT 1 FROM faults f WHERE f.sheet_no = s.sheet_no AND f.row_no = s.row_no)"
    )  # fmt: skip
    names = ", ".join(f's."{column.name}"' for column in contract.columns)
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW good AS SELECT s.sheet_no, s.row_no, s.part, CAST({start} AS INTEGER) AS from_m,"
        f" CAST({end} AS INTEGER) AS to_m, {names}, s.note FROM staged s{where}"
    )


def _count(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = con.execute(sql).fetchone()
    return int(row[0]) if row else 0
