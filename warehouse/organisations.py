"""Organisations: who a name in an export means, and who it might mean.

The order of matching (domain.md §4): credit code or own code, then name, short name or dated alias, then the name among
those the uploader reports for, then within the region the file is handed in for. An unknown name is never guessed: it goes to quarantine with suggestions.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any, NamedTuple, Self

from warehouse.base.periods import OPEN, month_label
from warehouse.names import fold_name
from warehouse.suggestions import Names, Suggestion

__all__ = ["Alias", "Directory", "Listed", "Match", "Suggestion", "fold_name", "sentence"]

_LISTED = re.compile(r"[;；、|]")
REGION = "region"
DEEPEST = 32
MOST_NAMED = 3
"""Units that are named beside a name nobody bears."""


class Listed(NamedTuple):
    """One version of a unit as the register has it, true in months `[from_m, to_m)`."""

    code: str
    name: str
    short_name: str | None = None
    aliases: str | None = None
    parent: str | None = None
    credit_code: str | None = None
    division: str | None = None
    kind: str | None = None
    level: str | None = None
    department: str | None = None
    from_m: int = 0
    to_m: int = OPEN


class Alias(NamedTuple):
    """Another name of a unit, as somebody recorded it, true in months `[from_m, to_m)`."""

    text: str
    code: str
    from_m: int = 0
    to_m: int = OPEN


class _Naming(NamedTuple):
    code: str
    from_m: int
    to_m: int
    ends: bool
    """Somebody said when the name ends: afterwards it means nobody. A former name of the register goes on to be read."""


@dataclass(frozen=True)
class Match:
    """The unit a text means, or why none: `unknown_org`, `ambiguous_org` or `name_not_then`.

    Suggestions for an unknown name are made once per file, when its other rows are known (`warehouse.matching`).
    """

    code: str | None
    fault: str | None = None
    hint: str | None = None
    by_month: bool = False
    """Who is meant depends on the month of the row; without one there is no answer."""

    @property
    def is_open(self) -> bool:
        """Tell whether the rest of the file may say who is meant: the month of the row, or where the other rows lie."""
        return self.by_month or self.fault == "ambiguous_org"


class Directory:
    """All codes, names and aliases known at one moment.

    `near` is the unit a file is handed in for: its region decides between units of one name.
    """

    _whole: Directory | None = None
    _within: Collection[str] = frozenset()

    def __init__(
        self, rows: Iterable[Listed | tuple[str, str, str | None, str | None]], aliases: Iterable[Alias] = (),
        near: str | None = None,
    ) -> None:  # fmt: skip
        self._codes: dict[str, str] = {}
        self._namings: dict[str, list[_Naming]] = defaultdict(list)
        self._newest: dict[str, Listed] = {}
        self._written: dict[str, str] = {}
        for row in map(Listed._make, map(_padded, rows)):
            self._add(row)
        for alias in aliases:
            self._name(alias.text, _Naming(alias.code, alias.from_m, alias.to_m, ends=True))
        self.near = near if near in self._newest else None

    def _add(self, row: Listed) -> None:
        for code in (row.code, row.credit_code):
            if code:
                self._codes[fold_name(code)] = row.code
                self._written[code] = row.code
        newest = self._newest.get(row.code)
        if newest is None or newest.from_m <= row.from_m:
            self._newest[row.code] = row
        for text in (row.name, row.short_name, *_LISTED.split(row.aliases or "")):
            if text and text.strip():
                self._name(text.strip(), _Naming(row.code, row.from_m, row.to_m, ends=False))

    def _name(self, text: str, naming: _Naming) -> None:
        self._written[text] = naming.code
        namings = self._namings[fold_name(text)]
        if naming not in namings:
            namings.append(naming)

    def __len__(self) -> int:
        return len(self._newest)

    def __iter__(self) -> Iterator[Listed]:
        """Give the newest version of every unit, by code."""
        return iter(sorted(self._newest.values(), key=lambda unit: unit.code))

    def __contains__(self, code: object) -> bool:
        return code in self._newest

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Return the code behind each text of the register, as written there, that means one unit in any month."""
        found = {text: self.find(text).code for text in self._written}
        return {text: code for text, code in found.items() if code is not None}

    def unit(self, code: str) -> Listed:
        """Return the newest version of a unit."""
        return self._newest[code]

    def by_code(self, text: str) -> str | None:
        """Return the unit of an own code or a credit code."""
        return self._codes.get(fold_name(text))

    def is_credit_code(self, text: str) -> bool:
        """Tell whether a text is the credit code of a unit of the register, and not its own code."""
        code = self.by_code(text)
        return code is not None and fold_name(self._newest[code].credit_code or "") == fold_name(text)

    def may_mean(self, text: str, code: str) -> bool:
        """Tell whether a text is a name or alias that a unit bore in any month."""
        return any(naming.code == code for naming in self._namings.get(fold_name(text), ()))

    def find(self, text: str, month: int | None = None) -> Match:
        """Return the unit a cell names, in the month of its row where that matters."""
        folded = fold_name(text)
        if code := self._codes.get(folded):
            return Match(code)
        namings = self._namings.get(folded)
        if not namings:
            return Match(None, "unknown_org")
        codes = {naming.code for naming in namings}
        if len(codes) == 1 and any((n.to_m == OPEN and n.from_m == 0) or not n.ends for n in namings):
            return Match(namings[0].code)
        if month is None:
            return self._without_month(namings, codes)
        then = {n.code for n in namings if n.from_m <= month < n.to_m} or {n.code for n in namings if not n.ends}
        if not then:
            return Match(None, "name_not_then", "；".join(self._stay(naming) for naming in namings))
        return self._one_of(then)

    def _without_month(self, namings: Sequence[_Naming], codes: set[str]) -> Match:
        """Names that only the month could tell apart are left to it; others are settled or asked here."""
        spans = [(n.from_m, n.to_m) for n in namings]
        if len(set(spans)) > 1 or any(n.ends for n in namings):
            return Match(None, "ambiguous_org", self._both(codes), by_month=True)
        return self._one_of(codes)

    def _one_of(self, codes: set[str]) -> Match:
        if len(codes) > 1:
            codes = {code for code in codes if code in self._within} or codes
        if len(codes) > 1 and self.near is not None:
            region = self.region(self.near)
            codes = {code for code in codes if self.region(code) == region} or codes
        if len(codes) == 1:
            return Match(next(iter(codes)))
        return Match(None, "ambiguous_org", self._both(codes))

    def _both(self, codes: Iterable[str], near: str | None = None) -> str:
        ranked = sorted(codes, key=lambda code: (-self._shared(code, near or self.near), code))
        return "、".join(f"{code} {self.place(code)}" for code in ranked)

    def _stay(self, naming: _Naming) -> str:
        start = "" if naming.from_m == 0 else month_label(naming.from_m)
        end = "" if naming.to_m == OPEN else month_label(naming.to_m - 1)
        return (
            f"{naming.code} {self._newest[naming.code].name}（{start}—{end}）" if naming.code in self else naming.code
        )

    def nearby(self, near: str | None, within: Collection[str] = frozenset()) -> Self:
        """Return the same organisations as seen from a unit or region; of one name, those of `within` go first."""
        found = copy(self)
        found.__dict__.pop("spellings", None)
        found._whole = self._whole or self
        found.near, found._within = near if near in self else None, within
        return found

    # --- where units stand --------------------------------------------------------------------------------------------

    def above(self, code: str) -> Iterator[str]:
        """Give a unit and everything above it in the newest tree."""
        seen: set[str] = set()
        at: str | None = code
        while at and at in self._newest and at not in seen and len(seen) < DEEPEST:
            seen.add(at)
            yield at
            at = self._newest[at].parent

    def led_by(self, code: str) -> Iterator[str]:
        """Give a unit and the departments that lead it, each by the next, in the newest register."""
        seen: set[str] = set()
        at: str | None = code
        while at and at in self._newest and at not in seen and len(seen) < DEEPEST:
            seen.add(at)
            yield at
            department = self._newest[at].department
            at = self.find(department).code if department else None

    def region(self, code: str) -> str | None:
        """Return the nearest region above a unit, or itself; without regions in the register its top."""
        line = list(self.above(code))
        return next((one for one in line if self._newest[one].kind == REGION), line[-1] if line else None)

    def region_of(self, codes: Collection[str]) -> str | None:
        """Return the one region in which all units lie that stand below no other of them; None where it is not one."""
        tops = [code for code in codes if code in self and not set(list(self.above(code))[1:]) & set(codes)]
        regions = {self.region(code) for code in tops}
        return next(iter(regions)) if len(regions) == 1 else None

    def place(self, code: str) -> str:
        """Return a unit's name, with its region where that is not in the name."""
        unit = self._newest.get(code)
        if unit is None:
            return code
        region = self.region(code)
        shown = self._newest[region].name if region else ""
        return unit.name if not shown or shown in unit.name or region == code else f"{unit.name}（{shown}）"

    def _shared(self, code: str, near: str | None) -> float:
        """Return how close two units stand: 1 in one region, less the higher up they meet, 0 without a common top."""
        if near is None or near not in self._newest:
            return 0.0
        if self.region(code) == self.region(near):
            return 1.0
        line = list(self.above(near))
        met = next((place for place, one in enumerate(line) if one in set(self.above(code))), None)
        return 0.0 if met is None else 0.3 / (1 + met)

    # --- who might be meant -------------------------------------------------------------------------------------------

    @cached_property
    def _searched(self) -> Names:
        if self._whole is not None:
            return self._whole._searched
        texts = ((text, n.code) for text in self._written for n in self._namings.get(fold_name(text), ()))
        return Names(texts)

    def suggest(self, name: str, near: str | None = None, limit: int = MOST_NAMED) -> tuple[Suggestion, ...]:
        """Return the units a name may mean, best first, those of the uploader's region before equals; none is taken.

        A name that several units bear suggests them all, and so does a former name that is out of use.
        """
        where = near if near is not None else self.near
        found = self._searched.near(name, lambda code: self._shared(code, where))
        return tuple(
            one._replace(name=self._newest[one.code].name if one.code in self._newest else one.name)
            for one in found[:limit]
        )

    def hint(self, text: str, near: str | None = None) -> str | None:
        """Return what stands beside a name that is not understood: the units of that name, else what comes near."""
        namings = self._namings.get(fold_name(text))
        if namings:
            return self._both({naming.code for naming in namings}, near)
        return self.told(self.suggest(text, near))

    def told(self, suggestions: Iterable[Suggestion]) -> str | None:
        """Return suggestions as they stand in a hint: name and code, best first."""
        return "、".join(f"{self.place(one.code)} {one.code}" for one in suggestions) or None


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((resources.files("warehouse") / "organisations.toml").read_text(encoding="utf-8"))


def sentence(part: str, key: str, /, **values: object) -> dict[str, str]:
    """Return a sentence about units in both languages."""
    return {code: text.format(**values) for code, text in _texts()[part][key].items()}


def _padded(row: Listed | tuple[str, str, str | None, str | None]) -> tuple[object, ...]:
    return (*row, *Listed("", "")[len(row) :])
