"""Units as exports write them, and the exact factors that lead to the unit we store.

A unit has a dimension; only units of one dimension convert into each other, always as Decimal.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from rapidfuzz import fuzz, process

_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class Unit:
    """A way of writing a quantity: `factor` of the dimension's base unit each."""

    text: str
    dimension: str
    factor: Decimal


@dataclass(frozen=True)
class UnknownUnit:
    """Nobody knows this unit, or it measures something else; `suggestions` are units that would fit."""

    text: str
    suggestions: tuple[str, ...]


# dimension -> ((factor to the first unit, spellings …), …); the first line's first spelling is the base
_TABLE: dict[str, tuple[tuple[str, str], ...]] = {
    "money": (
        ("1", "元 yuan cny rmb ¥ 人民币元 元人民币 人民币 元/年"),
        ("1000", "千元"),
        ("10000", "万元 万 万元/年"),
        ("1000000", "百万元"),
        ("10000000", "千万元"),
        ("100000000", "亿元 亿"),
    ),
    "hryvnia": (("1", "uah ₴ грн"), ("1000", "千uah тис.грн"), ("1000000", "млн.грн")),
    "pound": (("1", "gbp £"), ("1000", "£000 £k")),
    "dollar": (("1", "usd $ us$"), ("1000", "$000 $k")),
    "euro": (("1", "eur €"), ("1000", "€000 €k")),
    "power": (
        ("1", "kWh kwh kw·h kw.h kw*h 千瓦时 千瓦·时 千瓦小时 度 度电"),
        ("10000", "万kWh 万kwh 万千瓦时 万度 万千瓦·时"),
        ("1000", "MWh mwh 兆瓦时 千度"),
        ("1000000", "GWh gwh"),
        ("0.001", "Wh wh 瓦时"),
    ),
    "area": (
        ("1", "m2 ㎡ m² m^2 平方米 平米 平方 sqm sq.m"),
        ("10000", "万m2 万㎡ 万m² 万平方米 万平米 公顷 ha"),
        ("0.09290304", "sqft ft2 ft² sq.ft sqfeet squarefeet squarefoot gsf 平方英尺"),
        ("1000000", "km2 km² 平方公里 平方千米"),
        ("10000/15", "亩"),
    ),
    "volume": (
        ("1", "m3 m³ ㎥ m^3 立方米 立方 方 标方 nm3 标准立方米 吨水 吨/立方米 立方米/吨"),
        ("10000", "万m3 万m³ 万立方米 万方"),
        ("0.001", "L l 升 公升 litre liter litres liters"),
        ("0.000001", "ml 毫升"),
        ("0.028316846592", "ft3 ft³ cf cubicfeet cubicfoot 立方英尺"),
        ("2.8316846592", "ccf hcf"),
        ("0.003785411784", "gal gallon gallons 加仑"),
    ),
    "heat": (
        ("1", "GJ gj 吉焦 百万千焦"),
        ("0.001", "MJ mj 兆焦"),
        ("0.000001", "kJ kj 千焦"),
        ("1000", "TJ tj 太焦"),
        ("10000", "万GJ 万gj 万吉焦"),
        ("4.1868", "Gcal gcal 吉卡 百万大卡 百万千卡"),
    ),
    "mass": (
        ("1", "kg 公斤 千克"),
        ("1000", "t 吨 公吨 ton tonne tonnes"),
        ("10000000", "万吨 万t"),
        ("0.001", "g 克"),
    ),
    "coal_equivalent": (
        ("1", "kgce 千克标准煤 公斤标准煤 千克标煤 公斤标煤"),
        ("1000", "tce 吨标准煤 吨标煤"),
        ("10000000", "万tce 万吨标准煤 万吨标煤"),
    ),
    "co2": (
        ("1", "kgCO2 kgco2 千克二氧化碳 公斤二氧化碳"),
        ("1000", "tCO2 tco2 吨二氧化碳 tco2e"),
    ),
    "distance": (("1", "km 公里 千米"), ("0.001", "m 米"), ("1.609344", "mile miles mi 英里")),
    "share": (("0.01", "% 百分比 百分点 pct percent"), ("0.001", "‰")),
    "time": (("1", "h 小时 时 hour hours"), ("1/60", "min 分钟 minute minutes"), ("24", "d 天 日 day days")),
    "count": (
        ("1", "人 人数 人次 个 辆 台 台次 次 件 套 间 栋 幢 座 层 户 家 份 项 张 票 处 名 位 条 块 把 单 桌 枚 批"),
        ("10000", "万人 万人次 万次 万辆 万件"),
    ),
}
_WATER_TONNE = ("吨", "t", "ton", "tonne", "公吨")
_MONEY_PER = re.compile(r"^(元|万元|千元)/(.+)$")


def fold(text: str) -> str:
    """Bring a unit text to the form it is looked up in: NFKC, no spaces, no brackets, small letters."""
    plain = _SPACES.sub("", unicodedata.normalize("NFKC", text)).strip("()[]{}【】:,;")
    return plain.replace("⋅", "·").replace("・", "·").casefold()


@cache
def _known() -> dict[str, Unit]:
    known: dict[str, Unit] = {}
    for dimension, lines in _TABLE.items():
        for factor, spellings in lines:
            for text in spellings.split():
                known.setdefault(fold(text), Unit(text, dimension, _fraction(factor)))
    return known


def _fraction(text: str) -> Decimal:
    above, _, below = text.partition("/")
    return Decimal(above) / Decimal(below) if below else Decimal(above)


def find_unit(text: str) -> Unit | None:
    """The unit a text writes, or None."""
    return _known().get(fold(text))


def is_money(text: str) -> bool:
    """Whether a text is a unit of money."""
    unit = find_unit(text)
    return unit is not None and unit.dimension in ("money", "hryvnia", "pound", "dollar", "euro")


@lru_cache(maxsize=1 << 16)
def is_unit(text: str) -> bool:
    """Whether a text is a unit, or a price per unit such as 元/平方米."""
    if find_unit(text) is not None:
        return True
    price = _MONEY_PER.match(fold(text))
    return price is not None and (find_unit(price[2]) is not None or price[2] in {"年", "月", "季", "日", "天"})


def convert_factor(text: str, stored: str) -> Decimal | UnknownUnit:
    """What a number in unit `text` is multiplied by to be in unit `stored`.

    Tonnes of water are cubic metres; every other tonne is mass.
    """
    target = find_unit(stored)
    if target is None:
        raise ValueError(f"the stored unit {stored!r} is in no table of units")
    if target.dimension == "volume" and fold(text) in _WATER_TONNE:
        return Decimal(1) / target.factor if target.factor != 1 else Decimal(1)
    unit = find_unit(text)
    if unit is None or unit.dimension != target.dimension:
        return UnknownUnit(text, suggest_units(text, target.dimension))
    return unit.factor if target.factor == 1 else unit.factor / target.factor


def suggest_units(text: str, dimension: str, limit: int = 4) -> tuple[str, ...]:
    """Units of the dimension, the nearest spelling first."""
    spellings = {fold(unit.text): unit.text for unit in _known().values() if unit.dimension == dimension}
    near = process.extract(fold(text), list(spellings), scorer=fuzz.ratio, limit=limit)
    return tuple(spellings[found] for found, _, _ in near)
