"""From what a dial showed to what was used: rollovers are seen through, swaps are bridged, and no use is ever negative.

A reading below the one before it is a rollover when the declared digits make it a small step; a slip when the next
reading goes on from before it; and else a new start whose difference nobody knows. Slips and unknown differences are
set aside with their reason, they never become a use.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from warehouse.metering.reading import Aside, Swap

ROLLOVER_SHARE = 10
"""A step over zero counts as a rollover when it is at most this part of the register's whole range."""


@dataclass(frozen=True)
class Mark:
    """What a dial showed at an instant."""

    at: dt.datetime
    value: Decimal


@dataclass(frozen=True)
class Step:
    """What a dial moved between two instants, in its own units, before the ratio; never negative."""

    start: dt.datetime
    end: dt.datetime
    moved: Decimal


def steps_of(
    marks: Sequence[Mark], swaps: Sequence[Swap], digits_at: Callable[[dt.datetime], int | None]
) -> tuple[list[Step], list[Aside]]:
    """Return the steps of a dial over any swaps, and what had to be set aside."""
    steps: list[Step] = []
    asides: list[Aside] = []
    dials = runs(marks, swaps)
    for number, run in enumerate(dials, 1):
        # the register turns to the new dial on the day of the swap: the old one is known by its first reading
        known_by = run[-1] if number == len(dials) else run[0]
        moved, left = screen(run, digits_at(known_by.at))
        steps += moved
        asides += left
    return steps, asides


def runs(marks: Sequence[Mark], swaps: Sequence[Swap]) -> list[list[Mark]]:
    """Split the marks at the swaps: the old dial ends with its end reading, the new one begins with its first."""
    parts: list[list[Mark]] = []
    rest = list(marks)
    opening: list[Mark] = []
    for swap in sorted(swaps, key=lambda one: one.at):
        old = opening + [mark for mark in rest if mark.at < swap.at or (mark.at == swap.at and swap.end is None)]
        rest = [mark for mark in rest if mark.at > swap.at]
        if swap.end is not None and old:
            old.append(Mark(swap.at, swap.end))
        parts.append(old)
        opening = [] if swap.start is None else [Mark(swap.at, swap.start)]
    parts.append(opening + rest)
    return [part for part in parts if len(part) > 1]


def screen(run: Sequence[Mark], digits: int | None) -> tuple[list[Step], list[Aside]]:
    """Return the steps of one dial and what was set aside of it."""
    modulus = None if digits is None else Decimal(10) ** digits
    kept: list[Mark] = []
    steps: list[Step] = []
    asides: list[Aside] = []
    for place, mark in enumerate(run):
        if modulus is not None and mark.value >= modulus:
            asides.append(Aside(mark.at, "too_many_digits", plain(mark.value), str(digits)))
            continue
        if not kept:
            kept = [mark]
            continue
        last, later = kept[-1], run[place + 1] if place + 1 < len(run) else None
        moved = step(last.value, mark.value, modulus)
        fell = mark.value < last.value
        slipped = fell and later is not None and last.value <= later.value
        jumped = fell and len(kept) > 1 and kept[-2].value <= mark.value
        if moved is not None and not slipped and not jumped:
            steps.append(Step(last.at, mark.at, moved))
            kept.append(mark)
        elif slipped or later is None:
            # the newest one waits: the next reading tells which of the two was wrong
            asides.append(Aside(mark.at, "reading_below_last", plain(mark.value), plain(last.value)))
        elif jumped and later.value >= mark.value:
            # the one before stood out: it is taken back, the step goes on from the one before that
            asides.append(Aside(last.at, "reading_above_next", plain(last.value), plain(mark.value)))
            kept.pop()
            before = steps.pop()
            steps.append(Step(before.start, mark.at, mark.value - kept[-1].value))
            kept.append(mark)
        else:
            asides.append(Aside(mark.at, "register_fell", plain(mark.value), plain(last.value)))
            kept = [mark]
    return steps, asides


def step(before: Decimal, after: Decimal, modulus: Decimal | None) -> Decimal | None:
    """Return how far a dial moved between two readings, over zero where its digits allow; None: it went back."""
    if after >= before:
        return after - before
    if modulus is not None and (wrapped := modulus - before + after) * ROLLOVER_SHARE <= modulus:
        return wrapped
    return None


def plain(value: Decimal) -> str:
    """Write a figure without exponent and without zeros at its end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
