"""Which column of a contract the figures of a table are, told from a title, the name of a sheet, or their unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from warehouse.contracts import Column, Contract, normalise_label
from warehouse.readers.cells import note_fits

MOST_NAMED = 6
"""Columns named in a question."""

_BEFORE = re.compile(r"(^|\d|[年月度份季位门关构局委办厅院处市县区省级各总均际源及和与的、])$")
_AFTER = re.compile(r"^($|\d|[表统明汇情报台一分按月年及和与、合数费支])")
"""What may stand beside a name in a title; anything else makes it a piece of a longer word."""


@dataclass(frozen=True)
class Wanted:
    """What is looked for: columns of figures of a contract that no column of the table is yet; `units` are those said."""

    contract: Contract
    found: frozenset[str]
    units: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns it may be; where the line names its group itself, those of the long form alone."""
        pivot = self.contract.unpivot
        if pivot is None:
            return tuple(column.name for column in self.contract.columns if self._may_be(column))
        if pivot.dimension in self.found:
            return tuple(column.name for column in self.contract.columns if self._may_be(column))
        long = {pivot.dimension, *pivot.measures}
        wide = [column for measures in pivot.groups.values() for column in measures.values()]
        plain = [column for column in self.contract.columns if column.name not in long and self._may_be(column)]
        return tuple(column.name for column in (*wide, *plain))

    def _may_be(self, column: Column) -> bool:
        return column.is_number and not column.is_key and column.name not in self.found

    def column(self, name: str) -> Column:
        """Return the column behind a name; `group.measure` is one of a wide form."""
        group, _, measure = name.rpartition(".")
        if group and self.contract.unpivot:
            return self.contract.unpivot.groups[group][measure]
        return self.contract.column(name)

    @cached_property
    def spellings(self) -> tuple[tuple[str, str], ...]:
        """Every normalised spelling with its column, the longest first; of a spelling of two columns the first counts."""
        found: dict[str, str] = {}
        for name in self.names:
            for label in self.column(name).labels:
                found.setdefault(label, name)
        return tuple(sorted(found.items(), key=lambda one: (-len(one[0]), one[0])))

    def exactly(self, text: str) -> str | None:
        """Return the column a text is the name of, wholly or in its last parts."""
        known = dict(self.spellings)
        parts = text.split("/")
        tries = ("/".join(parts[at:]) for at in range(len(parts)))
        return next((known[label] for one in tries if (label := normalise_label(one)) in known), None)

    def fits(self, name: str) -> bool:
        """Whether the units said may be those of a column; where none is said any may be."""
        return not self.units or all(note_fits(self.column(name), unit) for unit in self.units)


def named_in(text: str | None, wanted: Wanted) -> tuple[str, ...]:
    """Return the columns a title or the name of a sheet names, the longest spelling first, each once.

    A shorter name inside a longer one is not named, nor is one that is a piece of another word.
    """
    plain = normalise_label(text or "")
    if (whole := wanted.exactly(plain)) is not None:
        return (whole,)
    found: dict[str, None] = {}
    for label, name in wanted.spellings:
        if len(label) < 2 or (at := plain.find(label)) < 0:
            continue
        before, after = plain[:at], plain[at + len(label) :]
        if _BEFORE.search(before) and _AFTER.match(after):
            found[name] = None
            plain = f"{before}、{after}"
    return tuple(name for name in found if wanted.fits(name)) or tuple(found)


def strength(text: str | None, wanted: Wanted) -> int:
    """How long the longest spelling is by which a text names a column; 0 when it names none."""
    names = set(named_in(text, wanted))
    plain = normalise_label(text or "")
    return max((len(label) for label, name in wanted.spellings if name in names and label in plain), default=0)


def candidates(wanted: Wanted) -> tuple[str, ...]:
    """Return the columns the figures may be when nothing names them: those of their unit, or all there are."""
    fitting = tuple(name for name in wanted.names if wanted.units and wanted.fits(name))
    return fitting or (() if wanted.units else wanted.names)


def describe(wanted: Wanted, names: Sequence[str]) -> str:
    """Return what people call some columns, of all that there are when none is given."""
    columns = [wanted.column(name) for name in (names or wanted.names)][:MOST_NAMED]
    return "、".join(column.aliases[0] if column.aliases else column.name for column in columns)
