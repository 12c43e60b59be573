"""The plan of a statement: what was asked (Shape), what the cubes hold (Layout), and the steps so far (Plan)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from metrics.filters import Filter
from metrics.formula import ASKED, MONTHS, TIMES, WHOLE, Formula, Operand, View

Reading = Literal["now", "then", "leaf"]
"""now: the current node cube · then: node changes up to a batch · leaf: unit changes joined to the tree."""

Windows = Literal["months", "ends", "end", "one", "many"]
"""months: every window is one month · ends: only last months are read · end: that of one window · one: a single longer
window · many: longer windows, which may overlap."""


@dataclass(frozen=True)
class Laid:
    """An atom as it lies in the cubes of one generation."""

    name: str
    digits: int
    tables: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Published:
    """The published snapshot of a generation: each kind with the month it reaches up to, and the columns all have."""

    ends: Mapping[str, int]
    columns: frozenset[str]


@dataclass(frozen=True)
class Layout:
    """The cubes of one generation: their atoms, the theme of each table, and the months laid out."""

    atoms: Mapping[str, Laid]
    themes: Mapping[str, str]
    first: int
    end: int
    key: str = ""
    """Equal for layouts that give the same text."""
    published: Published | None = None


@dataclass(frozen=True, order=True)
class Report:
    """The reports an operand needs: of one source, counted over the months of a view or in the last of them."""

    source: str
    theme: str
    how: Literal["sum", "last"]
    view: View = ASKED

    def column(self, what: str) -> str:
        """Column of `due` or `got` in generated SQL."""
        return self.cell(what) + ("_last" if self.how == "last" else "") + self.view.suffix

    def cell(self, what: str) -> str:
        """Column of `due` or `got` in the cells of one month."""
        return f"due_{self.theme}" if what == "due" else f"{what}_{self.source}"


@dataclass(frozen=True)
class Ask:
    """One indicator as it is compiled."""

    id: str
    formula: Formula
    scale: int
    order: Literal["ASC", "DESC"] = "ASC"
    """Of a rank: whether the smallest figure or the greatest is the first."""


@dataclass(frozen=True)
class Shape:
    """Everything that decides the text of the statement; equal shapes share one text."""

    asks: tuple[Ask, ...]
    reading: Reading
    windows: Windows
    one_node: bool
    dim: str | None = None
    """A dimension to split by; children are asked through `stays`."""
    stays: bool = False
    as_of: bool = False
    where: Filter | None = None
    panel: bool = False
    """Both sides of a comparison are summed over the same units; cells are read unit by unit."""
    peers: tuple[str, ...] = ()
    """Attributes of nodes that are ranked among each other; empty where nothing is ranked."""
    snap: str = ""
    """The kind of the published snapshot that answers in place of the cube of now, by its row of a window's last month."""


@dataclass(frozen=True)
class Cte:
    """One named step of the statement with the sentence that explains it."""

    name: str
    why: str
    sql: str


@dataclass(frozen=True)
class Plan:
    """The statement while it grows."""

    shape: Shape
    layout: Layout
    ctes: tuple[Cte, ...] = ()
    cells: str = "cells"
    columns: tuple[str, ...] = ()
    final: str = ""

    def with_cte(self, name: str, why: str, sql: str) -> Plan:
        """Return the plan with one more step."""
        return replace(self, ctes=(*self.ctes, Cte(name, why, sql)))

    @property
    def single(self) -> bool:
        """Tell whether every answer reads one month, so that cells are operands."""
        return self.shape.windows in ("months", "ends", "end")

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that name a row of cells beside the month."""
        return ("node", "part") if self.shape.dim or self.shape.stays else ("node",)

    @property
    def cell_keys(self) -> tuple[str, ...]:
        """Columns that name a row of cells as they are read: of a panel, each unit for itself."""
        return (*self.keys, "unit") if self.shape.panel else self.keys

    @property
    def operands(self) -> tuple[Operand, ...]:
        """Every operand of every formula."""
        return tuple(sorted({o for ask in self.shape.asks for o in ask.formula.operands if o.atom not in TIMES}))

    @property
    def views(self) -> tuple[View, ...]:
        """Every view of node and months that is read; the asked window of the node itself first."""
        read = {o.view for ask in self.shape.asks for o in ask.formula.operands}
        read |= {replace(view, over="") for view in read}  # reports are counted beside, of the node itself
        return (ASKED, *sorted(read - {ASKED}))

    @property
    def reports(self) -> tuple[Report, ...]:
        """Every report count the statuses need."""
        return tuple(sorted({r for o in self.operands for r in reports_of(o, self.layout)}))


def reports_of(operand: Operand, layout: Layout) -> tuple[Report, ...]:
    """Return the reports an operand needs; a last value needs only the last month's."""
    laid = layout.atoms.get(operand.atom)
    if laid is None:
        return ()
    how: Literal["sum", "last"] = "last" if operand.how == "last" else "sum"
    return tuple(Report(s, layout.themes[s], how, replace(operand.view, over="")) for s in laid.sources)


# --- what the formulas touch --------------------------------------------------------------------------------------


def tables(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return node table → atoms read from it, with the sources whose reports are counted."""
    found: dict[str, list[str]] = {source: [] for source in sources(plan)}
    for name in sorted({o.atom for o in plan.operands}):
        for table in plan.layout.atoms[name].tables:
            found.setdefault(table, []).append(name)
    return {table: tuple(atoms) for table, atoms in found.items()}


def sources(plan: Plan) -> tuple[str, ...]:
    """Return the sources whose reports are counted."""
    return tuple(dict.fromkeys(report.source for report in plan.reports))


def themes(plan: Plan) -> tuple[str, ...]:
    """Return the themes whose duties are counted."""
    return tuple(dict.fromkeys(report.theme for report in plan.reports))


def cell_columns(plan: Plan) -> tuple[str, ...]:
    """Return every column of the cells that is read."""
    if plan.shape.snap:
        return snapshot_columns(plan)
    return (
        *sorted({o.atom for o in plan.operands}),
        *(f"got_{s}" for s in sources(plan)),
        *(f"due_{t}" for t in themes(plan)),
    )


def snapshot_columns(plan: Plan) -> tuple[str, ...]:
    """Return the columns of a snapshot that are read: operands of the window that ends with a row's month, and counts."""
    operands = [replace(operand, shift=0) for operand in plan.operands]
    names = {o.name for o in operands} | {o.months for o in operands if o.how == "avg"}
    counts = {replace(report, view=ASKED).column(what) for report in plan.reports for what in ("due", "got")}
    return (MONTHS, *sorted(names), *sorted(counts))


def now_table(plan: Plan) -> str:
    """Return the table that holds the figures of now: of single months, or of the windows that end with each month."""
    return f"snap_{plan.shape.snap}" if plan.shape.snap else "node_now"


def node_filter(plan: Plan, column: str) -> str:
    """Return the condition that picks the asked nodes."""
    return f"{column} = $nodes" if plan.shape.one_node else f"{column} IN (SELECT unnest($nodes))"


def times_of(plan: Plan, view: View) -> tuple[Operand, ...]:
    """Return the lengths of a view's windows that formulas read: months, working days, days of heating."""
    read = {o for ask in plan.shape.asks for o in ask.formula.operands if o.atom in TIMES and o.view == view}
    return tuple(sorted(read))


def operand_table(view: View) -> str:
    """Return the CTE that holds the operands a view reads."""
    return f"operands{view.suffix}"


def alias(view: View) -> str:
    """Return the short name of a view's table in the last step."""
    return f"o{view.shift}" if view == View(view.shift) else f"o{view.suffix}"


PARENT_CELLS = "parent_cells"
WHOLE_CELLS = "whole_cells"


def cells_of(plan: Plan, view: View) -> str:
    """Return the table a view reads its months from."""
    if view.above:
        return PARENT_CELLS
    if view.over == WHOLE:
        return WHOLE_CELLS if plan.shape.dim else plan.cells
    return top_cells(view.over) if view.over else plan.cells


def parts_of(dim: str) -> str:
    """Return the CTE of the figures of each part of a dimension, of which the greatest is wanted."""
    return f"parts_{dim}"


def top_cells(dim: str) -> str:
    """Return the CTE of the greatest part of each month."""
    return f"top_{dim}"


def reads_parents(plan: Plan) -> bool:
    """Tell whether a formula reads the parent of the node."""
    return any(view.above for view in plan.views)
