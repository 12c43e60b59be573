"""What a figure is made of: one measure, or one measure divided by another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from samples.city.knowledge import Knowledge, Sums

Measure = Callable[[Knowledge, int], Sums]
"""A measure by unit and month; registers are counted for the month asked for."""


@dataclass(frozen=True)
class Figure:
    """How an indicator is made of measures: a sum, or one division of two sums."""

    unit: str
    above: Measure
    below: Measure | None = None
    shift: int = 0
    """Power of ten from the base unit to the declared one (-4: yuan to 万元; 2: share to per cent)."""
    stock: bool = False
