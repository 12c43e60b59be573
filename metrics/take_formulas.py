"""Step 4: ratios as one division with `nullif`, exact sums as DECIMAL, and beside them what was due and what came."""

from __future__ import annotations

from dataclasses import dataclass, replace

from metrics.formula import MONTHS, Operand
from metrics.plan import Plan, averages, node_filter, operand_table
from metrics.quotient import side_sql, value_sql
from metrics.tables import quoted


def take_formulas(plan: Plan) -> Plan:
    """Write the formulas over the operands, and beside them what was due and what came."""
    keys = [f"{_alias(0)}.{quoted(k)}" for k in plan.keys]
    window = _window(plan)
    columns: list[tuple[str, str]] = [(name, f"{_reported(plan, name, shift)}") for name, shift in _report_names(plan)]
    read = _Reader(plan.single)
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
    listed = ",\n  ".join([", ".join([*keys, window]), *(f"{text} AS {quoted(n)}" for n, text in columns)])
    final = f"SELECT\n  {listed}\nFROM {_sources_of_answers(plan)}"
    return replace(plan, columns=(*plan.keys, "w", *(n for n, _ in columns)), final=final)


def _window(plan: Plan) -> str:
    """Return the number of the window of a row."""
    month = f"{_alias(0)}.month_no"
    if plan.shape.windows == "ends":
        return f"list_position($ends, {month} + 1) - 1 AS w"
    return f"{month} - $first AS w" if plan.single else f"{_alias(0)}.w"


def _alias(shift: int) -> str:
    return f"o{shift}"


def _report_names(plan: Plan) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for report in plan.reports:
        found[report.column("due")] = report.shift
        found[report.column("got")] = report.shift
        if report.how == "sum" and not plan.single and averages(plan, report):
            found[report.column("months")] = report.shift
    return list(found.items())


def _reported(plan: Plan, name: str, shift: int) -> str:
    """Return where a report count is read: for single months every kind of count is the month's own."""
    if not plan.single:
        return f"{_alias(shift)}.{quoted(name)}"
    base = name.removesuffix(f"_{shift}") if shift else name
    return f"{_alias(shift)}.{quoted(base.removesuffix('_last'))}"


@dataclass(frozen=True)
class _Reader:
    """Where a formula finds its operands: in the cells where every window is one month, else summed per window."""

    single: bool

    def figure(self, operand: Operand) -> str:
        if operand.atom == MONTHS:
            return "1" if self.single else f"{_alias(0)}.{quoted(MONTHS)}"
        return f"{_alias(operand.shift)}.{quoted(operand.atom if self.single else operand.name)}"

    def months(self, operand: Operand) -> str | None:
        """Return the months of a mean; the mean of one month is that month."""
        averaged = operand.how == "avg" and not self.single
        return f"{_alias(operand.shift)}.{quoted(operand.months)}" if averaged else None


def _sources_of_answers(plan: Plan) -> str:
    single = plan.single
    base = plan.cells if single else operand_table(0)
    text = f"{base} {_alias(0)}"
    for shift in plan.shifts[1:]:
        other, time = (plan.cells, f"{_alias(shift)}.month_no = {_alias(0)}.month_no - {shift}") if single else (
            operand_table(shift), f"{_alias(shift)}.w = {_alias(0)}.w")  # fmt: skip
        same = " AND ".join(f"{_alias(shift)}.{quoted(k)} IS NOT DISTINCT FROM {_alias(0)}.{quoted(k)}" if k == "part"
                            else f"{_alias(shift)}.{quoted(k)} = {_alias(0)}.{quoted(k)}" for k in plan.keys)  # fmt: skip
        text += f"\nLEFT JOIN {other} {_alias(shift)} ON {same} AND {time}"
    if not single:
        return text
    months = f"{_alias(0)}.month_no >= $first AND {_alias(0)}.month_no < $last"
    if plan.shape.windows == "ends":
        months += f" AND list_contains($ends, {_alias(0)}.month_no + 1)"
    nodes = "" if plan.cells == "cells" else f"{node_filter(plan, _alias(0) + '.node')} AND "
    return f"{text}\nWHERE {nodes}{months}"
