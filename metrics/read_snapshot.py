"""Step 4, where the published snapshot answers: operands and counts stand in a row of their window, already summed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from metrics.formula import ASKED, MONTHS, Operand
from metrics.plan import Report, alias
from metrics.tables import quoted


@dataclass(frozen=True)
class SnapshotReader:
    """Where a formula finds its operands: those of an earlier window in the row of its last month."""

    def figure(self, operand: Operand) -> str:
        if operand.atom == MONTHS:
            return f"{alias(operand.view)}.{quoted(MONTHS)}"
        return f"{alias(operand.view)}.{quoted(replace(operand, shift=0).name)}"

    def months(self, operand: Operand) -> str | None:
        """Return the months of a mean, which stand beside its sum."""
        return f"{alias(operand.view)}.{quoted(replace(operand, shift=0).months)}" if operand.how == "avg" else None

    def ratio(self, tree: exp.Expr) -> None:
        """Return nothing: a snapshot holds operands."""


def snapshot_count(report: Report, what: str) -> str:
    """Return where a count of reports is read."""
    return f"{alias(report.view)}.{quoted(replace(report, view=ASKED).column(what))}"
