"""The family of errors of the whole project.

CockpitError                 anything we say on purpose; has `message` (what, where, the value) and `hint`
├── RefusedInput             a file or row the world gave us cannot be taken
├── UnknownName              an identifier nobody knows, with suggestions
├── DefinitionError          faults of contracts, indicators or rules, all of them at once
├── QueryError               a question that cannot be answered as asked
├── StoreError               the store on disk is missing, damaged or of the wrong kind
│   └── StoreBusy            another writer holds the lock
├── ServerError              a database server cannot be used
│   └── ServerLost           it went away, or is away for the moment
└── Forbidden                outside the viewer's scope
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class CockpitError(Exception):
    """Says what is wrong with the value, where, and what would be right."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\nHint: {hint}")
        self.message = message
        self.hint = hint


class RefusedInput(CockpitError):
    """A file or a row cannot be taken."""


FEW = 8
"""So few names are all told where none comes near."""


class UnknownName(CockpitError):
    """An identifier nobody knows."""

    def __init__(self, what: str, name: str, known: Iterable[str], where: str = "") -> None:
        listed = list(known)
        self.suggestions = suggest(name, listed)
        place = f" in {where}" if where else ""
        hint = f"did you mean {', '.join(repr(s) for s in self.suggestions)}?" if self.suggestions else None
        if hint is None and 0 < len(listed) <= FEW:
            hint = f"known are: {', '.join(sorted(listed))}"
        super().__init__(f"Unknown {what} '{name}'{place}.", hint)


class DefinitionError(CockpitError):
    """All faults of a set of definition files, reported together."""

    def __init__(self, what: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        listing = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"{what}: {len(self.faults)} fault(s).\n{listing}")


class QueryError(CockpitError):
    """A question that cannot be answered as asked."""


class StoreError(CockpitError):
    """The store on disk is missing, damaged or of the wrong kind."""


class StoreBusy(StoreError):
    """Another writer holds the writer lock."""


class ServerError(CockpitError):
    """A database server cannot be reached, or refuses us."""


class ServerLost(ServerError):
    """The server went away, or is away for the moment; what was under way may or may not have been done."""


class Forbidden(CockpitError):
    """The answer lies outside the viewer's scope."""


def suggest(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Return the known names closest in spelling."""
    return tuple(difflib.get_close_matches(name, list(known), n=limit, cutoff=0.55))
