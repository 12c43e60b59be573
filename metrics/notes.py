"""What people and rules say of differences between books: tolerances as dated reference rows, notes with a document."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from metrics.model import Caliber
from metrics.tables import table_names
from warehouse.base.periods import Window
from warehouse.store import Generation


@dataclass(frozen=True)
class Note:
    """An explanation of one unit's difference: of an amount (ours − theirs, in the declared unit), or of all that is left."""

    amount: Decimal | None
    text: str
    document: str


def read_tolerance(generation: Generation, caliber: Caliber, unit: str, month: int, seq: int) -> Decimal:
    """Return how far a unit's figure may lie off by rounding; 0 where no row says so. The row that began last holds."""
    if "d_reconcile_tolerance" not in table_names(generation.con):
        return Decimal(0)
    row = generation.con.execute(
        """SELECT tolerance FROM d_reconcile_tolerance
           WHERE caliber = $caliber AND measure_unit = $unit AND from_m <= $month AND $month < to_m
             AND rec_from <= $seq AND $seq < rec_to ORDER BY from_m DESC, row_id DESC LIMIT 1""",
        {"caliber": caliber, "unit": unit, "month": month, "seq": seq},
    ).fetchone()
    return Decimal(0) if row is None else Decimal(row[0])


def read_notes(
    generation: Generation, indicator: str, caliber: Caliber, window: Window, seq: int
) -> dict[str, list[Note]]:
    """Return unit → the notes known at a batch that speak of the whole window, in the order of their documents."""
    if "d_reconcile_note" not in table_names(generation.con):
        return {}
    rows = generation.con.execute(
        """SELECT unit, amount, explanation, coalesce(document, '') FROM d_reconcile_note
           WHERE indicator = $indicator AND caliber = $caliber AND from_m <= $first AND to_m >= $last
             AND rec_from <= $seq AND $seq < rec_to ORDER BY unit, document NULLS LAST, from_m, row_id""",
        {"indicator": indicator, "caliber": caliber, "first": window.from_m, "last": window.to_m, "seq": seq},
    ).fetchall()
    found: dict[str, list[Note]] = {}
    for unit, amount, text, document in rows:
        found.setdefault(unit, []).append(Note(None if amount is None else Decimal(amount), text, document))
    return found
