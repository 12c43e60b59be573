"""The one door between the screens and everything behind them.

A handler opens a `Session` for one viewer; all it then reads comes from one generation of the store and from inside
the viewer's scope. The shapes below are all a screen knows of the house; `callbacks/live.py` fills them from a
store, the tests fill them by hand.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

from callbacks.desk import DeskView, Waiting
from callbacks.entry import Entry
from callbacks.language import Language
from metrics.diff import Difference
from metrics.drill import DrillRows
from metrics.model import Answer, Better, Query
from metrics.rule_rows import RuleRow
from warehouse.base.scope import Scope
from warehouse.operations.handover import HandoverRow
from warehouse.reach import Reach
from warehouse.store import Store
from warehouse.submissions import Submission

Level = Literal["red", "orange", "yellow", "blue"]
LEVELS: tuple[Level, ...] = ("red", "orange", "yellow", "blue")


@dataclass(frozen=True)
class Viewer:
    """Who asks and what they may see."""

    scope: Scope
    actor: str
    internal_on_wall: bool = False
    """Projections are internal assessments: they stay off the wall unless the office switches them on."""


@dataclass(frozen=True)
class Version:
    """What a screen compares to learn that there is something new."""

    generation: int
    through_seq: int
    records: str = ""
    """When the worker last judged or projected: that is news without any new figure."""


@dataclass(frozen=True)
class StoreFacts:
    """What the store says about itself."""

    origin: str
    currency: str
    zone: str
    names: Mapping[str, str]
    through_seq: int
    published_at: dt.datetime | None = None
    has_review: bool = False
    """Figures are told apart by what is reviewed and what is only reported."""
    definition_faults: int = 0
    """Faults of definitions that were to take the place of those the board goes on showing."""
    fiscal_start: int = 1
    """The month the store's fiscal year begins in."""

    @property
    def is_simulated(self) -> bool:
        """Tell whether every figure must be marked as simulated."""
        return self.origin == "simulated"


@dataclass(frozen=True)
class Node:
    """A unit, region, compound or building of the tree."""

    code: str
    name: str
    parent: str | None
    level: str
    kind: str
    order: int
    initials: str
    depth: int = 0
    full_name: str = ""
    others: tuple[str, ...] = ()
    """What else the unit is called: it is found by these too."""


@dataclass(frozen=True)
class Tree:
    """The organisation as known and as it was: nodes in official order, parents before their children."""

    nodes: Mapping[str, Node]
    root: str

    def children(self, code: str) -> tuple[Node, ...]:
        """Return the nodes directly below one, in official order."""
        return tuple(node for node in self.nodes.values() if node.parent == code)

    def path(self, code: str) -> tuple[Node, ...]:
        """Return the nodes from the root down to one."""
        node = self.nodes.get(code)
        if node is None:
            return ()
        if node.parent is None or node.parent not in self.nodes or node.parent == code:
            return (node,)
        return (*self.path(node.parent), node)

    def name(self, code: str, fallback: str = "") -> str:
        """Return the name of a node, or its code when the tree does not know it."""
        return self.nodes[code].name if code in self.nodes else fallback or code


@dataclass(frozen=True)
class Seam:
    """A month from which an indicator is defined otherwise than before, and by which document."""

    month: int
    documents: Mapping[str, str]


@dataclass(frozen=True)
class IndicatorCard:
    """What a screen needs to know of an indicator."""

    id: str
    theme: str
    names: Mapping[str, str]
    unit: str
    better: Better
    kind: str
    has_source: bool
    sources: tuple[str, ...] = ()
    dims: tuple[str, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict)
    meaning: Mapping[str, str] = field(default_factory=dict)
    formula: str = ""
    fingerprint: str = ""
    seams: tuple[Seam, ...] = ()


@dataclass(frozen=True)
class Alarm:
    """One warning that fires: which rule, where, since when, and by how much."""

    rule: str
    theme: str
    indicator: str
    node: str
    node_name: str
    period: str
    grain: str
    value: float | Decimal | None
    unit: str
    level: Level
    titles: Mapping[str, str]
    threshold: float | None = None
    kind: str = "threshold"
    """Kind of the rule: says what the threshold is measured in (the unit, times last year, points of the plan …)."""
    member: str = ""
    """The member of a dimension the rule was judged for, such as a budget item."""
    since: dt.datetime | None = None
    since_seq: int | None = None


@dataclass(frozen=True)
class LandingPoint:
    """One month of a year-end projection, cumulated from January."""

    period: str
    actual: float | None = None
    last_year: float | None = None
    mean: float | None = None
    low80: float | None = None
    high80: float | None = None
    low90: float | None = None
    high90: float | None = None


@dataclass(frozen=True)
class Landing:
    """Where a year will land: months so far, months to come, and the plan it is held against."""

    indicator: str
    names: Mapping[str, str]
    node: str
    year: int
    unit: str
    points: tuple[LandingPoint, ...]
    plan: float | None
    over_plan: float | None
    status: str
    reason: str = ""
    is_naive: bool = False
    """Nothing beat "same as last year", so last year's course is what is projected."""

    @property
    def end(self) -> LandingPoint | None:
        """The last month of the year, when it is projected."""
        last = self.points[-1] if self.points else None
        return last if last is not None and last.mean is not None else None


@dataclass(frozen=True)
class Mark:
    """A line to read a figure against: guide, base, limit, cap, quota, target."""

    key: str
    value: float
    rule: RuleRow | None = None
    """The row of the reference table that says so."""


@dataclass(frozen=True)
class Batch:
    """One committed load."""

    seq: int
    dataset: str
    file_name: str
    titles: Mapping[str, str]
    recorded_at: dt.datetime
    actor: str
    kind: str
    period_from: str
    period_to: str
    rows_in: int
    accepted: int
    unchanged: int
    quarantined: int
    skipped: int
    removed: int
    withdraws: int | None = None
    """The batch this one takes back, and why."""
    why: str = ""


@dataclass(frozen=True)
class Refused:
    """One row kept aside, with the reason and what would be right."""

    dataset: str
    file_name: str
    sheet: str
    row_no: int
    column: str
    value: str
    reasons: Mapping[str, str]
    recorded_at: dt.datetime | None


@dataclass(frozen=True)
class Doubtful:
    """One sound row that looks copied, filled in or calculated, what it was compared with, and what was said of it."""

    unit: str
    unit_name: str
    period: str
    titles: Mapping[str, str]
    file_name: str
    sheet: str
    row_no: int
    value: str
    other: str
    reasons: Mapping[str, str]
    explained: str = ""
    explained_by: str = ""


@dataclass(frozen=True)
class Due:
    """How complete one source is for one period: who owed it, who gave it, who is missing."""

    dataset: str
    names: Mapping[str, str]
    theme: str
    period: str
    due: int
    got: int
    missing: tuple[str, ...]
    due_on: dt.date | None
    status: str
    reviewed: int | None = None
    """How many of those that came stand reviewed as they came; None where the store does not work with review."""
    waiting: tuple[str, ...] = ()
    """Whose report came and is not reviewed."""


class Session(Protocol):
    """Everything a handler may ask, answered from one generation for one viewer."""

    @property
    def viewer(self) -> Viewer: ...

    @property
    def facts(self) -> StoreFacts: ...

    @property
    def now(self) -> dt.datetime: ...

    def evaluate(self, queries: Sequence[Query]) -> tuple[Answer, ...]:
        """Answer all queries, in their order."""
        ...

    def indicators(self) -> Mapping[str, IndicatorCard]:
        """Return every indicator of the catalogue inside the viewer's themes."""
        ...

    def tree(self, known_at: dt.datetime | None, tree: str) -> Tree:
        """Return the organisation inside the viewer's scope."""
        ...

    def latest_period(self, known_at: dt.datetime | None) -> str | None:
        """Return the last month with figures, or None when nothing was known yet."""
        ...

    def known_days(self) -> tuple[dt.date, ...]:
        """Return the days on which something was recorded, first to last."""
        ...

    def warnings(self, node: str, known_at: dt.datetime | None) -> tuple[Alarm, ...]:
        """Return what fires below a node, most severe first."""
        ...

    def landings(self, node: str, known_at: dt.datetime | None) -> tuple[Landing, ...]:
        """Return the stored year-end projections of a node."""
        ...

    def marks(self, indicator: str, node: str, period: str, known_at: dt.datetime | None) -> tuple[Mark, ...]:
        """Return the lines an indicator of a node is read against, lowest first."""
        ...

    def drill(self, query: Query, limit: int) -> DrillRows:
        """Return the source rows behind one figure."""
        ...

    def diff(self, query: Query, then: dt.datetime) -> tuple[Difference, ...]:
        """Return the figures that were others as known then, and the batches that moved them."""
        ...

    def entry(self, indicator: str, words: Language) -> Entry | None:
        """Return the page of the handbook of an indicator; None outside the viewer's themes."""
        ...

    def labels(self, dim: str) -> Mapping[str, str]:
        """Return the names of a dimension's values where the files or reference tables give them."""
        ...

    def batches(self, limit: int) -> tuple[Batch, ...]:
        """Return the latest loads, newest first."""
        ...

    def quarantine(self, limit: int) -> tuple[Refused, ...]:
        """Return the rows kept aside and still open."""
        ...

    def doubts(self, node: str, known_at: dt.datetime | None, limit: int) -> tuple[Doubtful, ...]:
        """Return the doubtful rows below a node, newest month first."""
        ...

    def desk(self) -> DeskView:
        """Return the files the viewer handed in and what they may be."""
        ...

    def reach(self) -> Reach:
        """Return for whom the viewer may report."""
        ...

    def units_below(self, node: str) -> frozenset[str]:
        """Return a node inside the viewer's scope and everything ever below it; nothing for a node outside."""
        ...

    def owns_unknown(self, node: str) -> bool:
        """Tell whether rows of a unit nobody knows are seen at a node: at a root, by a viewer whose scope is everything."""

    def submissions(self, node: str, first: str, last: str) -> tuple[Submission, ...]:
        """Return what is owed and was handed in below a node for some months, newest month first."""
        ...

    def waiting(self, node: str) -> tuple[Waiting, ...]:
        """Return how many rows below a node wait to be corrected; at a root also those of a unit nobody knows."""
        ...

    def still_waiting(self, row: HandoverRow) -> int:
        """Return how many rows of a hand-over still wait to be corrected."""

    def due_list(self, node: str, period: str, known_at: dt.datetime | None) -> tuple[Due, ...]:
        """Return how complete each source is below a node for a month."""
        ...


class Services(Protocol):
    """The store behind the screens; it may be empty or missing, and may change at any time."""

    def version(self) -> Version:
        """Return the present version, also for a store without data."""
        ...

    def is_ready(self) -> bool:
        """Tell whether figures can be answered."""
        ...

    def load_hint(self) -> str:
        """Return the command that would load data, shown while there is none."""
        ...

    def open(self, viewer: Viewer) -> AbstractContextManager[Session]:
        """Open the current generation for one viewer."""
        ...


def open_services(store: Store) -> Services:
    """Return the services over a store on disk; nothing is opened before the first question."""
    from callbacks.live import LiveServices

    return LiveServices(store)
