"""Lengths of a window beside its months: its working days, and its days in the heating season.

Both come from dated reference tables of the store, as known at the batch a question stands at; a statement takes them as
parameters. Working days are those of the store's country. The heating season is that of a node's climate zone: its own
in the last month of the window, else the one that all units below it share. Where nothing is known there is no length,
and a figure over it has no denominator.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

from metrics.cubes import OWN
from metrics.formula import HEATING_DAYS, MONTHS, WORKDAYS, Operand
from metrics.knowledge import Kept
from metrics.tables import table_names
from warehouse.base.periods import OPEN, Window, month_of
from warehouse.base.workdays import (
    COUNTRY,
    DEFAULT_COUNTRY,
    DayRow,
    Season,
    days_known,
    heating_days,
    working_days,
)
from warehouse.store import Generation

CALENDAR, SEASONS = "calendar", "heating_season"
EXAMPLE_ZONE = "寒冷B"
"""The climate zone whose season a worked example counts by, as shipped."""

Days = Mapping[dt.date, str]
_days: Kept[Days] = Kept(24)
_seasons: Kept[tuple[Season, ...]] = Kept(24)


def given_days(operand: Operand, node: str | None, place: str) -> str:
    """SQL of a length: the parameter of the operand at a window's place, and of heating days at a node's."""
    if operand.atom == WORKDAYS:
        return f"${operand.name}[{place}]"
    whose = "1" if node is None else f"list_position($heating_nodes, {node})"
    return f"list_extract(${operand.name}, {whose})[{place}]"


def days_given(generation: Generation, seq: int, operand: Operand, windows: Sequence[Window], nodes: Sequence[str]) -> dict[str, object]:  # fmt: skip
    """Return the parameters of an operand for the windows it sees."""
    if operand.atom == MONTHS:
        return {}
    if operand.atom == WORKDAYS:
        days = known_days(generation, seq)
        return {operand.name: [days_of(days, window) for window in windows]}
    seasons = known_seasons(generation, seq)
    zones = [zones_of(generation, seq, nodes, window.to_m - 1) for window in windows]
    return {
        "heating_nodes": list(nodes),
        operand.name: [
            [season_of(seasons, zone.get(node), window) for zone, window in zip(zones, windows, strict=True)]
            for node in nodes
        ],
    }


def days_of(days: Days, window: Window) -> int | None:
    """Return the working days of a window; None where a year of it is not known."""
    found = [working_days(days, month) for month in range(window.from_m, window.to_m)]
    return None if None in found else sum(day for day in found if day is not None)


def season_of(seasons: Iterable[Season], zone: str | None, window: Window) -> int | None:
    """Return the days of heating of a window in a zone; None where nobody set a season."""
    mine = [season for season in seasons if season.zone == zone]
    found = [heating_days(mine, month) for month in range(window.from_m, window.to_m)]
    return None if None in found else sum(day for day in found if day is not None)


# --- what a store knows -----------------------------------------------------------------------------------------------


def known_days(generation: Generation, seq: int) -> Days:
    """Return what the calendar of the store's country says, as known at a batch."""
    key = (str(generation.path), seq)
    return _days.get(key) or _days.put(key, _read_days(generation, seq))


def _read_days(generation: Generation, seq: int) -> Days:
    if f"d_{CALENDAR}" not in table_names(generation.con):
        return {}
    country = generation.meta.get(COUNTRY, DEFAULT_COUNTRY)
    rows = generation.con.execute(
        f"SELECT day, kind, rec_from, rec_to FROM d_{CALENDAR} WHERE country = $1", [country]
    ).fetchall()
    return days_known((DayRow(*row) for row in rows), seq)


def known_seasons(generation: Generation, seq: int) -> tuple[Season, ...]:
    """Return the heating seasons of all zones as known at a batch."""
    key = (str(generation.path), seq)
    return _seasons.get(key) or _seasons.put(key, _read_seasons(generation, seq))


def _read_seasons(generation: Generation, seq: int) -> tuple[Season, ...]:
    if f"d_{SEASONS}" not in table_names(generation.con):
        return ()
    rows = generation.con.execute(
        f"SELECT zone, coalesce(begins, ''), coalesce(ends, ''), from_m, to_m FROM d_{SEASONS} WHERE rec_from <= $1 AND $1 < rec_to",
        [seq],
    ).fetchall()
    return tuple(Season(*row) for row in rows)


def zones_of(generation: Generation, seq: int, nodes: Sequence[str], month: int) -> dict[str, str]:
    """Return the climate zone of each node in a month: its own, else the one all units below it share."""
    rows = generation.con.execute(
        """WITH units AS (
            SELECT code, climate FROM d_org_unit
            WHERE from_m <= $month AND $month < to_m AND rec_from <= $seq AND $seq < rec_to AND climate IS NOT NULL
        ), below AS (
            SELECT c.anc AS code, min(u.climate) AS climate FROM closure c JOIN units u ON u.code = c.dsc
            WHERE c.anc IN (SELECT unnest($nodes)) AND c.from_m <= $month AND $month < c.to_m
              AND c.rec_from <= $seq AND $seq < c.rec_to
            GROUP BY c.anc HAVING count(DISTINCT u.climate) = 1
        )
        SELECT code, coalesce(u.climate, b.climate) FROM units u FULL JOIN below b USING (code)""",
        {"month": month, "seq": seq, "nodes": [node.removesuffix(OWN) for node in nodes]},
    ).fetchall()
    found = dict(rows)
    return {node: found[node.removesuffix(OWN)] for node in nodes if node.removesuffix(OWN) in found}


# --- worked examples --------------------------------------------------------------------------------------------------


def shipped_days(operand: Operand, window: Window) -> dict[str, object]:
    """Return the parameters of an operand by the tables shipped with the package, for worked examples."""
    if operand.atom == WORKDAYS:
        return {operand.name: [days_of(_shipped_calendar(), window)]}
    if operand.atom == HEATING_DAYS:
        days = season_of(_shipped_seasons(), EXAMPLE_ZONE, window)
        return {"heating_nodes": ["n"], operand.name: [[days]]}
    return {}


@cache
def _shipped_calendar() -> Days:
    rows = _shipped(CALENDAR)
    return {dt.date.fromisoformat(row["day"]): row["kind"] for row in rows if row["country"] == DEFAULT_COUNTRY}


@cache
def _shipped_seasons() -> tuple[Season, ...]:
    return tuple(
        Season(
            row["zone"], row["begins"], row["ends"], month_of(dt.date.fromisoformat(row["valid_from"])),
            month_of(dt.date.fromisoformat(row["valid_to"])) if row["valid_to"] else OPEN,
        )
        for row in _shipped(SEASONS)
    )  # fmt: skip


def _shipped(table: str) -> list[dict[str, str]]:
    text = (resources.files("warehouse") / "reference" / f"{table}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
