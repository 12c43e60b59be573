"""Doubtful rows below a node: sound figures that look copied, filled in or calculated (疑似)."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.base.errors import UnknownName
from warehouse.store import Generation


@dataclass(frozen=True)
class DoubtfulRow:
    """One row and the pattern it shows. `value` stands there, `other` is what it was compared with."""

    doubt_id: str
    dataset: str
    code: str
    unit: str
    month_no: int
    column: str
    value: str
    other: str
    file_name: str
    sheet: str
    row_no: int


def doubtful_rows(generation: Generation, node: str, seq: int, limit: int | None = None) -> tuple[DoubtfulRow, ...]:
    """Return what is doubtful below a node as known at a batch, newest month first; rows of one month in file order."""
    found = generation.con.execute(
        """SELECT d.doubt_id, d.dataset, d.code, d.unit, d.month_no, d.column_name, d.value, d.other,
                  d.file_name, d.sheet, d.row_no
           FROM doubt d JOIN closure c ON c.dsc = d.unit AND c.anc = $node AND d.month_no BETWEEN c.from_m AND c.to_m - 1
            AND c.rec_from <= $seq AND $seq < c.rec_to
           WHERE d.rec_from <= $seq AND $seq < d.rec_to
           ORDER BY d.month_no DESC, d.dataset, d.file_name, d.row_no, d.code LIMIT $most""",
        {"node": node, "seq": seq, "most": limit if limit is not None else 2**31},
    ).fetchall()
    return tuple(DoubtfulRow(*row) for row in found)


def find_doubt(generation: Generation, doubt_id: str) -> str:
    """Return the id of a doubt that stands now; raises UnknownName with those that come near."""
    known = [row[0] for row in generation.con.execute("SELECT DISTINCT doubt_id FROM doubt ORDER BY 1").fetchall()]
    if doubt_id not in known:
        raise UnknownName("doubt", doubt_id, known)
    return doubt_id
