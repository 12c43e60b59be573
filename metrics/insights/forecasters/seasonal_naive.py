"""Same month of last year; with less than a year, the last value. The bar every other forecaster has to clear."""

from __future__ import annotations

import numpy as np

from metrics.insights.forecasters.outlook import Z80, Floats, Outlook, flat

NAME = "seasonal_naive"


def needs(_season: int) -> int:
    """Return how many months it takes at least."""
    return 1


def expect(history: Floats, season: int, horizon: int) -> Outlook:
    """Repeat the last season; the spread is that of the changes from season to season."""
    if len(history) < season:
        steps = np.diff(history)
        return flat(float(history[-1]), _spread(steps), horizon)
    last = history[-season:]
    mean = np.resize(last, horizon)
    rounds = np.sqrt(np.arange(horizon) // season + 1.0)
    return Outlook(mean, Z80 * _spread(history[season:] - history[:-season]) * rounds)


def _spread(changes: Floats) -> float:
    return float(np.sqrt(np.mean(changes**2))) if len(changes) else 0.0
