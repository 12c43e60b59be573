"""Reconciliation: reasons and amounts worked out by hand; parts that add up to the last digit, whatever is reported."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.attribution import take_apart
from metrics.bridges import cross
from metrics.model import Answer, Query, Texts
from metrics.notes import Note
from metrics.reconcile import reconcile
from metrics.scopes import memberships
from warehouse.base.errors import CockpitError, QueryError
from warehouse.base.periods import month_no
from warehouse.base.scope import Scope

NO_THEME = dict.fromkeys(("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service"), False)
MONTHS = [f"2024-{n:02d}" for n in range(1, 13)]


def pay(world, unit, month, item, amount, kind="basic_public", known=1, fund="general"):
    number = len(world.rows["payment"]) + 1
    world.add("payment", known, voucher=str(number), line=1, unit=unit, paid_on=f"{month}-10", item_code=item,
              fund=fund, exp_kind=kind, amount=amount)  # fmt: skip


def published(world, unit, total, known=2):
    world.add("three_public", known, unit=unit, year=2024, stage="final", total=total)


def asked(indicators, node="root", period="2024", grain="year", **more):
    return Query(
        indicators=tuple(indicators.split()), nodes=(node,), period_from=period, period_to=period, grain=grain,
        scope=more.pop("scope", Scope.everything()), actor="test", now=dt.datetime(2030, 1, 1, tzinfo=dt.UTC), **more,
    )  # fmt: skip


@pytest.fixture
def town(world):
    """root ─ left ─ a, b and root ─ c, d, e; e ended with June."""
    world.unit("root", kind="region", **NO_THEME)
    world.unit("left", "root", kind="region", **NO_THEME)
    for unit, parent in (("a", "left"), ("b", "left"), ("c", "root"), ("d", "root")):
        world.unit(unit, parent, name=f"{unit}局")
    world.unit("e", "root", valid=("2020-01", "2024-07"), name="e局")
    world.defaults()
    for month in MONTHS:
        pay(world, "a", month, "30217", "1500.00")
    world.batch(1, "2025-01-10")
    world.batch(2, "2025-09-10")
    return world


@pytest.fixture
def disclosed(town):
    """a agrees; b differs by rounding; c did not publish; d publishes 0.7 of which nothing is paid; e ended."""
    pay(town, "b", "2024-02", "30217", "30000.40")
    pay(town, "c", "2024-03", "30217", "15000.00")
    pay(town, "e", "2024-03", "30217", "4000.00")
    for unit, total in (("a", "18000.00"), ("b", "30000.00"), ("d", "7000.00")):
        published(town, unit, total)
    return town


def told(found):
    return [
        (part.reason, part.item, str(part.amount.normalize()), [s.unit for s in part.shares]) for part in found.parts
    ]


def test_every_part_of_a_difference_has_its_reason_and_its_units(disclosed, ask, catalogue):
    disclosed.add("reconcile_note", 3, unit="d", indicator="three_public_total", caliber="published", amount="-0.5",
                  explanation="公开数含上年结转", document="示例函〔2025〕7号", valid=("2024-01", "2025-01"))  # fmt: skip
    (found,) = reconcile(ask(disclosed).generation, catalogue, asked("three_public_total"))
    (against,) = found.against
    assert {name: str(one.value.normalize()) for name, one in found.figures.items()} == {
        "monitor": "6.70004",
        "published": "5.5",
    }
    assert against.difference == Decimal("1.20004") and against.tolerance == Decimal("0.05")
    assert told(against) == [
        ("population", "", "0.4", ["e"]),
        ("late", "", "1.5", ["c"]),
        ("rounding", "", "0.00004", ["b"]),
        ("note", "", "-0.5", ["d"]),
        ("unexplained", "", "-0.2", ["d"]),
    ]
    assert sum(part.amount for part in against.parts) == against.difference
    assert against.parts[1].text.zh == "数据未到：c局 尚欠报" and against.parts[1].shares[0].side == "theirs"
    assert against.parts[3].shares[0].note == "公开数含上年结转"
    assert found.as_json()["against"][0]["unexplained"] == "-0.2"


def test_a_note_counts_from_its_batch_and_for_its_period(disclosed, ask, catalogue):
    disclosed.add("reconcile_note", 3, unit="d", indicator="three_public_total", caliber="published", amount=None,
                  explanation="全部为结转", valid=("2024-01", "2025-01"))  # fmt: skip
    disclosed.add("reconcile_note", 3, unit="b", indicator="three_public_total", caliber="published", amount=None,
                  explanation="另一年", valid=("2023-01", "2024-01"))  # fmt: skip
    disclosed.batch(3, "2025-10-10")
    generation = ask(disclosed).generation
    now = reconcile(generation, catalogue, asked("three_public_total"))[0].against[0]
    assert ("note", "", "-0.7", ["d"]) in told(now) and now.rest == 0
    moment = dt.datetime(2025, 9, 30, tzinfo=dt.UTC)
    before = reconcile(generation, catalogue, asked("three_public_total", known_at=moment))[0].against[0]
    assert ("unexplained", "", "-0.7", ["d"]) in told(before) and before.rest == Decimal("-0.7")


def test_a_local_tolerance_takes_the_place_of_the_shipped_one(disclosed, ask, catalogue):
    disclosed.add(
        "reconcile_tolerance", 3, caliber="published", measure_unit="万元", tolerance="0.00001", valid=("2020-01",)
    )
    found = reconcile(ask(disclosed).generation, catalogue, asked("three_public_total"))[0].against[0]
    assert ("unexplained", "", "-0.69996", ["d", "b"]) in told(found)


def test_a_region_is_reconciled_by_its_own_units(disclosed, ask, catalogue):
    (found,) = reconcile(ask(disclosed).generation, catalogue, asked("three_public_total", "left"))
    assert told(found.against[0]) == [("rounding", "", "0.00004", ["b"])]
    (single,) = reconcile(ask(disclosed).generation, catalogue, asked("three_public_total", "d"))
    assert told(single.against[0]) == [("unexplained", "", "-0.7", ["d"])]


def test_what_one_side_counts_otherwise_is_named_item_by_item(town, ask, catalogue):
    for item, amount, kind in (("30201", "10000.00", "basic_public"), ("30113", "3000.00", "basic_staff"),
                               ("30226", "2000.00", "project"), ("31002", "5000.00", "project"),
                               ("ZJTX", "1000.00", "accrual")):  # fmt: skip
        pay(town, "b", "2024-05", item, amount, kind)
    for month in MONTHS:
        town.add("account_balance", unit="a", month=month, account_code="5001", debit="1500.00", closing="0")
    town.add("account_balance", unit="b", month="2024-05", account_code="5001", debit="16070.00", closing="0")
    town.add("account_balance", unit="b", month="2024-05", account_code="500101", debit="9.00", closing="0")
    found = reconcile(ask(town).generation, catalogue, asked("op_cost_total"))[0].against[0]
    assert (str(found.ours.value.normalize()), str(found.other.value.normalize())) == ("2.9", "3.407")
    assert told(found) == [
        ("items", "pay_staff", "-0.3", []), ("items", "pay_outside_cost", "-0.2", []), ("unexplained", "", "-0.007", ["b"])
    ]  # fmt: skip
    assert found.parts[0].text.en == "Other items or funds: Pay and benefits"


def test_a_viewer_is_told_no_unit_outside_the_scope(disclosed, ask, catalogue):
    scope = Scope(nodes=frozenset({"left"}))
    query = asked("three_public_total", "left", scope=scope)
    (found,) = reconcile(ask(disclosed).generation, catalogue, query)
    assert told(found.against[0]) == [("rounding", "", "0.00004", ["b"])]
    (outside,) = reconcile(ask(disclosed).generation, catalogue, asked("three_public_total", "root", scope=scope))
    assert outside.against[0].difference is None and outside.against[0].parts == ()
    assert outside.figures["published"].status == "forbidden"


def test_ratios_stand_side_by_side_and_are_not_taken_apart(town, ask, catalogue):
    town.add("staff", unit="a", month="2024-01", authorised_staff=10, actual_staff=10)
    town.add("cost_survey", 2, unit="a", year=2024, total="20000.00", average_staff="10")
    found = reconcile(ask(town).generation, catalogue, asked("op_cost_per_capita", "a"))[0].against[0]
    assert found.other.value == 2000.0 and found.parts == ()


def test_only_whole_nodes_are_reconciled(town, ask, catalogue):
    with pytest.raises(QueryError, match="whole nodes"):
        reconcile(ask(town).generation, catalogue, asked("three_public_total", by="children"))


# --- the bridge -------------------------------------------------------------------------------------------------------


def test_payments_lead_to_the_operating_cost_to_the_last_digit(town, ask, catalogue):
    for item, amount, kind in (("30201", "10000.11", "basic_public"), ("30113", "3000.02", "basic_staff"),
                               ("30226", "2000.03", "project"), ("31002", "5000.04", "project"),
                               ("ZJTX", "1000.05", "accrual"), ("39999", "700.06", "project")):  # fmt: skip
        pay(town, "b", "2024-05", item, amount, kind)
    (found,) = cross(ask(town).generation, catalogue, "op_cost", asked("op_cost_total"))
    assert [(s.role, s.answer.indicator, str(s.adds.normalize())) for s in found.steps] == [
        ("start", "pay_cash", "3.870026"), ("plus", "op_cost_accrued", "0.100005"), ("less", "pay_capital", "-0.500004"),
        ("less", "pay_staff", "-0.300002"), ("less", "pay_outside_cost", "-0.270009"), ("end", "op_cost_total", "2.900016"),
    ]  # fmt: skip
    assert found.rest == 0
    assert found.as_json()["unexplained"] == "0"


def test_a_bridge_nobody_defined_is_told_with_a_suggestion(town, ask, catalogue):
    with pytest.raises(CockpitError, match="did you mean 'op_cost'"):
        cross(ask(town).generation, catalogue, "opcost", asked("op_cost_total"))


ITEMS = ("30201", "30113", "30226", "31002", "31013", "39999", "30217", "309", "31099", "30302")
LINES = st.tuples(st.sampled_from("abcde"), st.sampled_from(MONTHS), st.sampled_from(ITEMS), st.integers(-500, 99_999))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, min_size=1, max_size=40), worn=st.integers(0, 9999))
def test_whatever_is_paid_the_bridge_adds_up(world_at, ask, catalogue, lines, worn):
    world = world_at()
    world.unit("root", kind="region", **NO_THEME)
    for unit in "abcde":
        world.unit(unit, "root")
    world.defaults()
    for unit, month, item, cents in lines:
        pay(world, unit, month, item, str(Decimal(cents).scaleb(-2)), "project")
    pay(world, "a", "2024-03", "ZJTX", str(Decimal(worn).scaleb(-2)), "accrual")
    (found,) = cross(ask(world).generation, catalogue, "op_cost", asked("op_cost_total"))
    assert found.rest == 0
    cash = sum(Decimal(cents).scaleb(-2) for *_, cents in lines)
    assert found.steps[0].answer.value == cash.scaleb(-4)


# --- any pattern of figures adds up -----------------------------------------------------------------------------------


def answer(unit, value, status):
    owes = (1, 0) if status == "not_reported" else (1, 1)
    return Answer("x", unit, unit, None, None, "2024", "year", value, None, None, "万元", *owes, status, "", 1, None, "as-was", "real")  # fmt: skip


FIGURE = st.integers(-10_000, 10_000).map(lambda n: Decimal(n).scaleb(-4))
SIDE = st.one_of(
    st.tuples(FIGURE, st.sampled_from(["ok", "incomplete"])),
    st.tuples(st.none(), st.sampled_from(["not_reported", "not_existing", "not_due", "excluded", "forbidden"])),
)


@settings(max_examples=60, deadline=None)
@given(
    units=st.lists(st.tuples(SIDE, SIDE, FIGURE, st.one_of(st.none(), FIGURE)), max_size=8),
    hidden=FIGURE,
    tolerance=st.sampled_from([Decimal(0), Decimal("0.05")]),
)
def test_whatever_is_reported_the_parts_add_up(units, hidden, tolerance):
    ours, theirs, notes, difference = {}, {}, {}, hidden
    for number, (mine, other, item, noted) in enumerate(units):
        unit = f"u{number}"
        ours[unit] = {"x": answer(unit, *mine), "k": answer(unit, item, "ok")}
        theirs[unit] = {"x": answer(unit, *other)}
        difference += (mine[0] or 0) - (other[0] or 0)
        if noted is not None:
            notes[unit] = [Note(noted, "说明", "")]
    parts = take_apart(difference, ours, theirs, {"k": (-1, Texts("某", "some"))}, "x", tolerance, notes)
    assert sum((part.amount for part in parts), Decimal(0)) == difference
    for part in parts:
        if part.shares:
            assert sum(share.amount for share in part.shares) == part.amount
        assert part.reason != "rounding" or all(abs(share.amount) <= tolerance for share in part.shares)


# --- populations ------------------------------------------------------------------------------------------------------


def test_who_counts_in_a_theme_is_dated_and_replayed(world, ask):
    world.unit("root", kind="region", **NO_THEME)
    world.unit("a", "root", name="甲")
    world.unit("b", "root", (("2020-01"),), (1, 3), name="乙")
    world.unit("b", "root", ("2020-01", "2024-04"), 3, name="乙")
    world.unit("b", "root", ("2024-04",), 3, name="乙", scope_cost=False)
    world.unit("c", "root", ("2020-01",), 1, name="丙", excluded=True)
    world.batch(1, "2024-01-10")
    world.batch(3, "2024-06-10")
    for month in ("2024-03", "2024-05"):
        pay(world, "a", month, "30217", "10.00")
    world.defaults()
    asker = ask(world)
    moment = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
    assert [asker.one("reception_exp", "root", m).due for m in ("2024-03", "2024-05")] == [2, 1]
    assert asker.one("reception_exp", "root", "2024-05", known_at=moment).due == 2
    generation = asker.generation

    def standing(month, seq):
        rows = memberships(generation, "cost", month_no(2024, month), seq)
        return {m.unit: (m.standing, m.as_row()["since"], m.as_row()["until"]) for m in rows}

    assert standing(3, 3)["b"] == ("in", "2020-01", "2024-03")
    assert standing(5, 3)["b"] == ("out", "2024-04", None)
    assert standing(5, 1)["b"] == ("in", "2020-01", None)
    assert standing(5, 3)["a"] == ("in", "2020-01", None)
    assert standing(5, 3)["c"][0] == "excluded" and standing(5, 3)["root"][0] == "out"
    assert {m.unit for m in memberships(generation, "energy", month_no(2024, 5), 3) if m.standing == "in"} == {"a", "b"}
    with pytest.raises(QueryError, match="did you mean 'vehicle'"):
        memberships(generation, "vehicles", month_no(2024, 5), 3)


@pytest.mark.parametrize("theme", ["cost", "vehicle", "space", "energy", "service"])
def test_the_list_of_a_population_is_what_answers_count(world, ask, theme):
    """Every theme has another population; what is due in a month is the number of its members that owe."""
    world.unit("root", kind="region", **NO_THEME)
    for number, unit in enumerate("abcdefgh"):
        scopes = {name: bool((number + place) % 3) for place, name in enumerate(NO_THEME)}
        world.unit(unit, "root", **scopes)
        if number % 2:
            world.unit(f"{unit}1", unit, ("2024-01", "2024-06"), **dict.fromkeys(NO_THEME, True))
    world.unit("x", "root", ("2020-01", "2024-05"))
    world.unit("x", "root", ("2024-05",), excluded=True)
    pay(world, "a", "2024-05", "30217", "10.00")
    world.defaults()
    generation = ask(world).generation
    for month in (2, 8):
        rows = memberships(generation, theme, month_no(2024, month), 9, "root")
        due = generation.con.execute(
            f"SELECT sum(due_{theme}) FROM node_due WHERE node = 'root' AND month_no = $1", [month_no(2024, month)]
        ).fetchone()[0]
        assert sum(row.owes for row in rows) == (due or 0)
        assert next(row.standing for row in rows if row.unit == "x") == ("in" if month == 2 else "excluded")
