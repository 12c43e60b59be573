"""The answers of each unit below a node, by the same question as the node's own: children asked level by level."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from metrics.evaluate import evaluate
from metrics.knowledge import Known
from metrics.model import Answer, Catalogue, Query, Status
from metrics.question import CHILDREN
from warehouse.base.periods import Window
from warehouse.store import Generation


def unit_answers(generation: Generation, catalogue: Catalogue, query: Query, known: Known, window: Window) -> dict[str, dict[str, Answer]]:  # fmt: skip
    """Return unit → indicator → answer for the units below the one node asked, without the units below them.

    A unit that changed its place within the window is answered once for each place; the figures are put together. Sums
    over the units are the figure of the node.
    """
    seq = generation.batch_at(query.known_at)
    gathers, waiting = [], list(query.nodes)
    while waiting:
        node = waiting.pop(0)
        below = known.register.children(node, window.from_m, window.to_m, seq)
        if below and node not in gathers:
            gathers.append(node)
            waiting += [stay.child for stay in below]
    found: dict[str, dict[str, Answer]] = defaultdict(dict)
    if not gathers:
        for answer in evaluate(generation, catalogue, query):
            _keep(found, answer)
    for node in gathers:
        for answer in evaluate(generation, catalogue, replace(query, nodes=(node,), by=CHILDREN)):
            if answer.node == node or answer.node not in gathers:
                _keep(found, answer)
    return dict(found)


def _keep(found: dict[str, dict[str, Answer]], answer: Answer) -> None:
    own = found[answer.node]
    before = own.get(answer.indicator)
    own[answer.indicator] = answer if before is None else _together(before, answer)


def _together(a: Answer, b: Answer) -> Answer:
    """Return one answer for a unit that stood in two places: what is there counts, and it is whole only if both are."""
    shown = [one for one in (a, b) if one.value is not None]
    if len(shown) < 2:
        return shown[0] if shown else a
    total = a.value + b.value  # type: ignore[operator]  # sums of one indicator: both exact
    status: Status = "ok" if a.status == b.status == "ok" else "incomplete"
    return replace(a, value=total, due=a.due + b.due, got=a.got + b.got, status=status)
