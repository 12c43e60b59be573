"""Guests and gatherings: receptions, meetings and courses, written from what the ledger paid for them."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from samples.city.calendar import label, working_days
from samples.city.chance import dice, split
from samples.city.items import ACCRUAL, RECEPTION
from samples.city.ledger import Ledger

_GATHERINGS = {"30215": "会议", "30216": "培训"}
_A_GUEST, _BATCH = 112, 8


class Reception(NamedTuple):
    """One batch of guests."""

    reception_no: str
    unit: str
    received_on: dt.date
    guest_unit: str
    letter_no: str
    purpose: str
    guests: int
    escorts: int
    meals: int
    amount: Decimal
    place: str


class Meeting(NamedTuple):
    """One meeting or course."""

    meeting_no: str
    unit: str
    held_on: dt.date
    kind: str
    grade: str
    persons: int
    days: Decimal
    amount: Decimal


def _spent(ledger: Ledger, month: int, sent: dt.datetime) -> dict[tuple[str, str], Decimal]:
    """What each body paid on each item."""
    sums: dict[tuple[str, str], Decimal] = {}
    for entry in ledger.of(month, sent):
        if entry.item.kind != ACCRUAL:
            place = (entry.key, entry.item.code)
            sums[place] = sums.get(place, Decimal(0)) + entry.payment.amount
    return sums


def reception_rows(ledger: Ledger, month: int, sent: dt.datetime) -> list[Reception]:
    """Return the batches a month's reception expenses paid for."""
    city, stamp = ledger.city, label(month).replace("-", "")
    rows = [
        row
        for (key, code), amount in _spent(ledger, month, sent).items() if code == RECEPTION.code
        for row in _batches(dice(city.seed, "receptions", key, month), city.code_of(key, month, sent), amount, month)
    ]  # fmt: skip
    return [row._replace(reception_no=f"JD{stamp}{number:04d}") for number, row in enumerate(rows, 1)]


def _batches(rng: random.Random, unit: str, amount: Decimal, month: int) -> Iterator[Reception]:
    people = max(2, round(float(amount) / (_A_GUEST * rng.uniform(0.88, 1.14))))
    batches = max(1, round(people / _BATCH))
    for number, part in enumerate(split(rng, round(amount * 100), batches)):
        guests = max(1, people // batches + (number < people % batches))
        letter = f"函〔{month // 12}〕{rng.randint(1, 400)}号" if rng.random() < 0.997 else ""
        usual = rng.randint(1, 3) if guests <= 10 else guests // 3
        yield Reception(
            "", unit, rng.choice(working_days(month)), rng.choice(("省级主管部门", "邻市来访组", "县区工作组")), letter,
            rng.choice(("工作调研", "检查指导", "学习交流")), guests, usual if rng.random() < 0.996 else guests + 3, 1,
            Decimal(part).scaleb(-2), "机关食堂",
        )  # fmt: skip


def meeting_rows(ledger: Ledger, month: int, sent: dt.datetime) -> list[Meeting]:
    """Return the meetings and courses of a month: one of each for a body that paid for any."""
    city, stamp = ledger.city, label(month).replace("-", "")
    rows = [
        _gathering(dice(city.seed, "gathering", key, code, month), city.code_of(key, month, sent), code, amount, month)
        for (key, code), amount in _spent(ledger, month, sent).items() if code in _GATHERINGS
    ]  # fmt: skip
    return [row._replace(meeting_no=f"HP{stamp}{number:04d}") for number, row in enumerate(rows, 1)]


def _gathering(rng: random.Random, unit: str, code: str, amount: Decimal, month: int) -> Meeting:
    meeting = code == "30215"
    days = Decimal(rng.choice(("0.5", "1.0", "1.0"))) if meeting else Decimal(rng.choice(("2.0", "3.0", "5.0")))
    price = rng.uniform(260, 430) if meeting else rng.uniform(330, 480)
    persons = max(1, round(float(amount) / float(days) / price))
    grade = rng.choice(("三类", "四类")) if meeting else "三类"
    return Meeting("", unit, rng.choice(working_days(month)), _GATHERINGS[code], grade, persons, days, amount)
