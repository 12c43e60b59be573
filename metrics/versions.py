"""Definition history: the versions of an atom or an indicator, each in force for some months.

A definition is closed, never edited: the text that held until then stays in an `earlier` block with its dates. A version
reads every month by its own rules, so a comparison is restated by the newer definition on both sides; which version
answers a window is decided by the month the window ends in. The atoms of an earlier version stand beside today's under
a name of their own (`kgce__1f0a93c2`: name and fingerprint), so the cubes hold both for all months.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from metrics import expressions as ex
from metrics.drafting import Block, Draft, check_keys, read_texts
from metrics.fingerprints import atom_text, beside_name, digest
from metrics.model import Atom, Indicator, Spell, Version
from warehouse.base.periods import OPEN, month_label, month_of

EARLIER = "earlier"
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


def in_force(spells: Sequence[Spell], month: int) -> Spell:
    """Return what was in force in a month; spells join without a gap."""
    return next(spell for spell in spells if month < spell.to_m)


# --- reading the blocks -----------------------------------------------------------------------------------------------


def earlier_blocks(block: Block, draft: Draft, inherits: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]],
                   allowed: Iterable[str]) -> tuple[list[Block], tuple[Spell, ...]]:  # fmt: skip
    """Return a block for each earlier version, oldest first, and the spells of all; the last spell is the block itself.

    The name of a spell is the number of its block. Overlaps, gaps and dates that are no bounds of months are faults.
    """
    entries = block.data.get(EARLIER, [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        draft.fault(block.where, f"'{EARLIER}' is a list: write [[{block.kind}.{block.name}.{EARLIER}]]")
        entries = []
    dated = [found for entry in entries if (found := _dated(block, entry, draft, (*allowed, "from", "to", "basis")))]
    dated.sort(key=lambda item: item[0])
    _check_joined(block, [(start, end) for start, end, _ in dated], draft)
    made, spells, last = [], [], 0
    for number, (start, end, entry) in enumerate(dated):
        data = {key: value for key, value in block.data.items() if key not in (EARLIER, "from")}
        part = Block(block.file, block.kind, block.name, inherits(data, entry), f".{EARLIER}")
        basis = read_texts(part, "basis", entry.get("basis"), draft)
        made.append(part)
        spells.append(Spell(last, end, str(number), basis, start))
        last = end
    return made, (*spells, Spell(last, OPEN, ""))


def _dated(block: Block, entry: Mapping[str, Any], draft: Draft, allowed: Iterable[str]) -> tuple[int, int, Mapping[str, Any]] | None:  # fmt: skip
    where = f"{block.file} [{block.kind}.{block.name}.{EARLIER}]"
    check_keys(where, entry, allowed, draft)
    start, end = (_bound(where, key, entry.get(key), draft) for key in ("from", "to"))
    if start is None or end is None:
        return None
    if end <= start:
        draft.fault(f"{where} to", f"{entry['to']} is not after {entry['from']}")
        return None
    return start, end, entry


def _bound(where: str, key: str, value: object, draft: Draft) -> int | None:
    """Read a bound of months: half-open as everywhere, so `to` is the first month no more in force.

    A last day of a month is taken as the inclusive end it can only mean.
    """
    day: dt.date | None = value if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else None
    if isinstance(value, str):
        text = f"{value}-01" if _MONTH.fullmatch(value) else value
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:
            day = None
    if day is None:
        draft.fault(f"{where} {key}", f"needs a month or a day such as 2025-01-01, not {value!r}")
        return None
    if day.day != 1 and key == "to" and (day + dt.timedelta(days=1)).day == 1:
        day += dt.timedelta(days=1)
    if day.day != 1:
        draft.fault(f"{where} {key}", f"{day} lies inside a month; versions begin and end with months")
        return None
    return month_of(day)


def _check_joined(block: Block, spans: Sequence[tuple[int, int]], draft: Draft) -> None:
    where = f"{block.file} [{block.kind}.{block.name}.{EARLIER}]"
    starts = [start for start, _ in spans[1:]]
    if spans and "from" in block.data:
        own = _bound(block.where, "from", block.data["from"], draft)
        starts += [] if own is None else [own]
    for (_, end), start in zip(spans, starts, strict=False):
        if start != end:
            fault = "two versions are in force" if start < end else "no version is in force"
            low, high = sorted((start, end))
            draft.fault(where, f"{fault} from {month_label(low)} to before {month_label(high)}; one must end where the next begins")  # fmt: skip


def atom_version(data: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of an earlier atom: today's, overlaid; a sum of rows replaces parts and the other way round."""
    given = {key: value for key, value in entry.items() if key not in ("from", "to", "basis")}
    kept = dict(data)
    if "leaf" in given:
        dropped: tuple[str, ...] = ("of", "value", "where", "parts", "kind")
    elif "parts" in given:
        dropped = ("of", "value", "where", "leaf", "missing", "by", "adds")
    elif "value" in given or "of" in given:
        dropped = ("parts", "leaf", "missing", "adds")
    else:
        dropped = ()
    found = {key: value for key, value in kept.items() if key not in dropped} | given
    if not found.get("where", True):
        del found["where"]  # an empty condition: all rows counted then
    return found


def indicator_version(data: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of an earlier indicator: today's, overlaid; a worked example is of one version only."""
    given = {key: value for key, value in entry.items() if key not in ("from", "to")}
    return {key: value for key, value in data.items() if key != "example"} | given


# --- versions under names of their own --------------------------------------------------------------------------------


def rename_formula(text: str, names: Mapping[str, str]) -> str:
    """Return a formula over other atoms."""
    if all(names.get(name, name) == name for name in names):
        return text
    return ex.sql(ex.rename(ex.read(text, ex.FORMULA), lambda _, name: exp.column(names.get(name, name))))


def rename_atom(atom: Atom, name: str, names: Mapping[str, str], sources: Mapping[str, str]) -> Atom:
    """Return an atom under another name, over other operands and sources."""
    leaf = atom.leaf
    if leaf is not None:
        leaf = ex.sql(ex.rename(ex.read(leaf, ex.ROW), lambda _, column: exp.column(names.get(column, column))))
    return replace(
        atom,
        name=name,
        leaf=leaf,
        operands=tuple(names.get(operand, operand) for operand in atom.operands),
        missing={names.get(operand, operand): value for operand, value in atom.missing.items()},
        parts=tuple(replace(part, of=sources.get(part.of, part.of)) for part in atom.parts),
        sources=tuple(sources.get(source, source) for source in atom.sources),
    )


def keep_atom_versions(name: str, own: Sequence[Atom], spells: Sequence[Spell], draft: Draft) -> None:
    """Put every version of an atom into the draft and note which was in force when.

    `own` are the versions as written, oldest first, the one of now last. A leaf atom has a version more for each version
    of an operand.
    """
    current = own[-1]
    draft.atoms[name] = current
    found = []
    for start, end, spell, names in _segments(spells, draft, lambda s: own[_number(s, own)].operands):
        written = own[_number(spell, own)]
        seen = {operand: draft.atoms[names.get(operand, operand)] for operand in written.operands}
        mark = digest(atom_text(written, {**draft.atoms, **seen}, draft.sources))
        stands = name if mark == current.fingerprint else beside_name(name, mark)
        if stands not in draft.atoms:
            sources = written.sources
            if written.is_leaf:
                sources = tuple(
                    dict.fromkeys(s for o, a in seen.items() if o not in written.missing for s in a.sources)
                )
            made = rename_atom(written, stands, names, {})
            draft.atoms[stands] = replace(made, fingerprint=mark, sources=sources)
        basis = spell.basis or next((b.basis for b in _below(written.operands, start, draft) if b.basis), None)
        found.append(Spell(start, end, stands, basis, spell.since))
    if len(found) > 1:
        draft.spells[name] = tuple(found)


def keep_indicator_versions(own: Sequence[Indicator], spells: Sequence[Spell], draft: Draft,
                            finish: Callable[[Indicator, Draft, Mapping[str, str]], Indicator]) -> Indicator:  # fmt: skip
    """Return the indicator of now with its earlier versions, its own and those of the atoms it reads."""
    current = own[-1]
    found = []
    for start, end, spell, names in _segments(spells, draft, lambda s: own[_number(s, own)].atoms):
        if end >= OPEN:
            break
        written = own[_number(spell, own)]
        basis = spell.basis or next((b.basis for b in _below(written.atoms, start, draft) if b.basis), written.basis)
        made = replace(finish(written, draft, names), id=f"{current.id}@{month_label(end - 1)}", basis=basis)
        found.append(
            Version(start if start != spell.from_m or spell.since is None else spell.since, end, made, written.value)
        )
    return replace(current, earlier=tuple(found))


def with_history(make: Callable[[Indicator], Indicator | None], indicator: Indicator,
                 finish: Callable[[Indicator], Indicator]) -> Indicator | None:  # fmt: skip
    """Return an indicator made of another one, such as its change in a year, with the same history."""
    made = make(indicator)
    if made is None:
        return None
    past = []
    for version in indicator.earlier:
        older = make(version.indicator)
        if older is None:
            return None
        older = finish(replace(older, id=f"{made.id}@{month_label(version.to_m - 1)}"))
        past.append(Version(version.from_m, version.to_m, older, older.value))
    return replace(finish(made), earlier=tuple(past))


def _number(spell: Spell, own: Sequence[object]) -> int:
    return int(spell.name) if spell.name else len(own) - 1


def _below(names: Iterable[str], month: int, draft: Draft) -> list[Spell]:
    return [in_force(draft.spells[name], month) for name in names if name in draft.spells]


def _segments(spells: Sequence[Spell], draft: Draft, reads: Callable[[Spell], Iterable[str]]) -> list[tuple[int, int, Spell, dict[str, str]]]:  # fmt: skip
    """Cut the spells of a thing where something it reads changes; with the names in force in each piece."""
    found = []
    for spell in spells:
        below = [name for name in reads(spell) if name in draft.spells]
        cuts = {s.to_m for name in below for s in draft.spells[name] if spell.from_m < s.to_m < spell.to_m}
        ends = sorted({*cuts, spell.to_m})
        for start, end in zip([spell.from_m, *ends], ends, strict=False):
            found.append((start, end, spell, {name: in_force(draft.spells[name], start).name for name in below}))
    return found
