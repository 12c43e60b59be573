"""Step 3: what the formulas read, per node and window; windows some months earlier stand beside the asked ones."""

from __future__ import annotations

from metrics.formula import MONTHS, Operand
from metrics.plan import Plan, averages, cell_columns, node_filter, operand_table, uses_months
from metrics.tables import quoted


def sum_operands(plan: Plan) -> Plan:
    """Sum the cells of each window; an earlier window is read beside the asked one."""
    if plan.single:
        return plan
    for shift in plan.shifts:
        plan = _operands(plan, shift)
    return plan


def _operands(plan: Plan, shift: int) -> Plan:
    columns = [*_operand_columns(plan, shift), *_report_columns(plan, shift)]
    listed = "".join(f", {text} AS {quoted(name)}" for name, text in columns)
    group = _group(plan)
    grouped = f"\nGROUP BY {', '.join(group)}" if group else ""
    return plan.with_cte(
        operand_table(shift),
        _purpose(plan, shift),
        f"SELECT {_operand_keys(plan)}{listed}\nFROM {_windowed(plan, shift)}{grouped}",
    )


def _purpose(plan: Plan, shift: int) -> str:
    text = f"operands of each window, {shift} months earlier" if shift else "operands of each window"
    averaged = any(operand.how == "avg" and operand.shift == shift for operand in plan.operands)
    return f"{text}; of a mean the sum and its months, or the figure they share" if averaged else text


def _group(plan: Plan) -> list[str]:
    """Return what distinguishes rows of operands; one node and one window need no grouping."""
    keys = [f"c.{quoted(k)}" for k in plan.keys if k != "node" or not plan.shape.one_node]
    return [*keys, *(["c.w"] if plan.shape.windows == "many" else [])]


def _operand_keys(plan: Plan) -> str:
    keys = ["$nodes AS node" if k == "node" and plan.shape.one_node else f"c.{quoted(k)}" for k in plan.keys]
    return ", ".join([*keys, "c.w" if plan.shape.windows == "many" else "0 AS w"])


def _windowed(plan: Plan, shift: int) -> str:
    """Return the cells of the asked windows, each cell once for every window it belongs to."""
    back = f" - {shift}" if shift else ""
    within = f"c.month_no >= $first{back} AND c.month_no < $last{back}"
    if plan.cells != "cells":
        within = f"{node_filter(plan, 'c.node')} AND {within}"
    if plan.shape.windows == "one":
        return f"{plan.cells} c\nWHERE {within}"
    columns = [*plan.keys, "month_no", *cell_columns(plan)]
    listed = ", ".join(f"c.{quoted(column)}" for column in columns)
    index = f"c.month_no{f' + {shift}' if shift else ''} - $first + 1"
    return f"(\n  SELECT {listed}, unnest($member[{index}]) AS w\n  FROM {plan.cells} c\n  WHERE {within}\n) c"


def _last_month(plan: Plan, shift: int) -> str:
    """Return the condition that a cell is the last elapsed month of its window."""
    end = "$last" if plan.shape.windows == "one" else "$ends[c.w + 1]"
    return f"c.month_no = {end} - {1 + shift}"


def _months(plan: Plan) -> str:
    return "($last - $first)" if plan.shape.windows == "one" else "$months[c.w + 1]"


def _operand_columns(plan: Plan, shift: int) -> list[tuple[str, str]]:
    found = []
    for operand in plan.operands:
        if operand.shift != shift:
            continue
        column = f"c.{quoted(operand.atom)}"
        if operand.how == "avg":
            found += _mean_columns(plan, operand, column)
        elif operand.how == "last":
            found.append((operand.name, f"sum(CASE WHEN {_last_month(plan, shift)} THEN {column} END)"))
        else:
            found.append((operand.name, f"sum({column})"))
    if shift == 0 and uses_months(plan):
        found.append((MONTHS, _months(plan)))
    return found


def _mean_columns(plan: Plan, operand: Operand, column: str) -> list[tuple[str, str]]:
    """Return the sum of a stock's months and their number, by which it is still to be divided.

    Where the greatest figure × months is the sum, that figure is the mean and nothing is left to divide: a stock that
    stayed the same.
    """
    months = _months(plan)
    steady = f"max({column}) * {months} = sum({column})"
    return [
        (operand.name, f"CASE WHEN {steady} THEN max({column}) ELSE sum({column}) END"),
        (operand.months, f"CASE WHEN {steady} THEN 1 ELSE {months} END"),
    ]


def _report_columns(plan: Plan, shift: int) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for report in plan.reports:
        if report.shift != shift:
            continue
        month = _last_month(plan, shift)
        for what, column in (("due", f"due_{report.theme}"), ("got", f"got_{report.source}")):
            value = f"c.{quoted(column)}"
            text = f"sum(CASE WHEN {month} THEN {value} END)" if report.how == "last" else f"sum({value})"
            found[report.column(what)] = text
        if report.how == "sum" and averages(plan, report):
            found[report.column("months")] = f"sum(CASE WHEN c.{quoted('got_' + report.source)} > 0 THEN 1 END)"
    return list(found.items())
