"""The words of the metric layer: what is asked (Query), what is answered (Answer), what a number means (Catalogue).

source     a dataset as the formulas see it: lookups joined, versions chosen, one population (theme)
atom       one exact figure per unit and month: a flow, a stock, or a leaf formula over finer atoms
indicator  arithmetic over atoms (functions: docs/definitions.md); texts, unit, direction, basis
cubes      atoms per unit and month (leaf) and per node and month (node), as signed changes per batch
answer     one indicator of one node in one window of months, with what was due, what came, and a status
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from warehouse.base.periods import Grain
from warehouse.base.scope import Scope
from warehouse.store import State

Figure = Decimal | float | int
"""A sum is a Decimal, a ratio is a float; neither is ever turned into the other on the way."""

Status = Literal[
    "forbidden", "no_source", "not_existing", "excluded", "not_due", "not_reported",
    "no_denominator", "no_base", "incomplete", "ok",
]  # fmt: skip
STATUSES: tuple[Status, ...] = (
    "forbidden", "no_source", "not_existing", "excluded", "not_due", "not_reported",
    "no_denominator", "no_base", "incomplete", "ok",
)  # fmt: skip
"""In this order: the first that holds is the status of a row."""

Better = Literal["lower", "higher", "band", "neutral"]
Role = Literal["value", "yoy", "same", "rank", "pct"]
"""What a figure is: itself, its change over a year, that change over the same units, its place among its peers."""
Caliber = Literal["monitor", "survey", "finance", "published"]
CALIBERS: tuple[Caliber, ...] = ("monitor", "survey", "finance", "published")
"""Whose figure it is: 监测口径 of ledgers and meters · 统计口径 of the official survey · the books of finance · what was
published."""
AS_WAS = "as-was"
AS_DATED = "as-dated"
THEMES = ("cost", "vehicle", "space", "energy", "service")
UNIT_DIMS = ("level", "kind", "climate", "department")
"""Attributes of the unit by which every figure can be split and filtered."""


@dataclass(frozen=True)
class Texts:
    """One text in both languages."""

    zh: str
    en: str

    def __getitem__(self, language: str) -> str:
        """Return the text of a language tag such as `zh-CN` or `en`."""
        return self.zh if language.lower().startswith("zh") else self.en


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question. "Today" (`now`) and "as known at" are fields, so that replay is only another question."""

    indicators: tuple[str, ...]
    nodes: tuple[str, ...]
    period_from: str
    period_to: str
    grain: Grain
    by: str | None = None
    where: str | None = None
    known_at: dt.datetime | None = None
    tree: str = AS_WAS
    scope: Scope
    actor: str
    state: State | None = None
    """reviewed or reported figures; None: reviewed where the store works with review."""
    now: dt.datetime | None = None
    """The store clock of a live question: months that have ended by then count. None: when the last batch came."""
    caliber: Caliber = "monitor"
    factors: str | None = None
    """`as-dated`: coefficients of each month's own time, as without a word; a year: its coefficients in all months."""
    align: str | None = None
    """`spring`: January and February are answered as one, so that the Spring Festival lies on both sides (春节可比)."""


@dataclass(frozen=True)
class Answer:
    """One row of surfaces §4. `value` is in the declared unit, numerator and denominator in base units.

    by children: `node` is the child, `dim` is 'children' and `dim_value` its code; the parent's own share is a row of
    the parent. by a dimension: `node` stays, `dim` and `dim_value` name the part.
    """

    indicator: str
    node: str
    node_name: str
    dim: str | None
    dim_value: str | None
    period: str
    grain: Grain
    value: Figure | None
    numerator: Figure | None
    denominator: Figure | None
    unit: str
    due: int
    got: int
    status: Status
    fingerprint: str
    through_seq: int
    known_at: dt.datetime | None
    tree: str
    origin: str
    state: State = "reported"
    """Whether the figures are what stands reviewed; in a store without review everything is as reported."""
    factors: str = ""
    """Which coefficients a question asked for; empty where it did not ask, or where the indicator reads none."""
    caliber: Caliber = "monitor"
    align: str = ""
    """How months were joined to be comparable, where a question asked for it."""


@dataclass(frozen=True)
class Lookup:
    """A dated reference table joined to a source's rows, on the months and the batches both were true and known."""

    table: str
    on: Mapping[str, str]
    """Column of the table → column of the row, or `org.<attribute>` of the row's unit in that month."""
    required: bool = False
    """A row without a match is no row of this source: what cannot be converted is not reported, and not zero."""
    factors: bool = False
    """The table gives coefficients: a question may ask for those of one year in all months."""
    bands: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Measured column of the row → columns of the table between which it must lie: from the first on, below the second.
    An empty bound is open."""
    where: str | None = None
    """Only these rows of the table are looked up."""

    @property
    def bounds(self) -> tuple[str, ...]:
        """Columns of the table that bound a band."""
        return tuple(column for pair in self.bands.values() for column in pair)


@dataclass(frozen=True)
class Latest:
    """Of rows that share `within`, only the one with the greatest `by` counts, at every moment of knowledge."""

    by: str
    within: tuple[str, ...]


@dataclass(frozen=True)
class Due:
    """A column of a source that tells whether a row ends within so many days of a month's end (`due_window`)."""

    name: str
    column: str
    days: int
    renewed_by: tuple[str, ...] = ()
    """Columns by which a later row takes over from one that ends."""
    begins: str = "valid_from"


@dataclass(frozen=True)
class Source:
    """A dataset as the atoms see it, within the population of one theme."""

    name: str
    of: str
    theme: str
    lookups: tuple[Lookup, ...] = ()
    latest: Latest | None = None
    month: str | None = None
    dims: tuple[str, ...] = ()
    where: str | None = None
    """Rows that do not meet it are no rows of this source, and no report: a budget is no final account."""
    due: Due | None = None


@dataclass(frozen=True)
class Part:
    """What one source adds to an atom: an aggregate over the rows that pass the filter."""

    of: str
    value: str
    where: str | None = None


@dataclass(frozen=True)
class Atom:
    """One exact figure per unit and month. A leaf atom is a formula over other atoms in cells of (unit, month, by…)."""

    name: str
    over_time: Literal["flow", "stock"]
    unit: str
    theme: str
    parts: tuple[Part, ...] = ()
    leaf: str | None = None
    by: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    operands: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    """Sources whose reports decide due and got; for a leaf atom those of the operands that must not be missing."""
    disjoint: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def is_leaf(self) -> bool:
        """Tell whether this is a formula over finer atoms."""
        return self.leaf is not None

    @property
    def is_distinct(self) -> bool:
        """Tell whether this counts distinct things, which no sum of changes can give."""
        return any("distinct" in part.value.lower() for part in self.parts)


@dataclass(frozen=True)
class Example:
    """A worked example: month figures of atoms and the value they must give in one window."""

    grain: Grain
    period: str
    atoms: Mapping[str, Mapping[str, Decimal]]
    expect: str
    numerator: str | None = None
    denominator: str | None = None
    parent: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    """Month figures of the parent, where the formula reads them."""
    parts: Mapping[str, Mapping[str, Mapping[str, Decimal]]] = field(default_factory=dict)
    """Month figures of atoms by part, where the formula reads parts."""
    part: str | None = None
    """Which part of them is asked; None: the node."""


@dataclass(frozen=True)
class Spell:
    """Which version of a definition was in force in months `[from_m, to_m)`."""

    from_m: int
    to_m: int
    name: str
    basis: Texts | None = None
    since: int | None = None
    """The month the version says it began in; the first one also reads the months before, which had no rule."""


@dataclass(frozen=True)
class Version:
    """An earlier version of an indicator, in force in months `[from_m, to_m)`."""

    from_m: int
    to_m: int
    indicator: Indicator
    """What was computed then; its id names the last month, as `en_tce@2024-12`."""
    written: str
    """The formula as it was written."""


@dataclass(frozen=True)
class Indicator:
    """What one number means, where it comes from and how it is shown."""

    id: str
    title: Texts
    unit: str
    better: Better
    digits: int
    theme: str
    basis: Texts
    evidence: str
    kind: Literal["sum", "ratio", "change"]
    """sum: exact and additive over units · ratio: one division of two exact sums · change: against a year before."""
    dims: tuple[str, ...]
    text: Texts
    """The formula in words."""
    value: str
    """The formula over atoms; `scale` is the power of ten to the declared unit (万元 -4, % 2)."""
    scale: int
    owner: str = ""
    hint: Texts | None = None
    since: str | None = None
    example: Example | None = None
    atoms: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    fingerprint: str = ""
    generated: bool = False
    """True for what every indicator has beside itself: `<id>_yoy`, `<id>_same`, `<id>_rank`, `<id>_pct`."""
    role: Role = "value"
    peers: tuple[str, ...] = ("level", "kind", "climate")
    """Attributes that make nodes peers, among whom the figure is ranked."""
    first: Better = "neutral"
    """Of a rank: the good direction of what is ranked."""
    caliber: Caliber = "monitor"
    grains: tuple[Grain, ...] = ()
    """The grains a form of another caliber is reported in; empty: all."""
    more: tuple[str, ...] = ()
    """Indicators by which the figure of another caliber is known to be greater than the one monitored."""
    less: tuple[str, ...] = ()
    """Indicators by which it is known to be smaller."""
    forms: tuple[Indicator, ...] = ()
    """The same indicator in other calibers, from other sources; each has its own formula, texts and example."""
    earlier: tuple[Version, ...] = ()
    """Versions of the past, oldest first; each ends where the next begins, the last where this one does."""

    @property
    def versions(self) -> tuple[Indicator, ...]:
        """Every version there ever was, the one of now last."""
        return (*(version.indicator for version in self.earlier), self)

    def at(self, month: int) -> Indicator:
        """Return the version in force in a month."""
        return next((v.indicator for v in self.earlier if month < v.to_m), self)


def seams(indicator: Indicator, from_m: int, to_m: int) -> tuple[int, ...]:
    """Return the first month of every version that began in `[from_m, to_m)`, for a chart to mark."""
    return tuple(version.to_m for version in indicator.earlier if from_m <= version.to_m < to_m)


@dataclass(frozen=True)
class Bridge:
    """Steps that lead from one figure to another: start + plus − less = end; every step is an indicator."""

    name: str
    title: Texts
    start: str
    end: str
    plus: tuple[str, ...]
    less: tuple[str, ...]
    basis: Texts
    evidence: str


@dataclass(frozen=True)
class Catalogue:
    """Every definition, checked; its fingerprint covers all of them."""

    indicators: Mapping[str, Indicator]
    atoms: Mapping[str, Atom]
    sources: Mapping[str, Source]
    fingerprint: str
    texts: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """The files it was made of, to be kept."""
    bridges: Mapping[str, Bridge] = field(default_factory=dict)
    fitted: str = ""
    """Set when its atoms bear the names they have in cubes built by other definitions: the fingerprint of those."""

    @property
    def written(self) -> tuple[Indicator, ...]:
        """The indicators that have a block of their own, in the order of their ids."""
        return tuple(self.indicators[key] for key in sorted(self.indicators) if not self.indicators[key].generated)
