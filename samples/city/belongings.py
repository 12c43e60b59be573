"""Asset cards of every body, month by month: equipment, furniture and the house, with wear and the stock-taking."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from samples.city.bodies import Body, City
from samples.city.calendar import FIRST, day, month_no, moon
from samples.city.chance import dice, places
from samples.city.space import Ground

_CLASSES = (
    ("A02010105", "台式计算机", 1.0, (3_900, 4_900), 72, 5_000), ("A02010108", "便携式计算机", 0.25, (5_200, 6_800), 72, 7_000),
    ("A02010601", "打印设备（A4黑白）", 0.2, (800, 1_150), 72, 1_200), ("A02020100", "复印机", 0.03, (16_000, 32_000), 72, 35_000),
    ("A02020200", "投影仪", 0.03, (5_500, 9_200), 72, 10_000), ("A05010201", "办公桌（处级及以下）", 1.05, (1_300, 2_600), 180, 3_000),
    ("A05010301", "办公椅（处级及以下）", 1.2, (320, 760), 180, 800), ("A05010502", "文件柜", 0.8, (520, 940), 240, 1_000),
)  # fmt: skip
_HOUSE_A_METRE, _HOUSE_MONTHS = 3_400, 600


class Asset(NamedTuple):
    """One card in one month."""

    month: int
    asset_no: str
    unit: str
    name: str
    class_code: str
    class_name: str
    quantity: int
    original_value: Decimal
    depreciation: Decimal
    net_value: Decimal
    acquired_on: dt.date
    life_months: int
    status: str
    from_pool: bool
    count_result: str


@dataclass(frozen=True)
class Card:
    """What a card says through all months."""

    key: str
    number: str
    class_code: str
    class_name: str
    quantity: int
    value: Decimal
    bought: int
    life: int
    status: str
    from_pool: bool
    fits: bool


def cards(city: City, ground: Ground) -> tuple[Card, ...]:
    """Write the cards of every body."""
    return tuple(card for body in city.bodies for card in _of_body(city, ground, body))


def _of_body(city: City, ground: Ground, body: Body) -> list[Card]:
    rng = dice(city.seed, "belongings", body.key)
    found = []
    for place, (code, name, per_head, (low, high), life, cap) in enumerate(_CLASSES):
        price = round(rng.uniform(low, high), -1) if rng.random() < 0.985 else round(cap * 1.15, -1)
        quantity = max(1, round(body.authorised * per_head))
        bought = month_no(rng.randint(2018, 2023), rng.randint(1, 12))
        chance = rng.random()
        status = "闲置" if chance < 0.03 else "公物仓" if chance < 0.045 else "在用"
        pooled = status == "在用" and rng.random() < 0.06
        found.append(Card(body.key, f"TY{body.code}{place:02d}", code, name, quantity, places(price * quantity, 2),
                          bought, life, status, pooled, rng.random() < 0.985))  # fmt: skip
    area = float(ground.gross(body.key, FIRST))
    value = places(round(area * _HOUSE_A_METRE, -3), 2)
    found.append(Card(body.key, f"FW{body.code}", "A01010000", "办公用房", 1, value, month_no(2008, 6), _HOUSE_MONTHS,
                      "在用", False, True))  # fmt: skip
    return found


def asset_rows(city: City, written: tuple[Card, ...], month: int, sent: dt.datetime) -> list[Asset]:
    """Return the cards as they stood in a month; assets are counted in November and the result stays to the next."""
    rows = []
    counted = month >= month_no(2024, 11)
    for card in written:
        worn = min(card.life, max(0, month - card.bought))
        depreciation = (card.value * worn / card.life).quantize(Decimal("0.01"))
        result = ("相符" if card.fits else "盘亏") if counted or moon(month) == 12 else "未盘"
        rows.append(Asset(
            month, card.number, city.code_of(card.key, month, sent), card.class_name, card.class_code, card.class_name,
            card.quantity, card.value, depreciation, card.value - depreciation, day(card.bought, 15), card.life,
            card.status, card.from_pool, result,
        ))  # fmt: skip
    return rows
