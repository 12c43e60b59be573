"""Fingerprints: the canonical text of a rule and everything below it. Rows of reference tables are data and stay outside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from sqlglot import exp

from metrics import expressions as ex
from metrics.due_window import due_mark
from metrics.model import Atom, Lookup, Source

_BESIDE = re.compile(r"^(\w+?)__[0-9a-f]{8}$")


def beside_name(name: str, fingerprint: str) -> str:
    """Return the name under which another version of a thing stands beside the one that has the plain name."""
    return f"{name}__{fingerprint[:8]}"


def plain_name(name: str) -> str:
    """Return the name a definition was written under."""
    found = _BESIDE.match(name)
    return found.group(1) if found else name


def atom_text(atom: Atom, atoms: Mapping[str, Atom], sources: Mapping[str, Source]) -> dict[str, Any]:
    """Canonical text of an atom and everything below it; rows of reference tables are data and stay outside."""
    return {
        "over_time": atom.over_time,
        "theme": atom.theme,
        "parts": [
            {"value": part.value, "where": part.where or "", "source": source_text(sources[part.of])}
            for part in atom.parts
        ],
        "leaf": _leaf_text(atom),
        "by": list(atom.by),
        "missing": {plain_name(name): atom.missing[name] for name in sorted(atom.missing)},
        "operands": {plain_name(name): atom_text(atoms[name], atoms, sources) for name in sorted(atom.operands)},
    }


def _leaf_text(atom: Atom) -> str:
    """The formula over the names it was written with: under which version an operand stands is told by the operands."""
    if atom.leaf is None or all(plain_name(name) == name for name in atom.operands):
        return atom.leaf or ""
    return ex.sql(ex.rename(ex.read(atom.leaf, ex.ROW), lambda _, name: exp.column(plain_name(name))))


def source_text(source: Source) -> dict[str, Any]:
    return {
        "of": source.of,
        "theme": source.theme,
        "month": ex.canonical(source.month, ex.ROW),
        "lookups": [_lookup_text(lookup) for lookup in source.lookups],
        **({"where": ex.canonical(source.where, ex.ROW)} if source.where else {}),
        "latest": [source.latest.by, *source.latest.within] if source.latest else [],
        **due_mark(source.due),
    }


def _lookup_text(lookup: Lookup) -> list[Any]:
    text: list[Any] = [lookup.table, sorted(lookup.on.items()), lookup.required]
    text += [sorted((measured, *bounds) for measured, bounds in lookup.bands.items())] if lookup.bands else []
    return [*text, ex.canonical(lookup.where, ex.ROW)] if lookup.where else text


def digest(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
