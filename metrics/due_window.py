"""Rows that end soon: a column of a source that is true in the months at whose end a row has so many days left.

A contract that ends on 31 March is due within 90 days at the end of December, January, February and March. A row is cut
where that begins, as a dated lookup cuts it, so that it is still counted once in every month. Where `renewed_by` names
columns, a row is due no more from the batch on that brought a later one of the same, begun within as many days of the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metrics.drafting import Block, Draft, check_keys
from metrics.model import Due
from metrics.tables import quoted
from warehouse.base.periods import OPEN
from warehouse.contracts import Contract

LONGEST = 3660
"""Days: ten years are sooner than anything that is called due."""
_KEYS = ("name", "column", "days", "renewed_by")


def define_due(block: Block, contract: Contract, draft: Draft) -> Due | None:
    """Read the key `due` of a source; faults are told."""
    data = block.data.get("due")
    if data is None:
        return None
    where = f"{block.where} due"
    if not isinstance(data, Mapping):
        draft.fault(where, 'write { name = "ending", column = "valid_to", days = 90 }')
        return None
    check_keys(where, data, _KEYS, draft)
    columns = {column.name: column for column in contract.columns}
    name, column, days = data.get("name"), data.get("column"), data.get("days")
    renewed_by = tuple(data.get("renewed_by", ()))
    if not isinstance(name, str) or not name.isidentifier() or name in columns:
        draft.fault(where, f"'{name}' is no new name for a column of '{contract.name}'")
        return None
    for other in (str(column), *renewed_by):
        if other not in columns:
            draft.fault(where, f"'{contract.name}' has no column '{other}'", other, columns)
            return None
    if columns[str(column)].type != "date" or contract.time_kind != "span":
        draft.fault(where, f"'{column}' is no date on which a row of '{contract.name}' ends")
        return None
    if not isinstance(days, int) or isinstance(days, bool) or not 0 < days <= LONGEST:
        draft.fault(where, f"days = {days!r} is no number of days from 1 to {LONGEST}")
        return None
    if "month" in block.data:
        draft.fault(where, "a source that lays its rows out by 'month' has no due window")
        return None
    return Due(name, str(column), days, renewed_by, str(contract.time_column))


def due_months(due: Due, row: str = "") -> str:
    """SQL of the first month at whose end a row is due; without an end, none."""
    day = f"{row}{quoted(due.column)} - {due.days}"
    return f"coalesce(year({day}) * 12 + month({day}) - 1, {OPEN})::INTEGER"


def cut_by_due(due: Due, rows: str) -> str:
    """SQL of rows with the column of a due window; each is cut in the month where that begins."""
    name, first = quoted(due.name), due_months(due)
    known, renewed = f"SELECT *, FALSE AS renewed FROM ({rows})", "NOT renewed"
    if due.renewed_by:
        known = _with_renewals(due, rows)
    return f"""
    WITH known AS ({known})
    SELECT * REPLACE (least(to_m, {first}) AS to_m), FALSE AS {name} FROM known WHERE from_m < {first}
    UNION ALL BY NAME
    SELECT * REPLACE (greatest(from_m, {first}) AS from_m), {renewed} AS {name} FROM known WHERE {first} < to_m"""


def _with_renewals(due: Due, rows: str) -> str:
    """SQL of the rows at every moment of knowledge, with whether a later one of the same had come by then."""
    keys = ", ".join(quoted(name) for name in due.renewed_by)
    return f"""
    WITH given AS ({rows}),
    points AS (
        SELECT {keys}, rec_from AS seq FROM given UNION SELECT {keys}, rec_to FROM given WHERE rec_to < {OPEN}
    ), slices AS (
        SELECT {keys}, seq, lead(seq, 1, {OPEN}) OVER (PARTITION BY {keys} ORDER BY seq) AS seq_to FROM points
    ), sliced AS (
        SELECT r.* REPLACE (s.seq AS rec_from, s.seq_to AS rec_to)
        FROM slices s JOIN given r ON {same_keys(due, "r", "s")} AND r.rec_from <= s.seq AND s.seq < r.rec_to
    ), followed AS (
        SELECT DISTINCT a.row_id, a.rec_from FROM sliced a JOIN sliced b
          ON {same_keys(due, "b", "a")} AND b.rec_from = a.rec_from AND {renews(due, "b", "a")}
    )
    SELECT s.*, f.row_id IS NOT NULL AS renewed
    FROM sliced s LEFT JOIN followed f ON f.row_id = s.row_id AND f.rec_from = s.rec_from"""


def same_keys(due: Due, one: str, other: str) -> str:
    """SQL of the condition that two rows are of the same."""
    return " AND ".join(f"{one}.{quoted(name)} IS NOT DISTINCT FROM {other}.{quoted(name)}" for name in due.renewed_by)


def renews(due: Due, later: str, row: str) -> str:
    """SQL of the condition that a row takes over from another: begun after it, within the days of its end."""
    begins, ends = f"{later}.{quoted(due.begins)}", f"{row}.{quoted(due.column)}"
    return (
        f"{later}.row_id <> {row}.row_id AND {begins} > {row}.{quoted(due.begins)} "
        f"AND {begins} > {ends} - {due.days} AND {begins} <= {ends} + {due.days}"
    )


def due_now(due: Due, rows: str) -> str:
    """SQL of rows known at one moment, with the first month in which each is due; never, where a later one has come."""
    if not due.renewed_by:
        return f"SELECT *, {due_months(due)} AS due_m FROM ({rows})"
    return f"""
    SELECT r.*, CASE WHEN f.row_id IS NULL THEN {due_months(due, "r.")} ELSE {OPEN} END AS due_m FROM ({rows}) r LEFT JOIN (
        SELECT DISTINCT a.row_id FROM ({rows}) a JOIN ({rows}) b ON {same_keys(due, "b", "a")} AND {renews(due, "b", "a")}
    ) f ON f.row_id = r.row_id"""


def due_mark(source_due: Due | None) -> dict[str, Any]:
    """Return what a fingerprint holds of a due window."""
    if source_due is None:
        return {}
    return {"due": [source_due.name, source_due.column, source_due.days, *source_due.renewed_by]}
