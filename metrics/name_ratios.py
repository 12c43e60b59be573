"""Step 4a: the ratios a change holds against each other, each divided once and read by its name.

A change of a ratio shows both ratios and reads them three times more. Where a statement has such a formula, all its
formulas read from one step more, which gives what they read: `cost / heads_avg` and `cost_12 / heads_avg_12` stand there
as columns beside the figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from metrics import expressions as ex
from metrics.formula import Operand
from metrics.plan import Plan
from metrics.quotient import Reader, ratio_sql
from metrics.tables import quoted

SIDES = "sides"
WHY = "what the formulas read, with the ratios that are held against each other"


@dataclass(frozen=True)
class NamedReader:
    """Where a formula finds what it reads in the step of named ratios; `taken` are the columns that step must give."""

    beneath: Reader
    taken: dict[str, str] = field(default_factory=dict)

    def figure(self, operand: Operand) -> str:
        return self._column(operand.name, self.beneath.figure(operand))

    def months(self, operand: Operand) -> str | None:
        """Return by what the figure of a mean is still to be divided."""
        months = self.beneath.months(operand)
        return self._column(operand.months, months) if months else None

    def ratio(self, tree: exp.Expr) -> str | None:
        """Return the column of a ratio, divided in the step beneath."""
        if not isinstance(tree, exp.Div):
            return None
        name = ex.sql(tree).replace("$", "")
        return f"s.{quoted(name)}" if name in self.taken else self._column(name, ratio_sql(tree, self.beneath))

    def read_in(self, columns: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return the columns that finished formulas read: what only stands within a ratio is not handed on."""
        text = "\n".join(written for _, written in columns)
        return [(name, beneath) for name, beneath in self.taken.items() if f"s.{quoted(name)}" in text]

    def _column(self, name: str, text: str) -> str:
        self.taken[name] = text
        return f"s.{quoted(name)}"


def names_ratios(plan: Plan) -> bool:
    """Tell whether a formula of the statement is a change of ratios."""
    changes = [ask.formula for ask in plan.shape.asks if ask.formula.kind == "change"]
    return any(formula.numerator.find(exp.Div) is not None for formula in changes)
