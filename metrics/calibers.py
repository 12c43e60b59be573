"""Calibers: the same indicator from ledgers and meters (监测口径), the official survey (统计口径), the books of finance, or
what was published.

A question in another caliber is answered by the same engine from a catalogue in which each indicator is its form of that
caliber; one that has none, or none for the grain asked, has no source there. What a survey asks for a year or a quarter
is due on a day of its own: until then nothing is missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from metrics.knowledge import Kept
from metrics.model import Caliber, Catalogue, Indicator
from warehouse.base.periods import Grain
from warehouse.contracts import Contract

NO_FORM = "no form in this caliber"
"""Stands for the atoms of an indicator that a caliber does not know."""
_kept: Kept[Catalogue] = Kept(24)


def of_caliber(catalogue: Catalogue, caliber: Caliber, grain: Grain) -> Catalogue:
    """Return the catalogue as one caliber has it for windows of a grain; the fingerprint says which."""
    if caliber == "monitor" or catalogue.fingerprint.endswith(_mark(caliber, grain)):
        return catalogue
    key = (catalogue.fingerprint, catalogue.fitted, caliber, grain, len(catalogue.indicators))
    return _kept.get(key) or _kept.put(key, _taken(catalogue, caliber, grain))


def _taken(catalogue: Catalogue, caliber: Caliber, grain: Grain) -> Catalogue:
    indicators = {name: form_of(one, caliber, grain) or _without(one) for name, one in catalogue.indicators.items()}
    return replace(catalogue, indicators=indicators, fingerprint=catalogue.fingerprint + _mark(caliber, grain))


def _mark(caliber: Caliber, grain: Grain) -> str:
    return f":{caliber}:{grain}"


def form_of(indicator: Indicator, caliber: Caliber, grain: Grain) -> Indicator | None:
    """Return an indicator in a caliber for a grain, or None where it has no such form."""
    if caliber == "monitor":
        return indicator
    return next((f for f in indicator.forms if f.caliber == caliber and (not f.grains or grain in f.grains)), None)


def _without(indicator: Indicator) -> Indicator:
    return replace(indicator, atoms=(NO_FORM,), sources=(), earlier=(), forms=(), fingerprint="")


def awaited(indicator: Indicator, ends: Sequence[int], catalogue: Catalogue, contracts: Mapping[str, Contract],
            today: dt.date) -> frozenset[int]:  # fmt: skip
    """Return the numbers of the windows whose surveys may still come in time; `ends` are the months they end before."""
    terms = [contracts[catalogue.sources[name].of].term for name in indicator.sources]
    return frozenset(
        n for n, end in enumerate(ends) if any(term is not None and today <= term.due_on(end) for term in terms)
    )
