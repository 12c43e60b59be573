"""Suggestions: which of many known names come near a written one, ranked and with the reason. Nothing is decided here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from rapidfuzz import fuzz, process

from warehouse.names import LEAST, Name, nearness, take_apart

LOOKED_AT = 40
"""Names that are compared thoroughly, of those that a quick look finds."""

REGION_BONUS = 9.0
SHORT_NAME = 8
"""A Chinese text of so few signs may be a longer name shortened."""


class Suggestion(NamedTuple):
    """A unit that may be meant: how near it comes (0 to 100) and why, as codes: what is alike, and `region`."""

    code: str
    name: str
    score: float
    why: tuple[str, ...]


def anywhere(_: str) -> float:
    """Say of every unit that it stands no closer to the asker than any other."""
    return 0.0


class Names:
    """Many names of many units, prepared for search."""

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        self._codes: dict[str, set[str]] = defaultdict(set)
        for text, code in texts:
            self._codes[text].add(code)
        self._names: dict[str, Name] = {text: take_apart(text) for text in self._codes}
        self._plain = {text: name.plain for text, name in self._names.items()}
        self._sound = {text: name.sound for text, name in self._names.items()}
        self._initials: dict[str, list[str]] = defaultdict(list)
        for text, name in self._names.items():
            self._initials[name.initials].append(text)

    def near(self, text: str, closeness: Callable[[str], float] = anywhere) -> tuple[Suggestion, ...]:
        """Return the units whose names come near, best first; `closeness` of a unit to the asker is 0 to 1."""
        wanted = take_apart(text)
        if not wanted.plain:
            return ()
        best: dict[str, Suggestion] = {}
        for candidate in self._candidates(wanted):
            score, why = nearness(wanted, self._names[candidate])
            if score < LEAST:
                continue
            for code in self._codes[candidate]:
                if code not in best or best[code].score < score:
                    best[code] = Suggestion(code, candidate, score, (why,))
        ranked = [self._placed(one, closeness(one.code)) for one in best.values()]
        return tuple(one for _, one in sorted(ranked, key=lambda pair: (-pair[0], pair[1].code)))

    @staticmethod
    def _placed(one: Suggestion, close: float) -> tuple[float, Suggestion]:
        why = (*one.why, "region") if close >= 1 else one.why
        return one.score + REGION_BONUS * close, one._replace(why=why)

    def _candidates(self, wanted: Name) -> set[str]:
        found = {text for _, _, text in process.extract(wanted.plain, self._plain, scorer=fuzz.WRatio, limit=LOOKED_AT)}
        found |= {text for _, _, text in process.extract(wanted.plain, self._plain, scorer=fuzz.ratio, limit=LOOKED_AT)}
        found |= {text for _, _, text in process.extract(wanted.sound, self._sound, scorer=fuzz.ratio, limit=LOOKED_AT)}
        if not wanted.is_han:
            found |= {text for key, texts in self._initials.items() if wanted.plain in key for text in texts}
        elif len(wanted.plain) <= SHORT_NAME:
            found |= {text for text, plain in self._plain.items() if _may_shorten(wanted.plain, plain)}
        return found


def _may_shorten(short: str, long: str) -> bool:
    """Tell whether all but the last sign of a text stand in a longer one in this order."""
    place = -1
    for sign in short[:-1]:
        place = long.find(sign, place + 1)
        if place < 0:
            return False
    return True
