"""What a query lists instead of its answers: the units between two trees (--bridge), the reports it lacks (--missing).

Beside the answers, on the error stream: who owes what they lack, and which facts lie outside the life of their unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cockpit.commands.answers import show_rows
from cockpit.commands.common import err, in_currency, print_json
from metrics.missing import Missing, missing_reports
from metrics.model import Answer, Catalogue, Query
from metrics.outside import outside_life
from metrics.tree_bridge import TreeBridge, tree_bridge
from warehouse.base.periods import month_label
from warehouse.store import Generation

NAMED = 3
BRIDGE = (
    "indicator", "node", "node_name", "period", "grain", "step", "unit_code", "unit_name", "months", "under", "tree_under",
    "belonged", "numerator", "denominator", "value", "unit", "status", "tree", "adds_up",
)  # fmt: skip
BRIDGE_SHOWN = (
    "indicator", "node", "period", "step", "unit_code", "unit_name", "months", "under", "tree_under", "numerator", "denominator",
    "value", "unit",
)  # fmt: skip
MISSING = ("node", "dataset", "source", "source_en", "unit", "unit_name", "period", "due_on", "days_late")
MISSING_SHOWN = ("node", "dataset", "source", "unit", "unit_name", "period", "due_on", "days_late")


def show_bridge(generation: Generation, catalogue: Catalogue, query: Query, form: str, out: Path | None) -> None:
    """Print the bridge from the tree of each month's time to the tree of a day; its rows add up from top to bottom."""
    bridges = tree_bridge(generation, catalogue, query)
    if form == "json":
        print_json(in_currency([bridge.as_json() for bridge in bridges], generation.meta))
        return
    rows = in_currency([row for bridge in bridges for row in _bridge_rows(bridge)], generation.meta)
    show_rows(rows, BRIDGE, BRIDGE_SHOWN, form, out)


def _bridge_rows(bridge: TreeBridge) -> list[dict[str, Any]]:
    ends = [_end(bridge, bridge.as_was, "as-was"), _end(bridge, bridge.as_of, "as-of")]
    lines = [
        _about(bridge) | {
            "step": line.move, "unit_code": line.unit, "unit_name": line.unit_name, "months": line.months, "under": line.under,
            "tree_under": line.tree_under, "belonged": line.belonged, "numerator": line.numerator,
            "denominator": line.denominator, "value": line.value,
        }
        for line in bridge.units
    ]  # fmt: skip
    return [ends[0], *lines, ends[1]]


def _end(bridge: TreeBridge, answer: Answer, step: str) -> dict[str, Any]:
    return _about(bridge) | {
        "step": step, "numerator": answer.numerator, "denominator": answer.denominator, "value": answer.value,
        "status": answer.status,
    }  # fmt: skip


def _about(bridge: TreeBridge) -> dict[str, Any]:
    answer = bridge.as_of
    names = ("indicator", "node", "node_name", "period", "grain", "unit", "tree")
    return {name: getattr(answer, name) for name in names} | {"adds_up": bridge.adds_up}


def show_missing(generation: Generation, catalogue: Catalogue, query: Query, form: str, out: Path | None) -> None:
    """Print the reports the answers lack, the latest first."""
    found = missing_reports(generation, catalogue, query)
    show_rows([one.as_json() for one in found], MISSING, MISSING_SHOWN, form, out)
    if not found:
        err.print("没有缺报。 Nothing is missing.", markup=False)


def say_missing(generation: Generation, catalogue: Catalogue, query: Query, answers: Sequence[Answer]) -> None:
    """Say who owes what the answers lack; nothing when all is in place."""
    if not any(answer.status in ("incomplete", "not_reported") for answer in answers):
        return
    late = [one for one in missing_reports(generation, catalogue, query) if one.days_late != 0]
    if not late:
        return
    names = "；".join(_told(one) for one in late[:NAMED])
    rest = f"；另有 {len(late) - NAMED} 项，--missing 列出全部 · {len(late) - NAMED} more, listed by --missing" if len(late) > NAMED else ""  # fmt: skip
    err.print(f"缺报 Missing: {names}{rest}", markup=False)


def _told(one: Missing) -> str:
    delay = "" if one.days_late is None else f"，逾期 {one.days_late} 天 ({one.days_late} days late)"
    return f"{one.unit_name} {one.period} {one.title['zh']}{delay}"


def say_outside(generation: Generation, catalogue: Catalogue, query: Query, answers: Sequence[Answer]) -> None:
    """Say which facts lie outside the life of their unit: they are in no figure."""
    found = outside_life(generation, catalogue, query, tuple(dict.fromkeys(answer.node for answer in answers)))
    lines = sorted({(o.unit_name, month_label(o.month), o.title["zh"], o.rows) for o in found})
    if lines:
        names = "；".join(f"{name} {month} {title} {rows} 行" for name, month, title, rows in lines[:NAMED])
        more = f"；另有 {len(lines) - NAMED} 项 · {len(lines) - NAMED} more" if len(lines) > NAMED else ""
        total = sum(line[3] for line in lines)
        err.print(f"单位存续期外的事实 {total} 行，未计入任何数值 · {total} facts outside the life of their unit, in no figure: {names}{more}",
                  markup=False)  # fmt: skip
