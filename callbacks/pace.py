"""Budget execution of the units below a node, each held against its own plan by month, or the year elapsed without one."""

from __future__ import annotations

from typing import Any

from callbacks.board import PLANNED_BY_NOW, has_source, pace_mark
from callbacks.focus import Focus
from callbacks.panels import Bar, Panel, bars
from callbacks.units import answers_table, by_children
from metrics.model import Answer
from warehouse.base.periods import Period, fiscal_year

PACE_ROWS = 6


def pace_panel(focus: Focus) -> Panel | None:
    """Return budget execution of the units furthest ahead of their own plan, or of the year elapsed where they have none."""
    cards, words = focus.session.indicators(), focus.words
    if not has_source(cards, "budget_exec_rate"):
        return None
    span = {"grain": "ytd", "period_from": focus.last_month, "period_to": focus.last_month}
    values = by_children(focus, "budget_exec_rate", **span)
    if not values:
        return None
    own, planned = _planned_by_now(focus, "budget_exec_rate", span)
    progress, by = pace_mark(focus, own)
    marks = {node: pace_mark(focus, planned.get(node)) for node in values}
    late = {node for node, answer in values.items() if float(answer.value or 0) > marks[node][0]}
    ahead = sorted(values.values(), key=lambda answer: marks[answer.node][0] - float(answer.value or 0))
    furthest = {answer.node for answer in ahead[:PACE_ROWS]}
    shown = [answer for answer in values.values() if answer.node in furthest]
    top = max(100.0, *(float(answer.value or 0) for answer in ahead)) * 1.02
    rows = [
        Bar(
            label=focus.tree.name(answer.node),
            share=float(answer.value or 0) / top,
            text=words.percent(answer.value or 0),
            href=focus.link("/cost", node=answer.node, pick="budget_exec_rate"),
            tone="ahead" if answer.node in late else "",
        )
        for answer in shown
    ]
    plans = sum(1 for _, kind in marks.values() if kind == "plan")
    judged = "plan" if plans == len(marks) else "some" if plans else "time"
    return Panel(
        name="pace",
        title=words.say("pace.title"),
        sub=words.say(
            f"pace.sub.{by}.some" if len(shown) < len(ahead) else f"pace.sub.{by}",
            year=words.period(str(fiscal_year(Period.parse(focus.last_month).from_m, words.fiscal_start)), "year"),
            progress=words.percent(progress),
            shown=words.count(len(shown)),
        ),
        reading=words.say(
            f"pace.reading.{judged}",
            count=words.count(len(late)),
            total=words.count(len(ahead)),
            plans=words.count(plans),
        ),
        face=bars(rows, ((progress / top, ""),)),
        twin=answers_table(focus, shown),
        weight=1.05,
    )


def _planned_by_now(focus: Focus, rate: str, span: dict[str, Any]) -> tuple[Answer | None, dict[str, Answer]]:
    """Return how much of its year the node and each child has planned by now; nothing where nobody plans."""
    name = PLANNED_BY_NOW[rate]
    if not has_source(focus.session.indicators(), name):
        return None, {}
    own = focus.session.evaluate(focus.queries([name], **span))
    return next(iter(own), None), by_children(focus, name, **span)
