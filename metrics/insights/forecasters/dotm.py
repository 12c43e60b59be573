"""The dynamic optimised Theta model: the best single cheap model on monthly series."""

from __future__ import annotations

from metrics.insights.forecasters.outlook import Floats, Outlook, from_model

NAME = "dotm"


def needs(_season: int) -> int:
    """Return how many months it takes at least."""
    return 6


def expect(history: Floats, season: int, horizon: int) -> Outlook:
    """Fit and run the model; without two full seasons it goes without one."""
    from statsforecast.models import DynamicOptimizedTheta

    usable = season if len(history) > 2 * season else 1
    return from_model(DynamicOptimizedTheta(season_length=usable), history, horizon)
