"""Spans and trees: versions of one thing must not overlap, and a register must hang together.

A register writes a move as a new version and often leaves the old one open, so in `org_unit` the old version ends
where the next begins. In any other table with spans two versions at one time would count twice and are a fault.
"""

from __future__ import annotations

from collections import Counter

import duckdb
from rapidfuzz import fuzz, process

from warehouse.base.periods import OPEN
from warehouse.contracts import Contract

CLOSED = "closed_by_next"
_FINE = "NOT EXISTS (SELECT 1 FROM faults f WHERE f.sheet_no = s.sheet_no AND f.row_no = s.row_no)"
_FROM_M = "(year(valid_from) * 12 + month(valid_from) - 1)"
_TO_M = f"coalesce(year(valid_to + 1) * 12 + month(valid_to + 1) - 1, {OPEN})"

_NEXT = f"""
CREATE OR REPLACE TEMP TABLE following AS
WITH starts AS (SELECT DISTINCT code, valid_from FROM staged s WHERE valid_from IS NOT NULL AND {_FINE}),
     led AS (SELECT *, lead(valid_from) OVER (PARTITION BY code ORDER BY valid_from) AS next FROM starts)
-- an end on the last day of a month would mean that whole month
SELECT code, valid_from, next, CASE WHEN month(next + 1) <> month(next) THEN next - 1 ELSE next END AS until
FROM led WHERE next IS NOT NULL
"""
_CYCLES = f"""
INSERT INTO faults
WITH RECURSIVE places AS (
    SELECT s.sheet_no, s.row_no, s.code, s.parent, s.valid_from AS since,
           least(coalesce(s.valid_to, DATE '9999-12-31'), coalesce(n.next, DATE '9999-12-31')) AS until
    FROM staged s LEFT JOIN following n ON n.code = s.code AND n.valid_from = s.valid_from
    WHERE s.parent IS NOT NULL AND {_FINE}
), walk AS (
    SELECT sheet_no, row_no, code AS start, parent AS up, since, until, [code] AS path FROM places
    UNION ALL
    SELECT w.sheet_no, w.row_no, w.start, p.parent, greatest(w.since, p.since), least(w.until, p.until),
           list_append(w.path, p.code)
    FROM walk w JOIN places p ON p.code = w.up
    WHERE greatest(w.since, p.since) < least(w.until, p.until) AND NOT list_contains(w.path, p.code)
)
SELECT sheet_no, row_no, 'parent', 'parent_cycle', path[2], array_to_string(list_append(path, start), ' → ')
FROM walk WHERE up = start AND len(path) > 1
QUALIFY row_number() OVER (PARTITION BY sheet_no, row_no ORDER BY len(path)) = 1
"""


def check_spans(con: duckdb.DuckDBPyConnection, contract: Contract) -> Counter[str]:
    """Check the staged versions against each other; faults go to `faults`, what was mended is counted."""
    if contract.time_kind != "span":
        return Counter()
    if contract.name == "org_unit":
        return _check_register(con)
    _refuse_overlaps(con, contract)
    return Counter()


def _check_register(con: duckdb.DuckDBPyConnection) -> Counter[str]:
    _unknown_parents(con)
    con.execute(_NEXT)
    con.execute(_CYCLES)
    con.execute(_NEXT)  # what was refused closes nothing
    late = f"(s.valid_to IS NULL OR s.valid_to > n.next OR {_TO_M} > year(n.next) * 12 + month(n.next) - 1)"
    closed = con.execute(
        f"UPDATE staged_rows s SET valid_to = n.until, note = concat_ws(';', s.note, '{CLOSED}') FROM following n"
        f" WHERE n.code = s.code AND n.valid_from = s.valid_from AND {late.replace('valid_to + 1', 's.valid_to + 1')}"
    ).fetchone()
    return Counter({CLOSED: closed[0]}) if closed and closed[0] else Counter()


def _unknown_parents(con: duckdb.DuckDBPyConnection) -> None:
    """Find parents that no row of the register is the code of; codes and names that come near are named."""
    wanted = con.execute(
        "SELECT DISTINCT parent FROM staged WHERE parent NOT IN (SELECT code FROM staged WHERE code IS NOT NULL)"
    )
    unknown = [parent for (parent,) in wanted.fetchall()]
    if not unknown:
        return
    named = con.execute("SELECT DISTINCT code, name FROM staged WHERE code IS NOT NULL AND name IS NOT NULL").fetchall()
    for parent in unknown:
        con.execute(
            "INSERT INTO faults SELECT sheet_no, row_no, 'parent', 'unknown_parent', parent, $2 FROM staged WHERE parent = $1",
            [parent, _near(parent, named)],
        )


def _near(parent: str, named: list[tuple[str, str]]) -> str | None:
    """Return the code a name belongs to, or the units whose codes come near."""
    meant = [(code, name) for code, name in named if name == parent]
    if not meant:
        shown = dict(named)
        near = process.extract(parent, list(shown), scorer=fuzz.ratio, limit=3, score_cutoff=60)
        meant = [(code, shown[code]) for code, _, _ in near]
    return "、".join(f"{code} {name}" for code, name in meant) or None


def _refuse_overlaps(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    names = [key for key in contract.keys if key != "valid_from"]
    if contract.org_column and contract.org_column not in names:
        names.append(contract.org_column)
    same = ", ".join(f'"{name}"' for name in names)
    shown = ", ".join(f'"{key}"' for key in contract.keys)
    con.execute(
        f"""INSERT INTO faults
        WITH versions AS (
            SELECT sheet_no, row_no, {_FROM_M} AS from_m, {_TO_M} AS to_m, concat_ws(' | ', {shown}) AS shown,
                   max({_TO_M}) OVER earlier AS reached, arg_max(row_no, {_TO_M}) OVER earlier AS by_row
            FROM staged s WHERE valid_from IS NOT NULL AND {_FINE}
            WINDOW earlier AS (PARTITION BY {same} ORDER BY valid_from, sheet_no, row_no
                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
        SELECT sheet_no, row_no, 'valid_from', 'span_overlaps', shown, CAST(by_row AS VARCHAR)
        FROM versions WHERE reached > from_m AND from_m < to_m"""
    )
