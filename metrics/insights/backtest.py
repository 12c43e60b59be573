"""What would have been forecast earlier, against what came: the only source of trust and of interval widths.

Rolling origins never see a month after the origin. A `Trial` keeps what all readers need: the pooled interval
factors, the comparison with "same as last year", and the errors of the sum of the months ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.insights.combine import LEAST, combined, length_class
from metrics.insights.forecasters import seasonal_naive
from metrics.insights.forecasters.outlook import Floats, Outlook

FLOOR_SHARE = 0.1
"""The half-width used for scaling is never below this share of the usual change on last year."""


@dataclass(frozen=True)
class Trial:
    """One origin of one series: the paths expected then, and what came."""

    length_class: int
    scale: float
    actual: Floats
    expected: Floats
    half: Floats
    naive: Floats
    naive_half: Floats


def usual_change(history: Floats, season: int) -> float:
    """Return the mean absolute change on the same month of last year (on last month when there is no year yet)."""
    lag = season if len(history) > season else 1
    changes = np.abs(history[lag:] - history[:-lag])
    return float(changes.mean()) if len(changes) else 0.0


def widths(outlook: Outlook, history: Floats, season: int) -> Floats:
    """Return the half-widths to scale errors by: the models' own, with a floor."""
    return np.maximum(outlook.half, FLOOR_SHARE * usual_change(history, season))


def origins(length: int, season: int, horizon: int, most: int) -> tuple[int, ...]:
    """Choose up to `most` origins: the last one first, then earlier ones, evenly, never below a usable history."""
    least = season if length > season else LEAST
    last = length - min(horizon, max(1, (length - least) // 2))
    if last < least:
        return ()
    chosen = np.linspace(last, least, num=min(most, last - least + 1)).round().astype(int)
    return tuple(sorted({int(origin) for origin in chosen}))


def trials(history: Floats, season: int, horizon: int, most: int) -> tuple[Trial, ...]:
    """Forecast a series from its own earlier origins."""
    return tuple(_trial(history, origin, season, horizon) for origin in origins(len(history), season, horizon, most))


def _trial(history: Floats, origin: int, season: int, horizon: int) -> Trial:
    past, actual = history[:origin], history[origin : origin + horizon]
    ours, naive = combined(past, season, len(actual)), seasonal_naive.expect(past, season, len(actual))
    return Trial(
        length_class=length_class(origin, season),
        scale=usual_change(past, season),
        actual=actual,
        expected=ours.mean,
        half=widths(ours, past, season),
        naive=naive.mean,
        naive_half=widths(naive, past, season),
    )
