"""Car types, prices and classes; each plain car stays well inside the caps of its class."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal

from samples.city.calendar import OPEN, day, month_no
from samples.city.chance import places

COURIER, EMERGENCY, ENFORCEMENT, SPECIAL, OTHER = "机要通信", "应急保障", "执法执勤", "特种专业技术", "其他"
RETIRED_SERVICE, INSTITUTION = "离退休服务", "事业业务"
IN_USE, SEALED, SCRAPPED, BORROWED = "在用", "封存", "报废", "借入"
PETROL, DIESEL, ELECTRIC, HYBRID = "汽油", "柴油", "纯电动", "插电混动"


@dataclass(frozen=True)
class Model:
    """One type of car: litres (or kWh) per 100 km and its price span in yuan."""

    name: str
    body: str
    fuel: str
    displacement: str
    per_100_km: float
    low: int
    high: int


SMALL = (
    Model("大众朗逸1.5L", "轿车", PETROL, "1.5", 7.6, 92_000, 116_000),
    Model("丰田卡罗拉1.5L", "轿车", PETROL, "1.5", 7.2, 98_000, 118_000),
    Model("吉利帝豪1.5L", "轿车", PETROL, "1.5", 7.8, 76_000, 98_000),
)
SMALL_NEV = (
    Model("比亚迪秦PLUS EV", "轿车", ELECTRIC, "", 14.8, 99_000, 118_000),
    Model("埃安S纯电动", "轿车", ELECTRIC, "", 15.6, 98_000, 119_000),
    Model("比亚迪秦PLUS DM-i", "轿车", HYBRID, "1.5", 5.4, 90_000, 116_000),
)
MIDDLE = (
    Model("红旗H5 1.8T", "轿车", PETROL, "1.8", 9.2, 146_000, 176_000),
    Model("大众迈腾1.8T", "轿车", PETROL, "1.8", 9.0, 152_000, 178_000),
    Model("哈弗H6 1.5T", "越野车", PETROL, "1.5", 9.8, 102_000, 132_000),
    Model("别克GL8 1.8T", "商务车", PETROL, "1.8", 11.8, 158_000, 179_000),
)
MIDDLE_NEV = (
    Model("比亚迪宋PLUS EV", "越野车", ELECTRIC, "", 17.2, 138_000, 169_000),
    Model("红旗E-QM5", "轿车", ELECTRIC, "", 15.9, 128_000, 168_000),
    Model("比亚迪宋PLUS DM-i", "越野车", HYBRID, "1.5", 6.4, 128_000, 162_000),
)
MINIBUS = (Model("江铃全顺2.0T柴油", "中型客车", DIESEL, "2.0", 14.8, 168_000, 238_000),)
TECHNICAL = (
    Model("江铃顺达技术勘查车", "专用车", DIESEL, "2.5", 14.5, 178_000, 240_000),
    Model("依维柯通信指挥车", "专用车", DIESEL, "2.5", 15.5, 190_000, 245_000),
)
ILLEGAL = Model("丰田普拉多3.5L", "越野车", PETROL, "3.5", 14.2, 386_000, 386_000)

YEARLY_KM = {
    COURIER: (8_000, 12_000), EMERGENCY: (12_000, 17_000), ENFORCEMENT: (15_500, 24_000), SPECIAL: (2_500, 6_000),
    OTHER: (11_000, 16_000), RETIRED_SERVICE: (7_000, 10_000), INSTITUTION: (9_000, 14_000),
}  # fmt: skip


@dataclass
class Car:
    """One car through the months: who holds it since when, and in which state."""

    plate: str
    vin: str
    model: Model
    veh_class: str
    bought_on: dt.date
    price: Decimal
    km_year: float
    holders: list[tuple[int, str]]
    from_m: int = 0
    to_m: int = OPEN
    states: list[tuple[int, int, str]] = field(default_factory=list)
    idle: tuple[int, int] = (0, 0)
    approval: str = ""

    def holder(self, month: int) -> str:
        """Return the body that holds the car in a month."""
        return next(key for start, key in reversed(self.holders) if start <= month)

    def status(self, month: int) -> str:
        """Return the state of the car in a month it is listed in."""
        if month == self.to_m:
            return SCRAPPED
        return next((state for start, end, state in self.states if start <= month < end), IN_USE)

    def listed(self, month: int) -> bool:
        """Tell whether the register of a month lists the car; a scrapped one is listed once more."""
        return self.from_m <= month <= self.to_m

    def drives(self, month: int) -> bool:
        """Tell whether the car is on the road in a month."""
        on_road = self.from_m <= month < self.to_m and self.status(month) in (IN_USE, BORROWED)
        return on_road and not self.idle[0] <= month < self.idle[1]

    @property
    def is_nev(self) -> bool:
        """Tell whether the car is of new energy."""
        return self.model.fuel in (ELECTRIC, HYBRID)


def model_for(veh_class: str, rng: random.Random, nev_chance: float) -> Model:
    """Draw a type that the class may have."""
    nev = rng.random() < nev_chance
    if veh_class == SPECIAL:
        return rng.choice(TECHNICAL)
    if veh_class in (COURIER, ENFORCEMENT, RETIRED_SERVICE):
        return rng.choice(SMALL_NEV if nev else SMALL)
    if rng.random() < 0.1:
        return rng.choice(MINIBUS)
    return rng.choice(MIDDLE_NEV if nev else MIDDLE)


def new_car(number: int, model: Model, veh_class: str, holder: str, rng: random.Random, bought: dt.date) -> Car:
    """Return a car with plate and price."""
    letter = "ABCEGHJKLM"[number // 1000 % 10]
    nev_mark = "D" if model.fuel == ELECTRIC else "F"
    tail = f"{nev_mark}{number:05d}" if model.fuel in (ELECTRIC, HYBRID) else f"{letter}{number % 10000:04d}"
    price = places(round(rng.uniform(model.low, model.high), -2), 2)
    low, high = YEARLY_KM[veh_class]
    vin = f"LSM{rng.choice('ABCDEFGH')}{rng.randrange(10**5):05d}{rng.choice('ABCDEFGHJK')}{number:07d}"
    return Car(f"模A·{tail}", vin, model, veh_class, bought, price, rng.uniform(low, high), [(0, holder)])


def bought_day(rng: random.Random, nev: bool) -> dt.date:
    """Return a day in the years an older car was bought; cars of new energy are younger."""
    first, last = (2020, 2023) if nev else (2016, 2021)
    return day(month_no(rng.randint(first, last), rng.randint(1, 12)), rng.randint(3, 26))
