"""Indicator cards: what screens need of a definition."""

from __future__ import annotations

from callbacks.services import IndicatorCard, Seam
from metrics.model import Indicator


def card_of(indicator: Indicator, has_source: bool) -> IndicatorCard:
    """Return what screens need of a definition."""
    return IndicatorCard(
        id=indicator.id,
        theme=indicator.theme,
        names={"zh": indicator.title.zh, "en": indicator.title.en},
        unit=indicator.unit,
        better=indicator.better,
        kind=indicator.kind,
        has_source=has_source,
        sources=indicator.sources,
        dims=indicator.dims,
        documents={"zh": indicator.basis.zh, "en": indicator.basis.en},
        meaning={"zh": indicator.text.zh, "en": indicator.text.en},
        formula=indicator.value,
        fingerprint=indicator.fingerprint,
        seams=_seams(indicator),
    )


def _seams(indicator: Indicator) -> tuple[Seam, ...]:
    """Return the first month of each later version, with the document it goes by."""
    newer = indicator.versions[1:]
    return tuple(
        Seam(older.to_m, {"zh": begun.basis.zh, "en": begun.basis.en})
        for older, begun in zip(indicator.earlier, newer, strict=True)
    )
