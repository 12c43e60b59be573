"""Quotas: the energy a unit may use per floor area, by level, climate and size, as the reference table of the time has it."""

from __future__ import annotations

from collections.abc import Mapping

from metrics.facts import lookup_sql, met_sql
from metrics.model import Lookup
from metrics.rule_rows import RULE_COLUMNS, RuleRow, rule_row
from warehouse.owing import is_owing
from warehouse.store import Generation

QUOTA_INDICATOR = "en_nonheat_per_area"
"""The quota table speaks of energy without heating and transport; no other intensity may be held against it."""
LINES = ("guide", "base", "limit")
"""The three lines of a quota, strictest first."""
_QUOTA = Lookup(
    "energy_quota",
    {"level": "level", "climate": "quota_climate", "kind": "quota_kind"},
    bands={"gross_area": ("area_from", "area_to"), "energy_headcount": ("heads_from", "heads_to")},
)


def energy_quotas(generation: Generation, month: int, seq: int) -> Mapping[str, Mapping[str, RuleRow]]:
    """Return the lines of each unit that has a quota in a month as known at a batch; regions have none of their own.

    A unit's size is what the register of public institutions says of the last year up to the month.
    """
    listed = ", ".join(f"q.{name}" for name in RULE_COLUMNS)
    rows = generation.con.execute(
        f"""WITH size AS (
               SELECT unit, gross_area, energy_headcount FROM d_energy_register
               WHERE rec_from <= $seq AND $seq < rec_to AND from_m <= $month
               QUALIFY row_number() OVER (PARTITION BY unit ORDER BY from_m DESC, row_id DESC) = 1
           ), held AS (SELECT * FROM ({lookup_sql(_QUOTA)})
               WHERE rec_from <= $seq AND $seq < rec_to AND from_m <= $month AND $month < to_m
           ), zones AS (SELECT DISTINCT climate FROM held), units AS (
               SELECT o.code, o.level, z.climate AS quota_climate, s.gross_area, s.energy_headcount,
                      CASE WHEN o.kind IN ('direct', 'institution') THEN 'institution' ELSE 'organ' END AS quota_kind
               FROM d_org_unit o JOIN zones z ON ends_with(o.climate, z.climate) LEFT JOIN size s ON s.unit = o.code
               WHERE {is_owing("o.kind")} AND o.kind NOT IN ('region', 'building')
                 AND o.rec_from <= $seq AND $seq < o.rec_to AND o.from_m <= $month AND $month < o.to_m
           )
           SELECT r.code, {listed}, q.quota_guide, q.quota_base, q.quota_limit FROM units r JOIN held q ON {met_sql(_QUOTA, "q")}""",
        {"seq": seq, "month": month},
    ).fetchall()
    found: dict[str, dict[str, RuleRow]] = {}
    for code, *row in rows:
        told, values = row[: len(RULE_COLUMNS)], row[len(RULE_COLUMNS) :]
        found[code] = {
            line: rule_row("energy_quota", told, line=line, value=value, unit="kgce/m²")
            for line, value in zip(LINES, values, strict=True)
            if value is not None
        }
    return found
