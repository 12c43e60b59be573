"""Which forecasters speak for which length of history, and how their voices become one: the median.

Combined, never selected: any three or four cheap models together beat each of them alone, and the median including
the shrunk season is best or level at every length of history.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from metrics.insights.forecasters import dotm, mstl_ets, mstl_theta, seasonal_growth, seasonal_naive, shrunk_ses
from metrics.insights.forecasters.outlook import Floats, Outlook, season_strength

LONG_SEASONS = 4
SEEN_SEASONS = 2.5
"""Below so many seasons the automatic model switches the season off."""
SHOWN = 0.6
"""From this strength on a season shows, and a model that does not see it has no say."""
LEAST = 6
"""Fewer months than this say nothing but their last value."""

RAIL = 1.0
"""A path may leave the range of its history by this many ranges, no further."""


def voices(history: Floats, season: int) -> tuple[ModuleType, ...]:
    """Return the forecasters for a history: its length decides, and whether a season shows that some cannot see."""
    length = len(history)
    if length < LEAST:
        chosen: tuple[ModuleType, ...] = (seasonal_naive,)
    elif length < season:
        chosen = (shrunk_ses,)
    elif length <= LONG_SEASONS * season:
        chosen = (seasonal_naive, seasonal_growth, shrunk_ses, dotm, mstl_theta)
    else:
        chosen = (seasonal_naive, dotm, mstl_theta, mstl_ets)
    blind = length < SEEN_SEASONS * season and season_strength(history, season) >= SHOWN
    return tuple(one for one in chosen if length >= one.needs(season) and not (blind and one is dotm))


def pairs_from(season: int) -> int:
    """Return the length from which there are pairs enough of the same month to speak of a usual change on last year."""
    return season + max(1, season // 3)


def length_class(length: int, season: int) -> int:
    """Return the class of history lengths that share their error factors: with few pairs of months, up to two, four seasons, more."""
    return int(np.searchsorted([pairs_from(season), 2 * season + 1, LONG_SEASONS * season + 1], length, side="right"))


def combined(history: Floats, season: int, horizon: int) -> Outlook:
    """Return the median path of the voices, inside the rails, with the mean of their half-widths."""
    if np.all(history == history[0]):
        return Outlook(np.full(horizon, history[0]), np.zeros(horizon))
    outlooks = [module.expect(history, season, horizon) for module in voices(history, season)]
    mean = np.median(np.vstack([outlook.mean for outlook in outlooks]), axis=0)
    half = np.mean(np.vstack([outlook.half for outlook in outlooks]), axis=0)
    return Outlook(railed(mean, history), np.maximum(half, 0.0))


def railed(path: Floats, history: Floats) -> Floats:
    """Keep a path within the range of its history widened by one range, and above zero where the history is."""
    low, high = float(history.min()), float(history.max())
    room = RAIL * (high - low)
    floor = max(low - room, 0.0) if low >= 0 else low - room
    return np.clip(path, floor, high + room)


def method_name(history: Floats, season: int) -> str:
    """Return the method as it is stored: the voices joined."""
    chosen = voices(history, season)
    names = "+".join(module.NAME for module in chosen)
    return names if len(chosen) == 1 else f"median({names})"
