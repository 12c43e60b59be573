"""Readings and what is known of the meter they come from: the values that the folding rules work on.

Instants are aware and in UTC. A register reading is what the dial shows; a quantity is what was used in the `minutes`
that end at `at`. `factor` leads from the unit the figure was given in to the unit of the energy (kWh, m³, GJ).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["register", "quantity"]
Quality = Literal["good", "estimated", "bad"]
QUALITIES: tuple[Quality, ...] = ("good", "estimated", "bad")
BASE_UNITS = {"electricity": "kWh", "water": "m3", "natural_gas": "m3", "heat": "GJ"}
"""The unit a quantity of each energy is kept in."""
ONE = Decimal(1)


@dataclass(frozen=True)
class Reading:
    """One reading of one meter; of two for the same instant the one received last holds."""

    at: dt.datetime
    value: Decimal
    received: dt.datetime
    kind: Kind = "register"
    minutes: int | None = None
    """Length of the interval a quantity stands for, when it was said."""
    factor: Decimal = ONE
    quality: Quality = "good"


@dataclass(frozen=True)
class Version:
    """What the register says of a meter over the local days `[valid_from, valid_to)`."""

    valid_from: dt.date
    unit: str
    energy: str
    valid_to: dt.date | None = None
    building: str | None = None
    ratio: Decimal = ONE
    digits: int | None = None
    minutes: int | None = None
    parent: str | None = None


@dataclass(frozen=True)
class Swap:
    """A meter taken out and another put in at an instant; what was not read then is None."""

    at: dt.datetime
    end: Decimal | None
    start: Decimal | None


@dataclass(frozen=True)
class Meter:
    """A meter as the register knows it: its versions by start and its swaps by time."""

    name: str
    versions: tuple[Version, ...]
    swaps: tuple[Swap, ...] = ()

    def on(self, day: dt.date) -> Version | None:
        """Return the version in force on a local day; of two the one that started later."""
        found = [v for v in self.versions if v.valid_from <= day and (v.valid_to is None or day < v.valid_to)]
        return found[-1] if found else None

    def at(self, instant: dt.datetime, zone: dt.tzinfo) -> Version | None:
        """Return the version in force at an instant; what begins on the day of a swap begins with the swap."""
        day = instant.astimezone(zone).date()
        version = self.on(day)
        if version is None or version.valid_from != day:
            return version
        is_before = any(swap.at > instant and swap.at.astimezone(zone).date() == day for swap in self.swaps)
        earlier = self.on(day - dt.timedelta(days=1)) if is_before else None
        return earlier or version


@dataclass(frozen=True)
class Aside:
    """A reading, or a difference of two, that counts nowhere until a person has looked at it."""

    at: dt.datetime
    code: str
    value: str
    hint: str = ""


def newest(readings: Sequence[Reading]) -> list[Reading]:
    """Return one reading an instant, by time: the one received last."""
    held: dict[dt.datetime, Reading] = {}
    for reading in readings:
        known = held.get(reading.at)
        if known is None or reading.received >= known.received:
            held[reading.at] = reading
    return [held[at] for at in sorted(held)]
