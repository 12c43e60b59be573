"""What the reconciliation must say: amounts and reasons worked out unit by unit from the files and the simulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from samples.city.bodies import ROOT
from samples.city.calendar import FIRST, month_no
from samples.city.items import ACCRUAL, OUTSIDE_COST
from samples.city.knowledge import Knowledge, Sums
from samples.city.office import World
from samples.city.other_books import CAPITAL, NOTED_MORE, PLANTED_YEAR, TEN_THOUSAND, planted

Told = dict[str, object]
ROUNDING = Decimal("0.05")


def reconciliations(known: Knowledge, world: World) -> Iterator[Told]:
    """Yield one expectation for each figure another book has of the planted year, at the root."""
    months = range(month_no(PLANTED_YEAR, 1), month_no(PLANTED_YEAR, 12) + 1)
    if months[0] < FIRST or months[-1] > world.last:
        return
    if published := {row.unit: row.total for row in known.rows("three_public") if row.year == PLANTED_YEAR}:
        ours = _ours(known, known.three_public, months)
        odd = planted(world.city)
        notes = {world.city.code_of(odd.noted.key, months[-1], known.at): -NOTED_MORE}
        yield _told("three_public_total", "published", ours, published, notes)
    if surveyed := {row.unit: row.total for row in known.rows("cost_survey") if row.year == PLANTED_YEAR}:
        yield _told("op_cost_total", "survey", _ours(known, known.op_cost, months), surveyed, {})
    accounts = [row for row in known.rows("account_balance") if row.month in months]
    if accounts:
        booked: dict[str, Decimal] = {}
        for row in accounts:
            if row.code == "5001" and known.alive(row.unit, row.month):
                booked[row.unit] = booked.get(row.unit, Decimal(0)) + row.debit / TEN_THOUSAND
        yield _told("op_cost_total", "finance", _ours(known, known.op_cost, months), booked, {}, _items(known, months))


def _ours(known: Knowledge, sums: Sums, months: range) -> dict[str, Decimal]:
    """Return the figure of each unit in 万元; every unit of the ledger's months is spoken for by its file."""
    found: dict[str, Decimal] = {}
    for (unit, month), amount in sums.items():
        if month in months and known.alive(unit, month):
            found[unit] = found.get(unit, Decimal(0)) + amount / TEN_THOUSAND
    return found


def _items(known: Knowledge, months: range) -> dict[str, dict[str, Decimal]]:
    """Return what finance has and the operating cost has not: pay, and items left out."""
    staff = known.paid(lambda r: r.item_code.startswith(("301", "303")))
    beside = known.paid(lambda r: r.exp_kind != ACCRUAL and not r.item_code.startswith(("301", "303", *CAPITAL))
                        and (r.item_code in OUTSIDE_COST or not r.item_code.startswith("302")))  # fmt: skip
    return {"pay_staff": _ours(known, staff, months), "pay_outside_cost": _ours(known, beside, months)}


def _told(indicator: str, caliber: str, ours: Mapping[str, Decimal], theirs: Mapping[str, Decimal],
          notes: Mapping[str, Decimal], items: Mapping[str, Mapping[str, Decimal]] | None = None) -> Told:  # fmt: skip
    parts: dict[str, Decimal] = {}
    units: dict[str, list[str]] = {}
    for unit in sorted({*ours, *theirs}):
        left = ours.get(unit, Decimal(0)) - theirs.get(unit, Decimal(0))
        found: list[tuple[str, Decimal]] = []
        if unit not in theirs:
            found, left = [("late", left)], Decimal(0)
        for name, amounts in (items or {}).items():
            amount = amounts.get(unit, Decimal(0))
            if unit in theirs and amount:
                parts[f"items:{name}"] = parts.get(f"items:{name}", Decimal(0)) - amount
                left += amount
        if unit in notes:
            found.append(("note", notes[unit]))
            left -= notes[unit]
        if left:
            within = abs(left) <= (ROUNDING if caliber != "finance" else 0)
            found.append(("rounding" if within else "unexplained", left))
        for reason, amount in found:
            parts[reason] = parts.get(reason, Decimal(0)) + amount
            units.setdefault(reason, []).append(unit)
    whole = sum(ours.values(), Decimal(0)), sum(theirs.values(), Decimal(0))
    return {
        "indicator": indicator, "against": caliber, "node": ROOT, "period": str(PLANTED_YEAR), "grain": "year",
        "ours": _text(whole[0]), "theirs": _text(whole[1]), "difference": _text(whole[0] - whole[1]),
        "parts": {name: _text(amount) for name, amount in sorted(parts.items())}, "units": units,
    }  # fmt: skip


def _text(amount: Decimal) -> str:
    return format(amount.normalize(), "f") if amount else "0"
