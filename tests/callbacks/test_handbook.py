"""The handbook on screen: found by name, id and initials; one page beside the list."""

from __future__ import annotations

from dataclasses import replace

from callbacks.handbook import spellings
from tests.fakes.services import cards


def test_an_indicator_is_found_by_its_names_its_id_and_its_initials() -> None:
    card = next(iter(cards().values()))
    found = spellings(card)
    assert card.id in found
    assert "".join(card.names["zh"].split()).casefold() in found
    assert "".join(card.names["en"].split()).casefold() in found


def test_initials_are_those_of_the_pinyin() -> None:
    card = replace(next(iter(cards().values())), names={"zh": "每百人车辆数", "en": "Vehicles per 100 staff"})
    assert "mbrcls" in spellings(card).split()
