"""Heads of each body, month by month: authorised, actual, and those who use energy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from samples.city.bodies import City
from samples.city.calendar import FIRST
from samples.city.chance import dice
from samples.city.records import Staff


@dataclass(frozen=True)
class Heads:
    """Heads of one body in one month."""

    authorised: int
    actual: int
    energy: int
    outside: int


def census(city: City, months: int) -> dict[tuple[str, int], Heads]:
    """Return the heads of every body in every month."""
    found: dict[tuple[str, int], Heads] = {}
    for body in city.bodies:
        rng = dice(city.seed, "people", body.key)
        present, users = rng.uniform(0.955, 0.985), rng.uniform(1.35, 1.75)
        hired = round(body.authorised * dice(city.seed, "outside staff", body.key).uniform(0.08, 0.26))
        for month in range(FIRST, FIRST + months):
            drift = rng.uniform(-0.006, 0.006)
            actual = min(body.authorised, round(body.authorised * (present + drift)))
            found[body.key, month] = Heads(body.authorised, actual, round(actual * users), hired)
    return found


def staff_rows(city: City, census: dict[tuple[str, int], Heads], month: int, sent: dt.datetime) -> Iterable[Staff]:
    """Return the staff form of a month as sent on a day: bodies added up by the code they report under; the car pool has nobody."""
    totals: dict[str, list[int]] = {}
    for body in city.bodies:
        heads = census[body.key, month]
        sums = totals.setdefault(city.code_of(body.key, month, sent), [0, 0, 0, 0])
        for place, value in enumerate((heads.authorised, heads.actual, heads.energy, heads.outside)):
            sums[place] += value
    totals[city.platform.code] = [0, 0, 0, 0]
    return (Staff(code, month, *sums) for code, sums in totals.items())
