"""Quotas: the energy a unit may use per floor area, by its level and climate, as the reference table of the time has it."""

from __future__ import annotations

from collections.abc import Mapping

from warehouse.store import Generation

QUOTA_INDICATOR = "en_nonheat_per_area"
"""The quota table speaks of energy without heating and transport; no other intensity may be held against it."""
LINES = ("guide", "base", "limit")
"""The three lines of a quota, strictest first."""


def energy_quotas(generation: Generation, month: int, seq: int) -> Mapping[str, Mapping[str, float]]:
    """Return the lines of each unit that has a quota in a month as known at a batch; regions have none of their own."""
    rows = generation.con.execute(
        """SELECT o.code, q.quota_guide, q.quota_base, q.quota_limit
           FROM d_org_unit o JOIN d_energy_quota q ON q.level = o.level AND ends_with(o.climate, q.climate)
             AND q.kind = CASE WHEN o.kind IN ('direct', 'institution') THEN 'institution' ELSE 'organ' END
           WHERE o.kind NOT IN ('region', 'compound', 'building')
             AND o.rec_from <= $seq AND $seq < o.rec_to AND o.from_m <= $month AND $month < o.to_m
             AND q.rec_from <= $seq AND $seq < q.rec_to AND q.from_m <= $month AND $month < q.to_m""",
        {"seq": seq, "month": month},
    ).fetchall()
    return {
        code: {line: float(value) for line, value in zip(LINES, values, strict=True) if value is not None}
        for code, *values in rows
    }
