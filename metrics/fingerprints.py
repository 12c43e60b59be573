"""Fingerprints: the canonical text of a rule and everything below it. Rows of reference tables are data and stay outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from metrics import expressions as ex
from metrics.model import Atom, Source


def atom_text(atom: Atom, atoms: Mapping[str, Atom], sources: Mapping[str, Source]) -> dict[str, Any]:
    """Canonical text of an atom and everything below it; rows of reference tables are data and stay outside."""
    return {
        "over_time": atom.over_time,
        "theme": atom.theme,
        "parts": [
            {"value": part.value, "where": part.where or "", "source": source_text(sources[part.of])}
            for part in atom.parts
        ],
        "leaf": atom.leaf or "",
        "by": list(atom.by),
        "missing": dict(sorted(atom.missing.items())),
        "operands": {name: atom_text(atoms[name], atoms, sources) for name in sorted(atom.operands)},
    }


def source_text(source: Source) -> dict[str, Any]:
    return {
        "of": source.of,
        "theme": source.theme,
        "month": ex.canonical(source.month, ex.ROW),
        "lookups": [[lookup.table, sorted(lookup.on.items()), lookup.required] for lookup in source.lookups],
        "latest": [source.latest.by, *source.latest.within] if source.latest else [],
    }


def digest(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
