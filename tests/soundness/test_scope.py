"""Splits and filters that add up, hostile texts that are refused, and a scope that never widens."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from metrics import drill
from metrics.model import Query
from tests.soundness.town import pay
from warehouse.base.errors import Forbidden, QueryError, UnknownName
from warehouse.base.scope import Scope


def test_a_row_without_a_key_keeps_its_place_among_the_parts(town, ask):
    pay(town, "a", "2024-01-01", "1.00", exp_kind=None)
    pay(town, "a", "2024-01-02", "10.00", exp_kind="project")
    parts = ask(town).all("op_cost_total", "root", "2024-01", by="exp_kind")
    assert [(p.dim_value, p.numerator) for p in parts] == [("project", Decimal("10.00")), (None, Decimal("1.00"))]


def test_filters_and_attributes_of_units_split_figures_and_duties(town, ask):
    town.unit("t", "root", level="town")
    pay(town, "a", "2024-01-01", "1.00")
    pay(town, "t", "2024-01-01", "10.00", item_code="30202")
    asker = ask(town)
    parts = asker.all("op_cost_total", "root", "2024-01", by="level")
    assert [(p.dim_value, p.numerator, p.due) for p in parts] == [
        ("city", Decimal("1.00"), 2),
        ("town", Decimal("10.00"), 1),
    ]
    towns = asker.one("op_cost_total", "root", "2024-01", where="level = 'town'")
    assert (towns.numerator, towns.due) == (Decimal("10.00"), 1)
    item = asker.one("op_cost_total", "root", "2024-01", where="item_code in ('30202') and level <> 'city'")
    assert (item.numerator, item.due) == (Decimal("10.00"), 1)


HOSTILE = (
    "item_code = '1'; DROP TABLE d_payment", "item_code = (SELECT 1)", "1 = 1", "read_csv('/etc/passwd') = 'x'", "item_code = $seq", "item_code = ?",
    "exists (select 1)", "item_code like '%'", "amount > 5", "d_payment.item_code = '1'", "item_code = '1' union select 1", "item_code = '1' --",
    "item_code[1] = '3'", "item_code::int = 1", "'a' || item_code = 'ab'", "case when item_code = '1' then true end", "not", "(" * 300, "item_code",
    "item_code = '1' or " * 200 + "item_code = '1'", "getenv('HOME') = 'x'", "item_code ~ 'x'", "cast(item_code as int) = 1", "\x00",
)  # fmt: skip


def test_hostile_and_broken_filters_are_refused_or_harmless(town, ask):
    pay(town, "a", "2024-01-01", "1.00")
    asker = ask(town)
    for text in HOSTILE:
        with pytest.raises(QueryError):
            asker.one("op_cost_total", "root", "2024-01", where=text)
    assert asker.one("op_cost_total", "root", "2024-01", where="item_code = 'x'' or ''1''=''1'").value == 0
    assert asker.one("op_cost_total", "root", "2024-01").numerator == Decimal("1.00")


def test_scope_forbids_other_subtrees_and_other_themes(town, ask):
    town.unit("a1", "a")
    pay(town, "a1", "2024-01-01", "1.00")
    asker = ask(town)
    scope = Scope(nodes=frozenset({"a"}), domains=frozenset({"cost"}))
    answers = {x.node: x for x in asker.all("op_cost_total", "root a b a1", "2024-01", scope=scope)}
    assert {node: x.status for node, x in answers.items()} == {
        "root": "forbidden",
        "a": "ok",
        "b": "forbidden",
        "a1": "ok",
    }
    assert (answers["root"].value, answers["root"].due, answers["root"].numerator) == (None, 0, None)
    assert asker.one("veh_count", "a", "2024-01", scope=scope).status == "forbidden"
    with pytest.raises(Forbidden):
        drill.rows(asker.generation, asker.catalogue, _query("op_cost_total", "root", "2024-01", scope))


def test_a_unit_that_moved_in_is_not_seen_before_it_came(town, ask):
    town.unit("m", "b", valid=("2020-01", "2024-02"))
    town.unit("m", "a", valid=("2024-02",))
    for month in ("2024-01", "2024-02"):
        pay(town, "m", f"{month}-03", "7.00")
    scope = Scope(nodes=frozenset({"a"}))
    answers = ask(town).all("op_cost_total", "m", "2024-01..2024-02", scope=scope)
    assert [x.status for x in answers] == ["forbidden", "ok"]


def test_unknown_names_come_with_suggestions_by_spelling_and_pinyin(town, ask):
    pay(town, "a", "2024-01-01", "1.00")
    asker = ask(town)
    for wrong, right in (
        ("op_cost_totl", "op_cost_total"),
        ("jgyxcb", "op_cost_total"),
        ("三公经费", "three_public_total"),
    ):
        with pytest.raises(UnknownName) as caught:
            asker.one(wrong, "root", "2024-01")
        assert right in caught.value.suggestions, wrong
    for wrong in ("财政", "czj", "财政局"):
        with pytest.raises(UnknownName) as caught:
            asker.one("op_cost_total", wrong, "2024-01")
        assert caught.value.suggestions[0] == "a", wrong


def test_questions_that_make_no_sense_say_what_would(town, ask):
    pay(town, "a", "2024-01-01", "1.00")
    asker = ask(town)
    for more, part in (
        ({"by": "item_cod"}, "did you mean 'item_code'?"),
        ({"tree": "yesterday"}, "write as-was or a day"),
        ({"known_at": dt.datetime(2031, 1, 1, tzinfo=dt.UTC)}, "ask for a day that has passed"),
    ):
        with pytest.raises(QueryError, match=part.replace("?", r"\?")):
            asker.one("op_cost_total", "root", "2024-01", **more)


def _query(indicator, node, period, scope):
    return Query(indicators=(indicator,), nodes=(node,), period_from=period, period_to=period, grain="month", scope=scope, actor="test",
                 now=dt.datetime(2030, 1, 1, tzinfo=dt.UTC))  # fmt: skip
