"""The catalogue: every definition of `metrics/definitions/*.toml`, checked as a whole.

All faults of all files come in one report: file, block, key, what is wrong, and what was probably meant. Columns are
checked against the contracts, names against each other, formulas against the kinds of their atoms.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache, partial
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from metrics.define_atom import ATOM_KEYS, define_atom
from metrics.define_forms import check_known_differences, define_bridge, define_forms
from metrics.define_indicator import BESIDE, INDICATOR_VERSION_KEYS, define_indicator, finish
from metrics.define_source import define_source
from metrics.drafting import Block, Draft
from metrics.fingerprints import digest
from metrics.model import UNIT_DIMS, Atom, Catalogue
from metrics.versions import (
    atom_version,
    earlier_blocks,
    indicator_version,
    keep_atom_versions,
    keep_indicator_versions,
    with_history,
)
from warehouse.base.errors import DefinitionError
from warehouse.contracts import Contract, load_contracts

__all__ = ["UNIT_DIMS", "build_catalogue", "datasets_of", "definition_texts", "load_catalogue"]
_KINDS = ("source", "atom", "indicator", "bridge")
_PLACE = re.compile(r"\[(source|atom|indicator|bridge)\.([^.\]]+)")
"""Which block a fault is told of (`Block.where`)."""


OWN = "own/"
"""Before the name of a file of the bureau's own: its blocks take the place of shipped ones of their name."""


def load_catalogue(folder: Path | Traversable | None = None, contracts: Mapping[str, Contract] | None = None,
                   own: Path | None = None) -> Catalogue:  # fmt: skip
    """Read and check every definition, those shipped and a bureau's own; all faults come in one DefinitionError.

    Those shipped with the package do not change while a process lives: they are read once, and what is read together
    with the same texts of a bureau is defined once.
    """
    texts = definition_texts(folder, own)
    if contracts is None:
        return _defined_once(tuple(sorted(texts.items())))
    return build_catalogue(texts, contracts)


def definition_texts(folder: Path | Traversable | None = None, own: Path | None = None) -> dict[str, str]:
    """Return the texts of every definition file by name, a bureau's own beside those shipped."""
    texts = dict(_texts(folder) if folder is not None else _shipped_texts())
    if own is not None and own.is_dir():
        texts |= {OWN + name: text for name, text in _texts(own).items()}
    return texts


@lru_cache(maxsize=4)
def _defined_once(texts: tuple[tuple[str, str], ...]) -> Catalogue:
    return build_catalogue(dict(texts), load_contracts())


@cache
def _shipped_texts() -> dict[str, str]:
    return _texts(resources.files("metrics") / "definitions")


def _texts(place: Path | Traversable) -> dict[str, str]:
    found = {}
    for entry in place.iterdir():
        if entry.name.endswith(".toml"):
            found[entry.name] = entry.read_bytes().decode("utf-8", errors="replace")
    return found


def build_catalogue(texts: Mapping[str, str], contracts: Mapping[str, Contract]) -> Catalogue:
    """Build the catalogue from the texts of definition files by name."""
    draft = Draft(contracts)
    return _defined(_blocks(texts, draft), draft, texts)


def salvage(texts: Mapping[str, str], contracts: Mapping[str, Contract]) -> Catalogue:
    """Build what still holds of definitions that were sound once: blocks the contracts of today no longer bear are left out."""
    left_out: set[tuple[str, str]] = set()
    while True:
        draft = Draft(contracts)
        blocks = _blocks(texts, draft)
        kept = {kind: {n: b for n, b in found.items() if (kind, n) not in left_out} for kind, found in blocks.items()}
        try:
            return _defined(kept, draft, texts)
        except DefinitionError as cause:
            told = (_PLACE.search(fault) for fault in cause.faults)
            wrong = {(found[1], found[2]) for found in told if found} - left_out
            if not wrong:
                raise
            left_out |= wrong


def _defined(blocks: Mapping[str, Mapping[str, Block]], draft: Draft, texts: Mapping[str, str]) -> Catalogue:
    for block in blocks["source"].values():
        with _told(block, draft):
            _keep(draft.sources, block, define_source(block, draft))
    for block in _leaves_last(blocks["atom"].values()):
        with _told(block, draft):
            _define_atom(block, draft, blocks["atom"])
    for block in blocks["indicator"].values():
        with _told(block, draft):
            _define_indicator(block, draft)
    check_known_differences(draft, blocks["indicator"])
    bridges = {name: one for name, block in blocks["bridge"].items() if (one := define_bridge(block, draft))}
    if draft.faults:
        raise DefinitionError("Definitions", draft.faults)
    for indicator in list(draft.indicators.values()):
        for beside in BESIDE:
            complete = partial(finish, draft=draft)
            made = with_history(beside, indicator, complete)
            if made is not None and made.id not in draft.indicators:
                forms = [with_history(beside, form, complete) for form in indicator.forms]
                draft.indicators[made.id] = replace(made, forms=tuple(form for form in forms if form is not None))
    return Catalogue(draft.indicators, draft.atoms, draft.sources, _fingerprint(draft), texts, bridges)


@contextlib.contextmanager
def _told(block: Block, draft: Draft) -> Iterator[None]:
    """A value of a kind nobody expected is one more fault, and the other blocks are still read."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError) as cause:
        draft.fault(block.where, f"cannot be read: {cause}")


def _define_atom(block: Block, draft: Draft, blocks: Mapping[str, Block]) -> None:
    """Define an atom of now and its earlier versions."""
    past, spells = earlier_blocks(block, draft, atom_version, ATOM_KEYS)
    made = [define_atom(one, draft, blocks) for one in (*past, block)]
    own = [atom for atom in made if atom is not None]
    if len(own) == len(made) == len(spells):
        keep_atom_versions(block.name, own, spells, draft)


def _define_indicator(block: Block, draft: Draft) -> None:
    """Define an indicator of now and its earlier versions."""
    past, spells = earlier_blocks(block, draft, indicator_version, INDICATOR_VERSION_KEYS)
    made = [define_indicator(one, draft) for one in (*past, block)]
    own = [indicator for indicator in made if indicator is not None]
    if len(own) == len(made) == len(spells):
        kept = keep_indicator_versions(own, spells, draft, finish)
        draft.indicators[block.name] = replace(kept, forms=define_forms(block, draft))


def _fingerprint(draft: Draft) -> str:
    """Return the mark of all definitions: every formula with what lies below, its versions and their dates, and the splits."""
    marks = [i.id + i.fingerprint for i in draft.indicators.values()]
    marks += [
        f"{i.id} {v.from_m} {v.to_m} {v.indicator.fingerprint}" for i in draft.indicators.values() for v in i.earlier
    ]
    marks += [f"{i.id} {f.caliber} {f.grains} {f.fingerprint}" for i in draft.indicators.values() for f in i.forms]
    marks += [f"{s.name} {' '.join(s.dims)}" for s in draft.sources.values()]
    return digest(sorted(marks))


def _blocks(texts: Mapping[str, str], draft: Draft) -> dict[str, dict[str, Block]]:
    found: dict[str, dict[str, Block]] = {kind: {} for kind in _KINDS}
    for file in sorted(texts, key=lambda name: (name.startswith(OWN), name)):
        try:
            data = tomllib.loads(texts[file])
        except tomllib.TOMLDecodeError as cause:
            draft.fault(
                file, f'not TOML: {cause}. Texts stand in plain quotes ("…", not “…”), and a block has its name once'
            )
            continue
        for kind, tables in data.items():
            if kind not in _KINDS:
                draft.fault(file, f"unknown table '{kind}'", kind, _KINDS)
                continue
            for name, table in tables.items() if isinstance(tables, Mapping) else ():
                block = Block(file, kind, name, table)
                if not isinstance(table, Mapping):
                    draft.fault(block.where, f"is no block: write [{kind}.{name}]")
                    continue
                earlier = found[kind].setdefault(name, block)
                if file.startswith(OWN) and not earlier.file.startswith(OWN):
                    found[kind][name] = block  # a bureau's own block takes the place of the shipped one
                elif earlier is not block:
                    draft.fault(block.where, f"the name is taken by {earlier.where}")
    for name in sorted(set(found["atom"]) & set(found["indicator"])):
        draft.fault(found["indicator"][name].where, f"the name is taken by {found['atom'][name].where}")
    return found


def _keep(place: dict[str, Any], block: Block, made: Any) -> None:
    if made is not None:
        place[block.name] = made


def _leaves_last(blocks: Iterable[Block]) -> list[Block]:
    return sorted(blocks, key=lambda block: "leaf" in block.data)


def datasets_of(catalogue: Catalogue, indicator: str) -> tuple[frozenset[str], ...]:
    """Return, for each figure an indicator needs, the datasets that can give it: one of each set must have rows."""
    found: list[frozenset[str]] = []
    for name in catalogue.indicators[indicator].atoms:
        atom = catalogue.atoms[name]
        if atom.is_leaf:
            for operand in atom.operands:
                found.append(_datasets(catalogue.atoms[operand], catalogue))
        else:
            found.append(_datasets(atom, catalogue))
    return tuple(dict.fromkeys(found))


def _datasets(atom: Atom, catalogue: Catalogue) -> frozenset[str]:
    return frozenset(catalogue.sources[part.of].of for part in atom.parts)
