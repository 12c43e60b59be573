"""What the insights package says: forecasts, year-end landings and findings of warning rules.

Everything here is a value. A forecaster sees numbers, a rule sees answers, and neither sees a clock, a file or a
database: who calls decides what was known (`known_at`) and stores what comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from metrics.model import Answer, Query, Texts
from warehouse.base.periods import Grain

Evaluate = Callable[[Query], tuple[Answer, ...]]
"""The one door to figures: a query bound to a generation and a catalogue by whoever calls."""

Series = tuple[tuple[int, Decimal], ...]
"""Months (month numbers, ascending) with their values; a month that is not reported is simply absent."""


# --- forecasts -------------------------------------------------------------------------------------------------------

ForecastStatus = Literal["ok", "fallback", "short", "empty"]
"""ok: the combination is shown · fallback: same as last year, for the combination did not beat it ·
short: too few months for a season · empty: nothing to go on."""


@dataclass(frozen=True)
class Band:
    """An interval that should hold the truth in `level` per cent of cases."""

    level: int
    low: float
    high: float


@dataclass(frozen=True)
class Step:
    """One month ahead: the expected value and its intervals, narrow to wide."""

    number: int
    month_no: int
    mean: float
    bands: tuple[Band, ...]

    def band(self, level: int) -> Band:
        """Return the interval of a level."""
        return next(band for band in self.bands if band.level == level)


@dataclass(frozen=True)
class Reason:
    """Why a forecast is as it is: a text key and its numbers; rendering makes the sentence."""

    key: str
    values: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """Return the compact form that is stored and exported: `key name=value`."""
        return " ".join([self.key, *(f"{name}={value}" for name, value in self.values)])


@dataclass(frozen=True)
class Forecast:
    """What is expected of a series, by which method, how sure, and why so."""

    steps: tuple[Step, ...]
    method: str
    status: ForecastStatus
    reason: Reason


# --- landing (全年预计) ----------------------------------------------------------------------------------------------

LandingStatus = Literal["ok", "incomplete", "closed", "short", "no_data"]
"""ok · incomplete: some months are not (fully) reported and are estimated, which is said · closed: the year is
complete, nothing is expected · short: too little history for an interval · no_data."""


@dataclass(frozen=True)
class PathPoint:
    """The running total of a year at the end of one month, reported or expected, with its intervals."""

    month_no: int
    reported: bool
    total: float
    bands: tuple[Band, ...]


@dataclass(frozen=True)
class Landing:
    """Where a year's total of a flow will land: what is there, what is still expected, and how sure that is."""

    indicator: str
    node: str
    year: int
    unit: str
    paid: float
    months_reported: int
    months_missing: tuple[int, ...]
    expected: float
    bands: tuple[Band, ...]
    budget: float | None
    exceed_probability: float | None
    crossing: tuple[int | None, int | None, int | None]
    """Month in which the running total passes the budget: early (10 %), likely (50 %), late (90 %); None = not."""
    status: LandingStatus
    method: str
    reason: Reason
    path: tuple[PathPoint, ...]

    def band(self, level: int) -> Band | None:
        """Return the interval of a level, if there is one."""
        return next((band for band in self.bands if band.level == level), None)


# --- warning rules ---------------------------------------------------------------------------------------------------

Level = Literal["red", "orange", "yellow", "blue"]
"""红 违反规定 · 橙 超出限额 · 黄 明显偏离 · 蓝 提醒."""
LEVELS: tuple[Level, ...] = ("red", "orange", "yellow", "blue")

RuleKind = Literal["threshold", "change", "missing", "repeat", "pace"]
Where = Literal["unit", "root", "any"]
Shape = Literal["each", "spell"]
"""each: every period that fires is a warning of its own (events) · spell: unbroken periods are one warning (states)."""


@dataclass(frozen=True)
class Limit:
    """One step of a rule: the level from a bound on. What is compared with the bound depends on the kind."""

    level: Level
    above: Decimal | None = None
    at_least: Decimal | None = None
    below: Decimal | None = None

    @property
    def bound(self) -> Decimal:
        """Return the bound, whichever way it is passed."""
        return next(bound for bound in (self.above, self.at_least, self.below) if bound is not None)

    def holds(self, measure: Decimal) -> bool:
        """Tell whether a measure lies beyond the bound."""
        return (
            (self.above is not None and measure > self.above)
            or (self.at_least is not None and measure >= self.at_least)
            or (self.below is not None and measure < self.below)
        )


@dataclass(frozen=True)
class Example:
    """A tiny case of a rule: monthly (or yearly) values, and the levels expected by period; empty: it must not fire."""

    values: tuple[tuple[str, Decimal], ...]
    expect: tuple[tuple[str, Level], ...]
    absent: tuple[str, ...] = ()
    """Periods whose report is due and has not come."""


@dataclass(frozen=True)
class Rule:
    """One warning rule as its TOML file declares it."""

    id: str
    title: Texts
    advice: Texts
    kind: RuleKind
    indicator: str
    grain: Grain
    at: Where
    shape: Shape
    limits: tuple[Limit, ...]
    basis: Texts
    evidence: str
    examples: tuple[Example, ...]
    floor: Decimal = Decimal(0)
    """What is smaller is not worth a warning: a value or change in the indicator's unit; pace: base units ahead of plan."""
    also: tuple[str, ...] = ()
    """repeat: further indicators that must be the same too."""
    shares: tuple[Decimal, ...] = ()
    """pace: per cent of the year's plan that may be used by the end of each month."""
    plan: str | None = None
    """pace: the indicator that says how much of the year is planned by then; where it has no figure, `shares` hold."""
    by: str | None = None
    """A dimension: the rule is judged for each of its members."""
    partial: bool = False
    """May fire on incomplete data: a count above zero stays above zero."""

    @property
    def to_verify(self) -> bool:
        """Tell whether the basis is not confirmed by an official text (待核实)."""
        return self.evidence not in {"C", "C2"}

    @property
    def indicators(self) -> tuple[str, ...]:
        """Every indicator the rule reads."""
        return tuple(dict.fromkeys([self.indicator, *self.also, *([self.plan] if self.plan else [])]))

    def limit_for(self, measure: Decimal) -> Limit | None:
        """Return the gravest step whose bound the measure is beyond."""
        return next((limit for limit in self.limits if limit.holds(measure)), None)


@dataclass(frozen=True)
class Reading:
    """What a rule found for one node and one period."""

    period: str
    value: Decimal
    unit: str
    level: Level
    status: str
    bound: Decimal
    """The bound that was passed (times last year, per cent of plan … as the kind of the rule has it)."""
    base: Decimal | None = None
    """What the value was compared with: last year's, the plan's share, the reports due."""


@dataclass(frozen=True)
class Finding:
    """A warning: one rule at one node, since its first period, with the readings behind it."""

    rule: str
    indicator: str
    node: str
    node_name: str
    dim_value: str | None
    grain: Grain
    title: Texts
    readings: tuple[Reading, ...]
    is_over: bool
    """A later period is known and does not fire any more: the data has closed it."""
    to_verify: bool = False

    @property
    def key(self) -> str:
        """Return the stable identity: rule, node, member of the dimension, first period."""
        member = f"/{self.dim_value}" if self.dim_value else ""
        return f"{self.rule}@{self.node}{member}@{self.first.period}"

    @property
    def first(self) -> Reading:
        """Return the reading it began with."""
        return self.readings[0]

    @property
    def last(self) -> Reading:
        """Return the newest reading."""
        return self.readings[-1]

    @property
    def level(self) -> Level:
        """Return the gravest level of its readings."""
        return min((reading.level for reading in self.readings), key=LEVELS.index)
