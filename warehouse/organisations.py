"""Organisations: who a name in an export means.

A unit is found by code, else by name, short name or dated alias. An unknown name is never guessed: it goes to
quarantine with suggestions by spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

_BLANKS = re.compile(r"\s+")
_LISTED = re.compile(r"[;；、|]")


def fold_name(text: str) -> str:
    """Return a name as it is compared: NFKC, lower case, no blanks."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)).casefold()


@dataclass(frozen=True)
class Match:
    """The unit a text means, or why none: `unknown_org` or `ambiguous_org`, with names that come near."""

    code: str | None
    fault: str | None = None
    hint: str | None = None


class Directory:
    """All codes, names and aliases known at one moment."""

    def __init__(self, rows: Iterable[tuple[str, str, str | None, str | None]]) -> None:
        self._codes: dict[str, str] = {}
        self._names: dict[str, set[str]] = defaultdict(set)
        self._shown: dict[str, str] = {}
        for code, name, short_name, aliases in rows:
            self._codes[fold_name(code)] = code
            self._shown[fold_name(name)] = name
            for text in (name, short_name, *_LISTED.split(aliases or "")):
                if text and text.strip():
                    self._names[fold_name(text)].add(code)

    def __len__(self) -> int:
        return len(self._codes)

    def find(self, text: str) -> Match:
        """Return the unit a cell names."""
        folded = fold_name(text)
        if code := self._codes.get(folded):
            return Match(code)
        codes = self._names.get(folded, set())
        if len(codes) == 1:
            return Match(next(iter(codes)))
        if codes:
            return Match(None, "ambiguous_org", "、".join(sorted(codes)))
        near = process.extract(folded, list(self._shown), scorer=fuzz.WRatio, limit=3, score_cutoff=60)
        return Match(None, "unknown_org", "、".join(self._shown[name] for name, _, _ in near) or None)
