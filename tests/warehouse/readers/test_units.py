"""Units: exact factors to what is stored, and suggestions for what nobody knows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from warehouse.readers.units import UnknownUnit, convert_factor, find_unit, is_unit, suggest_units


@pytest.mark.parametrize(
    ("text", "stored", "factor"),
    [
        ("元", "CNY", "1"), ("万元", "CNY", "10000"), ("亿元", "CNY", "100000000"), ("千元", "CNY", "1000"),
        ("kWh", "kWh", "1"), ("万kWh", "kWh", "10000"), ("万千瓦时", "kWh", "10000"), ("度", "kWh", "1"), ("MWh", "kWh", "1000"),
        ("㎡", "m2", "1"), ("m²", "m2", "1"), ("平方米", "m2", "1"), ("sqft", "m2", "0.09290304"), ("万m²", "m2", "10000"),
        ("m³", "m3", "1"), ("立方米", "m3", "1"), ("吨", "m3", "1"), ("吨/立方米", "m3", "1"), ("ft³", "m3", "0.028316846592"),
        ("升", "L", "1"), ("L", "L", "1"), ("m3", "L", "1000"), ("GJ", "GJ", "1"), ("吉焦", "GJ", "1"), ("MJ", "GJ", "0.001"),
        ("kJ", "GJ", "0.000001"), ("百万千焦", "GJ", "1"), ("kg", "kg", "1"), ("吨", "kg", "1000"), ("t", "kg", "1000"),
        ("公里", "km", "1"), ("米", "km", "0.001"), ("%", "%", "1"), ("吨标准煤", "kgce", "1000"), ("（万元）", "CNY", "10000"),
        ("ＫＷＨ", "kWh", "1"), ("小时", "h", "1"), ("万人次", "人次", "10000"),
    ],
)  # fmt: skip
def test_factors_are_exact(text, stored, factor):
    assert convert_factor(text, stored) == Decimal(factor)


@pytest.mark.parametrize(
    ("text", "stored"), [("克朗", "CNY"), ("升", "kg"), ("kWh", "GJ"), ("USD", "CNY"), ("元", "m2"), ("吨标煤", "kg")]
)
def test_another_kind_of_quantity_is_never_converted(text, stored):
    found = convert_factor(text, stored)
    assert isinstance(found, UnknownUnit)
    assert found.suggestions


def test_suggestions_begin_with_the_nearest_spelling():
    assert suggest_units("万圆", "money")[0] in ("万元", "万")
    assert suggest_units("千瓦小时数", "power")[0] == "千瓦小时"


@pytest.mark.parametrize("text", ["元/平方米", "元/千瓦时", "万元/年"])
def test_a_price_is_a_unit(text):
    assert is_unit(text)


@pytest.mark.parametrize("text", ["", "1", "含调整", "是/否", "市财政局"])
def test_other_words_are_no_unit(text):
    assert not is_unit(text)


def test_a_stored_unit_nobody_knows_is_our_own_mistake():
    with pytest.raises(ValueError, match="parsec"):
        convert_factor("km", "parsec")


def test_no_spelling_stands_for_two_units():
    from warehouse.readers import units

    seen: dict[str, tuple[str, str]] = {}
    for dimension, lines in units._TABLE.items():
        for factor, spellings in lines:
            for text in spellings.split():
                place = (dimension, factor)
                assert seen.setdefault(units.fold(text), place) == place, text
    assert find_unit("方") is not None
