"""The outbox of the office: every file it received, in the order it came, corrections included."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from samples.city import (
    belongings,
    bodies,
    budgets,
    conservation,
    contracts,
    driving,
    energy,
    fleet,
    garage,
    hospitality,
    ledger,
    logistics,
    norms,
    organisation,
    other_books,
    people,
    plans,
    premises,
    prices,
    service_desk,
    space,
)  # fmt: skip
from samples.city import timeline as t
from samples.city.calendar import FIRST, LONGEST, day, moment, moon, year_of
from samples.city.chance import dice
from samples.city.exports import Export, monthly, whole
from samples.city.forms import ENERGY_IN_TEN_THOUSANDS, STAFF_SPAN, VEHICLE_CSV, Form

Rows = Callable[[int, dt.datetime], Sequence[Any]]
Told = dict[int, tuple[dt.datetime, Sequence[Any]]]
"""By month: when it was last sent, and what."""


@dataclass(frozen=True)
class World:
    """Everything simulated, through the end of the last year told."""

    city: bodies.City
    months: int
    census: dict[tuple[str, int], people.Heads]
    ground: space.Ground
    fleet: fleet.Fleet
    trips: dict[int, list[driving.Held]]
    receipts: dict[int, list[driving.Held]]
    consumption: energy.Consumption
    services: contracts.Services
    ledger: ledger.Ledger
    plan: budgets.Plan
    desk: service_desk.Desk

    @property
    def papers(self) -> conservation.Papers:
        """What the energy administration writes its papers from."""
        return conservation.Papers(self.city, self.ground, self.census, self.consumption)

    @cached_property
    def books(self) -> other_books.Books:
        """What accounts, surveys and disclosures are written from."""
        return other_books.Books(self.city, self.ledger, self.census, self.ground, self.consumption)

    @property
    def logistics(self) -> logistics.Logistics:
        """What the logistics reports are written from."""
        return logistics.Logistics(self.city, self.ground, self.census, self.services)

    @property
    def last(self) -> int:
        """The last month that is told."""
        return FIRST + self.months - 1

    @property
    def until(self) -> dt.datetime:
        """Nothing is received later than this."""
        return moment(day(self.last + 1, 20), 18, 0)


def simulate(seed: int, months: int, units: int) -> World:
    """Let the city live; whole years are simulated so that budgets fit them."""
    if not 1 <= months <= LONGEST:
        raise ValueError(f"The city can tell 1 to {LONGEST} months, not {months}.")
    city = bodies.found(seed, units)
    whole_years = -(-months // 12) * 12
    census = people.census(city, whole_years)
    ground = space.build(city)
    cars = fleet.build(city)
    quoted = prices.quote(seed, whole_years)
    trips, receipts = driving.drive(cars, quoted, whole_years)
    used = energy.consume(city, ground, cars, census, quoted, receipts)
    services = contracts.agree(city, ground, used, whole_years)
    books = ledger.keep_books(ledger.Sources(city, census, ground, cars, used, services, receipts))
    desk = service_desk.open_desk(city, ground, months)
    return World(
        city, months, census, ground, cars, trips, receipts, used, services, books, budgets.approve(books), desk
    )


@dataclass(frozen=True)
class Series:
    """A form that comes again and again: every so many months, on a day of the month after."""

    source: str
    rows: Rows
    days: tuple[int, int]
    hour: int
    every: int = 1
    whole_slice: bool = True
    stays_open: bool = False
    """Rows of the last month may change after they were sent (jobs still open)."""


@dataclass(frozen=True)
class Reform:
    """A change of codes learnt late: months from `effective` on are sent again."""

    effective: int
    recorded: dt.datetime
    tag: str


REFORMS = (
    Reform(t.MERGER, t.MERGER_ON, "_机构改革更正"),
    Reform(t.NEW_BUREAU, t.NEW_BUREAU_ON, "_数据局组建更正"),
)


def outbox(world: World) -> tuple[Export, ...]:
    """Return all files in the order they were received."""
    sent = [*_registers(world), *_budgets(world), *_single_forms(world), *_yearly(world), *_other_books(world)]
    for place, series in enumerate(_series(world)):
        sent += _told(world, series, place)
    kept = (export for export in sent if export.recorded_at <= world.until)
    return tuple(sorted(kept, key=lambda export: (export.recorded_at, export.path)))


def _series(world: World) -> tuple[Series, ...]:
    city = world.city
    desk, books = world.desk, world.ledger
    return (
        Series("staff", lambda m, s: list(people.staff_rows(city, world.census, m, s)), (8, 12), 9, whole_slice=False),
        Series("vehicle", lambda m, s: list(fleet.vehicle_rows(world.fleet, m, s)), (6, 9), 10),
        Series("trip", lambda m, s: driving.as_sent(city, world.trips[m], m, s), (4, 6), 11),
        Series("vehicle_expense", lambda m, s: driving.as_sent(city, world.receipts[m], m, s), (6, 9), 14),
        Series("payment", lambda m, s: ledger.payment_rows(books, m, s), (8, 9), 15),
        Series("energy_use", lambda m, s: _energy_form(world, m, s), (10, 14), 16, whole_slice=False),
        Series("meter_month", lambda m, _: list(energy.meter_rows(world.consumption, [m])), (12, 14), 17, 6, False),
        Series("energy_end_use", lambda m, s: conservation.end_use_rows(world.papers, m, s), (16, 19), 9, 12, False),
        Series("property_service", lambda m, s: logistics.property_rows(world.logistics, m, s), (11, 13), 9, 6, False),
        Series("catering", lambda m, _: list(logistics.meal_rows(world.logistics, m)), (11, 14), 10, 12),
        Series("housing_fund", lambda m, _: logistics.fund_rows(world.logistics, m), (9, 12), 11, 12, False),
        Series("service_payment", lambda m, s: list(contracts.payment_rows(world.services, m, s)), (9, 11), 12, 3),
        Series("evaluation", lambda m, s: service_desk.evaluation_rows(desk, m, s), (10, 12), 13, 3, False),
        Series("work_order", lambda m, s: service_desk.order_rows(desk, m, s), (1, 2), 8, 3, False, True),
        Series("account_balance", lambda m, s: list(other_books.balance_rows(world.books, m, s)), (12, 15), 18, 12),
        *_kept_beside(world),
    )


def _kept_beside(world: World) -> tuple[Series, ...]:
    """Registers kept beside the books, handed in when the year is over; asset cards twice a year."""
    city, books, written = world.city, world.ledger, belongings.cards(world.city, world.ground)
    return (
        Series(
            "vehicle_disposal", lambda m, s: garage.disposal_rows(city, world.fleet.cars, m, s), (12, 15), 9, 12, False
        ),
        Series("vehicle_rental", lambda m, s: garage.rental_rows(city, m, s), (12, 15), 10, 12, False),
        Series("reception", lambda m, s: hospitality.reception_rows(books, m, s), (12, 15), 11, 12, False),
        Series("meeting", lambda m, s: hospitality.meeting_rows(books, m, s), (12, 15), 14, 12, False),
        Series("premises_report", lambda m, s: premises.report_rows(city, world.census, m, s), (12, 15), 15, 12, False),
        Series("space_disposal", lambda m, s: premises.use_rows(world.ground, m, s), (12, 15), 16, 12, False),
        Series("asset", lambda m, s: belongings.asset_rows(city, written, m, s), (12, 15), 17, 12),
    )


def _energy_form(world: World, month: int, sent: dt.datetime) -> list[Any]:
    """The joint form of a month, without the units that did not hand in and the one that sent its own file."""
    city = world.city
    missing: set[str] = set()
    if month == t.NOT_REPORTED:
        missing = {city.role("never_reports").code, city.role("late_reporter").code}
    if month == t.WRONG_UNIT:
        missing = {city.role("wrong_unit").code}
    return [row for row in energy.form_rows(world.consumption, month, sent) if row.unit not in missing]


def _told(world: World, series: Series, place: int) -> Iterator[Export]:
    """Return a series' files and its corrections."""
    told: Told = {}
    rng = dice(world.city.seed, "sent", series.source)
    for first in range(FIRST, world.last + 1, series.every):
        last = min(first + series.every - 1, world.last)
        sent = moment(day(last + 1, rng.randint(*series.days)), series.hour, rng.randint(0, 29) + place)
        fresh = {month: series.rows(month, sent) for month in range(first, last + 1)}
        rows: list[Any] = [row for month in fresh for row in fresh[month]]
        news = _closed_since(series, first - 1, sent, told) if series.stays_open and first > FIRST else []
        told.update({month: (sent, fresh[month]) for month in fresh})
        suffix = "xls" if last % 6 == 3 and series.source in ("energy_use", "evaluation") else "xlsx"
        form = _form_of(series, first, last)
        export = monthly(series.source, sent, [*news, *rows], first, last, form=form, suffix=suffix)
        yield replace(export, declared_from=first - 1) if news else export
    if series.source == "payment" and t.RESTATED in told:
        again = series.rows(t.RESTATED, t.RESTATED_ON)
        yield monthly("payment", t.RESTATED_ON, again, t.RESTATED, t.RESTATED, tag="_重报")
        told[t.RESTATED] = (t.RESTATED_ON, again)
    for reform in REFORMS:
        yield from _corrected(world, series, place, reform, told)


def _closed_since(series: Series, month: int, sent: dt.datetime, told: Told) -> list[Any]:
    """Jobs of the month before that were open when it was sent and have an end now."""
    still_open = {row.order_no for row in told[month][1] if row.closed_at is None}
    return [row for row in series.rows(month, sent) if row.order_no in still_open]


def _corrected(world: World, series: Series, place: int, reform: Reform, told: Told) -> Iterator[Export]:
    """Send the months again whose rows carry another code now: whole months, or only the rows that changed."""
    sent = moment(reform.recorded.date() + dt.timedelta(days=1), 8, 10) + dt.timedelta(minutes=4 * place)
    if reform.recorded > world.until:
        return
    stale = [m for m, (first_sent, _) in told.items() if m >= reform.effective and first_sent < reform.recorded]
    fresh = {month: series.rows(month, sent) for month in sorted(stale)}
    changed = {month: [row for row in rows if row not in known] for month, rows in fresh.items()
               for known in (set(told[month][1]),)}  # fmt: skip
    touched = [month for month, rows in changed.items() if rows]
    if not touched:
        return
    span = range(touched[0], touched[-1] + 1)
    rows = [row for month in span for row in (fresh if series.whole_slice else changed)[month]]
    told.update({month: (sent, fresh[month]) for month in span})
    form = _form_of(series, span[0], span[-1])
    yield monthly(series.source, sent, rows, span[0], span[-1], form=form, tag=reform.tag)


def _form_of(series: Series, first: int, last: int) -> Form | None:
    """Several months of staff need a column for the month; the fleet comes as csv but at the end of a quarter."""
    if series.source == "staff" and first != last:
        return STAFF_SPAN
    return VEHICLE_CSV if series.source == "vehicle" and moon(last) % 3 else None


def _registers(world: World) -> Iterator[Export]:
    """Registers that come whole: when the year turns, and when something has changed."""
    city = world.city
    for sent in organisation.EXPORTS:
        yield whole("org_unit", sent, list(organisation.org_rows(city, sent)))
    for sent in space.EXPORTS:
        yield whole("room", sent, list(space.room_rows(world.ground, sent)))
        yield whole("building", sent + dt.timedelta(minutes=6), list(space.building_rows(world.ground, sent)))
    for sent in fleet.QUOTA_EXPORTS:
        yield whole("vehicle_quota", sent, list(fleet.quota_rows(world.fleet, sent)))
    for sent in premises.EXPORTS:
        yield whole("approved_area", sent + dt.timedelta(minutes=12), premises.approved_rows(city, sent))
        yield whole("funds_quota", sent + dt.timedelta(minutes=18), norms.norm_rows(world.ledger, sent))
    for sent in premises.LEASE_EXPORTS:
        yield whole("space_lease", sent + dt.timedelta(minutes=24), premises.lease_rows(world.ground, sent))
    sent = space.AFTER_MOVE + dt.timedelta(minutes=30)
    yield whole("space_exemption", sent, premises.exemption_rows(world.ground, sent))
    for sent in contracts.EXPORTS:
        yield whole("service_contract", sent, list(contracts.contract_rows(world.services, sent)))


def _yearly(world: World) -> Iterator[Export]:
    """The register of institutions when a year begins and the survey of the year when it is over."""
    for year in range(year_of(FIRST), year_of(world.last) + 1):
        for sent in conservation.register_days(year, (t.MERGER_ON, t.NEW_BUREAU_ON)):
            if sent <= world.until:
                yield whole("energy_register", sent, conservation.register_rows(world.papers, year, sent))
        sent, months = conservation.survey_day(year), (year * 12, year * 12 + 11)
        if months[1] <= world.last and sent <= world.until:
            yield monthly("energy_survey", sent, conservation.survey_rows(world.papers, year, sent), *months)
        quarters = list(range(year * 12 + 2, min(year * 12 + 12, world.last + 1), 3))
        sent = conservation.disclosed_day(year)
        if quarters and sent <= world.until:
            rows = [row for m in quarters for row in conservation.disclosed_rows(world.papers, m, sent)]
            yield monthly("energy_disclosure", sent, rows, quarters[0], quarters[-1])


def _other_books(world: World) -> Iterator[Export]:
    """Surveys and disclosures of whole years and quarters, and the note to one of them."""
    for year in range(year_of(FIRST), year_of(world.last) + 1):
        months = (year * 12, year * 12 + 11)
        sent = other_books.surveyed_day(year)
        if months[1] <= world.last and sent <= world.until:
            yield monthly("cost_survey", sent, other_books.surveyed_rows(world.books, year, sent), *months)
        sent = other_books.published_day(year)
        if months[1] <= world.last and sent <= world.until:
            yield monthly("three_public", sent, other_books.published_rows(world.books, year, sent), *months)
            if year == other_books.PLANTED_YEAR:
                sent += dt.timedelta(days=6)
                yield whole("reconcile_note", sent, other_books.remark_rows(world.books, sent))
    for last in range(FIRST + 2, world.last + 1, 3):
        sent = other_books.quarter_day(last)
        yield monthly("energy_quarter", sent, other_books.quarter_rows(world.books, last, sent), last, last)


def _budgets(world: World) -> Iterator[Export]:
    names = {1: "年初", 2: "年中调整", 3: "秋季调整"}
    for year in range(year_of(FIRST), year_of(world.last) + 1):
        for version in (budgets.INITIAL, budgets.JULY, budgets.SEPTEMBER):
            sent = budgets.sent_on(year, version)
            if sent > world.until:
                continue
            rows = list(budgets.budget_rows(world.plan, year, version))
            yield _renamed(whole("budget", sent, rows), f"{year}年部门预算指标_{names[version]}")
        for version in (budgets.INITIAL, budgets.JULY):
            sent = plans.sent_on(year, version)
            if sent <= world.until:
                yield whole("plan", sent, plans.plan_rows(world.plan, year, version))
    if world.until >= budgets.MERGED_ON and year_of(world.last) >= year_of(t.MERGER):
        rows = budgets.merger_rows(world.plan)
        yield _renamed(whole("budget", budgets.MERGED_ON, rows), "2025年部门预算指标_机构改革更正")


def _renamed(export: Export, name: str) -> Export:
    path = f"{export.recorded_at.year}/{name}.xlsx"
    return Export(path, export.source, export.recorded_at, export.rows, export.form)


def _single_forms(world: World) -> Iterator[Export]:
    """Forms a unit hands in by itself: late, in the wrong unit, and mended."""
    city = world.city
    if world.last >= t.NOT_REPORTED:
        late = city.role("late_reporter")
        rows = [_own_form(world, late.code, t.NOT_REPORTED, t.LATE_REPORT_ON)]
        tag = f"_{late.short}补报"
        yield monthly("energy_use", t.LATE_REPORT_ON, rows, t.NOT_REPORTED, t.NOT_REPORTED, tag=tag)
    if world.last >= t.WRONG_UNIT:
        unit = city.role("wrong_unit")
        row = _own_form(world, unit.code, t.WRONG_UNIT, t.WRONG_UNIT_ON)
        wrong = [energy.in_ten_thousands(row)]
        tag = f"_{unit.short}"
        yield monthly("energy_use", t.WRONG_UNIT_ON, wrong, t.WRONG_UNIT, t.WRONG_UNIT,
                      form=ENERGY_IN_TEN_THOUSANDS, tag=tag, believed=False)  # fmt: skip
        yield monthly("energy_use", t.WRONG_UNIT_MENDED_ON, [row], t.WRONG_UNIT, t.WRONG_UNIT, tag=f"{tag}更正")


def _own_form(world: World, code: str, month: int, sent: dt.datetime) -> Any:
    return next(row for row in energy.form_rows(world.consumption, month, sent) if row.unit == code)
