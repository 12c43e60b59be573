"""Populations: who counts in a theme in a month, since when, and who does not and why; as known at a batch.

A theme has its own population (domain: cost survey, vehicles, space, energy and services each count other units), dated
in the register. What is counted in answers (`due`) is exactly this list below a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from metrics.model import THEMES
from warehouse.base.errors import QueryError, suggest
from warehouse.base.periods import OPEN, month_label
from warehouse.owing import is_kept_out, is_owing
from warehouse.store import Generation

Standing = Literal["in", "out", "excluded", "not_existing"]
Row = tuple[str, str, int, int, bool, bool, bool, int]
"""Code, name, first month, month after the last, in scope, excluded, owes, protocol order."""


@dataclass(frozen=True)
class Membership:
    """Where a unit stands in a theme: in or out, excluded (不纳入) or not alive, and for which months that has held."""

    unit: str
    name: str
    standing: Standing
    from_m: int
    to_m: int
    owes: bool
    """Whether it owes reports of its own; a compound only holds what nobody divided."""

    def as_row(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return {
            "node": self.unit, "node_name": self.name, "standing": self.standing, "owes": self.owes,
            "since": month_label(self.from_m) if self.from_m else None,
            "until": None if self.to_m >= OPEN else month_label(self.to_m - 1),
        }  # fmt: skip


def check_theme(text: str) -> str:
    """Return a theme, or raise with what was probably meant."""
    if text not in THEMES:
        near = suggest(text, THEMES)
        raise QueryError(
            f"'{text}' is no theme.", f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(THEMES)}"
        )
    return text


def memberships(
    generation: Generation, theme: str, month: int, seq: int, below: str | None = None
) -> tuple[Membership, ...]:
    """Return where every unit ever registered stands in a theme in a month, in protocol order; or those below a node."""
    found = []
    for rows in _by_unit(_rows(generation, check_theme(theme), seq)):
        if below is None or _is_below(generation, rows[0][0], below, month, seq):
            found.append(_standing(rows, month))
    return tuple(found)


def _rows(generation: Generation, theme: str, seq: int) -> list[Row]:
    rows: list[Row] = generation.con.execute(
        f"""SELECT code, name, from_m, to_m, coalesce(scope_{theme}, false), {is_kept_out("o")}, {is_owing("kind")},
                   coalesce(protocol_order, 1000000)
            FROM d_org_unit o WHERE rec_from <= $seq AND $seq < rec_to ORDER BY 8, 1, 3""",
        {"seq": seq},
    ).fetchall()
    return rows


def _by_unit(rows: Iterable[Row]) -> list[list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return list(found.values())


def _standing(rows: Sequence[Row], month: int) -> Membership:
    """Return the standing in a month, over all the months in a row for which it was the same."""
    rows = sorted(rows, key=lambda row: row[2])
    now = next((n for n, row in enumerate(rows) if row[2] <= month < row[3]), None)
    if now is None:
        ended = [row for row in rows if row[3] <= month]
        begins = [row[2] for row in rows if row[2] > month]
        name = (ended[-1] if ended else rows[0])[1]
        return Membership(
            rows[0][0], name, "not_existing", ended[-1][3] if ended else 0, min(begins, default=OPEN), False
        )
    here = rows[now]
    first, last = here[2], here[3]
    for row in reversed(rows[:now]):
        if row[3] != first or _kind(row) != _kind(here):
            break
        first = row[2]
    for row in rows[now + 1 :]:
        if row[2] != last or _kind(row) != _kind(here):
            break
        last = row[3]
    return Membership(here[0], here[1], _kind(here), first, last, here[6] and _kind(here) == "in")


def _kind(row: Row) -> Standing:
    return "excluded" if row[5] else "in" if row[4] else "out"


def _is_below(generation: Generation, unit: str, node: str, month: int, seq: int) -> bool:
    found = generation.con.execute(
        """SELECT 1 FROM closure WHERE anc = $node AND dsc = $unit AND from_m <= $month AND $month < to_m
           AND rec_from <= $seq AND $seq < rec_to LIMIT 1""",
        {"node": node, "unit": unit, "month": month, "seq": seq},
    ).fetchone()
    return found is not None
