"""The shape all forecasters share: an expected path and the half-width each model gives its own 80 % interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Z80 = 1.2815515655446004
"""Half-width of the central 80 % of a normal distribution, in standard deviations."""


@dataclass(frozen=True)
class Outlook:
    """Expected values for the months ahead and the half-width of the model's own 80 % interval."""

    mean: Floats
    half: Floats


def from_model(model: Any, history: Floats, horizon: int) -> Outlook:
    """Run one statsforecast model on an array."""
    raw = model.forecast(y=history, h=horizon, level=[80])
    half = (np.asarray(raw["hi-80"], dtype=float) - np.asarray(raw["lo-80"], dtype=float)) / 2
    return Outlook(np.asarray(raw["mean"], dtype=float), np.nan_to_num(half, nan=0.0))


def flat(level: float, spread: float, horizon: int) -> Outlook:
    """Return a constant path whose uncertainty grows with the root of the distance."""
    steps = np.sqrt(np.arange(1, horizon + 1, dtype=float))
    return Outlook(np.full(horizon, level), Z80 * spread * steps)


def season_strength(history: Floats, season: int) -> float:
    """Return how much of the pattern repeats after one season, trend taken out: 0 (or too short to tell) to 1."""
    if len(history) < season + max(2, season // 3):
        return 0.0
    months = np.arange(len(history))
    rest = history - np.polyval(np.polyfit(months, history, 1), months)
    now, before = rest[season:], rest[:-season]
    size = float(np.sqrt((now @ now) * (before @ before)))
    return max(0.0, float(now @ before) / size) if size > 0 else 0.0
