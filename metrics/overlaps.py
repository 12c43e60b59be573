"""Distinct counts held to their word: `disjoint` says over what no thing is met twice, the data say whether that holds.

A count of distinct things adds up over units and months only where no thing is counted in two of them. Each thing that is
makes a sum too great by one; the number of those is the fault.
"""

from __future__ import annotations

from dataclasses import dataclass

from metrics.knowledge import knowledge
from metrics.model import Atom, Catalogue
from metrics.tables import quoted
from warehouse.store import Generation


@dataclass(frozen=True)
class Overlap:
    """How often a distinct count counts a thing again, over what it calls disjoint."""

    atom: str
    over: str
    things: int
    """Things counted more than once."""
    extra: int
    """By how much the sum is too great."""

    @property
    def text(self) -> str:
        """The fault in one sentence."""
        return (
            f"[atom.{self.atom}] disjoint: {self.things} thing(s) are counted in several of '{self.over}', so that sums "
            f"are {self.extra} too great; leave '{self.over}' out and count by another column, or mend the rows"
        )


def overlaps(generation: Generation, catalogue: Catalogue) -> tuple[Overlap, ...]:
    """Return where the data of a generation contradict what distinct counts say of themselves."""
    laid = knowledge(generation).layout.atoms
    found = [
        _overlap(generation, atom, over)
        for atom in catalogue.atoms.values()
        if atom.is_distinct and atom.name in laid
        for over in atom.disjoint
    ]
    return tuple(one for one in found if one.extra)


def _overlap(generation: Generation, atom: Atom, over: str) -> Overlap:
    """Count the things met again: in another unit of the same month, or in another month at all."""
    column = {"unit": "unit", "month": "month_no"}.get(over, over)
    things = list(dict.fromkeys([*atom.by, *([] if column == "month_no" else ["month_no"])]))
    listed = ", ".join(quoted(name) for name in things if name != column)
    rows = generation.con.execute(
        f"""WITH standing AS (
                SELECT DISTINCT {quoted(column)} AS place, {listed} FROM (
                    SELECT unit, month_no, {", ".join(quoted(name) for name in atom.by)} FROM {quoted("leaf_" + atom.name)}
                    GROUP BY ALL HAVING sum({quoted(atom.name)}) > 0)
            ), again AS (SELECT {listed}, count(*) - 1 AS extra FROM standing GROUP BY {listed} HAVING count(*) > 1)
            SELECT count(*), coalesce(sum(extra), 0) FROM again"""
    ).fetchone()
    return Overlap(atom.name, over, int(rows[0]) if rows else 0, int(rows[1]) if rows else 0)
