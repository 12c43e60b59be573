"""Words, numbers and dates of one language.

Texts are whole sentences with placeholders in `texts/<language>.toml`; every number that meets the eye passes
through the formatter here, so that 万/亿 and k/M, units and signs read the same everywhere.
"""

from __future__ import annotations

import datetime as dt
import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from warehouse.base.periods import Grain, Period, fiscal_shift, windows

Number = int | float | Decimal

_FOLDER = Path(__file__).parent / "texts"
_MINUS = "−"
_PERCENT = "%"
_COUNTABLE_BELOW = 10_000
FISCAL_GRAINS = ("quarter", "ytd", "year")
"""Grains that a fiscal year gives other months than the calendar's."""


@dataclass(frozen=True)
class Shown:
    """A figure ready for the eye: short number, its unit, and the full figure for hover and exports."""

    number: str
    unit: str
    full: str

    @property
    def text(self) -> str:
        """The number with its unit on one line."""
        return f"{self.number}{self.unit}" if self.unit.startswith(_PERCENT) else f"{self.number} {self.unit}".strip()


@dataclass(frozen=True)
class Language:
    """One language of the screen, with the currency of the store it speaks about."""

    code: str
    texts: Mapping[str, str]
    currency: str = "CNY"
    zone: str = "Asia/Shanghai"
    fiscal_start: int = 1
    """The month the store's fiscal year begins in: years and quarters are named as fiscal ones when not January."""

    def say(self, key: str, **values: object) -> str:
        """Return a sentence of the catalogue with its placeholders filled."""
        return self.texts[key].format_map(values)

    def has(self, key: str) -> bool:
        """Tell whether the catalogue knows a key; for keys built from data, such as a status."""
        return key in self.texts

    def unit(self, unit: str) -> str:
        """Return a unit as it is written in this language and in the store's currency."""
        money = self.texts.get(f"currency.{self.currency}", self.currency)
        if self.code == "zh":
            return unit if self.currency == "CNY" else unit.replace("元", money)
        first, *per = unit.split("/")
        return "/".join([self._unit_word(first, money), *(self._unit_word(part, money, is_one=True) for part in per)])

    def figure(self, value: Number | None, unit: str) -> Shown:
        """Return a value in its declared unit as number, unit and full figure."""
        if value is None:
            return Shown("—", "", "")
        scale, base = (10_000, unit[1:]) if unit.startswith("万") else (1, unit)
        full = f"{self.full(value)} {self._full_unit(unit)}".strip()
        if base.startswith(_PERCENT) or base == "":
            return Shown(self._fixed(value, 1), base, full)
        divisor, prefix = self._magnitude(abs(float(value)) * scale)
        shown = float(value) * scale / divisor
        number = self._whole(shown) if divisor == 1 and _is_whole(value) else self._significant(shown)
        return Shown(number, self._prefixed(prefix, base, is_one=number == "1"), full)

    def axis_scale(self, largest: float, unit: str) -> tuple[float, str]:
        """Return the divisor from the declared unit to the one an axis is written in, and that unit."""
        scale, base = (10_000, unit[1:]) if unit.startswith("万") else (1, unit)
        if base.startswith(_PERCENT) or base == "":
            return 1.0, base
        divisor, prefix = self._magnitude(abs(largest) * scale)
        return divisor / scale, self._prefixed(prefix, base)

    def full(self, value: Number) -> str:
        """Return every digit we have of a value, with thousands separators."""
        text = (
            f"{value:,f}"
            if isinstance(value, Decimal)
            else f"{value:,.6f}"
            if isinstance(value, float)
            else f"{value:,}"
        )
        trimmed = text.rstrip("0").rstrip(".") if "." in text else text
        return trimmed.replace("-", _MINUS)

    def plain(self, value: Number) -> str:
        """Return a bare number with three or four significant digits, for places where the unit stands elsewhere."""
        return self._significant(float(value))

    def percent(self, value: Number, signed: bool = False) -> str:
        """Return a percentage with one decimal."""
        text = self._fixed(value, 1) + _PERCENT
        return f"+{text}" if signed and value > 0 else text

    def points(self, value: Number) -> str:
        """Return a difference of two percentages, in percentage points."""
        return self.say("number.points", value=("+" if value > 0 else "") + self._fixed(value, 1))

    def count(self, value: int) -> str:
        """Return a whole number with thousands separators."""
        return f"{value:,}".replace("-", _MINUS)

    def period(self, label: str, grain: Grain) -> str:
        """Return a period of a grain as people say it: 2025年1—10月 累计."""
        end = Period.parse(label, self.fiscal_start).to_m
        window = windows(grain, end - 1, end, self.fiscal_start)[-1]
        last = window.to_m - 1
        ahead = fiscal_shift(self.fiscal_start)
        values = {
            "year": last // 12,
            "fiscal_year": (last + ahead) // 12,
            "month": last % 12 + 1,
            "month_name": self.month_name(last),
            "quarter": (last + ahead) % 12 // 3 + 1,
            "from_year": window.from_m // 12,
            "from_month": window.from_m % 12 + 1,
            "from_name": self.month_name(window.from_m),
        }
        return self.say(f"period.fiscal_{grain}" if ahead and grain in FISCAL_GRAINS else f"period.{grain}", **values)

    def month_name(self, month_number: int) -> str:
        """Return the short name of a month of the calendar."""
        return self.say(f"month.{month_number % 12 + 1}")

    def day(self, day: dt.date) -> str:
        """Return a calendar day."""
        return self.say(
            "date.day", year=day.year, month=day.month, day=day.day, month_name=self.say(f"month.{day.month}")
        )

    def weekday(self, day: dt.date) -> str:
        """Return the name of the day of the week."""
        return self.say(f"weekday.{day.isoweekday()}")

    def local(self, moment: dt.datetime) -> dt.datetime:
        """Return an instant in the store's time zone."""
        aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return aware.astimezone(zoneinfo.ZoneInfo(self.zone))

    def moment(self, moment: dt.datetime) -> str:
        """Return an instant as local day and minute, in the one form that sorts and never misleads."""
        return self.local(moment).strftime("%Y-%m-%d %H:%M")

    def _unit_word(self, part: str, money: str, is_one: bool = False) -> str:
        bare = part.removeprefix("万")
        many = self.texts.get(f"unit.{bare}", bare)
        word = money if bare == "元" else self.texts.get(f"unit.one.{bare}", many) if is_one else many
        return f"10k {word}" if part.startswith("万") else word

    def _full_unit(self, unit: str) -> str:
        return self.unit(unit)

    def _prefixed(self, prefix: str, base: str, is_one: bool = False) -> str:
        if self.code == "zh":
            written = self.unit(base)
            return f"{prefix}{written}" if not prefix or written[:1] > "\u2e80" else f"{prefix} {written}"
        one = self.texts.get(f"unit.one.{base}")
        return f"{prefix} {one if is_one and one and not prefix else self.unit(base)}".strip()

    def _magnitude(self, size: float) -> tuple[float, str]:
        steps = ((1e8, "亿"), (1e4, "万")) if self.code == "zh" else ((1e9, "B"), (1e6, "M"), (1e4, "k"))
        for divisor, prefix in steps:
            if size >= divisor:
                return (1e3, prefix) if prefix == "k" else (divisor, prefix)
        return 1, ""

    def _significant(self, value: float) -> str:
        size = abs(value)
        decimals = 0 if size >= 100 else 1 if size >= 10 else 2
        return self._fixed(value, decimals)

    def _whole(self, value: float) -> str:
        return f"{value:,.0f}".replace("-", _MINUS)

    def _fixed(self, value: Number, decimals: int) -> str:
        text = f"{float(value):,.{decimals}f}"
        return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", _MINUS)


def load_texts(code: str) -> dict[str, str]:
    """Return the catalogue of one language as flat keys `section.name`, from all files that bear its code."""
    found: dict[str, str] = {}
    for path in (_FOLDER / f"{code}.toml", *sorted(_FOLDER.glob(f"{code}_*.toml"))):
        found |= _flatten("", tomllib.loads(path.read_text(encoding="utf-8")))
    return found


def languages(currency: str, zone: str, catalogues: Mapping[str, Mapping[str, str]]) -> dict[str, Language]:
    """Return every language of the screen for one store."""
    return {code: Language(code, texts, currency, zone) for code, texts in catalogues.items()}


def _flatten(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{prefix}.{key}" if prefix else key
        found += _flatten(name, value) if isinstance(value, dict) else [(name, str(value))]
    return found


def _is_whole(value: Number) -> bool:
    return abs(float(value)) < _COUNTABLE_BELOW and float(value) == int(value)
