"""Taking a difference apart: unit by unit, each reason that can be computed, and the rest under its own name.

At a unit only one side knows, the whole figure is the difference: the other side owes it, or does not count the unit. At
a unit both know, what is counted otherwise comes first, then rounding, months that are missing, notes, the rest.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Literal

from metrics.model import Answer, Texts
from metrics.notes import Note
from warehouse.base.money import exact

Reason = Literal["population", "late", "items", "incomplete", "rounding", "note", "unexplained"]
REASONS: tuple[Reason, ...] = ("population", "late", "items", "incomplete", "rounding", "note", "unexplained")
_NAMED = 5
"""Units named in a sentence; the list beside it has all."""
Items = Mapping[str, tuple[int, Texts]]
"""Indicator by which the other figure differs → the sign it has in ours − theirs, and what it is called."""
Answers = Mapping[str, Mapping[str, Answer]]


@dataclass(frozen=True)
class Share:
    """What one unit adds to a part; `side` says which side has no figure of it, `note` what was explained."""

    unit: str
    name: str
    amount: Decimal
    side: Literal["", "ours", "theirs"] = ""
    note: str = ""
    document: str = ""


@dataclass(frozen=True)
class Part:
    """A part of a difference with its reason; parts of one difference add up to it."""

    reason: Reason
    amount: Decimal
    shares: tuple[Share, ...] = ()
    item: str = ""
    title: Texts | None = None

    @property
    def text(self) -> Texts:
        """The reason in one sentence."""
        words, title = _words()[self.reason], self.title or Texts("", "")
        return Texts(words["zh"].format(units=self._named("、", "等 {n} 家"), item=title.zh),
                     words["en"].format(units=self._named(", ", " and others, {n} in all"), item=title.en))  # fmt: skip

    def _named(self, between: str, more: str) -> str:
        listed = between.join(share.name for share in self.shares[:_NAMED])
        return listed + (more.format(n=len(self.shares)) if len(self.shares) > _NAMED else "")

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing; exact figures as strings."""
        return {
            "reason": self.reason, "item": self.item, "amount": exact(self.amount), "text": self.text.zh,
            "text_en": self.text.en,
            "units": [
                {"node": one.unit, "node_name": one.name, "amount": exact(one.amount), "missing": one.side,
                 "note": one.note, "document": one.document}
                for one in self.shares
            ],
        }  # fmt: skip


@cache
def _words() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = tomllib.loads((resources.files("metrics") / "reconcile.toml").read_text("utf-8"))["reason"]  # fmt: skip
    return found


def take_apart(difference: Decimal, ours: Answers, theirs: Answers, items: Items, indicator: str, tolerance: Decimal,
               notes: Mapping[str, Sequence[Note]]) -> tuple[Part, ...]:  # fmt: skip
    """Return the parts of a difference in the order of `REASONS`; what the units do not account for is unexplained."""
    sorting = _Sorting(items, tolerance)
    for unit in dict.fromkeys((*ours, *theirs)):
        mine, other = ours.get(unit, {}), theirs.get(unit, {}).get(indicator)
        sorting.sort(mine.get(indicator), other, mine, notes.get(unit, ()))
    parts = sorting.parts()
    rest = difference - sum((part.amount for part in parts), Decimal(0))
    if rest:
        # units a viewer may not see by name
        parts.append(Part("unexplained", rest))
    return tuple(parts)


class _Sorting:
    """Puts the difference of each unit under its reasons."""

    def __init__(self, items: Items, tolerance: Decimal) -> None:
        self.items = items
        self.tolerance = tolerance
        self.shares: dict[Reason, list[Share]] = defaultdict(list)
        self.counted: dict[str, Decimal] = {}

    def sort(
        self, ours: Answer | None, theirs: Answer | None, mine: Mapping[str, Answer], notes: Sequence[Note]
    ) -> None:
        mine_value, other_value = _value(ours), _value(theirs)
        if ours is None or mine_value is None or theirs is None or other_value is None:
            self._one_side(ours, theirs, mine_value, other_value)
            return
        left = mine_value - other_value
        for name, (sign, _) in self.items.items():
            amount = sign * (_value(mine.get(name)) or Decimal(0))
            if amount:
                self.counted[name] = self.counted.get(name, Decimal(0)) + amount
                left -= amount
        if not left:
            return
        if abs(left) <= self.tolerance:
            self._add("rounding", ours, left)
        elif "incomplete" in (ours.status, theirs.status):
            side: Literal["ours", "theirs"] = "ours" if ours.status == "incomplete" else "theirs"
            self._add("incomplete", ours, left, side)
        else:
            self._explained(ours, left, notes)

    def _one_side(
        self, ours: Answer | None, theirs: Answer | None, mine: Decimal | None, other: Decimal | None
    ) -> None:
        there, lacking = (ours, theirs) if mine is not None else (theirs, ours)
        amount = mine if mine is not None else -other if other is not None else None
        if there is None or not amount:
            return
        owes = lacking is not None and lacking.status in ("not_reported", "not_due") and (lacking.due > lacking.got or lacking.status == "not_due")  # fmt: skip
        self._add("late" if owes else "population", there, amount, "theirs" if mine is not None else "ours")

    def _explained(self, ours: Answer, left: Decimal, notes: Sequence[Note]) -> None:
        for note in notes:
            amount = left if note.amount is None else note.amount
            if amount and left:
                self._add("note", ours, amount, note=note)
                left -= amount
        if left:
            self._add("rounding" if abs(left) <= self.tolerance else "unexplained", ours, left)

    def _add(self, reason: Reason, of: Answer, amount: Decimal, side: Literal["", "ours", "theirs"] = "",
             note: Note | None = None) -> None:  # fmt: skip
        told = (note.text, note.document) if note else ("", "")
        self.shares[reason].append(Share(of.node, of.node_name, amount, side, *told))

    def parts(self) -> list[Part]:
        found = []
        for reason in REASONS:
            if reason == "items":
                found += [Part("items", amount, (), name, self.items[name][1]) for name, amount in self.counted.items()]
            elif shares := self.shares.get(reason):
                found.append(Part(reason, sum((one.amount for one in shares), Decimal(0)), tuple(shares)))
        return found


def _value(answer: Answer | None) -> Decimal | None:
    return None if answer is None or answer.value is None else Decimal(answer.value)
