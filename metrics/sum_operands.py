"""Step 3: what the formulas read, per node and window; windows some months earlier stand beside the asked ones."""

from __future__ import annotations

from collections.abc import Sequence

from metrics.formula import MONTHS, WHOLE, Operand, View
from metrics.plan import Plan, cell_columns, cells_of, node_filter, operand_table, parts_of, times_of
from metrics.same_panel import bounds_of
from metrics.tables import quoted
from metrics.time_words import given_days


def sum_operands(plan: Plan) -> Plan:
    """Sum the cells of each window; an earlier window is read beside the asked one."""
    if plan.single:
        return plan
    for view in plan.views:
        plan = _operands(plan, view)
    return plan


def _operands(plan: Plan, view: View) -> Plan:
    if view.over not in ("", WHOLE):
        return _greatest(plan, view)
    columns = [*_operand_columns(plan, view), *([] if plan.shape.panel else _report_columns(plan, view))]
    listed = "".join(f", {text} AS {quoted(name)}" for name, text in columns)
    group = _group(plan)
    grouped = f"\nGROUP BY {', '.join(group)}" if group else ""
    each = "" if columns else "DISTINCT "
    return plan.with_cte(
        operand_table(view),
        _purpose(plan, view),
        f"SELECT {each}{_operand_keys(plan)}{listed}\nFROM {_windowed(plan, view)}{grouped}",
    )


_SPANS = {
    "asked": "operands of each window",
    "before": "operands of the month before each window",
    "ytd": "operands of the year up to the end of each window",
    "ytd_before": "operands of the month before the year of each window",
    "r12": "operands of the twelve months up to the end of each window",
    "r12_before": "operands of the month before the twelve months of each window",
}


def _purpose(plan: Plan, view: View) -> str:
    text = _SPANS[view.span] + (f", {view.shift} months earlier" if view.shift else "")
    text += ", of the parent of each month" if view.above else ""
    text += ", of all parts together" if view.over == WHOLE else ""
    averaged = any(operand.how == "avg" and operand.view == view for operand in plan.operands)
    return f"{text}; of a mean the sum and its months, or the figure they share" if averaged else text


def _greatest(plan: Plan, view: View) -> Plan:
    """Sum each part over its window, and keep the greatest."""
    atoms = [operand for operand in plan.operands if operand.view == view]
    sums = "".join(f", {text} AS {quoted(name)}" for name, text in _operand_columns(plan, view))
    most = "".join(f", max({quoted(operand.name)}) AS {quoted(operand.name)}" for operand in atoms)
    keys = ", ".join([*(quoted(key) for key in plan.keys), "w"])
    cells = _windowed(plan, view, parts_of(view.over), ("thing", *sorted({operand.atom for operand in atoms})))
    group = ", ".join([*_group(plan), "c.thing"])
    return plan.with_cte(
        operand_table(view),
        f"{_purpose(plan, view)}; the greatest by {view.over}",
        f"SELECT {keys}{most}\nFROM (\n  SELECT {_operand_keys(plan)}, c.thing{sums}\n  FROM {cells}\n  GROUP BY {group}\n)\n"
        f"GROUP BY {keys}",
    )


def _group(plan: Plan) -> list[str]:
    """Return what distinguishes rows of operands; one node and one window need no grouping."""
    keys = [f"c.{quoted(k)}" for k in plan.keys if k != "node" or not plan.shape.one_node]
    return [*keys, *(["c.w"] if plan.shape.windows == "many" else [])]


def _operand_keys(plan: Plan) -> str:
    keys = ["$nodes AS node" if k == "node" and plan.shape.one_node else f"c.{quoted(k)}" for k in plan.keys]
    return ", ".join([*keys, "c.w" if plan.shape.windows == "many" else "0 AS w"])


def _windowed(plan: Plan, view: View, cells: str = "", wanted: Sequence[str] = ()) -> str:
    """Return the cells of the asked windows, each cell once for every window it belongs to."""
    if plan.shape.panel:
        low, high = (f"v.{end}" for end in bounds_of(view))
        return f"panel_cells c JOIN windows v ON v.w = c.w\nWHERE c.month_no >= {low} AND c.month_no < {high}"
    back, first, last = f" - {view.shift}" if view.shift else "", _given("first", view), _given("last", view)
    within = f"c.month_no >= {first}{back} AND c.month_no < {last}{back}"
    cells, wanted = (quoted(cells), wanted) if cells else (cells_of(plan, view), cell_columns(plan))
    if cells == "node_now":
        within = f"{node_filter(plan, 'c.node')} AND {within}"
    if plan.shape.windows == "one":
        return f"{cells} c\nWHERE {within}"
    columns = [*plan.keys, "month_no", *wanted]
    listed = ", ".join(f"c.{quoted(column)}" for column in columns)
    index = f"c.month_no{f' + {view.shift}' if view.shift else ''} - {first} + 1"
    return (
        f"(\n  SELECT {listed}, unnest({_given('member', view)}[{index}]) AS w\n  FROM {cells} c\n  WHERE {within}\n) c"
    )


def _given(name: str, view: View) -> str:
    """Return the parameter that holds something of the windows of a view's span."""
    return f"${name}" if view.span == "asked" else f"${name}_{view.span}"


def _last_month(plan: Plan, view: View) -> str:
    """Return the condition that a cell is the last elapsed month of its window."""
    end = _given("last", view) if plan.shape.windows == "one" else f"{_given('ends', view)}[c.w + 1]"
    return f"c.month_no = {end} - {1 + view.shift}"


def _months(plan: Plan, view: View) -> str:
    if plan.shape.windows == "one":
        return f"({_given('last', view)} - {_given('first', view)})"
    return f"{_given('months', view)}[c.w + 1]"


def _operand_columns(plan: Plan, view: View) -> list[tuple[str, str]]:
    found = []
    for operand in plan.operands:
        if operand.view != view:
            continue
        column = f"c.{quoted(operand.atom)}"
        if operand.how == "avg":
            found += _mean_columns(plan, operand, column)
        elif operand.how == "last":
            found.append((operand.name, f"sum(CASE WHEN {_last_month(plan, view)} THEN {column} END)"))
        else:
            found.append((operand.name, f"sum({column})"))
    place = "1" if plan.shape.windows == "one" else "c.w + 1"
    for operand in times_of(plan, view):
        text = _months(plan, view) if operand.atom == MONTHS else given_days(operand, _node(plan), place)
        found.append((operand.name, text))
    return found


def _node(plan: Plan) -> str | None:
    """Return the column that names whose window it is; None where one node is asked."""
    return None if plan.shape.one_node else "c.part" if plan.shape.stays else "c.node"


def _mean_columns(plan: Plan, operand: Operand, column: str) -> list[tuple[str, str]]:
    """Return the sum of a stock's months and their number, by which it is still to be divided.

    Where the greatest figure × months is the sum, that figure is the mean and nothing is left to divide: a stock that
    stayed the same. Where somebody owed a month and nobody reported it, there is no number of months and so no mean: a
    sum over all months would show too small a stock, a sum over those that came another period.
    """
    months, lacking = _months(plan, operand.view), _lacking(plan, operand, column)
    steady = f"max({column}) * {months} = sum({column})"
    return [
        (operand.name, f"CASE WHEN {steady} THEN max({column}) ELSE sum({column}) END"),
        (operand.months, f"CASE WHEN {lacking} THEN NULL WHEN {steady} THEN 1 ELSE {months} END"),
    ]


def _lacking(plan: Plan, operand: Operand, column: str) -> str:
    """Return the condition that a month of a mean is wholly missing: reports were due and there is no figure."""
    laid = plan.layout.atoms[operand.atom]
    owed = " + ".join(f"c.{quoted('due_' + theme)}" for theme in sorted({plan.layout.themes[s] for s in laid.sources}))
    return f"max(CASE WHEN {column} IS NULL THEN {owed} END) > 0"


def _report_columns(plan: Plan, view: View) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for report in plan.reports:
        if report.view != view:
            continue
        month = _last_month(plan, view)
        for what in ("due", "got"):
            value = f"c.{quoted(report.cell(what))}"
            text = f"sum(CASE WHEN {month} THEN {value} END)" if report.how == "last" else f"sum({value})"
            found[report.column(what)] = text
    return list(found.items())
