"""The energy administration's own papers: use by purpose, the register, the yearly survey, publication each quarter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from samples.city.bodies import Body, City
from samples.city.calendar import day, moment, month_no, moon
from samples.city.chance import dice, places
from samples.city.energy import Consumption
from samples.city.energy_records import Disclosed, EndUse, Listed, Surveyed
from samples.city.panels import PANELS
from samples.city.people import Heads
from samples.city.records import CARRIERS, Use
from samples.city.space import Ground

HEATING, MACHINES, KITCHEN, CHARGING = "采暖", "数据中心机房", "厨房", "充电桩"
ZONE = "B"
_MACHINE_SHARE = {"police": 0.17, "service": 0.24, "goa": 0.20, "data": 0.30, "d_gov": 0.08, "c_gov": 0.07}
"""Part of a body's power that its machine room takes."""
_PILES = {
    "goa": 46,
    "police": 24,
    "service": 16,
    "court": 8,
    "school": 6,
    "d_gov": 8,
    "c_gov": 6,
    "d_goa": 4,
    "c_goa": 4,
}
SURVEYED = ("electricity", "water", "natural_gas", "coal_raw", "gasoline", "diesel", "heat", "diesel_other")
PARTS_OF = {HEATING: "heating", MACHINES: "machine_room"}


@dataclass(frozen=True)
class Papers:
    """What the papers are written from."""

    city: City
    ground: Ground
    census: dict[tuple[str, int], Heads]
    consumption: Consumption


# --- use by purpose ---------------------------------------------------------------------------------------------------


def end_use_rows(papers: Papers, month: int, sent: dt.datetime) -> list[EndUse]:
    """Return the parts of a month as sent on a day; bodies of one unit are added up."""
    found: dict[tuple[str, str, str], EndUse] = {}
    for body in papers.city.bodies:
        code = papers.city.code_of(body.key, month, sent)
        for part in _parts(papers, body, month):
            place = (code, part.end_use, part.carrier)
            before = found.get(place)
            found[place] = part._replace(unit=code) if before is None else _added(before, part)
    return list(found.values())


def _added(a: EndUse, b: EndUse) -> EndUse:
    both = None if a.it_quantity is None and b.it_quantity is None else (a.it_quantity or 0) + (b.it_quantity or 0)
    return a._replace(quantity=a.quantity + b.quantity, it_quantity=None if both is None else Decimal(both))


def _parts(papers: Papers, body: Body, month: int) -> Iterator[EndUse]:
    used = dict(zip(CARRIERS, papers.consumption.uses[body.key, month], strict=True))
    for carrier in ("heat", "coal_raw"):
        if quantity := used[carrier].quantity:
            yield EndUse("", month, HEATING, carrier, quantity, None)
    power = used["electricity"].quantity or Decimal(0)
    rng = dice(papers.city.seed, "parts", body.key, month)
    if body.key in _MACHINE_SHARE:
        room = places(float(power) * _MACHINE_SHARE[body.key] * rng.uniform(0.94, 1.06), 0)
        eue = 1.52 + 0.18 * (moon(month) in (6, 7, 8)) + 0.1 * (body.level != "市") + rng.uniform(-0.03, 0.03)
        yield EndUse("", month, MACHINES, "electricity", room, places(float(room) / eue, 0))
    if body.authorised >= 60:
        yield EndUse("", month, KITCHEN, "electricity", places(float(power) * 0.055, 0), None)
        if gas := used["natural_gas"].quantity:
            yield EndUse("", month, KITCHEN, "natural_gas", places(float(gas) * 0.86, 0), None)
    if body.key in _PILES:
        charged = places(min(_PILES[body.key] * 210 * rng.uniform(0.8, 1.2), float(power) * 0.1), 0)
        yield EndUse("", month, CHARGING, "electricity", charged, None)


# --- the register -----------------------------------------------------------------------------------------------------


def register_rows(papers: Papers, year: int, sent: dt.datetime) -> list[Listed]:
    """Return the register of a year as sent on a day; what was awarded stands from the year after."""
    month = max(month_no(year, 1), sent.year * 12 + sent.month - 1) if sent.year == year else month_no(year, 12)
    found: dict[str, Listed] = {}
    for body in papers.city.bodies:
        row = _listed(papers, body, year, month, sent)
        before = found.get(row.unit)
        found[row.unit] = row if before is None else _joined(before, row)
    return list(found.values())


def _listed(papers: Papers, body: Body, year: int, month: int, sent: dt.datetime) -> Listed:
    rng = dice(papers.city.seed, "listed", body.key)
    awards = [rng.random() for _ in range(4)]
    heads, area = papers.census[body.key, month], papers.ground.gross(body.key, month)
    grown = 0.07 * (year - 2024)
    kind = "国家机关" if body.kind not in ("直属", "群团") else "事业单位" if body.kind == "直属" else "团体组织"
    return Listed(
        year, papers.city.code_of(body.key, month, sent), kind, ZONE, area, (area * Decimal("0.92")).quantize(Decimal("0.01")),
        heads.energy, heads.authorised, _PILES.get(body.key, 0), awards[0] < 0.68 + grown, awards[1] < 0.42 + grown,
        awards[2] < 0.82 + grown, awards[3] < 0.6 + grown, Decimal(PANELS.get(body.key, 0)),
    )  # fmt: skip


def _joined(a: Listed, b: Listed) -> Listed:
    return a._replace(
        gross_area=a.gross_area + b.gross_area, heated_area=a.heated_area + b.heated_area,
        energy_headcount=a.energy_headcount + b.energy_headcount,
        authorised_staff=a.authorised_staff + b.authorised_staff,
        charging_points=a.charging_points + b.charging_points, pv_capacity=a.pv_capacity + b.pv_capacity,
    )  # fmt: skip


def register_days(year: int, reforms: Iterable[dt.datetime]) -> list[dt.datetime]:
    """Return when the register of a year is sent: in January, and after each reform of that year."""
    days = [moment(dt.date(year, 1, 19), 9, 12)]
    return days + [moment(r.date() + dt.timedelta(days=2), 9, 12) for r in reforms if r.year == year]


# --- the yearly survey ------------------------------------------------------------------------------------------------


def survey_rows(papers: Papers, year: int, sent: dt.datetime) -> list[Surveyed]:
    """Return the survey of a whole year: what was truly used, month by month, under the codes of the day it is sent."""
    sums: dict[tuple[str, str], list[Decimal]] = {}
    for month in range(month_no(year, 1), month_no(year, 12) + 1):
        parts = {(row.unit, row.end_use, row.carrier): row.quantity for row in end_use_rows(papers, month, sent)}
        for (unit, end_use, carrier), quantity in parts.items():
            if end_use in PARTS_OF:
                place = 2 if end_use == HEATING else 4
                sums.setdefault((unit, carrier), [Decimal(0)] * 5)[place] += quantity
        for body in papers.city.bodies:
            unit = papers.city.code_of(body.key, month, sent)
            for carrier, use in zip(CARRIERS, papers.consumption.uses[body.key, month], strict=True):
                if carrier in SURVEYED and use.quantity:
                    _survey(sums.setdefault((unit, carrier), [Decimal(0)] * 5), carrier, use)
    return [Surveyed(year, unit, carrier, *figures) for (unit, carrier), figures in sums.items()]


def _survey(figures: list[Decimal], carrier: str, use: Use) -> None:
    figures[0] += use.quantity or 0
    figures[1] += use.cost or 0
    if carrier in ("gasoline", "diesel"):
        figures[3] += use.quantity or 0


def survey_day(year: int) -> dt.datetime:
    """Return when the survey of a year is handed in."""
    return moment(dt.date(year + 1, 2, 20), 10, 40)


# --- publication ------------------------------------------------------------------------------------------------------


def disclosed_day(year: int) -> dt.datetime:
    """Return when the list of a year is handed in; that of a year still running comes in November."""
    return moment(dt.date(2026, 11, 9) if year == 2026 else dt.date(year + 1, 1, 28), 10, 12)


def disclosed_rows(papers: Papers, month: int, sent: dt.datetime) -> list[Disclosed]:
    """Return who published the quarter that ends with a month."""
    found: dict[str, Disclosed] = {}
    for body in papers.city.bodies:
        rng = dice(papers.city.seed, "disclosed", body.key, month)
        code = papers.city.code_of(body.key, month, sent)
        done = rng.random() < 0.94
        on = day(month + 1, rng.randint(5, 27)) if done else None
        found.setdefault(code, Disclosed(month, code, on, rng.choice(("公示栏", "门户网站")) if done else ""))
    return list(found.values())
