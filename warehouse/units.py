"""Units as the register of a generation has them: who stood where in a month, and who ever stood below a node."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.store import Generation

LAST_PLACE = 1_000_000
"""Protocol order of a unit that was given none."""


@dataclass(frozen=True)
class Unit:
    """One unit in one month, as known at one batch."""

    code: str
    name: str
    """The name people use: the short one, when there is one."""
    full_name: str
    parent: str | None
    level: str
    kind: str
    order: int


def units_in(generation: Generation, month: int, seq: int) -> tuple[Unit, ...]:
    """Return the units that lived in a month as known at a batch, in official order."""
    rows = generation.con.execute(
        """SELECT code, coalesce(short_name, name, code), coalesce(name, code), nullif(parent, ''), coalesce(level, ''),
                  coalesce(kind, ''), coalesce(protocol_order, $last_place)
           FROM d_org_unit WHERE rec_from <= $seq AND $seq < rec_to AND from_m <= $month AND $month < to_m
           ORDER BY protocol_order NULLS LAST, code""",
        {"seq": seq, "month": month, "last_place": LAST_PLACE},
    ).fetchall()
    return tuple(Unit(*row) for row in rows)


def ever_below(generation: Generation, node: str, seq: int) -> frozenset[str]:
    """Return a node and everything that by then was ever known to stand below it."""
    rows = generation.con.execute("SELECT DISTINCT dsc FROM closure WHERE anc = ? AND rec_from <= ?", [node, seq])
    return frozenset({node, *(code for (code,) in rows.fetchall())})
