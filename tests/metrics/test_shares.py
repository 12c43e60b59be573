"""Shares of a whole, the greatest part, and what ends soon: on rows few enough to count by head."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from metrics import drill
from metrics.catalogue import build_catalogue, definition_texts
from metrics.model import Query
from tests.metrics.conftest import month
from warehouse.base.errors import DefinitionError, QueryError
from warehouse.base.scope import Scope


def pay(
    world: Any, unit: str, day: str, supplier: str | None, amount: str, kind: str = "cleaning", known: Any = 1
) -> None:
    world.add("service_payment", known, voucher=f"{unit}{day}{supplier}{amount}", unit=unit, paid_on=day, amount=amount,
              supplier=supplier, service_kind=kind)  # fmt: skip


@pytest.fixture
def town(world: Any) -> Any:
    """root ─ a, b. Of January and of a, x is the largest supplier; of the two months and both units, y is."""
    world.unit("root", kind="region", scope_service=False, scope_cost=False)
    world.unit("a", "root")
    world.unit("b", "root", level="county")
    pay(world, "a", "2024-01-05", "x", "60")
    pay(world, "a", "2024-01-06", "y", "40")
    pay(world, "b", "2024-02-05", "y", "50")
    pay(world, "b", "2024-02-06", "z", "30", kind="security")
    pay(world, "b", "2024-02-07", None, "20")
    pay(world, "b", "2024-02-08", "x", "900", known=(3, 5))
    return world


def test_the_largest_supplier_is_found_after_units_and_months_are_summed(town: Any, ask: Any) -> None:
    asked = ask(town)
    found = {(node, period, grain): asked.one("svc_supplier_top1", node, period, grain).value
             for node, period, grain in (("a", "2024-01", "month"), ("b", "2024-02", "month"), ("root", "2024-01", "month"),
                                         ("root", "2024-02", "month"), ("root", "2024-02", "ytd"), ("root", "2024", "year"))}  # fmt: skip
    assert found == {
        ("a", "2024-01", "month"): 60, ("b", "2024-02", "month"): 50, ("root", "2024-01", "month"): 60,
        ("root", "2024-02", "month"): 50, ("root", "2024-02", "ytd"): 45, ("root", "2024", "year"): 45,
    }  # fmt: skip
    whole = asked.one("svc_supplier_top1", "root", "2024-02", "ytd")
    assert (whole.numerator, whole.denominator, whole.status) == (Decimal(90), Decimal(200), "ok")


def test_the_largest_supplier_of_children_of_kinds_and_as_once_known(town: Any, ask: Any) -> None:
    town.batch(3, "2024-03-01"), town.batch(5, "2024-05-01")
    asked = ask(town)
    children = asked.all("svc_supplier_top1", "root", "2024-02", "ytd", by="children")
    assert {a.node: a.value for a in children if a.value is not None} == {"a": 60, "b": 50}
    kinds = asked.all("svc_supplier_top1", "root", "2024-02", "ytd", by="service_kind")
    assert {a.dim_value: a.value for a in kinds} == {"cleaning": pytest.approx(90 / 170 * 100), "security": 100}
    levels = asked.all("svc_supplier_top1", "root", "2024-02", "ytd", by="level")
    assert {a.dim_value: a.value for a in levels} == {"city": 60, "county": 50}
    only = asked.one("svc_supplier_top1", "root", "2024-02", "ytd", where="service_kind = 'security'")
    assert (only.numerator, only.denominator) == (Decimal(30), Decimal(30))
    once = asked.one(
        "svc_supplier_top1", "root", "2024-02", "ytd", known_at=town.recorded[3].replace(hour=13).astimezone()
    )
    assert (once.numerator, once.denominator) == (Decimal(960), Decimal(1100))
    tree = asked.one("svc_supplier_top1", "root", "2024-02", "ytd", tree="2024-02-01")
    assert (tree.numerator, tree.denominator) == (Decimal(90), Decimal(200))


def test_rows_behind_the_largest_share_are_those_of_that_supplier(town: Any, catalogue: Any, ask: Any) -> None:
    asked = ask(town)
    query = Query(indicators=("svc_supplier_top1",), nodes=("root",), period_from="2024-02", period_to="2024-02", grain="ytd",
                  scope=Scope.everything(), actor="test")  # fmt: skip
    found = drill.rows(asked.generation, catalogue, query)
    above = sorted(row.contribution for row in found.rows if row.side == "numerator")
    assert (above, found.numerator, found.denominator) == ([40, 50], Decimal(90), Decimal(200))


def cost(world: Any, unit: str, day: str, item: str, amount: str) -> None:
    world.add("payment", 1, unit=unit, voucher=f"{unit}{day}{item}", line=1, paid_on=day, item_code=item, fund="general",
              exp_kind="basic_public", amount=amount)  # fmt: skip


@pytest.fixture
def books(world: Any) -> Any:
    """Two units; what counts as cost: 30201 and 30206. A year before it was all 30201."""
    world.defaults()
    world.unit("root", kind="region", scope_cost=False)
    world.unit("a", "root")
    world.unit("b", "root")
    cost(world, "a", "2023-01-05", "30201", "80")
    cost(world, "a", "2024-01-05", "30201", "100")
    cost(world, "b", "2024-02-05", "30206", "300")
    cost(world, "b", "2024-02-05", "30101", "5000")
    return world


def test_shares_of_items_add_up_to_the_whole_at_every_node(books: Any, ask: Any) -> None:
    asked = ask(books)
    shares = asked.all("op_cost_item_share", "root", "2024-02", "ytd", by="item_code")
    assert {a.dim_value: a.value for a in shares if a.numerator} == {"30201": 25, "30206": 75}
    assert {a.denominator for a in shares} == {Decimal(400)}
    own = asked.all("op_cost_item_share", "b", "2024-02", "ytd", by="item_code")
    assert {a.dim_value: a.value for a in own if a.numerator} == {"30206": 100}
    months = asked.all("op_cost_item_share", "root", "2024-01..2024-02", by="item_code")
    assert {(a.dim_value, a.period): a.value for a in months if a.numerator} == {
        ("30201", "2024-01"): 100,
        ("30206", "2024-02"): 100,
    }
    assert asked.one("op_cost_item_share", "root", "2024-02", "ytd").value == 100
    by_unit = asked.all("op_cost_item_share", "root", "2024-02", "ytd", by="kind")
    assert [a.value for a in by_unit] == [100]


def test_the_change_of_a_share_is_that_of_the_shares(books: Any, ask: Any) -> None:
    found = ask(books).all("op_cost_item_share_yoy", "root", "2024-02", "ytd", by="item_code")
    assert {a.dim_value: a.value for a in found if a.value is not None} == {"30201": -75}


def test_a_share_is_not_asked_among_the_rows_of_one_part(books: Any, ask: Any) -> None:
    with pytest.raises(QueryError, match="share of all parts") as refused:
        ask(books).one("op_cost_item_share", "root", "2024-02", "ytd", where="item_code = '30201'")
    assert "--by item_code" in str(refused.value.hint)


def contract(
    world: Any, unit: str, number: str, begins: str, ends: str | None, kind: str = "cleaning", known: Any = 1
) -> None:
    to = () if ends is None else (ends[:7] if ends[8:] != "31" and ends[8:] != "30" else after(ends),)
    world.add("service_contract", known, unit=unit, contract_no=number, service_kind=kind, supplier="x", amount="100",
              valid_from=begins, valid_to=ends, valid=(begins[:7], *to))  # fmt: skip


def after(day: str) -> str:
    """Return the month after that of a day."""
    year, month = int(day[:4]), int(day[5:7])
    return f"{year + month // 12}-{month % 12 + 1:02}"


def test_a_contract_is_about_to_end_in_the_months_with_ninety_days_left(world: Any, ask: Any) -> None:
    """31 March 2024 less 90 days is 1 January 2024; 20 March less 90 days is 21 December 2023."""
    world.unit("root", kind="region", scope_service=False)
    world.unit("u", "root")
    contract(world, "u", "1", "2023-01-01", "2024-03-31")
    contract(world, "u", "2", "2023-01-01", "2024-03-20", kind="security")
    contract(world, "u", "3", "2023-01-01", None, kind="catering")
    world.meta["first_month"] = str(month("2023-11"))
    asked = ask(world)
    seen = {
        m: asked.one("svc_expiring", "u", m).value
        for m in ("2023-11", "2023-12", "2024-01", "2024-02", "2024-03", "2024-04")
    }
    assert seen == {"2023-11": 0, "2023-12": 1, "2024-01": 2, "2024-02": 2, "2024-03": 1, "2024-04": 0}
    kinds = asked.all("svc_expiring", "root", "2024-02", by="service_kind")
    assert {a.dim_value: a.value for a in kinds if a.value} == {"cleaning": 1, "security": 1}
    query = Query(indicators=("svc_expiring",), nodes=("root",), period_from="2023-12", period_to="2023-12", grain="month",
                  scope=Scope.everything(), actor="test")  # fmt: skip
    found = drill.rows(asked.generation, asked.catalogue, query)
    assert [row.label.partition(" · ")[0] for row in found.rows if row.contribution] == ["2"]
    assert found.numerator == 1


def test_a_contract_that_was_renewed_is_due_no_more_from_the_file_that_says_so(world: Any, ask: Any) -> None:
    world.batch(1, "2024-01-05"), world.batch(2, "2024-02-05"), world.batch(4, "2024-03-05")
    world.unit("u")
    contract(world, "u", "1", "2023-04-01", "2024-03-31")
    contract(world, "u", "2", "2024-04-01", "2025-03-31", known=(2, 4))
    contract(world, "u", "3", "2024-04-01", "2025-03-31", kind="security", known=2)
    contract(world, "u", "4", "2023-06-01", "2026-03-31", known=2)  # runs beside it, and takes nothing over
    asked = ask(world)
    at = {seq: when.replace(hour=13).astimezone() for seq, when in world.recorded.items()}
    assert [asked.one("svc_expiring", "u", "2024-01", known_at=at[seq]).value for seq in (2, 4)] == [0, 1]
    assert asked.one("svc_expiring", "u", "2024-01").value == 1
    assert asked.one("svc_expiring", "u", "2025-01").value == 1  # the third


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ('value = "top(service_paid, supplier) / service_paid"', 'value = "top(service_paid, suplier) / service_paid"', "did you mean 'supplier'"),
        ('value = "top(service_paid, supplier) / service_paid"', 'value = "top(service_paid + votes, supplier) / service_paid"', "must name one atom"),
        ('value = "top(service_paid, supplier) / service_paid"', 'value = "parent(top(service_paid, supplier)) / service_paid"', "stands inside parent()"),
        ('column = "valid_to", days = 90', 'column = "valid_too", days = 90', "did you mean 'valid_to'"),
        ('column = "valid_to", days = 90', 'column = "valid_to", days = 0', "no number of days"),
        ('name = "ending", column', 'name = "supplier", column', "no new name"),
        ('value = "op_cost / whole(op_cost)"', 'value = "op_cost / whole(whole(op_cost))"', "stands inside whole()"),
        ('part = "30206"\nparts.op_cost', 'part = "30206"\natoms.op_cost', "'op_cost' is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_share_is_told(contracts: Any, was: str, becomes: str, told: str) -> None:
    texts = definition_texts()
    (file,) = [name for name, text in texts.items() if was in text]
    with pytest.raises(DefinitionError) as refused:
        build_catalogue(texts | {file: texts[file].replace(was, becomes)}, contracts)
    assert told in str(refused.value)
