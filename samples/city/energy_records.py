"""Rows of the energy administration's further forms in stored units: parts of use, register, survey, publication."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple


class EndUse(NamedTuple):
    """What one unit's one carrier did for one purpose in one month."""

    unit: str
    month: int
    end_use: str
    carrier: str
    quantity: Decimal
    it_quantity: Decimal | None


class Listed(NamedTuple):
    """One institution in the register of one year."""

    year: int
    unit: str
    institution_kind: str
    quota_zone: str
    gross_area: Decimal
    heated_area: Decimal
    energy_headcount: int
    authorised_staff: int
    charging_points: int
    saving_office: bool
    water_saving: bool
    waste_sorting: bool
    food_saving: bool
    pv_capacity: Decimal


class Surveyed(NamedTuple):
    """One carrier of one unit in the survey of one year."""

    year: int
    unit: str
    carrier: str
    quantity: Decimal
    cost: Decimal
    heating: Decimal
    transport: Decimal
    machine_room: Decimal


class Disclosed(NamedTuple):
    """Whether one unit published the use of one quarter, under its last month."""

    month: int
    unit: str
    published_on: dt.date | None
    channel: str
