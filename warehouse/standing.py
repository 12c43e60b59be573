"""What must hold of a register when a batch is taken out of it: no overlap, no lost parent, no circle.

The same rules hold at load (`register_checks`); here they are asked of what would be live after a withdrawal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import duckdb

from warehouse.contracts import Contract

MOST_NAMED = 5

_ORPHANS = """
SELECT DISTINCT a.code FROM after a
WHERE nullif(a.parent, '') IS NOT NULL AND a.parent NOT IN (SELECT code FROM after) AND a.parent IN (SELECT code FROM goes)
ORDER BY 1
"""
_CYCLES = """
WITH RECURSIVE placed AS (SELECT code, nullif(parent, '') AS parent, from_m, to_m FROM after),
walk AS (
    SELECT code AS start, parent AS up, from_m, to_m, [code] AS path FROM placed
    WHERE parent IS NOT NULL AND code IN (SELECT code FROM comes)
    UNION ALL
    SELECT w.start, p.parent, greatest(w.from_m, p.from_m), least(w.to_m, p.to_m), list_append(w.path, p.code)
    FROM walk w JOIN placed p ON p.code = w.up
    WHERE greatest(w.from_m, p.from_m) < least(w.to_m, p.to_m) AND NOT list_contains(w.path, p.code)
)
SELECT array_to_string(list_append(path, start), ' → ') FROM walk WHERE up = start ORDER BY len(path), 1 LIMIT 1
"""


@dataclass(frozen=True)
class Conflict:
    """A rule that would not hold, and the rows it would not hold for."""

    kind: Literal["overlap", "orphan", "cycle"]
    what: tuple[str, ...]


def find_conflict(con: duckdb.DuckDBPyConnection, contract: Contract) -> Conflict | None:
    """Look at temp tables `goes`, `comes` and view `after`; only what the withdrawal itself would bring about counts."""
    if contract.time_kind != "span":
        return None
    if overlaps := _overlaps(con, contract):
        return Conflict("overlap", overlaps)
    if contract.name != "org_unit":
        return None
    if orphans := _names(con, _ORPHANS):
        return Conflict("orphan", orphans)
    cycles = _names(con, _CYCLES)
    return Conflict("cycle", cycles) if cycles else None


def _overlaps(con: duckdb.DuckDBPyConnection, contract: Contract) -> tuple[str, ...]:
    names = [key for key in contract.keys if key != contract.time_column]
    if contract.org_column and contract.org_column not in names and contract.name != "org_unit":
        names.append(contract.org_column)
    same = " AND ".join(f'c."{name}" IS NOT DISTINCT FROM a."{name}"' for name in names)
    shown = ", ".join(f'c."{name}"' for name in names)
    return _names(
        con,
        f"""SELECT DISTINCT concat_ws(' ', {shown}) FROM comes c JOIN after a ON {same}
        AND a.row_id <> c.row_id AND a.from_m < c.to_m AND c.from_m < a.to_m ORDER BY 1""",
    )


def _names(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[str, ...]:
    return tuple(str(row[0]) for row in con.execute(sql).fetchmany(MOST_NAMED))
