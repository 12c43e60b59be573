"""Budgets that fit what is spent: every line holds at every moment, except the one that is meant to burst."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from samples.city import timeline as t
from samples.city.bodies import DATA, City
from samples.city.calendar import moment, month_no, month_of, moon, year_of
from samples.city.chance import dice
from samples.city.items import ACCRUAL, Item
from samples.city.ledger import Entry, Ledger
from samples.city.records import Budget

INITIAL, JULY, SEPTEMBER = 1, 2, 3
_DAYS = {
    2024: ("2024-02-27", "2024-07-18", "2024-09-24"),
    2025: ("2025-02-26", "2025-07-17", "2025-09-23"),
    2026: ("2026-02-25", "2026-07-16", "2026-09-22"),
}
MERGED_ON = moment(dt.date(2025, 4, 17), 17, 5)


@dataclass(frozen=True)
class Line:
    """One budget line of a body: the versions it had, by number."""

    key: str
    year: int
    item: Item
    versions: dict[int, Decimal]

    def at(self, version: int) -> Decimal:
        """Return the amount in force at a version."""
        return self.versions[max(number for number in self.versions if number <= version)]


@dataclass(frozen=True)
class Plan:
    """All budget lines of all bodies."""

    city: City
    lines: tuple[Line, ...]


def sent_on(year: int, version: int) -> dt.datetime:
    """Return when a version of a year's budget reached the office."""
    return moment(dt.date.fromisoformat(_DAYS[year][version - 1]), 11, 25)


def approve(ledger: Ledger) -> Plan:
    """Write each line's versions on what the ledger will show."""
    city = ledger.city
    spent = _spent(ledger)
    rng = dice(city.seed, "budgets")
    lines = []
    for (key, year, item), months in sorted(spent.items(), key=lambda p: (p[0][0], p[0][1], str(p[0][2]))):
        overrun = key == city.role("overrun").key and year == t.OVERRUN_YEAR and item.code == "30217"
        versions = _bursting(months) if overrun else _sound(months, rng.random(), rng.uniform(0.0, 1.0))
        lines.append(Line(key, year, item, versions))
    return Plan(city, tuple(lines))


def _spent(ledger: Ledger) -> dict[tuple[str, int, Item], list[Decimal]]:
    """What each line pays by month of the year, the higher of the two books where a month was sent twice."""
    spent: dict[tuple[str, int, Item], list[Decimal]] = {}
    for month in ledger.months:
        books = [_sums(ledger.months[month])] + ([_sums(ledger.restated)] if month == t.RESTATED else [])
        for pair in set().union(*books):
            months = spent.setdefault((pair[0], year_of(month), pair[1]), [Decimal(0)] * 12)
            months[moon(month) - 1] = max(book.get(pair, Decimal(0)) for book in books)
    return spent


def _sums(entries: list[Entry]) -> dict[tuple[str, Item], Decimal]:
    """Add up by line; what the later bureau spent before it was formed stays with the one it came from."""
    sums: dict[tuple[str, Item], Decimal] = defaultdict(Decimal)
    for entry in entries:
        if entry.item.kind != ACCRUAL:
            early = entry.key == DATA and month_of(entry.payment.paid_on) < t.NEW_BUREAU
            sums["dev" if early else entry.key, entry.item] += entry.payment.amount
    return sums


def _sound(months: list[Decimal], chance: float, width: float) -> dict[int, Decimal]:
    """A line that always holds; some are raised or cut in July or September."""
    year = sum(months, Decimal(0))
    final = _hundreds(year * Decimal(str(round(1.02 + 0.05 * width, 4))))
    if chance > 0.30:
        return {INITIAL: final}
    version, known = (JULY, 8) if chance > 0.12 else (SEPTEMBER, 10)
    floor = _hundreds(sum(months[:known], Decimal(0)) * Decimal("1.06"))
    raised = max(floor, _hundreds(year * Decimal("0.95")))
    cut = _hundreds(final * Decimal("1.06"))
    return {INITIAL: cut if width > 0.5 else raised, version: final}


def _bursting(months: list[Decimal]) -> dict[int, Decimal]:
    """The line is raised a little in July and still ends far below what is spent."""
    year = sum(months, Decimal(0))
    return {INITIAL: _hundreds(year * Decimal("0.62")), JULY: _hundreds(year * Decimal("0.66"))}


def _hundreds(value: Decimal) -> Decimal:
    """Round up to whole hundreds of yuan, as two decimals of 万元 can show."""
    return ((value / 100).to_integral_value(ROUND_UP) * 100).quantize(Decimal("0.01"))


def budget_rows(plan: Plan, year: int, version: int) -> Iterator[Budget]:
    """Return the lines that a version of a year's budget sets, by the codes of its day."""
    sent = sent_on(year, version)
    yield from _by_code(plan, year, version, sent, _changed(plan, year, version, sent))


def _changed(plan: Plan, year: int, version: int, sent: dt.datetime) -> set[tuple[str, Item]]:
    """Lines with a new amount, and in the autumn of a reform every line of the bureau that gives and the one formed."""
    codes = {(plan.city.code_of(line.key, _month(line, sent), sent), line.item)
             for line in plan.lines if line.year == year and version in line.versions}  # fmt: skip
    if (year, version) == (year_of(t.NEW_BUREAU), SEPTEMBER):
        formed = {plan.city.by_key["dev"].code, plan.city.by_key[DATA].code}
        codes |= {(code, line.item) for line in plan.lines if line.year == year
                  and (code := plan.city.code_of(line.key, _month(line, sent), sent)) in formed}  # fmt: skip
    return codes


def _month(line: Line, sent: dt.datetime) -> int:
    """The month whose unit code a line of the year carries when it is sent."""
    return month_no(line.year, sent.month if sent.year == line.year else 12)


def _by_code(plan: Plan, year: int, version: int, sent: dt.datetime, wanted: set[tuple[str, Item]]) -> Iterator[Budget]:
    sums: dict[tuple[str, Item], Decimal] = defaultdict(Decimal)
    for line in plan.lines:
        code = plan.city.code_of(line.key, _month(line, sent), sent) if line.year == year else ""
        if (code, line.item) in wanted:
            sums[code, line.item] += line.at(version)
    approved = sent.date() - dt.timedelta(days=6)
    for (code, item), amount in sorted(sums.items(), key=lambda pair: (pair[0][0], str(pair[0][1]))):
        yield Budget(code, year, item.code, item.name, item.project, item.fund, item.kind, version, approved, amount)


def merger_rows(plan: Plan) -> list[Budget]:
    """Return the budget of the merged bureau, and the lines of the two dissolved ones set to nothing."""
    year, city = year_of(t.MERGER), plan.city
    wanted = {(city.merged.code, line.item) for line in plan.lines if line.key in ("culture", "sports")}
    fresh = list(_by_code(plan, year, INITIAL, MERGED_ON, wanted))
    old = [
        row
        for row in budget_rows(plan, year, INITIAL)
        if row.unit in (city.by_key["culture"].code, city.by_key["sports"].code)
    ]
    approved = MERGED_ON.date() - dt.timedelta(days=3)
    return [*fresh, *(row._replace(version=JULY, approved_on=approved, amount=Decimal("0.00")) for row in old)]
