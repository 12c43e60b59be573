"""Catalogues of the past: what was defined on a day answers for that day, from cubes that hold its atoms beside today's.

The cubes of a generation bear the names of the catalogue it was published by. An atom another edition defined
otherwise stands beside its namesake, under name and fingerprint; `extended` is what the cubes are built from, `in_force`
what a question is answered by.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from metrics.catalogue import salvage
from metrics.fingerprints import beside_name, digest, plain_name, source_text
from metrics.knowledge import Kept
from metrics.model import Atom, Catalogue, Indicator, Source
from metrics.versions import rename_atom, rename_formula
from warehouse.base.errors import DefinitionError
from warehouse.contracts import Contract
from warehouse.editions import Past
from warehouse.store import Generation

UNDEFINED = "not defined then"
"""Stands for the atoms of an indicator that an edition does not know."""
_KEPT = 8


def kept_catalogue(past: Past, fingerprint: str, contracts: Mapping[str, Contract]) -> Catalogue | None:
    """Return a catalogue from its kept texts, as far as the contracts of today still bear it."""
    texts = past.texts(fingerprint)
    if texts is None:
        return None
    return _salvaged(tuple(sorted(texts.items())), fingerprint, _Same(contracts))


class _Same(dict[str, Contract]):
    """Contracts as a key: those of one process are one."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self)))


@lru_cache(maxsize=_KEPT)
def _salvaged(texts: tuple[tuple[str, str], ...], fingerprint: str, contracts: _Same) -> Catalogue | None:
    try:
        return replace(salvage(dict(texts), contracts), fingerprint=fingerprint)
    except DefinitionError:
        return None


def extended(base: Catalogue, past: Past, contracts: Mapping[str, Contract]) -> Catalogue:
    """Return a catalogue with the atoms of every kept edition that differ from its own, for the cubes to hold."""
    atoms, sources = dict(base.atoms), dict(base.sources)
    for fingerprint in past.fingerprints:
        if fingerprint == base.fingerprint:
            continue
        older = kept_catalogue(past, fingerprint, contracts)
        if older is not None:
            beside = fitted(older, base)
            atoms = {**beside.atoms, **atoms}
            sources = {**beside.sources, **sources}
    return replace(base, atoms=dict(sorted(atoms.items())), sources=dict(sorted(sources.items())))


def fitted(catalogue: Catalogue, base: Catalogue) -> Catalogue:
    """Return a catalogue over cubes that were built by another one: what differs bears a name of its own."""
    changed = {a.name for a in catalogue.atoms.values() if _differs(a, base.atoms.get(a.name))}
    names = {n: beside_name(plain_name(n), catalogue.atoms[n].fingerprint) for n in changed}
    read = {part.of for name in changed for part in catalogue.atoms[name].parts}
    read |= {part.of for name in changed for o in catalogue.atoms[name].operands for part in catalogue.atoms[o].parts}
    moved = {n: _source_name(catalogue.sources[n]) for n in read if base.sources.get(n) != catalogue.sources[n]}
    # what is unchanged goes on reading the sources that stand there
    sources = {**catalogue.sources, **base.sources}
    sources |= {name: replace(catalogue.sources[n], name=name) for n, name in moved.items()}
    atoms = {
        names.get(n, n): rename_atom(a, names.get(n, n), names, moved) if n in changed else a
        for n, a in catalogue.atoms.items()
    }
    indicators = {i.id: _renamed(i, names, moved) for i in catalogue.indicators.values()}
    return Catalogue(
        indicators, atoms, sources, catalogue.fingerprint, catalogue.texts, catalogue.bridges, base.fingerprint
    )


def _differs(atom: Atom, other: Atom | None) -> bool:
    return other is None or other.fingerprint != atom.fingerprint


def _source_name(source: Source) -> str:
    return beside_name(source.name, digest([source_text(source), list(source.dims)]))


def _renamed(indicator: Indicator, names: Mapping[str, str], sources: Mapping[str, str]) -> Indicator:
    read = {name: names.get(name, name) for name in indicator.atoms}
    return replace(
        indicator,
        value=rename_formula(indicator.value, read),
        atoms=tuple(read.values()),
        sources=tuple(dict.fromkeys(name for s in indicator.sources for name in (sources.get(s, s),))),
        earlier=tuple(replace(v, indicator=_renamed(v.indicator, names, sources)) for v in indicator.earlier),
        forms=tuple(_renamed(form, names, sources) for form in indicator.forms),
    )


# --- which one answers ------------------------------------------------------------------------------------------------


def in_force(generation: Generation, catalogue: Catalogue, known_at: dt.datetime | None) -> Catalogue:
    """Return the definitions a question is answered by: those given for now, for a past day those published by then.

    A generation that is pinned to a batch compares two sides by one rule, and one that is read without its store knows
    of no other edition.
    """
    built, past = generation.meta.get("catalogue", ""), generation.past
    if past is None or not built or catalogue.fitted == built:
        return catalogue
    wanted = catalogue.fingerprint
    if known_at is not None and generation.pinned is None:
        edition = past.at(generation.batch_at(known_at), known_at)
        wanted = edition.fingerprint if edition else wanted
    if wanted == catalogue.fingerprint == built:
        return catalogue
    return _chosen(wanted, built, catalogue, past, _Same(generation.contracts))


_chosen_ones: Kept[Catalogue] = Kept(_KEPT)


def _chosen(wanted: str, built: str, catalogue: Catalogue, past: Past, contracts: _Same) -> Catalogue:
    key = (wanted, built, catalogue.fingerprint, contracts)
    found = _chosen_ones.get(key)
    if found is None:
        base = catalogue if catalogue.fingerprint == built else kept_catalogue(past, built, contracts)
        older = catalogue if catalogue.fingerprint == wanted else kept_catalogue(past, wanted, contracts)
        found = _chosen_ones.put(key, catalogue if base is None else _with_unknown(older, catalogue, base))
    return found


def _with_unknown(older: Catalogue | None, catalogue: Catalogue, base: Catalogue) -> Catalogue:
    """Return an edition in which an indicator it does not know answers too: that it has no source."""
    if older is None:
        older = Catalogue({}, {}, {}, "")
    found = older if older.fingerprint == base.fingerprint else fitted(older, base)
    unknown = {
        i.id: replace(i, atoms=(UNDEFINED,), sources=(), earlier=(), fingerprint="")
        for i in catalogue.indicators.values()
        if i.id not in found.indicators
    }
    return replace(found, indicators={**found.indicators, **unknown}, fitted=base.fingerprint)


def undefined_ids(catalogue: Catalogue, ids: Iterable[str]) -> tuple[str, ...]:
    """Return which of some indicators an edition does not know, or no longer can compute."""
    return tuple(i for i in ids if i in catalogue.indicators and catalogue.indicators[i].atoms == (UNDEFINED,))
