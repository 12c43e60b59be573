"""What a contract says of rows beyond their columns: what makes a sound row doubtful, and how a bill is spread.

A doubt (疑似) is never an accusation and changes no figure: the row counts, is marked, and may be explained.
The rules are those of the trade, kept as data beside the columns they speak of.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

DOUBT_KINDS: Mapping[str, tuple[str, ...]] = {
    "repeated": ("series", "measures", "form", "digits"),
    "zero_after": ("series", "measures", "before"),
    "quotient": ("series", "measures", "times"),
    "twins": ("series", "measures", "form", "digits"),
    "backwards": ("series", "measures", "order"),
    "beside_blank": ("series", "measures", "order"),
}
"""Kind → what must be said besides code, kind and text; `warehouse.doubts` gives each its meaning."""

_DOUBT_KEYS = {"code", "kind", "series", "measures", "text", "where", "before", "form", "digits", "times", "order"}
_BILLING_KEYS = {"from", "to", "measures", "topup", "season"}


@dataclass(frozen=True)
class Doubt:
    """A pattern that makes a sound row doubtful. `where` is SQL over the row's columns that says which rows it looks at."""

    code: str
    kind: str
    measures: tuple[str, ...]
    text: Mapping[str, str]
    series: tuple[str, ...] = ()
    where: str = "TRUE"
    before: int = 0
    """How many months before must hold a figure above zero."""
    form: tuple[str, ...] = ()
    """Columns whose rows of one month were filled in together."""
    digits: int = 0
    """How many digits the equal figures of a form must have together: a few are equal by chance."""
    times: int = 1
    """How often a pattern that chance also makes must be met in a series."""
    order: str | None = None


@dataclass(frozen=True)
class Billing:
    """How a bill stands for other months than the one it was handed in for.

    `start` and `end` name the columns with the first and last day billed (bimonthly water, heat of a season); the
    measures are spread over those months by days, to the last digit. `topup` names the column that says a card was
    filled: that is money moved, not something used.
    """

    measures: tuple[str, ...]
    start: str | None = None
    end: str | None = None
    topup: str | None = None
    season: str | None = None
    """The column that names a heating season, of a bill that leaves its days to the season of its climate zone."""


def read_doubts(file: str, data: Mapping[str, Any], names: Collection[str], faults: list[str]) -> tuple[Doubt, ...]:
    """Return the doubts of a contract; what is wrong with them is added to `faults`."""
    return tuple(d for item in data.get("doubt", ()) if (d := _doubt(file, item, names, faults)))


def _doubt(file: str, item: Mapping[str, Any], names: Collection[str], faults: list[str]) -> Doubt | None:
    where = f"{file}: doubt '{item.get('code', '?')}'"
    kind = item.get("kind", "")
    before = len(faults)
    if kind not in DOUBT_KINDS:
        faults.append(f"{where}: kind '{kind}' is none of {', '.join(DOUBT_KINDS)}")
        return None
    faults += [f"{where}: unknown key '{key}'" for key in sorted(set(item) - _DOUBT_KEYS)]
    faults += [f"{where}: key '{key}' is missing" for key in ("code", "text", *DOUBT_KINDS[kind]) if key not in item]
    if len(faults) > before:
        return None
    if set(item["text"]) != {"zh", "en"}:
        faults.append(f"{where}: text needs both zh and en")
    order = item.get("order")
    for name in (*item.get("series", ()), *item.get("form", ()), *item["measures"], *([order] if order else ())):
        if name not in names:
            faults.append(f"{where}: '{name}' is not a column")
    if kind == "quotient" and len(item["measures"]) != 2:
        faults.append(f"{where}: measures are the quantity and the cost, two columns")
    return Doubt(
        code=item["code"], kind=kind, measures=tuple(item["measures"]), text=item["text"],
        series=tuple(item.get("series", ())), where=item.get("where", "TRUE"), before=item.get("before", 0),
        form=tuple(item.get("form", ())), digits=item.get("digits", 0), times=item.get("times", 1), order=order,
    )  # fmt: skip


def read_billing(
    file: str, data: Mapping[str, Any] | None, types: Mapping[str, str], faults: list[str]
) -> Billing | None:
    """Return the billing rule of a contract; what is wrong with it is added to `faults`. `types` are column types."""
    if data is None:
        return None
    faults += [f"{file}: billing: unknown key '{key}'" for key in sorted(set(data) - _BILLING_KEYS)]
    if ("from" in data) != ("to" in data):
        faults.append(f"{file}: billing needs both 'from' and 'to', or neither")
    wanted = {"from": "date", "to": "date", "topup": "bool", "season": "month"}
    if "season" in data and "from" not in data:
        faults.append(f"{file}: billing.season needs 'from' and 'to', which it fills")
    for key, kind in wanted.items():
        if key in data and types.get(data[key]) != kind:
            faults.append(f"{file}: billing.{key} '{data[key]}' is no column of type {kind}")
    for name in data.get("measures", ()):
        if not types.get(name, "").startswith("dec"):
            faults.append(f"{file}: billing.measures '{name}' is no decimal column")
    if not data.get("measures"):
        faults.append(f"{file}: billing.measures is missing")
        return None
    return Billing(tuple(data["measures"]), data.get("from"), data.get("to"), data.get("topup"), data.get("season"))


@dataclass(frozen=True)
class Term:
    """A survey of a longer time is due on a day of the n-th month after it."""

    months: int
    day: int

    def due_on(self, end_m: int) -> dt.date:
        """Return the last day for a time that ends before a month."""
        month = end_m + self.months - 1
        return dt.date(month // 12, month % 12 + 1, self.day)


def months_due(file: str, data: Mapping[str, Any], faults: list[str]) -> int:
    """Read `due = { day = 20, months = 3 }`: one report covers a quarter; without `months` it covers a month."""
    months: int = data.get("due", {}).get("months", 1)
    fault = f"{file}: due.months '{months}' must be 1, 3, 6 or 12, of a source whose time is a month"
    if (months not in (1, 3, 6, 12) or (months > 1 and data["time"].get("kind") != "month")) and fault not in faults:
        faults.append(fault)
        return 1
    return months


def read_term(file: str, due: Mapping[str, Any], faults: list[str]) -> Term | None:
    """Read `due = { months_after = 2, day = 20 }`: the 20th of the second month after the time surveyed."""
    if "months_after" not in due:
        return None
    months, day = due.get("months_after"), due.get("day")
    if not isinstance(months, int) or not isinstance(day, int) or not (1 <= months <= 12 and 1 <= day <= 28):
        faults.append(f"{file}: due needs months_after from 1 to 12 and day from 1 to 28, not {dict(due)}")
        return None
    return Term(months, day)
