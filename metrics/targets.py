"""Targets: what a figure of a whole year is to be, as a value or as a change from its base year (目标与基线).

A row of its own names the unit or region it was handed down to; without one it holds for the nodes that stand for the level
as a whole, which are its regions. A target of −6 % against 2020 is 0.94 × the base line of 2020 of the same holder; where no
base line is known there is no value, and the row is told without one. A yearly target is never held against a part of a year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from metrics.measures import BadUnit, read_unit
from metrics.model import Answer, Query
from metrics.quotas import QUOTA_INDICATOR, energy_quotas
from metrics.rule_rows import RULE_COLUMNS, RuleRow, rule_row
from warehouse.base.periods import Period, fiscal_year
from warehouse.store import Generation

WHOLE_YEARS = ("year", "r12")


def targets(generation: Generation, indicator: str, year: int, month: int, seq: int) -> Mapping[str, RuleRow]:
    """Return, per node, the target of an indicator for the nearest year not before one, as known at a batch."""
    known = "rec_from <= $seq AND $seq < rec_to AND from_m <= $month AND $month < to_m"
    listed = ", ".join(f"t.{name}" for name in RULE_COLUMNS)
    rows = generation.con.execute(
        f"""WITH held AS (
               SELECT * FROM d_target WHERE indicator = $indicator AND {known}
               QUALIFY row_number() OVER (PARTITION BY level, unit, kind, year ORDER BY from_m DESC, row_id DESC) = 1
           ), aims AS (
               SELECT * FROM held WHERE kind = 'target' AND year >= $year
               QUALIFY row_number() OVER (PARTITION BY level, unit ORDER BY year) = 1
           )
           SELECT o.code, {listed},
               CASE WHEN t.value IS NULL THEN b.value_unit ELSE t.value_unit END, t.value, t.change_pct, b.value
           FROM aims t LEFT JOIN held b ON b.kind = 'base' AND b.year = t.base_year AND b.level = t.level
             AND b.unit IS NOT DISTINCT FROM t.unit
           JOIN d_org_unit o ON (o.code = t.unit OR (t.unit IS NULL AND o.level = t.level AND o.kind = 'region'))
             AND o.rec_from <= $seq AND $seq < o.rec_to AND o.from_m <= $month AND $month < o.to_m
           ORDER BY t.unit IS NOT NULL""",
        {"indicator": indicator, "year": year, "month": month, "seq": seq},
    ).fetchall()
    return {code: _row(told[:-4], *told[-4:]) for code, *told in rows}


def _row(
    told: Sequence[Any], unit: str | None, value: Decimal | None, change: Decimal | None, base: Decimal | None
) -> RuleRow:
    if value is None and change is not None and base is not None:
        value = base * (100 + change) / 100
    return rule_row("target", told, line="target", value=value, unit=unit or "%")


def held_against(generation: Generation, query: Query, answers: Sequence[Answer]) -> list[tuple[RuleRow, ...]]:
    """Return the quota and the target each answer of a whole year is held against; nothing for any other answer."""
    if query.grain not in WHOLE_YEARS or query.by not in (None, "children"):
        return [()] * len(answers)
    generation = generation.seen(query.state)
    if generation.batch_at(query.known_at) == 0:
        return [()] * len(answers)
    seq, kept = generation.batch_at(query.known_at), dict[tuple[str, str], Mapping[str, tuple[RuleRow, ...]]]()
    found = []
    for answer in answers:
        key = (answer.indicator, answer.period)
        if key not in kept:
            kept[key] = _rulers(generation, *key, seq)
        rows = kept[key].get(answer.node, ()) if answer.status in ("ok", "incomplete") else ()
        found.append(tuple(row for row in rows if _is_like(row.unit, answer.unit)))
    return found


def _rulers(generation: Generation, indicator: str, period: str, seq: int) -> Mapping[str, tuple[RuleRow, ...]]:
    month = Period.parse(period, generation.fiscal_start).to_m - 1
    found: dict[str, tuple[RuleRow, ...]] = {}
    if indicator == QUOTA_INDICATOR:
        found = {node: tuple(lines.values()) for node, lines in energy_quotas(generation, month, seq).items()}
    year = fiscal_year(month, generation.fiscal_start)
    for node, row in targets(generation, indicator, year, month, seq).items():
        found[node] = (*found.get(node, ()), row)
    return found


def _is_like(one: str, other: str) -> bool:
    """Tell whether a rule speaks in the unit of a figure; a target without a value is told as it stands."""
    if one == "%":
        return True
    try:
        return read_unit(one) == read_unit(other)
    except BadUnit:
        return one == other
