"""The finance department's norms of public funds: what a unit may spend a head and year."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import NamedTuple

from samples.city.calendar import FIRST, day, month_no, year_of
from samples.city.chance import dice, places
from samples.city.items import PUBLIC
from samples.city.ledger import Ledger
from samples.city.premises import by_code, until


class Norm(NamedTuple):
    """The norm of one unit over a span."""

    unit: str
    quota_class: str
    per_head: Decimal
    doc_no: str
    valid_from: dt.date
    valid_to: dt.date | None


def norm_rows(ledger: Ledger, sent: dt.datetime) -> list[Norm]:
    """Return the norms as known on a day; a unit of several bodies gets the mean by authorised staff."""
    money = {body.key: _allowed(ledger, body.key, body.authorised) * body.authorised for body in ledger.city.bodies}
    rows = []
    for code, start, end, members in by_code(ledger.city, ledger.city.bodies, sent):
        heads = sum(body.authorised for body in members)
        per_head = places(round(float(sum(money[body.key] for body in members)) / heads, -1), 2)
        kind = "一类" if per_head > 40_000 else "二类" if per_head > 25_000 else "三类"
        rows.append(Norm(code, kind, per_head, f"模财预〔{start // 12}〕1号", day(start, 1), until(end)))
    return rows


def _allowed(ledger: Ledger, key: str, heads: int) -> Decimal:
    """A little above what the first year needs."""
    first = range(FIRST, month_no(year_of(FIRST) + 1, 1))
    spent = sum((entry.payment.amount for month in first for entry in ledger.months.get(month, ())
                 if entry.key == key and entry.item.kind == PUBLIC), Decimal(0))  # fmt: skip
    width = dice(ledger.city.seed, "norm", key).uniform(1.0, 1.1)
    return max(Decimal(1200), places(round(float(spent) / heads * width, -2), 2))
