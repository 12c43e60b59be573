"""The definitions that stand: those shipped with a bureau's own beside them, or the last good ones while these have faults.

A broken definition never takes a running board down: what was published last is computed on, and the faults are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metrics.catalogue import load_catalogue
from metrics.editions import extended, kept_catalogue
from metrics.model import Catalogue
from warehouse.base.errors import DefinitionError
from warehouse.contracts import Contract
from warehouse.editions import Past, keep_texts
from warehouse.store import Generation, Store


@dataclass(frozen=True)
class Standing:
    """The definitions in force, and what is wrong with those that were to take their place."""

    catalogue: Catalogue
    faults: tuple[str, ...] = ()


def standing(store: Store) -> Standing:
    """Return the definitions of a store; while they have faults, those of its last publish, else the shipped ones."""
    try:
        return Standing(load_catalogue(own=store.definitions))
    except DefinitionError as cause:
        last = last_good(store.past, store.contracts) if store.exists else None
        return Standing(last if last is not None else load_catalogue(), cause.faults)


def as_published(store: Store, generation: Generation) -> Standing:
    """Return the definitions a board was published by, with the faults of those that were to take their place."""
    found, built = standing(store), generation.meta.get("catalogue", "")
    if built in ("", found.catalogue.fingerprint) or generation.past is None:
        return found
    published = kept_catalogue(generation.past, built, generation.contracts)
    return found if published is None else Standing(published, found.faults)


def last_good(past: Past, contracts: Mapping[str, Contract]) -> Catalogue | None:
    """Return the definitions of the last publish, if its texts are kept."""
    return kept_catalogue(past, past.editions[-1].fingerprint, contracts) if past.editions else None


def to_build(store: Store) -> Catalogue:
    """Return the definitions of the next publish, with the atoms of every earlier edition beside its own."""
    catalogue = standing(store).catalogue
    return extended(catalogue, store.past, store.contracts) if store.exists else catalogue


def keep(store: Store, catalogue: Catalogue) -> None:
    """Keep the texts of definitions before anything is published by them."""
    if catalogue.texts:
        keep_texts(store.catalogues, catalogue.fingerprint, catalogue.texts)
