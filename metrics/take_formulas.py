"""Step 4: ratios as one division with `nullif`, exact sums as DECIMAL, and beside them what was due and what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from metrics.formula import ASKED, MONTHS, TIMES, Operand
from metrics.name_ratios import SIDES, WHY, NamedReader, names_ratios
from metrics.plan import Plan, Report, alias, cells_of, node_filter, operand_table
from metrics.quotient import Reader, side_sql, value_sql
from metrics.read_snapshot import SnapshotReader, snapshot_count
from metrics.tables import quoted
from metrics.time_words import given_days


def take_formulas(plan: Plan) -> Plan:
    """Write the formulas over the operands, and beside them what was due and what came."""
    node = None if plan.shape.one_node else f"{alias(ASKED)}.{'part' if plan.shape.stays else 'node'}"
    read = SnapshotReader() if plan.shape.snap else _Reader(plan.single, node)
    keys = [(key, f"{_base(plan)}.{quoted(key)}") for key in plan.keys] + [("w", _window(plan))]
    counts = [(name, _reported(plan, report, what)) for name, report, what in _counts(plan)]
    source = _sources_of_answers(plan)
    if not names_ratios(plan):
        return _written(plan, [*keys, *counts, *_figures(plan, read)], source)
    named = NamedReader(read)
    figures = _figures(plan, named)
    plan = plan.with_cte(SIDES, WHY, f"{_select([*keys, *counts, *named.read_in(figures)])}\nFROM {source}")
    shown = [(n, "s.w" if n == "w" else f"s.{quoted(n)}") for n, _ in (*keys, *counts)]
    return _written(plan, [*shown, *figures], f"{SIDES} s")


def _figures(plan: Plan, read: Reader) -> list[tuple[str, str]]:
    """Return the columns of every formula, and before them the months of means."""
    columns = [(o.months, months) for o in plan.operands if (months := read.months(o))]
    digits = {a: laid.digits for a, laid in plan.layout.atoms.items()}
    for ask in plan.shape.asks:
        formula = ask.formula
        columns.append((f"{ask.id}.value", value_sql(formula, ask.scale, read, digits)))
        if formula.denominator is not None or ask.scale != 0:
            columns.append((f"{ask.id}.numerator", side_sql(formula.numerator, read)))
        if formula.denominator is not None:
            columns.append((f"{ask.id}.denominator", side_sql(formula.denominator, read)))
        if formula.current is not None:
            columns.append((f"{ask.id}.current", side_sql(formula.current, read)))
    return columns


def _written(plan: Plan, columns: Sequence[tuple[str, str]], source: str) -> Plan:
    return replace(plan, columns=tuple(n for n, _ in columns), final=f"{_select(columns)}\nFROM {source}")


def _select(columns: Sequence[tuple[str, str]]) -> str:
    """Write the columns, those that name a row in one line."""
    place = [name for name, _ in columns].index("w")
    keys = [text for _, text in columns[:place]]
    window = columns[place][1]
    keys.append(window if window.endswith(".w") else f"{window} AS w")
    return "SELECT\n  " + ",\n  ".join(
        [", ".join(keys), *(f"{text} AS {quoted(n)}" for n, text in columns[place + 1 :])]
    )


def _window(plan: Plan) -> str:
    """Return the number of the window of a row."""
    month = f"{alias(ASKED)}.month_no"
    if plan.shape.windows == "ends":
        return f"list_position($ends, {month} + 1) - 1"
    if plan.shape.windows == "end":
        return "0"
    return f"{month} - $first" if plan.single else f"{_base(plan)}.w"


def _base(plan: Plan) -> str:
    """Return what every answer has a row of: operands of the asked window, or of a panel its counts."""
    return "p" if plan.shape.panel else alias(ASKED)


def _counts(plan: Plan) -> list[tuple[str, Report, str]]:
    """Return every count of reports with the column it stands in."""
    found: dict[str, tuple[Report, str]] = {}
    for report in plan.reports:
        for what in ("due", "got"):
            found[report.column(what)] = (report, what)
    return [(name, report, what) for name, (report, what) in found.items()]


def _reported(plan: Plan, report: Report, what: str) -> str:
    """Return where a report count is read: for single months every kind of count is the month's own."""
    if plan.shape.panel:
        return "p.owed" if what == "due" else "p.came"
    if plan.shape.snap:
        return snapshot_count(report, what)
    return f"{alias(report.view)}.{quoted(report.cell(what) if plan.single else report.column(what))}"


@dataclass(frozen=True)
class _Reader:
    """Where a formula finds its operands: in the cells where every window is one month, else summed per window."""

    single: bool
    node: str | None = None
    """The column that names whose window it is; None where one node is asked."""

    def figure(self, operand: Operand) -> str:
        if operand.atom == MONTHS:
            return "1" if self.single else f"{alias(operand.view)}.{quoted(operand.name)}"
        if operand.atom in TIMES and self.single:
            return given_days(operand, self.node, f"{alias(ASKED)}.month_no - $first + 1")
        return f"{alias(operand.view)}.{quoted(operand.atom if self.single else operand.name)}"

    def months(self, operand: Operand) -> str | None:
        """Return the months of a mean; the mean of one month is that month."""
        averaged = operand.how == "avg" and not self.single
        return f"{alias(operand.view)}.{quoted(operand.months)}" if averaged else None

    def ratio(self, tree: exp.Expr) -> None:
        """Return nothing: cells and operands hold no ratio."""


def _sources_of_answers(plan: Plan) -> str:
    single = plan.single
    base = plan.cells if single else operand_table(ASKED)
    text = "panel p" if plan.shape.panel else f"{base} {alias(ASKED)}"
    for view in plan.views if plan.shape.panel else plan.views[1:]:
        own, other = _base(plan), alias(view)
        time = f"{other}.month_no = {own}.month_no - {view.shift}" if single else f"{other}.w = {own}.w"
        same = " AND ".join(
            f"{other}.{quoted(k)} {'IS NOT DISTINCT FROM' if k == 'part' else '='} {own}.{quoted(k)}" for k in plan.keys
        )
        table = cells_of(plan, view) if single else operand_table(view)
        text += f"\nLEFT JOIN {table} {other} ON {same} AND {time}"
    if not single:
        return text
    nodes = "" if plan.cells == "cells" else f"{node_filter(plan, alias(ASKED) + '.node')} AND "
    if plan.shape.windows == "end":
        return f"{text}\nWHERE {nodes}{alias(ASKED)}.month_no = $last - 1"
    first = "$ends[1] - 1" if plan.shape.snap else "$first"
    months = f"{alias(ASKED)}.month_no >= {first} AND {alias(ASKED)}.month_no < $last"
    if plan.shape.windows == "ends":
        months += f" AND list_contains($ends, {alias(ASKED)}.month_no + 1)"
    return f"{text}\nWHERE {nodes}{months}"
