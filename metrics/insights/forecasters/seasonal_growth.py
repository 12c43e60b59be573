"""Same month of last year times the growth of the months so far, most of it: what a budget clerk does, damped.

The growth compares the last year with the same months of the year before; it is shrunk and bounded, for a few months
seldom tell the whole of it.
"""

from __future__ import annotations

import numpy as np

from metrics.insights.forecasters import seasonal_naive
from metrics.insights.forecasters.outlook import Floats, Outlook

NAME = "seasonal_growth"

DAMPING = 0.7
"""Share of the growth seen so far that is carried on."""
MOST = 0.3
"""Growth beyond this is a break, not growth."""
FEWEST = 3
"""Pairs of months a growth is read from at least."""


def needs(season: int) -> int:
    """Return how many months it takes at least."""
    return season + FEWEST


def expect(history: Floats, season: int, horizon: int) -> Outlook:
    """Repeat the last season at the level the latest months grew to."""
    naive = seasonal_naive.expect(history, season, horizon)
    pairs = min(season, len(history) - season)
    now, before = history[-pairs:], history[-pairs - season : len(history) - season]
    if history.min() < 0 or before.sum() <= 0:
        return Outlook(naive.mean + DAMPING * float(now.mean() - before.mean()), naive.half)
    growth = float(np.clip(now.sum() / before.sum() - 1, -MOST, MOST))
    return Outlook(naive.mean * (1 + DAMPING * growth), naive.half)
