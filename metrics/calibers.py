"""Calibers: the same indicator from ledgers and meters (监测口径), the official survey (统计口径), the books of finance, or
what was published.

A question in another caliber is answered by the same engine from a catalogue in which each indicator is its form of that
caliber; one that has none, or none for the grain asked, has no source there.
"""

from __future__ import annotations

from dataclasses import replace

from metrics.knowledge import Kept
from metrics.model import Caliber, Catalogue, Indicator
from warehouse.base.periods import Grain

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
