"""Plans by month: a year's value split into twelve months that add up to it to the last digit. Pure.

    even               the same each month
    last_year_shape    as the same indicator of the same node ran through the year before
    degree_days        a base share evenly, the rest as the degree days of each calendar month
    given              the twelve months as they were handed in

Rounding: the running total of each month is the year times the running share, rounded half up to the last digit kept; a
month is the difference of two running totals. So no running total, against which pace is read, is off by more than half
a digit, the twelfth is the year itself, and no month carries what the others left over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Any, Literal

from warehouse.base.periods import month_label

Way = Literal["even", "last_year_shape", "degree_days", "given"]
MONTHS = 12
LAST_DIGIT = Decimal("0.01")
"""What months are rounded to, in base units; a year written finer is split as fine as it is written."""
BASE_UNITS: Mapping[str, Decimal] = {
    "CNY": Decimal(1), "CNY_10k": Decimal(10_000), "kgce": Decimal(1), "tce": Decimal(1_000),
}  # fmt: skip
"""Base units of one unit a plan may be written in."""


@dataclass(frozen=True)
class Version:
    """One version of a year's plan, and in which batches it was known."""

    unit: str
    indicator: str
    from_m: int
    """First month of the plan's year."""
    number: int
    value: Decimal
    value_unit: str
    way: Way
    base_share: Decimal | None = None
    given: tuple[Decimal, ...] = ()
    """The months of a given plan, January first, in the unit of the value."""
    rec_from: int = 0
    rec_to: int = 0
    papers: Mapping[str, Any] | None = field(default=None, compare=False)
    """Who set it, when, by which document and why; file and row it came from."""

    @property
    def key(self) -> tuple[str, str, int]:
        """What versions are versions of."""
        return self.unit, self.indicator, self.from_m

    @property
    def amount(self) -> Decimal:
        """The year in base units."""
        return self.value * BASE_UNITS[self.value_unit]


@dataclass(frozen=True)
class Inputs:
    """What a split rests on, as it was known at a batch: twelve figures in the order of the plan's months."""

    seq: int
    last_year: tuple[Decimal | None, ...] = ()
    degree_days: tuple[Decimal | None, ...] = ()


@dataclass(frozen=True)
class Share:
    """One month of a split: what went in, its weight, the exact and the rounded running total, and the month."""

    month: int
    read: Decimal | None
    weight: Fraction
    exact: Fraction
    running: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Laid:
    """A version split into months, or what is missing for it."""

    version: Version
    inputs: Inputs
    months: tuple[Share, ...] = ()
    missing: tuple[str, ...] = ()
    """Months without what the split needs; `total` where there is no positive sum to split by."""


def lay(version: Version, inputs: Inputs) -> Laid:
    """Split a version by what was known."""
    read = read_by(version, inputs)
    if version.way != "even":
        absent = tuple(month_label(version.from_m + place) for place, one in enumerate(read) if one is None)
        if absent or len(read) < MONTHS:
            return Laid(version, inputs, missing=absent or ("total",))
    weights = weights_of(version, [one or Decimal(0) for one in read])
    if weights is None:
        return Laid(version, inputs, missing=("total",))
    months = split(version.amount, weights)
    return Laid(version, inputs, tuple(
        Share(version.from_m + place, read[place] if read else None, weight, exact, running, amount)
        for place, (weight, exact, running, amount) in enumerate(months)
    ))  # fmt: skip


def read_by(version: Version, inputs: Inputs) -> tuple[Decimal | None, ...]:
    """Return the figures a version is split by, in the order of its months; none for an even split."""
    if version.way == "given":
        return tuple(version.given[(version.from_m + place) % MONTHS] for place in range(MONTHS))
    if version.way == "last_year_shape":
        return inputs.last_year
    return inputs.degree_days if version.way == "degree_days" else ()


def weights_of(version: Version, read: Sequence[Decimal]) -> tuple[Fraction, ...] | None:
    """Return the share of each month; None where what it is split by adds up to nothing."""
    even = Fraction(1, MONTHS)
    if version.way == "even" or (version.way == "given" and version.value == 0):
        return (even,) * MONTHS
    whole = Fraction(sum(read, Decimal(0)))
    base = Fraction(version.base_share or 0) / 100 if version.way == "degree_days" else Fraction(0)
    if base == 1:
        return (even,) * MONTHS
    if whole <= 0:
        return None
    return tuple(base * even + (1 - base) * Fraction(one) / whole for one in read)


def split(year: Decimal, weights: Sequence[Fraction]) -> list[tuple[Fraction, Fraction, Decimal, Decimal]]:
    """Return weight, exact running total, rounded running total and amount of each month; the amounts add up to the year."""
    digit = last_digit(year)
    exact = [Fraction(year) * share for share in accumulate(weights)]
    running = [*(rounded(total, digit) for total in exact[:-1]), year]
    before = [Decimal(0), *running[:-1]]
    return [(w, e, r, r - b) for w, e, r, b in zip(weights, exact, running, before, strict=True)]


def last_digit(year: Decimal) -> Decimal:
    """Return the digit months are rounded to."""
    exponent = year.normalize().as_tuple().exponent
    return min(LAST_DIGIT, Decimal(1).scaleb(exponent)) if isinstance(exponent, int) else LAST_DIGIT


def rounded(value: Fraction, digit: Decimal) -> Decimal:
    """Round half up to a digit, exactly."""
    steps = value / Fraction(digit)
    whole = (2 * abs(steps.numerator) + steps.denominator) // (2 * steps.denominator)
    return Decimal(whole if steps >= 0 else -whole) * digit


def in_force(versions: Sequence[Version], seq: int) -> Version | None:
    """Return the version of one plan that held as known at a batch: of those known, the one with the highest number."""
    known = [one for one in versions if one.rec_from <= seq < one.rec_to]
    return max(known, key=lambda one: (one.number, one.rec_from), default=None)


def spells(versions: Sequence[Version], end: int) -> list[tuple[int, int, Version]]:
    """Return (from batch, to batch, version in force) of one plan, oldest first; a withdrawal brings the older one back."""
    points = sorted({p for one in versions for p in (one.rec_from, one.rec_to) if p < end})
    found: list[tuple[int, int, Version]] = []
    for start, stop in zip(points, [*points[1:], end], strict=True):
        version = in_force(versions, start)
        if version is not None and found and found[-1][1] == start and found[-1][2] == version:
            found[-1] = (found[-1][0], stop, version)
        elif version is not None:
            found.append((start, stop, version))
    return found
