"""What would have been forecast earlier, against what came: the only source of trust and of interval widths.

Rolling origins never see a month after the origin. A `Trial` keeps what all readers need: the pooled interval
factors, the comparison with "same as last year", and the errors of the sum of the months ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.insights.combine import LEAST, combined, length_class, pairs_from
from metrics.insights.forecasters import seasonal_naive
from metrics.insights.forecasters.outlook import Floats, Outlook

FLOOR_SHARE = 0.1
"""The half-width used for scaling is never below this share of the usual change on last year."""
TRUSTED_SEASONS = 4
"""Up to so many seasons of history the models' own widths jump as models join in; the usual change is the scale."""


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
    """Return the mean absolute change on the same month of last year (on last month while such pairs are few)."""
    lag = season if len(history) >= pairs_from(season) else 1
    changes = np.abs(history[lag:] - history[:-lag])
    return float(changes.mean()) if len(changes) else 0.0


def widths(outlook: Outlook, history: Floats, season: int) -> Floats:
    """Return what errors are measured in: the models' own half-widths, or for short histories the usual change."""
    usual = usual_change(history, season)
    if len(history) <= TRUSTED_SEASONS * season:
        return np.full(len(outlook.half), usual)
    return np.maximum(outlook.half, FLOOR_SHARE * usual)


def origins(length: int, season: int, horizon: int, most: int) -> tuple[int, ...]:
    """Choose up to `most` origins: one whole horizon before the end first, then later ones, then earlier ones.

    Late origins have nearly the history of today, so what they teach fits; the far steps need the early ones.
    """
    least = pairs_from(season) if length > pairs_from(season) else LEAST
    wanted = [length - round(horizon * share) for share in (1, 0.5, 0.25, 0.75, 1.5, 2)]
    usable = dict.fromkeys(max(origin, least) for origin in wanted)
    return tuple(sorted([origin for origin in usable if origin < length][:most]))


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
