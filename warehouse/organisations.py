"""Organisations: who a name in an export means.

A unit is found by code, else by name, short name or dated alias. An unknown name is never guessed: it goes to
quarantine with suggestions by spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

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
        self._written: list[str] = []
        for code, name, short_name, aliases in rows:
            self._codes[fold_name(code)] = code
            self._shown[fold_name(name)] = name
            self._written.append(code)
            for text in (name, short_name, *_LISTED.split(aliases or "")):
                if text and text.strip():
                    self._names[fold_name(text)].add(code)
                    self._written.append(text.strip())

    def __len__(self) -> int:
        return len(self._codes)

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Return the code behind each text of the register, as written there, that means one unit."""
        found = {text: self._code_of(fold_name(text)) for text in self._written}
        return {text: code for text, code in found.items() if code is not None}

    def _code_of(self, folded: str) -> str | None:
        if code := self._codes.get(folded):
            return code
        codes = self._names.get(folded, set())
        return next(iter(codes)) if len(codes) == 1 else None

    def find(self, text: str) -> Match:
        """Return the unit a cell names."""
        folded = fold_name(text)
        if code := self._code_of(folded):
            return Match(code)
        if codes := self._names.get(folded, set()):
            return Match(None, "ambiguous_org", "、".join(sorted(codes)))
        near = process.extract(folded, list(self._shown), scorer=fuzz.WRatio, limit=3, score_cutoff=60)
        return Match(None, "unknown_org", "、".join(self._shown[name] for name, _, _ in near) or None)
