"""Interval factors learnt from past errors, pooled over the series of one family, signed, per step and history length.

A model's own interval is too narrow everywhere; what holds is its half-width times the factor that would have covered
past truth. Pooling lets a short series borrow the family's errors; both ends have their own factor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from metrics.insights.backtest import Trial
from metrics.insights.forecasters.outlook import Floats

STEP_BANDS = (3, 6, 12)
"""Last step of each band of steps that share a factor; the rest is the last band."""
BANDS = range(len(STEP_BANDS) + 1)
ENOUGH = 30
"""Fewer errors than this in a cell: the cell of the nearest length is asked, then other steps."""
LENGTH_CLASSES, NO_PAIRS = 4, 0
PRIOR = {80: 1.6, 90: 2.1}
"""Factors before any error is known."""


@dataclass(frozen=True)
class Factors:
    """Signed errors in half-widths, sorted, per cell (length class, step band)."""

    cells: dict[tuple[int, int], Floats]

    def ends(self, length_class: int, step: int, level: int) -> tuple[float, float]:
        """Return the factors of the lower and the upper end for a level (in per cent)."""
        errors = self._errors(length_class, step_band(step))
        if errors is None:
            wide = PRIOR.get(level, PRIOR[90] * level / 90)
            return -wide, wide
        tail = (1 - level / 100) / 2
        return _quantile(errors, tail, upper=False), _quantile(errors, 1 - tail, upper=True)

    def _errors(self, length_class: int, band: int) -> Floats | None:
        """Return the errors of the first cell that has enough of them."""
        for cell in _cells(length_class, band):
            errors = self.cells.get(cell)
            if errors is not None and len(errors) >= ENOUGH:
                return errors
        return None


def _cells(length_class: int, band: int) -> list[tuple[int, int]]:
    """Return the cells to ask, nearest length first. Below the pairs of months errors have another measure."""
    if length_class == NO_PAIRS:
        return [(NO_PAIRS, band)]
    near = sorted(range(NO_PAIRS + 1, LENGTH_CLASSES), key=lambda other: (abs(other - length_class), -other))
    return [*((other, band) for other in near), *((other, step) for other in near for step in BANDS)]


def step_band(step: int) -> int:
    """Return the band of a step counted from 1."""
    return int(np.searchsorted(STEP_BANDS, step, side="left"))


def learn(trials: Iterable[Trial], naive: bool = False) -> Factors:
    """Collect the signed errors of past forecasts (or of "same as last year") into cells."""
    found: dict[tuple[int, int], list[float]] = {}
    for trial in trials:
        for step, error in enumerate(_scaled_errors(trial, naive), start=1):
            if np.isfinite(error):
                found.setdefault((trial.length_class, step_band(step)), []).append(float(error))
    return Factors({cell: np.sort(np.asarray(errors)) for cell, errors in sorted(found.items())})


def _scaled_errors(trial: Trial, naive: bool) -> Floats:
    path, half = (trial.naive, trial.naive_half) if naive else (trial.expected, trial.half)
    return np.asarray([e / h if h > 0 else np.nan for e, h in zip(trial.actual - path, half, strict=True)])


def _quantile(errors: Floats, share: float, upper: bool) -> float:
    """Return the conformal quantile: the rank is taken one outwards, as one error is yet to come."""
    ranks = len(errors)
    rank = int(np.ceil((ranks + 1) * share)) - 1 if upper else int(np.floor((ranks + 1) * share)) - 1
    return float(errors[min(max(rank, 0), ranks - 1)])
