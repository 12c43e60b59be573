"""What anyone could know on a day from the files received until then: an independent, plain recount.

Whole-month files replace their months, forms replace their lines, registers replace themselves. Nothing of the
cockpit is used here: sums are decimals added one by one.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from samples.city.calendar import OPEN, day, moment, month_of
from samples.city.exports import Export
from samples.city.items import ACCRUAL, DEPRECIATION, GENERAL, OUTSIDE_COST, PUBLIC, THREE_PUBLIC
from samples.city.records import CARRIERS, Energy, OrgUnit, Payment, Room
from samples.city.rooms import CAPS, IN_USE, LEASED, OFFICE, OWNED, RETIRED, VACANT

Sums = dict[tuple[str, int], Decimal]
ENERGY_DUE = 15

_MONTH_OF: dict[str, Callable[[Any], int]] = {
    "payment": lambda row: month_of(row.paid_on),
    "vehicle": lambda row: int(row.month),
    "trip": lambda row: month_of(row.started_at.date()),
    "vehicle_expense": lambda row: month_of(row.spent_on),
    "service_payment": lambda row: month_of(row.paid_on),
    "catering": lambda row: month_of(row.served_on),
    "account_balance": lambda row: int(row.month),
}
"""Forms that come as whole months."""
_KEY_OF: dict[str, Callable[[Any], Any]] = {
    "staff": lambda row: (row.unit, row.month),
    "energy_use": lambda row: (row.unit, row.month),
    "budget": lambda row: row[:3] + row[4:8],
    "plan": lambda row: row[:4],
    "work_order": lambda row: row.order_no,
    "evaluation": lambda row: (row.unit, row.month, row.service_kind),
    "vehicle_disposal": lambda row: row.plate,
    "vehicle_rental": lambda row: row.rental_no,
    "reception": lambda row: row.reception_no,
    "meeting": lambda row: row.meeting_no,
    "premises_report": lambda row: (row.unit, row.month),
    "space_disposal": lambda row: row.disposal_no,
    "asset": lambda row: (row.asset_no, row.month),
    "meter_month": lambda row: (row.meter_no, row.month),
    "energy_end_use": lambda row: row[:4],
    "energy_survey": lambda row: row[:3],
    "energy_disclosure": lambda row: row[:2],
    "three_public": lambda row: row[:2],
    "cost_survey": lambda row: row[:2],
    "energy_quarter": lambda row: row[:3],
    "reconcile_note": lambda row: row[:2],
    "property_service": lambda row: row[:3],
    "housing_fund": lambda row: row[:2],
}
"""Forms of which each line replaces the one of the same key."""
_SLICE_OF: dict[str, Callable[[Any], Any]] = {"energy_register": lambda row: row.year}
"""Registers of which each file replaces the whole slice it speaks of."""
COAL: dict[str, Decimal] = {
    "electricity": Decimal("0.1229"), "natural_gas": Decimal("1.33"), "coal_raw": Decimal("0.7143"),
    "gasoline": Decimal("0.73") * Decimal("1.4714"), "diesel": Decimal("0.86") * Decimal("1.4571"),
    "heat": Decimal("34.12"), "water": Decimal(0), "pv": Decimal(0), "green_power": Decimal(0),
    "diesel_other": Decimal("0.86") * Decimal("1.4571"),
}  # fmt: skip
"""kgce per unit of each carrier, calorific; water is no energy."""
PRICE_CAPS = {"轿车": 180_000, "越野车": 250_000, "商务车": 250_000, "中型客车": 250_000}
SMALL_CAP = 120_000


@dataclass(frozen=True)
class Knowledge:
    """All that was known at one moment."""

    exports: tuple[Export, ...]
    at: dt.datetime

    @cached_property
    def received(self) -> tuple[Export, ...]:
        """The believable files received so far, in order."""
        return tuple(e for e in self.exports if e.believed and e.recorded_at <= self.at)

    def rows(self, source: str) -> tuple[Any, ...]:
        """Return the rows of a dataset as known."""
        if source not in self._rows:
            self._rows[source] = tuple(self._gathered(source))
        return self._rows[source]

    @cached_property
    def _rows(self) -> dict[str, tuple[Any, ...]]:
        return {}

    def _gathered(self, source: str) -> Iterable[Any]:
        files = [export for export in self.received if export.source == source]
        if source in _MONTH_OF:
            return _latest_months(files, _MONTH_OF[source])
        if source in _KEY_OF:
            key = _KEY_OF[source]
            return {key(row): row for export in files for row in export.rows}.values()
        if source in _SLICE_OF:
            part = _SLICE_OF[source]
            latest = {part(row): export for export in files for row in export.rows}
            return (row for export in files for row in export.rows if latest[part(row)] is export)
        return files[-1].rows if files else ()

    def measured(self, measure: Callable[[Any, int], Sums], month: int) -> Sums:
        """Return what a measure adds up as of a month, counted once however many nodes and periods ask for it."""
        if (measure, month) not in self._measured:
            self._measured[measure, month] = measure(self, month)
        return self._measured[measure, month]

    @cached_property
    def _measured(self) -> dict[tuple[Callable[[Any, int], Sums], int], Sums]:
        return {}

    # --- the tree ----------------------------------------------------------------------------------------------------

    @cached_property
    def units(self) -> dict[str, OrgUnit]:
        """The register by code."""
        return {row.code: row for row in self.rows("org_unit")}

    def alive(self, code: str, month: int) -> bool:
        """Tell whether a unit existed in a month."""
        unit = self.units.get(code)
        return unit is not None and month_of(unit.valid_from) <= month < _end(unit.valid_to)

    def under(self, node: str, month: int) -> list[str]:
        """Return the units at or below a node that existed in a month."""
        if (node, month) not in self._under:
            inside = [code for code in self.units if self.alive(code, month) and node in self._line(code)]
            self._under[node, month] = inside
        return self._under[node, month]

    @cached_property
    def _under(self) -> dict[tuple[str, int], list[str]]:
        return {}

    def _line(self, code: str) -> Iterator[str]:
        while code:
            yield code
            code = self.units[code].parent if code in self.units else ""

    # --- sums by unit and month --------------------------------------------------------------------------------------

    def add(self, sums: Sums, node: str, months: Iterable[int]) -> Decimal:
        """Add up a measure over a node and some months; facts outside a unit's life do not count."""
        return sum((sums.get((code, m), Decimal(0)) for m in months for code in self.under(node, m)), Decimal(0))

    @cached_property
    def payments(self) -> dict[tuple[str, int], list[Payment]]:
        """Ledger lines by unit and month."""
        found: dict[tuple[str, int], list[Payment]] = defaultdict(list)
        for row in self.rows("payment"):
            found[row.unit, month_of(row.paid_on)].append(row)
        return found

    def paid(self, wanted: Callable[[Payment], bool]) -> Sums:
        """Return what was paid on the wanted lines."""
        return {place: sum((row.amount for row in rows if wanted(row)), Decimal(0))
                for place, rows in self.payments.items()}  # fmt: skip

    @cached_property
    def op_funds(self) -> Sums:
        """Operating funds: goods and services of basic public expenditure from the general budget."""
        return self.paid(lambda r: r.item_code.startswith("302") and r.exp_kind == PUBLIC and r.fund == GENERAL)

    @cached_property
    def op_cost(self) -> Sums:
        """Operating cost: goods and services but labour and commissions, and depreciation."""
        return self.paid(
            lambda r: r.item_code == DEPRECIATION or (r.item_code.startswith("302") and r.item_code not in OUTSIDE_COST)
        )

    @cached_property
    def cash(self) -> Sums:
        """Everything paid, without accruals."""
        return self.paid(lambda r: r.exp_kind != ACCRUAL)

    @cached_property
    def three_public(self) -> Sums:
        """The three public expenses of the general budget."""
        return self.paid(lambda r: r.item_code in THREE_PUBLIC and r.fund == GENERAL)

    def item(self, code: str) -> Sums:
        """Cash paid on one item."""
        return self.paid(lambda r: r.item_code == code and r.exp_kind != ACCRUAL)

    def budget(self, node: str, month: int, wanted: Callable[[Any], bool]) -> Decimal:
        """Return the budget of the year a month lies in, latest versions, of the units alive in that month."""
        inside = set(self.under(node, month))
        latest: dict[Any, Any] = {}
        for row in self.rows("budget"):
            place = (row.unit, row.item_code, row.project, row.fund, row.exp_kind)
            is_later = place not in latest or latest[place].version < row.version
            if row.year == month // 12 and row.unit in inside and wanted(row) and is_later:
                latest[place] = row
        return sum((row.amount for row in latest.values()), Decimal(0))

    @cached_property
    def energy(self) -> dict[tuple[str, int], Energy]:
        """Energy forms by unit and month."""
        return {(row.unit, row.month): row for row in self.rows("energy_use")}

    def used(self, carrier: str) -> Sums:
        """Quantity of one carrier."""
        place = CARRIERS.index(carrier)
        return {key: row.uses[place].quantity or Decimal(0) for key, row in self.energy.items()}

    @cached_property
    def energy_cost(self) -> Sums:
        """Bills of all carriers."""
        return {key: sum((use.cost or Decimal(0) for use in row.uses), Decimal(0)) for key, row in self.energy.items()}

    @cached_property
    def kgce(self) -> Sums:
        """Coal equivalent in kg."""
        return {key: sum(((use.quantity or Decimal(0)) * COAL[carrier]
                          for carrier, use in zip(CARRIERS, row.uses, strict=True)), Decimal(0))
                for key, row in self.energy.items()}  # fmt: skip

    def energy_reports(self, node: str, month: int) -> tuple[int, int]:
        """Return how many energy forms of a month were due and how many had come."""
        owing = [code for code in self.under(node, month) if self.units[code].scope_energy]
        if self.at < moment(day(month + 1, ENERGY_DUE), 23, 59):
            owing = []
        return len(owing), sum((code, month) in self.energy for code in owing)

    def counted(self, source: str, wanted: Callable[[Any], bool], amount: Callable[[Any], Any] = lambda _: 1) -> Sums:
        """Add up rows of a monthly dataset by unit and month."""
        month = _MONTH_OF.get(source, lambda row: int(row.month))
        sums: Sums = defaultdict(Decimal)
        for row in self.rows(source):
            if wanted(row):
                sums[row.unit, month(row)] += amount(row)
        return sums

    @cached_property
    def held(self) -> Sums:
        """Cars in use or sealed."""
        return self.counted("vehicle", _is_held)

    @cached_property
    def held_nev(self) -> Sums:
        """Cars of new energy among them."""
        return self.counted("vehicle", lambda row: _is_held(row) and row.fuel in ("纯电动", "插电混动"))

    @cached_property
    def borrowed(self) -> Sums:
        """Cars borrowed from others."""
        return self.counted("vehicle", lambda row: row.status == "借入")

    @cached_property
    def over_standard(self) -> Sums:
        """Cars over price or displacement."""
        return self.counted("vehicle", lambda row: _is_held(row) and not row.approval and is_over_standard(row))

    @cached_property
    def over_quota(self) -> Sums:
        """Cars over the quota of their class, class by class."""
        counts: dict[tuple[str, int, str], int] = defaultdict(int)
        for row in self.rows("vehicle"):
            if _is_held(row):
                counts[row.unit, row.month, row.veh_class] += 1
        quotas = list(self.rows("vehicle_quota"))
        sums: Sums = defaultdict(Decimal)
        for (unit, month, veh_class), count in counts.items():
            quota = sum(q.quota for q in quotas if q.unit == unit and q.veh_class == veh_class
                        and month_of(q.valid_from) <= month < _end(q.valid_to))  # fmt: skip
            sums[unit, month] += max(0, count - quota)
        return sums

    @cached_property
    def no_order(self) -> Sums:
        """Journeys without an order that were no duty."""
        return self.counted("trip", lambda row: not row.order_no and not row.duty)

    @cached_property
    def running(self) -> Sums:
        """Running cost of cars; a top-up is no consumption."""
        return self.counted("vehicle_expense", lambda row: row.kind != "充值", lambda row: row.amount)

    @cached_property
    def service_paid(self) -> Sums:
        """Paid on service contracts."""
        return self.counted("service_payment", lambda _: True, lambda row: row.amount)

    @cached_property
    def votes(self) -> Sums:
        """Votes on services."""
        return self.counted("evaluation", lambda _: True, lambda row: row.votes)

    @cached_property
    def points(self) -> Sums:
        """Scores weighed by votes."""
        return self.counted("evaluation", lambda _: True, lambda row: row.score * row.votes)

    @cached_property
    def jobs(self) -> tuple[Sums, Sums]:
        """Jobs closed, and those among them closed in time, by the month of closing."""
        closed: Sums = defaultdict(Decimal)
        in_time: Sums = defaultdict(Decimal)
        for row in self.rows("work_order"):
            if row.closed_at is None:
                continue
            place = (row.unit, month_of(row.closed_at.date()))
            closed[place] += 1
            in_time[place] += (row.closed_at - row.reported_at).total_seconds() <= float(row.sla_hours) * 3600
        return closed, in_time

    @cached_property
    def authorised(self) -> Sums:
        """Authorised staff."""
        return self.counted("staff", lambda _: True, lambda row: row.authorised_staff)

    # --- space -------------------------------------------------------------------------------------------------------

    def standing(self, source: str, month: int) -> list[Any]:
        """Return the rows of a space register that hold in a month."""
        return [row for row in self.rows(source) if month_of(row.valid_from) <= month < _end(row.valid_to)]

    def area(self, source: str, month: int, wanted: Callable[[Any], bool], amount: Callable[[Any], Any]) -> Sums:
        """Add up rows of a space register by unit, in one month."""
        sums: Sums = defaultdict(Decimal)
        for row in self.standing(source, month):
            if wanted(row):
                sums[row.unit, month] += amount(row)
        return sums

    def gross(self, month: int, wanted: Callable[[Any], bool] = lambda _: True) -> Sums:
        """Gross area."""
        return self.area("building", month, wanted, lambda row: row.gross_area)

    def over_rooms(self, month: int) -> Sums:
        """Offices over the cap of their occupants, without approval."""
        return self.area("room", month, is_over_room, lambda _: 1)

    def retired_rooms(self, month: int) -> Sums:
        """Offices of people who have left."""
        return self.area("room", month, lambda r: _is_office(r) and r.occupant_state == RETIRED, lambda _: 1)

    def many_rooms(self, month: int) -> Sums:
        """People with more than one office in a unit."""
        held: dict[tuple[str, str], int] = defaultdict(int)
        for row in self.standing("room", month):
            if _is_office(row) and row.person_no:
                held[row.unit, row.person_no] += 1
        sums: Sums = defaultdict(Decimal)
        for (unit, _), count in held.items():
            sums[unit, month] += count > 1
        return sums

    def leased_beside_vacant(self, month: int) -> Sums:
        """Offices a unit rents in a compound where rooms of its own stand vacant."""
        rows = self.standing("room", month)
        vacant = {(r.unit, r.compound) for r in rows if r.status == VACANT and r.tenure == OWNED}
        return self.area(
            "room", month,
            lambda r: _is_office(r) and r.tenure == LEASED and (r.unit, r.compound) in vacant,
            lambda r: r.usable_area,
        )  # fmt: skip


def _latest_months(files: Sequence[Export], month_of_row: Callable[[Any], int]) -> Iterator[Any]:
    owner: dict[int, Export] = {}
    for export in files:
        assert export.months is not None
        owner.update(dict.fromkeys(range(export.months[0], export.months[1] + 1), export))
    by_file: dict[int, list[int]] = defaultdict(list)
    for month, export in owner.items():
        by_file[id(export)].append(month)
    for export in files:
        months = set(by_file[id(export)])
        if months:
            yield from (row for row in export.rows if month_of_row(row) in months)


def _end(date: dt.date | None) -> int:
    return OPEN if date is None else month_of(date)


def _is_held(row: Any) -> bool:
    return row.status in ("在用", "封存")


def is_over_standard(row: Any) -> bool:
    """Tell whether a car is over what its class and body may cost or displace."""
    if row.veh_class == "特种专业技术":
        return False
    is_nev = row.fuel in ("纯电动", "插电混动")
    is_small = row.veh_class == "机要通信"
    price = SMALL_CAP if is_small and not is_nev else PRICE_CAPS[row.body]
    litres = Decimal("1.6") if is_small else Decimal("1.8") if row.body == "轿车" else Decimal("3.0")
    return bool(row.price > price or (row.displacement or 0) > litres)


def _is_office(row: Room) -> bool:
    return row.room_kind == OFFICE and row.status == IN_USE


def is_over_room(row: Room) -> bool:
    """Tell whether an office is over the cap of those who sit in it, without approval."""
    if not _is_office(row) or row.approval or not row.rank:
        return False
    return row.usable_area > CAPS[row.rank] * max(1, row.persons)


def months_of(period: str, grain: str) -> list[int]:
    """Return the months a period of a grain covers."""
    year = int(period[:4])
    if grain == "year":
        return list(range(year * 12, year * 12 + 12))
    month = year * 12 + int(period[5:7]) - 1
    first = {"month": month, "ytd": year * 12, "r12": month - 11}[grain]
    return list(range(first, month + 1))


def until_now(exports: tuple[Export, ...]) -> Knowledge:
    """Return all that is known in the end, when every form of the last month is overdue."""
    return Knowledge(exports, exports[-1].recorded_at + dt.timedelta(days=20))
