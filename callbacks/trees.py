"""Trees: the units of a month as parents and children, in official order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from callbacks.services import Node, Tree
from metrics.nodes import initials
from warehouse.units import Unit


def arrange(units: Sequence[Unit], others: Callable[[str], Sequence[str]] = lambda _: ()) -> Tree:
    """Return units as a tree: parents before children, siblings in official order; `others` are a unit's other names."""
    by_parent: dict[str | None, list[Unit]] = {}
    codes = {unit.code for unit in units}
    for unit in units:
        by_parent.setdefault(unit.parent if unit.parent in codes else None, []).append(unit)
    nodes: dict[str, Node] = {}

    def place(unit: Unit, parent: str | None, depth: int) -> None:
        nodes[unit.code] = Node(
            unit.code, unit.name, parent, unit.level, unit.kind, unit.order, initials(unit.full_name), depth, unit.full_name,
            tuple(others(unit.code)),
        )  # fmt: skip
        for child in by_parent.get(unit.code, ()):
            if child.code not in nodes:
                place(child, unit.code, depth + 1)

    for unit in by_parent.get(None, ()):
        place(unit, None, 0)
    return Tree(nodes, next(iter(nodes), ""))
