"""Bridges: from one figure to another by steps that are indicators themselves, to the last digit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from metrics.evaluate import evaluate
from metrics.model import Answer, Bridge, Catalogue, Query, Texts
from metrics.reconcile import plain
from warehouse.base.errors import UnknownName
from warehouse.store import Generation

Role = Literal["start", "plus", "less", "end"]


@dataclass(frozen=True)
class Step:
    """One step of a bridge and what it adds; the start and the end stand for themselves."""

    role: Role
    title: Texts
    answer: Answer

    @property
    def adds(self) -> Decimal:
        """What the step adds on the way to the end; missing adds nothing."""
        value = Decimal(self.answer.value or 0)
        return -value if self.role == "less" else value


@dataclass(frozen=True)
class Crossed:
    """A bridge of one node and period."""

    bridge: Bridge
    steps: tuple[Step, ...]

    @property
    def rest(self) -> Decimal | None:
        """What the steps do not account for: 0 when the bridge holds; None where its start or its end has no figure."""
        if self.steps[0].answer.value is None or self.steps[-1].answer.value is None:
            return None
        return self.steps[-1].adds - sum((step.adds for step in self.steps[:-1]), Decimal(0))

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing; exact figures as strings."""
        end = self.steps[-1].answer
        return {
            "bridge": self.bridge.name, "title": self.bridge.title.zh, "title_en": self.bridge.title.en, "node": end.node,
            "node_name": end.node_name, "period": end.period, "grain": end.grain, "unit": end.unit,
            "steps": [
                {"role": one.role, "indicator": one.answer.indicator, "title": one.title.zh, "title_en": one.title.en,
                 "value": plain(one.answer.value), "adds": plain(one.adds), "status": one.answer.status,
                 "due": one.answer.due, "got": one.answer.got}
                for one in self.steps
            ],
            "unexplained": plain(self.rest), "basis": self.bridge.basis.zh, "basis_en": self.bridge.basis.en,
            "evidence": self.bridge.evidence, "origin": end.origin,
        }  # fmt: skip


def cross(generation: Generation, catalogue: Catalogue, name: str, query: Query) -> tuple[Crossed, ...]:
    """Return a bridge for every node and period of a query, whose own indicators count for nothing."""
    bridge = catalogue.bridges.get(name)
    if bridge is None:
        raise UnknownName("bridge", name, catalogue.bridges)
    roles: list[tuple[Role, str]] = [("start", bridge.start), *(("plus", i) for i in bridge.plus),
                                     *(("less", i) for i in bridge.less), ("end", bridge.end)]  # fmt: skip
    answers = evaluate(generation, catalogue, replace(query, indicators=tuple(i for _, i in roles)))
    size = len(answers) // len(roles)
    columns = [answers[n * size : (n + 1) * size] for n in range(len(roles))]
    titles = [catalogue.indicators[i].title for _, i in roles]
    return tuple(
        Crossed(
            bridge,
            tuple(Step(role, title, answer) for (role, _), title, answer in zip(roles, titles, row, strict=True)),
        )
        for row in zip(*columns, strict=True)
    )
