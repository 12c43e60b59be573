"""One cell of text to one value: what a text means is decided here, whatever the file it stands in.

`columns` and `meanings` ask once for each distinct text; texts whose shape leaves no doubt are converted together.
Every parser returns `Parsed` or a `Bad` with the code of what is wrong. Numbers are exact decimals; a blank is
`Parsed(None)`, never zero; what could mean two things is refused, not guessed.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from warehouse.readers.units import is_unit

T = TypeVar("T")

FORMULA_ERRORS = frozenset(
    [
        "#REF!",
        "#N/A",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NUM!",
        "#NULL!",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
        "#UNCALCULATED!",
    ]
)
NULLS = frozenset(
    ["", "-", "--", "---", "—", "——", "–", "/", "//", "\\", "\\n", "无", "空", "暂无", "null", "none", "na", "n/a", "n.a.", "nan", "nil", "·"]
)  # fmt: skip
LONGEST_NULL = max(map(len, NULLS))
LONGEST_EXACT = 15
"""Digits a spreadsheet keeps; a longer number written with an exponent has lost its tail."""

SERIAL_START = dt.datetime(1899, 12, 30)
FIRST_SERIAL, LAST_SERIAL = 20_000, 80_000
"""Serial days from 1954 to 2119: smaller or larger numbers are no dates of ours."""

FIRST_YEAR, LAST_YEAR = 1900, 2199

_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_SPACES = re.compile(r"\s+")
MINUS = str.maketrans({"−": "-", "﹣": "-", "–": "-", "—": "-", "‐": "-", "‑": "-"})
_CURRENCY = re.compile(r"^([-+]?)(?:rmb|cny|人民币|us\$|[¥$€£₴])", re.IGNORECASE)
_NUMBER = re.compile(
    r"^(?P<sign>[-+]?)(?P<whole>\d{1,3}(?:[, ]\d{3})+|\d*)(?:\.(?P<part>\d*))?(?:[eE](?P<exponent>[-+]?\d{1,3}))?(?P<unit>.*)$"
)
_INFINITE = frozenset(["inf", "+inf", "-inf", "infinity", "-infinity", "+infinity", "∞", "-∞"])
_SCIENTIFIC = re.compile(r"^\d(?:\.\d+)?[eE]\+?\d{1,3}$")
_WITHHELD = re.compile(r"^[*×xX]{2,}$")
_CLOCK = r"(?P<hour>\d{1,2})[:时点](?P<minute>\d{1,2})(?:[:分](?:(?P<second>\d{1,2})(?:\.\d+)?秒?)?)?"
DAY = re.compile(
    r"^(?P<year>\d{4})(?P<sep>[-/._年])(?P<month>\d{1,2})(?:(?P=sep)|月)(?P<day>\d{1,2})[日号]?"
    rf"(?:[T ]*(?:(?P<half>上午|下午|am|pm)? *{_CLOCK})?(?P<zone>z|[+-]\d\d:?\d\d)?)?$",
    re.IGNORECASE,
)
_ISO_DAY = re.compile(r"^(?P<year>[12]\d{3})-(?P<month>\d\d)-(?P<day>\d\d)$")
_COMPACT_DAY = re.compile(
    r"^(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:[T ]?(?P<hour>\d{2}):?(?P<minute>\d{2}):?(?P<second>\d{2})?)?$"
)
_SERIAL = re.compile(r"^\d{5}(?:\.\d+)?$")
_OTHER_ORDER = re.compile(r"^\d{1,2}[-/.]\d{1,2}[-/.](\d{2}|\d{4})$|^\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?$")
MONTH_ONLY = re.compile(r"^(?P<year>\d{4})[-/._年](?P<month>\d{1,2})月?份?$")
MONTH_COMPACT = re.compile(r"^(?P<year>\d{4})(?P<month>\d{2})$")
_HAN_DATE = re.compile(
    r"^[〇零○一二三四五六七八九]{4}年([一二三四五六七八九十]{1,2}月([一二三四五六七八九十]{1,3}日)?)?$"
)
HAN_DIGITS = {sign: at for at, sign in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
_FAR_END = re.compile(r"^9999([-/.年]1?\d[-/.月]|12)(30|31)日?( 00:00:00| 23:59:59)?$")
_OPEN_ENDS = frozenset(["长期", "长期有效", "永久", "永久有效", "至今", "无固定期限", "现在", "present"])
_YES = frozenset(
    ["是", "√", "✓", "✔", "☑", "1", "1.0", "y", "yes", "true", "t", "有", "已", "对", "真", "已办", "已标识"]
)
_NO = frozenset(
    ["否", "×", "✗", "✘", "☐", "0", "0.0", "n", "no", "false", "f", "没有", "未", "错", "假", "未办", "未标识", "不是"]
)


@dataclass(frozen=True)
class Parsed(Generic[T]):
    """A value, or None for a blank; `note` says what was done to it that somebody may want to count."""

    value: T | None
    note: str | None = None


@dataclass(frozen=True)
class Bad:
    """Why a text is no value; `hint` is what would be right, when that can be said."""

    code: str
    hint: str | None = None


@dataclass(frozen=True)
class Number:
    """An exact number with the unit written behind it, if any."""

    amount: Decimal
    unit: str | None = None


@dataclass(frozen=True)
class Months:
    """A half-open span of month numbers; `is_cumulative` when it was written as January up to a month."""

    from_m: int
    to_m: int
    is_cumulative: bool = False


def normalise(text: str | None) -> str:
    """NFKC, no invisible signs, no leading apostrophe, white space inside as one blank."""
    if text is None:
        return ""
    if text.isascii() and text.isprintable():  # most cells: nothing to fold, nothing invisible
        plain = _SPACES.sub(" ", text).strip() if "  " in text else text.strip()
        return plain[1:].lstrip() if plain.startswith("'") else plain
    plain = _SPACES.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).strip()
    return plain[1:].lstrip() if plain.startswith("'") else plain


def is_null(text: str) -> bool:
    """Whether a normalised text stands for nothing written."""
    return text.casefold() in NULLS


def blank_or_error(text: str) -> Parsed[T] | Bad | None:
    """What every type has in common: blanks, withheld figures and the errors of formulas."""
    if text.startswith("#") and (text.upper() in FORMULA_ERRORS or (text.strip("#") == "" and len(text) > 1)):
        return Bad("formula_error")
    if len(text) <= LONGEST_NULL and is_null(text):
        return Parsed(None)
    return Parsed(None, "withheld") if _WITHHELD.match(text) else None


def parse_text(text: str | None, *, is_key: bool = False) -> Parsed[str] | Bad:
    """A text as it is stored; a long key a spreadsheet turned into 4.4E+17 is refused."""
    plain = normalise(text)
    early: Parsed[str] | Bad | None = blank_or_error(plain)
    if early is not None:
        return early
    if is_key and _SCIENTIFIC.match(plain):
        return Bad("scientific_id")
    return Parsed(plain)


def parse_number(text: str | None) -> Parsed[Number] | Bad:
    """A decimal in any of the ways people write one; the unit behind it is given back, not applied."""
    plain = normalise(text)
    early: Parsed[Number] | Bad | None = blank_or_error(plain)
    if early is not None:
        return early
    if plain.casefold() in _INFINITE:
        return Parsed(None, "infinite")
    plain, negative = _unsigned(plain)
    found = _NUMBER.match(_CURRENCY.sub(r"\1", plain).strip())
    if found is None or not (found["whole"] or found["part"]):
        return Bad("not_a_number")
    unit = found["unit"].strip()
    if unit and not is_unit(unit):
        return Bad("not_a_number", unit if unit[0].isalpha() else None)
    amount = _amount(found)
    if found["exponent"] and abs(amount) >= Decimal(10) ** LONGEST_EXACT:
        return Bad("scientific_id")
    return Parsed(Number(-amount if negative else amount, unit or None))


def _unsigned(text: str) -> tuple[str, bool]:
    """Take off the ways of bookkeepers to write a negative: brackets around it, a minus behind it."""
    if text.startswith("(") and text.endswith(")"):
        return text[1:-1].strip(), True
    text = text.translate(MINUS)
    if text.endswith("-") and text[:1].isdigit():
        return text[:-1].strip(), True
    return re.sub(r"^([-+])\s+", r"\1", text), False


def _amount(found: re.Match[str]) -> Decimal:
    whole = (found["whole"] or "0").replace(",", "").replace(" ", "")
    exponent = f"E{found['exponent']}" if found["exponent"] else ""
    return Decimal(f"{found['sign']}{whole}.{found['part'] or '0'}{exponent}") if found["part"] else Decimal(
        f"{found['sign']}{whole}{exponent}"
    )  # fmt: skip


def parse_decimal(text: str | None) -> Parsed[Decimal] | Bad:
    """A plain decimal; a percentage is a hundredth, 万 and 亿 multiply, any other unit is refused."""
    parsed = parse_number(text)
    if isinstance(parsed, Bad):
        return parsed
    if parsed.value is None:
        return Parsed(None, parsed.note)
    factor = _MULTIPLIERS.get(parsed.value.unit or "")
    return Bad("unit_in_cell", parsed.value.unit) if factor is None else Parsed(parsed.value.amount * factor)


_MULTIPLIERS = {
    "": Decimal(1),
    "%": Decimal("0.01"),
    "‰": Decimal("0.001"),
    "万": Decimal(10_000),
    "亿": Decimal(10**8),
}


def parse_bool(text: str | None) -> Parsed[bool] | Bad:
    """是/否, √/×, 1/0, Y/N, 已/未."""
    plain = normalise(text).casefold()
    if plain in _YES:
        return Parsed(True)
    if plain in _NO:
        return Parsed(False)
    return blank_or_error(plain) or Bad("not_yes_or_no")


def parse_datetime(text: str | None) -> Parsed[dt.datetime] | Bad:
    """A moment, in any of the spellings of a date with or without a time of day."""
    plain = han_to_digits(normalise(text))
    early: Parsed[dt.datetime] | Bad | None = blank_or_error(plain)
    if early is not None:
        return early
    found = _ISO_DAY.match(plain)
    if found:
        return _moment(found.groupdict())
    if plain in _OPEN_ENDS or _FAR_END.match(plain):
        return Parsed(None, "open_end")
    if _SERIAL.match(plain):
        return _serial(plain)
    found = DAY.match(plain) or _COMPACT_DAY.match(plain)
    if found:
        return _moment(found.groupdict())
    if _OTHER_ORDER.match(plain):
        return Bad("ambiguous_date")
    return Bad("day_missing" if MONTH_ONLY.match(plain) or MONTH_COMPACT.match(plain) else "not_a_date")


def parse_date(text: str | None) -> Parsed[dt.date] | Bad:
    """A day; a time of day behind it is dropped and noted."""
    parsed = parse_datetime(text)
    if isinstance(parsed, Bad):
        return parsed
    if parsed.value is None:
        return Parsed(None, parsed.note)
    has_time = parsed.value.time() != dt.time()
    return Parsed(parsed.value.date(), "time_dropped" if has_time else parsed.note)


def _serial(text: str) -> Parsed[dt.datetime] | Bad:
    """A day number of a spreadsheet, its fraction the time of day to the second."""
    days = Decimal(text)
    if not FIRST_SERIAL <= days <= LAST_SERIAL:
        return Bad("not_a_date")
    seconds = int((days * 86_400).to_integral_value())
    return Parsed(SERIAL_START + dt.timedelta(seconds=seconds), "serial_date")


def _moment(parts: dict[str, str | None]) -> Parsed[dt.datetime] | Bad:
    year, month, day = (int(parts[name] or 0) for name in ("year", "month", "day"))
    hour, minute, second = (int(parts.get(name) or 0) for name in ("hour", "minute", "second"))
    half = (parts.get("half") or "").casefold()
    if half in ("下午", "pm") and hour < 12:
        hour += 12
    if half in ("上午", "am") and hour == 12:
        hour = 0
    if parts.get("zone"):
        return Bad("time_zone")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return Bad("off_calendar")
    try:
        return Parsed(dt.datetime(year, month, day, hour, minute, second))
    except ValueError:
        return Bad("off_calendar", _last_day(year, month))


def _last_day(year: int, month: int) -> str | None:
    if not 1 <= month <= 12:
        return None
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return (following - dt.timedelta(days=1)).isoformat()


def han_to_digits(text: str) -> str:
    """二〇二四年三月五日 -> 2024年3月5日."""
    if not _HAN_DATE.match(text):
        return text
    year, _, rest = text.partition("年")
    digits = "".join(str(HAN_DIGITS[sign]) for sign in year)
    return f"{digits}年" + re.sub(r"[一二三四五六七八九十]+", lambda found: str(_han_number(found[0])), rest)


def _han_number(text: str) -> int:
    """Numbers up to 99: 三, 十, 十二, 三十一."""
    if "十" not in text:
        return HAN_DIGITS[text]
    tens, _, ones = text.partition("十")
    return (HAN_DIGITS[tens] if tens else 1) * 10 + (HAN_DIGITS[ones] if ones else 0)
