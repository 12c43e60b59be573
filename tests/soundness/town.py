"""Rows of a small town, as the tests of silently wrong numbers hand them in."""

from __future__ import annotations

import datetime as dt

NO_THEME = dict.fromkeys(("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service"), False)
PAY = {"line": 1, "item_code": "30201", "fund": "general", "exp_kind": "basic_public"}


def pay(world, unit, day, amount, known=1, **more):
    world.add(
        "payment",
        known,
        voucher=f"{unit}{day}{amount}{known}",
        unit=unit,
        paid_on=day,
        amount=amount,
        **{**PAY, **more},
    )


def staff(world, unit, month, heads, known=1):
    world.add(
        "staff", known, unit=unit, month=month, authorised_staff=heads, actual_staff=heads, energy_headcount=heads
    )


def car(world, unit, month, plate, known=1, **more):
    row = {
        "body": "sedan",
        "veh_class": "courier",
        "fuel": "gasoline",
        "status": "in_use",
        "displacement": "1.6",
        "price": "120000.00",
    }
    world.add("vehicle", known, unit=unit, month=month, plate=plate, **{**row, **more})


def after(seq: int) -> dt.datetime:
    return dt.datetime(2025, 1, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=seq)


def use(world, unit, month, carrier, quantity, known=1):
    world.add("energy_use", known, unit=unit, month=month, carrier=carrier, quantity=quantity, cost=None, shared=False)
