"""The rows of each export in base units (yuan, m², kWh, m³, GJ, L), before they are dressed as an office form."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple


class OrgUnit(NamedTuple):
    """One version of an organisation."""

    code: str
    name: str
    short_name: str
    parent: str
    level: str
    kind: str
    protocol_order: int
    climate: str
    valid_from: dt.date
    valid_to: dt.date | None
    aliases: str
    scope_cost: bool
    scope_vehicle: bool
    scope_space: bool
    scope_energy: bool
    scope_service: bool
    excluded: bool


class Staff(NamedTuple):
    """Heads of one unit in one month."""

    unit: str
    month: int
    authorised_staff: int
    actual_staff: int
    energy_headcount: int
    outside_staff: int


class Budget(NamedTuple):
    """One budget line of one year in one version."""

    unit: str
    year: int
    item_code: str
    item_name: str
    project: str
    fund: str
    exp_kind: str
    version: int
    approved_on: dt.date
    amount: Decimal


class Payment(NamedTuple):
    """One voucher line of the ledger."""

    voucher: str
    line: int
    unit: str
    paid_on: dt.date
    item_code: str
    item_name: str
    function_code: str
    project: str
    fund: str
    exp_kind: str
    amount: Decimal
    contract_no: str
    summary: str


class Vehicle(NamedTuple):
    """One car in the register of one month."""

    month: int
    plate: str
    unit: str
    vin: str
    model: str
    body: str
    veh_class: str
    displacement: Decimal | None
    fuel: str
    bought_on: dt.date
    price: Decimal
    registered_on: dt.date
    status: str
    owner: str
    approval: str
    marking: str
    on_platform: bool
    inspection_due: dt.date
    insurance_due: dt.date
    holiday_seal: str
    days_available: int
    days_used: int
    device_days: int
    online_days: int


class Quota(NamedTuple):
    """Cars a unit may hold in one class."""

    unit: str
    veh_class: str
    quota: int
    doc_no: str
    valid_from: dt.date
    valid_to: dt.date | None


class Trip(NamedTuple):
    """One journey."""

    plate: str
    started_at: dt.datetime
    ended_at: dt.datetime
    unit: str
    order_no: str
    km: Decimal
    purpose: str
    duty: bool
    origin_place: str
    destination: str
    veh_class: str
    fuel: str
    time_kind: str
    sensitive_stops: int


class Expense(NamedTuple):
    """One receipt of a car."""

    receipt_no: str
    plate: str
    unit: str
    kind: str
    spent_on: dt.date
    quantity: Decimal | None
    unit_price: Decimal | None
    amount: Decimal
    odometer: int | None
    veh_class: str = ""
    fuel: str = ""
    designated: bool | None = None
    alert: str = ""


class Building(NamedTuple):
    """One unit's share of a building."""

    code: str
    unit: str
    name: str
    compound: str
    address: str
    built_year: int
    floors: int
    gross_area: Decimal
    usable_area: Decimal
    heated_area: Decimal
    registrable: bool
    title_no: str
    tenure: str
    valid_from: dt.date
    valid_to: dt.date | None
    use_doc: str
    central: bool


class Room(NamedTuple):
    """One room with its occupant over one span."""

    building: str
    floor: int
    room_no: str
    room_kind: str
    usable_area: Decimal
    unit: str
    person_no: str
    rank: str
    persons: int
    occupant_state: str
    status: str
    tenure: str
    compound: str
    approval: str
    valid_from: dt.date
    valid_to: dt.date | None


class Use(NamedTuple):
    """Quantity of one carrier and what it cost; None is a blank cell."""

    quantity: Decimal | None
    cost: Decimal | None


class Energy(NamedTuple):
    """The energy form of one unit and month; carriers in the order of `CARRIERS`."""

    unit: str
    month: int
    uses: tuple[Use, ...]
    shared: bool


CARRIERS = (
    "electricity",
    "water",
    "natural_gas",
    "coal_raw",
    "gasoline",
    "diesel",
    "heat",
    "pv",
    "green_power",
    "diesel_other",
)


class Meter(NamedTuple):
    """One meter reading."""

    meter_no: str
    month: int
    unit: str
    building: str
    carrier: str
    previous: Decimal
    current: Decimal
    ratio: Decimal
    quantity: Decimal
    sub_item: str
    night: Decimal | None = None
    by_day: Decimal | None = None


class Contract(NamedTuple):
    """One service contract."""

    contract_no: str
    unit: str
    service_kind: str
    supplier: str
    amount: Decimal
    valid_from: dt.date
    valid_to: dt.date


class ServicePayment(NamedTuple):
    """One payment on a service contract."""

    voucher: str
    contract_no: str
    unit: str
    paid_on: dt.date
    amount: Decimal
    service_kind: str
    supplier: str


class WorkOrder(NamedTuple):
    """One repair job."""

    order_no: str
    unit: str
    building: str
    kind: str
    reported_at: dt.datetime
    closed_at: dt.datetime | None
    sla_hours: Decimal


class Evaluation(NamedTuple):
    """Mean score of one service at one unit in one month."""

    month: int
    unit: str
    service_kind: str
    score: Decimal
    votes: int
