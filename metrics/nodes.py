"""What a generation knows about its nodes: names, lives, children, and whether a viewer's scope holds them.

Read once per generation from the organisation register, in both times; a generation never changes, so neither does this.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import duckdb
from rapidfuzz import fuzz, process

from metrics.tables import table_names
from warehouse.base.errors import QueryError, UnknownName
from warehouse.base.periods import OPEN
from warehouse.base.scope import Scope

DEEPEST = 32
_CLOSE_ENOUGH = 55
_NOW = OPEN - 1
"""A batch after every batch: what is known at it has not been taken back."""


@dataclass(frozen=True)
class Placed:
    """One version of a unit: its place and name in months `[from_m, to_m)`, known in batches `[rec_from, rec_to)`."""

    code: str
    name: str
    short_name: str | None
    parent: str | None
    excluded: bool
    protocol_order: int
    from_m: int
    to_m: int
    rec_from: int
    rec_to: int

    def known(self, seq: int) -> bool:
        """Tell whether this version was known at a batch."""
        return self.rec_from <= seq < self.rec_to

    def meets(self, from_m: int, to_m: int) -> bool:
        """Tell whether this version was true in any of the months."""
        return self.from_m < to_m and from_m < self.to_m


@dataclass(frozen=True)
class Stay:
    """A child under a parent for some months."""

    parent: str
    child: str
    from_m: int
    to_m: int


@dataclass(frozen=True)
class Called:
    """A name somebody recorded for a unit, known in batches `[rec_from, rec_to)`."""

    text: str
    code: str
    rec_from: int
    rec_to: int

    def known(self, seq: int) -> bool:
        """Tell whether the name was known at a batch."""
        return self.rec_from <= seq < self.rec_to


class Register:
    """All versions of all units, and the names people recorded for them."""

    def __init__(self, rows: Iterable[Placed], aliases: Mapping[str, str] | None = None,
                 recorded: Iterable[Called] = ()) -> None:  # fmt: skip
        self._of: dict[str, list[Placed]] = defaultdict(list)
        self._under: dict[str, list[Placed]] = defaultdict(list)
        for row in rows:
            self._of[row.code].append(row)
            if row.parent:
                self._under[row.parent].append(row)
        for versions in self._of.values():
            versions.sort(key=lambda row: (row.from_m, row.rec_from))
        self._aliases = dict(aliases or {})
        self._recorded = tuple(called for called in recorded if called.code in self._of)
        self._called: dict[str, list[Called]] = defaultdict(list)
        for called in (*(Called(text, code, 0, OPEN) for text, code in self._aliases.items()), *self._recorded):
            self._called[called.code].append(called)
        self._first = min((row.rec_from for versions in self._of.values() for row in versions), default=None)

    def __contains__(self, code: object) -> bool:
        return code in self._of

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code ever registered."""
        return tuple(self._of)

    def roots(self, seq: int) -> tuple[str, ...]:
        """Return the nodes without a parent, in protocol order."""
        found = {r.code: r.protocol_order for v in self._of.values() for r in v if not r.parent and r.known(seq)}
        return tuple(sorted(found, key=lambda code: (found[code], code)))

    def begun(self, seq: int) -> bool:
        """Tell whether anything was registered at a batch."""
        return self._first is not None and self._first <= seq

    def name(self, code: str, month: int, seq: int) -> str:
        """Return the name of a node in a month as known at a batch; the nearest earlier or later one else."""
        versions = self._of.get(code, ())
        known = [row for row in versions if row.known(seq)] or list(versions)
        started = [row for row in known if row.from_m <= month]
        return (started[-1] if started else known[0]).name if known else code

    def shown(self, code: str) -> str:
        """Return the newest name of a node with its code, as people are told of it."""
        name = self.name(code, OPEN, OPEN - 1)
        return f"'{code}'" if name == code else f"'{name}' ({code})"

    def lives(self, code: str, from_m: int, to_m: int, seq: int) -> bool:
        """Tell whether a node was alive in any of the months."""
        return any(row.known(seq) and row.meets(from_m, to_m) for row in self._of.get(code, ()))

    def excluded(self, code: str, from_m: int, to_m: int, seq: int) -> bool:
        """Tell whether a node is kept out of the figures (不纳入) for all of its months.

        What is kept out by what is known now is kept out of every earlier board as well.
        """
        if seq < _NOW and self.excluded(code, from_m, to_m, _NOW):
            return True
        met = [row for row in self._of.get(code, ()) if row.known(seq) and row.meets(from_m, to_m)]
        return bool(met) and all(row.excluded for row in met)

    def children(self, parent: str, from_m: int, to_m: int, seq: int) -> tuple[Stay, ...]:
        """Return who hung directly under a node in which of the months, in protocol order."""
        met = [row for row in self._under.get(parent, ()) if row.known(seq) and row.meets(from_m, to_m)]
        met.sort(key=lambda row: (row.protocol_order, row.code, row.from_m))
        return tuple(Stay(parent, r.code, max(r.from_m, from_m), min(r.to_m, to_m)) for r in met)

    def parents(self, child: str, from_m: int, to_m: int, seq: int) -> tuple[Stay, ...]:
        """Return under whom a node hung directly in which of the months; nothing for a root."""
        met = [row for row in self._of.get(child, ()) if row.parent and row.known(seq) and row.meets(from_m, to_m)]
        return tuple(Stay(r.parent, child, max(r.from_m, from_m), min(r.to_m, to_m)) for r in met if r.parent)

    def has_moved(self, code: str, from_m: int, to_m: int, seq: int) -> bool:
        """Tell whether a node hung under more than one parent in the months, or for a time under none."""
        versions = self._of.get(code, ())
        if len(versions) < 2:
            return False
        return len({row.parent for row in versions if row.known(seq) and row.meets(from_m, to_m)}) > 1

    def visible(self, code: str, from_m: int, to_m: int, seq: int, scope: Scope) -> bool:
        """Tell whether a node lay inside the viewer's subtrees in every month it lived in."""
        if scope.nodes is None or code in scope.nodes:
            return True
        met = [row for row in self._of.get(code, ()) if row.known(seq) and row.meets(from_m, to_m)]
        return bool(met) and all(
            self._inside(row.parent, max(row.from_m, from_m), min(row.to_m, to_m), seq, scope.nodes, 0) for row in met
        )

    def _inside(self, code: str | None, from_m: int, to_m: int, seq: int, nodes: frozenset[str], depth: int) -> bool:
        if code is None or depth > DEEPEST:
            return False
        if code in nodes:
            return True
        met = [row for row in self._of.get(code, ()) if row.known(seq) and row.meets(from_m, to_m)]
        covered = sum(min(row.to_m, to_m) - max(row.from_m, from_m) for row in met)
        return covered == to_m - from_m and all(
            self._inside(row.parent, max(row.from_m, from_m), min(row.to_m, to_m), seq, nodes, depth + 1) for row in met
        )

    def check(self, codes: Iterable[str]) -> None:
        """Raise UnknownName, with suggestions by spelling and by pinyin, for a code nobody registered."""
        for code in codes:
            if code not in self._of:
                raise unknown_node(code, self)

    def other_names(self, code: str, seq: int) -> tuple[str, ...]:
        """Return what else a unit is called: the aliases of the register, and those recorded for it by a batch."""
        return tuple(dict.fromkeys(called.text for called in self._called.get(code, ()) if called.known(seq)))

    def named(self, text: str, seq: int = _NOW) -> tuple[str, ...]:
        """Return the codes of the units that ever bore exactly this name, or this alias as known at a batch."""
        wanted = fold(text)
        found = [
            code for code, versions in self._of.items()
            if any(wanted in (fold(row.name), fold(row.short_name or ""), fold(code)) for row in versions)
        ]  # fmt: skip
        found += [code for alias, code in self._aliases.items() if fold(alias) == wanted]
        found += [called.code for called in self._recorded if fold(called.text) == wanted and called.known(seq)]
        return tuple(dict.fromkeys(found))

    def spellings(self, seq: int = _NOW) -> dict[str, str]:
        """Return every spelling a person may try → code, with the recorded aliases known at a batch."""
        found: dict[str, str] = {}
        for code, versions in self._of.items():
            for row in versions:
                for text in (code, row.name, row.short_name):
                    if text:
                        found.setdefault(fold(text), code)
                        found.setdefault(initials(text), code)
        recorded = [(called.text, called.code) for called in self._recorded if called.known(seq)]
        for alias, code in (*self._aliases.items(), *recorded):
            found.setdefault(fold(alias), code)
            found.setdefault(initials(alias), code)
        found.pop("", None)
        return found


def read_register(con: duckdb.DuckDBPyConnection) -> Register:
    """Read the organisation register of a generation."""
    rows = con.execute("""
        SELECT code, name, short_name, nullif(parent, ''), coalesce(excluded, false), coalesce(protocol_order, 1000000),
               from_m, to_m, rec_from, rec_to, aliases
        FROM d_org_unit""").fetchall()
    aliases = {
        text.strip(): row[0] for row in rows for text in (row[10] or "").replace(";", "；").split("；") if text.strip()
    }
    placed = (Placed(row[0], row[1] or row[0], *row[2:10]) for row in rows)
    return Register(placed, aliases, _recorded(con))


def _recorded(con: duckdb.DuckDBPyConnection) -> list[Called]:
    if "d_org_alias" not in table_names(con):
        return []
    rows = con.execute("SELECT alias, unit, rec_from, rec_to FROM d_org_alias ORDER BY ALL").fetchall()
    return [Called(*row) for row in rows]


def find_node(register: Register, text: str, seq: int = _NOW) -> str:
    """Return the code of a node given by code, name, alias or pinyin; a text that means several is never guessed.

    An alias somebody recorded is one from its batch on: `seq` is the batch of the asked moment.
    """
    if text in register:
        return text
    named = register.named(text, seq)
    if len(named) > 1:
        raise QueryError(f"'{text}' names several nodes.", f"say which by its code: {_listed(register, named)}")
    found = named[0] if named else register.spellings(seq).get(fold(text))
    if found is None:
        raise unknown_node(text, register, seq)
    return found


def root_node(register: Register, seq: int) -> str:
    """Return the one node without a parent; a register with several must be told which."""
    roots = register.roots(seq)
    if not roots:
        raise QueryError("The register is empty.", "load an organisation register first")
    if len(roots) > 1:
        hint = f"--node one of: {_listed(register, roots)}"
        raise QueryError("The register has several roots; say which one is meant.", hint)
    return roots[0]


def _listed(register: Register, codes: Iterable[str]) -> str:
    return ", ".join(register.shown(code) for code in codes)


def fold(text: str) -> str:
    """Return a spelling as it is compared."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


@lru_cache(maxsize=4096)
def initials(text: str) -> str:
    """Return the first letters of the pinyin of a Chinese text: 机关事务 → jgsw."""
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(text, style=Style.FIRST_LETTER)).casefold()


def suggest_by_sound(text: str, spellings: Mapping[str, str], limit: int = 3) -> tuple[str, ...]:
    """Return the ids whose spelling or pinyin initials come nearest, best first."""
    wanted = fold(text)
    if exact := spellings.get(wanted):
        return (exact,)
    near = process.extract(wanted, list(spellings), scorer=fuzz.WRatio, limit=limit * 4, score_cutoff=_CLOSE_ENOUGH)
    return tuple(dict.fromkeys(spellings[found] for found, _, _ in near))[:limit]


def unknown_node(code: str, register: Register, seq: int = _NOW) -> UnknownName:
    """Return the error for a node nobody registered."""
    near = suggest_by_sound(code, register.spellings(seq))
    error = _unknown("node", code, near)
    if near:
        error.hint = f"did you mean {_listed(register, near)}?"
    elif roots := register.roots(OPEN - 1):
        error.hint = f"start from the top: {_listed(register, roots)}"
    error.args = (error.message if error.hint is None else f"{error.message}\nHint: {error.hint}",)
    return error


def unknown_indicator(name: str, titles: Mapping[str, tuple[str, ...]]) -> UnknownName:
    """Return the error for an indicator nobody defined; `titles` gives the spellings of each id."""
    spellings: dict[str, str] = {}
    for key, texts in titles.items():
        for text in (key, *texts):
            spellings.setdefault(fold(text), key)
            spellings.setdefault(initials(text), key)
    return _unknown("indicator", name, suggest_by_sound(name, spellings))


def _unknown(what: str, name: str, near: tuple[str, ...]) -> UnknownName:
    error = UnknownName(what, name, ())
    error.suggestions = near
    if near:
        error.hint = f"did you mean {', '.join(repr(n) for n in near)}?"
        error.args = (f"{error.message}\nHint: {error.hint}",)
    return error
