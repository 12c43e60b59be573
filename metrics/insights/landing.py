"""Where the year will land (全年预计): what is reported, plus what the remaining months are expected to bring.

The interval of the total comes from past errors of the *sum* of as many months, pooled over all nodes: months are
never taken as independent. A month nobody reported is estimated and said; it is never silently zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from metrics.insights import backtest, forecasting
from metrics.insights.forecasters.outlook import Floats
from metrics.insights.forecasting import Family
from metrics.insights.model import Band, Forecast, Landing, LandingStatus, PathPoint, Series
from warehouse.base.periods import Period

SEASON = 12
LEVELS = (80, 90)
ENOUGH = 20
"""Fewer past errors than this give no interval."""
SURE = (0.1, 0.5, 0.9)
"""Probabilities that name the early, the likely and the late month of passing the budget."""


@dataclass(frozen=True)
class History:
    """What is known of one node's monthly flow."""

    node: str
    series: Series
    """Months that are (nearly) fully reported."""
    partial: Series = ()
    """Months reported in part: a floor, not a value."""
    missing: tuple[int, ...] = ()
    """Months that are due and not reported at all."""
    budget: float | None = None


@dataclass(frozen=True)
class SumErrors:
    """Past errors of sums of the months ahead, in usual changes per month, by how many months were summed."""

    by_months: Mapping[int, Floats]
    pooled: Floats

    def of(self, months: int) -> Floats:
        """Return the errors for a sum of so many months; with too few of them, those of all sums."""
        found = self.by_months.get(months, self.pooled[:0])
        return found if len(found) >= ENOUGH else self.pooled


def learn(histories: Sequence[History]) -> tuple[Family, SumErrors, SumErrors]:
    """Back-test all nodes of one indicator: the family, and the sum errors of the combination and of last year."""
    values = [forecasting.filled(one.series, SEASON)[0] for one in histories if one.series]
    trials = forecasting.family_trials(values, SEASON, SEASON)
    return forecasting.family_of(trials), sum_errors(trials), sum_errors(trials, naive=True)


def sum_errors(trials: Sequence[backtest.Trial], naive: bool = False) -> SumErrors:
    """Collect the errors of running sums of every length."""
    found: dict[int, list[float]] = {}
    for trial in trials:
        if trial.scale > 0:
            gaps = np.cumsum(trial.actual - (trial.naive if naive else trial.expected))
            for months, gap in enumerate(gaps, start=1):
                found.setdefault(months, []).append(float(gap / (trial.scale * months)))
    by_months = {months: np.sort(np.asarray(errors)) for months, errors in sorted(found.items())}
    everything = [error for errors in found.values() for error in errors]
    return SumErrors(by_months, np.sort(np.asarray(everything, dtype=float)))


def outlook(history: History, family: Family) -> Forecast:
    """Return the twelve months after the last one that is (nearly) fully reported."""
    return forecasting.forecast(history.series, SEASON, LEVELS, SEASON, family)


def land(
    indicator: str, unit: str, year: int, history: History, ahead: Forecast, ours: SumErrors, naive: SumErrors,
    fiscal_start: int = 1,
) -> Landing:  # fmt: skip
    """Return where one node's fiscal year lands, given the months ahead and the errors such sums had."""
    within = Period.parse(str(year), fiscal_start)
    months = range(within.from_m, within.to_m)
    course = _course(months, history, ahead, naive if ahead.status == "fallback" else ours)
    paid = sum(float(value) for month, value in (*history.series, *history.partial) if month in months)
    owed = {month for month in (*history.missing, *(month for month, _ in history.partial)) if month in months}
    return Landing(
        indicator=indicator,
        node=history.node,
        year=year,
        unit=unit,
        paid=paid,
        months_reported=len(course.known) if course else 0,
        months_missing=tuple(sorted(owed)),
        expected=course.running(12)[0] if course else paid,
        bands=course.bands() if course else (),
        budget=history.budget,
        exceed_probability=course.exceed(history.budget, 12) if course else None,
        crossing=course.crossing(history.budget) if course else (None, None, None),
        status=_status(course, owed),
        method=ahead.method,
        reason=ahead.reason,
        path=course.path() if course else (),
    )


@dataclass(frozen=True)
class _Course:
    """One year, month by month: what is known, what is expected, and how far sums of the unknown used to be off."""

    expected: Mapping[int, float]
    known: Mapping[int, float]
    errors: SumErrors
    scale: float
    never_negative: bool

    @property
    def unknown(self) -> int:
        return len(self.expected) - len(self.known)

    @property
    def is_sure(self) -> bool:
        """Tell whether there are enough past errors for an interval of the year."""
        return not self.unknown or len(self.errors.of(self.unknown)) >= ENOUGH

    def running(self, upto: int) -> tuple[float, float, int]:
        """Return the total of the first months, the known part of it, and how many months are unknown."""
        first = sorted(self.expected)[:upto]
        known = [self.known[month] for month in first if month in self.known]
        return sum(self.expected[month] for month in first), sum(known), len(first) - len(known)

    def deviations(self, unknown: int) -> Floats:
        """Return by how much such sums were off, in the unit of the indicator, sorted."""
        return np.asarray(self.errors.of(unknown) * self.scale * unknown) if unknown else np.zeros(1)

    def ends(self, level: int, upto: int) -> tuple[float, float]:
        """Return the interval of a running total."""
        total, known, unknown = self.running(upto)
        deviations = self.deviations(unknown)
        count, tail = len(deviations), (1 - level / 100) / 2
        if not unknown or not count:
            return total, total
        low = total + float(deviations[max(int(np.floor((count + 1) * tail)) - 1, 0)])
        high = total + float(deviations[min(int(np.ceil((count + 1) * (1 - tail))) - 1, count - 1)])
        return min(total, max(low, known) if self.never_negative else low), max(total, high)

    def bands(self) -> tuple[Band, ...]:
        return self.bands_at(12) if self.is_sure else ()

    def bands_at(self, upto: int) -> tuple[Band, ...]:
        return tuple(Band(level, *self.ends(level, upto)) for level in LEVELS)

    def path(self) -> tuple[PathPoint, ...]:
        months = sorted(self.expected)
        return tuple(
            PathPoint(month, month in self.known, self.running(place)[0], self.bands_at(place))
            for place, month in enumerate(months, start=1)
        )

    def exceed(self, budget: float | None, upto: int) -> float | None:
        """Return the probability that the running total after so many months is above the budget."""
        if budget is None:
            return None
        total, _, unknown = self.running(upto)
        if not unknown:
            return float(total > budget)
        deviations = self.deviations(unknown)
        if len(deviations) < ENOUGH:
            return None
        return (int(np.sum(total + deviations > budget)) + 0.5) / (len(deviations) + 1)

    def crossing(self, budget: float | None) -> tuple[int | None, int | None, int | None]:
        """Return the months in which passing the budget becomes possible, likely and all but sure."""
        months = sorted(self.expected)
        chances = [(month, self.exceed(budget, place) or 0.0) for place, month in enumerate(months, start=1)]
        early, likely, late = (next((month for month, chance in chances if chance >= sure), None) for sure in SURE)
        return early, likely, late


def _course(months: range, history: History, ahead: Forecast, errors: SumErrors) -> _Course | None:
    """Put a year together; None when months are open and nothing is there to expect them from."""
    if not history.series:
        return None
    values, _ = forecasting.filled(history.series, SEASON)
    known = {month: float(value) for month, value in history.series if month in months}
    floors = {month: float(value) for month, value in history.partial}
    estimates = _estimates(history, values, ahead)
    if any(month not in known and month not in estimates for month in months):
        return None
    expected = {m: known[m] if m in known else max(floors.get(m, estimates[m]), estimates[m]) for m in months}
    scale = backtest.usual_change(values, SEASON)
    return _Course(expected, known, errors, scale, bool(values.min() >= 0))


def _estimates(history: History, values: Floats, ahead: Forecast) -> dict[int, float]:
    """Return an expected value for every month: holes as they were filled for the model, then the months ahead."""
    start = history.series[-1][0] - len(values) + 1
    found = {start + place: float(value) for place, value in enumerate(values)}
    return found | {step.month_no: step.mean for step in ahead.steps}


def _status(course: _Course | None, owed: set[int]) -> LandingStatus:
    if course is None:
        return "no_data"
    if owed:
        return "incomplete"
    if not course.unknown:
        return "closed"
    return "ok" if course.is_sure else "short"
