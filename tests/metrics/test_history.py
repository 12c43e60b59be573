"""Random small histories: every way of reading them gives the same figures, and each adds up.

The oracle is the world itself: what is known at batch B is a world made only of the rows known at B.
"""

from __future__ import annotations

import copy
import datetime as dt
import random
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics import drill
from metrics.formula import parse_formula
from metrics.model import Query
from warehouse.base.periods import OPEN
from warehouse.base.scope import Scope

MONTHS = ("2024-01", "2024-02", "2024-03")
BATCHES = 4
INDICATORS = (
    "op_cost_total op_cost_per_capita budget_exec_rate three_public_total veh_count veh_over_quota veh_over_std "
    "veh_cost_per_veh off_multi_rooms off_over_rooms off_lease_vacant off_area_per_head en_tce en_per_area elec_per_area "
    "elec_area_left_out svc_satisfaction op_cost_total_yoy off_vacancy_rate"
)
GRAINS = ("month", "ytd", "quarter", "r12", "year")


def span(dice: random.Random) -> int | tuple[int, int]:
    """Known from some batch, sometimes taken back by a later one."""
    start = dice.randint(1, BATCHES)
    return (start, dice.randint(start + 1, BATCHES)) if dice.random() < 0.3 and start < BATCHES else start


def history(world, dice: random.Random):
    """A region with three units; one moves under another late, one ends; figures of five themes come and go."""
    everywhere = {
        name: dice.random() < 0.9
        for name in ("scope_cost", "scope_vehicle", "scope_space", "scope_energy", "scope_service")
    }
    world.unit(
        "root",
        kind="region",
        scope_cost=False,
        scope_vehicle=False,
        scope_space=False,
        scope_energy=False,
        scope_service=False,
    )
    world.unit("a", "root", **everywhere)
    world.unit("b", "root", known=(1, 3))
    world.unit("b", "root", valid=("2020-01", "2024-02"), known=3)
    world.unit("b", "a", valid=("2024-02",), known=3)
    world.unit("c", "a", valid=("2020-01", dice.choice(("2024-02", "2024-03", "2030-01"))), known=dice.choice((1, 2)))
    world.defaults()
    world.add("coal_factor", 3, valid=("2024-02",), carrier="electricity", factor="0.200000")
    units = ("a", "b", "c")
    for number in range(dice.randint(3, 14)):
        unit, when = dice.choice(units), dice.choice((*MONTHS, "2023-02"))
        world.add(
            "payment", span(dice), voucher=str(number), line=1, unit=unit, paid_on=f"{when}-03",
            item_code=dice.choice(("30201", "30217", "30231", "ZJTX")), fund=dice.choice(("general", "other")),
            exp_kind=dice.choice(("basic_public", "project", "accrual")), amount=f"{dice.randint(-500, 9000)}.{dice.randint(10, 99)}",
        )  # fmt: skip
    for unit in units:
        for version in (1, 2):
            if dice.random() < 0.8:
                world.add("budget", span(dice), unit=unit, year=2024, item_code="30201", project="", fund="general",
                          exp_kind="basic_public", version=version, amount=f"{dice.randint(100, 9000)}.00")  # fmt: skip
        for when in MONTHS:
            if dice.random() < 0.8:
                heads = dice.randint(1, 20)
                world.add(
                    "staff",
                    span(dice),
                    unit=unit,
                    month=when,
                    authorised_staff=heads,
                    actual_staff=heads,
                    energy_headcount=heads,
                )
            for plate in range(dice.randint(0, 3)):
                world.add(
                    "vehicle", span(dice), month=when, plate=f"{unit}{plate}", unit=unit, body="sedan", fuel=dice.choice(("gasoline", "electric")),
                    veh_class=dice.choice(("courier", "emergency")), displacement=dice.choice(("1.5", "2.0", None)),
                    price=dice.choice(("100000.00", "150000.00")), status=dice.choice(("in_use", "sealed", "scrapped", "borrowed")),
                )  # fmt: skip
            for carrier in ("electricity", "natural_gas", "water"):
                if dice.random() < 0.7:
                    world.add("energy_use", span(dice), unit=unit, month=when, carrier=carrier, quantity=f"{dice.randint(0, 900)}.250000",
                              cost=dice.choice((None, "12.500000")), shared=False)  # fmt: skip
            if dice.random() < 0.5:
                world.add(
                    "evaluation",
                    span(dice),
                    month=when,
                    unit=unit,
                    service_kind="property",
                    score="88.50",
                    votes=dice.randint(1, 30),
                )
            world.add(
                "vehicle_expense",
                span(dice),
                receipt_no=f"{unit}{when}",
                plate="x",
                unit=unit,
                kind="fuel",
                spent_on=f"{when}-09",
                amount="77.70",
            )
        world.add(
            "vehicle_quota", span(dice), valid=("2020-01",), unit=unit, veh_class="courier", quota=dice.randint(0, 2)
        )
        world.add("building", span(dice), valid=(dice.choice(("2020-01", "2024-02")),), code=f"B{unit}", unit=unit,
                  gross_area=dice.choice(("0.0000", "150.5000")), compound="x", registrable=True, tenure="owned")  # fmt: skip
        for number in range(4):
            world.add(
                "room", span(dice), valid=("2020-01", dice.choice(("2024-02", "2024-03", "2030-01"))), building=f"B{unit}", room_no=str(number),
                room_kind=dice.choice(("office", "office", "service")), usable_area=dice.choice(("9.00", "30.00")), unit=unit,
                person_no=dice.choice(("p1", "p2", None)), rank="staff", persons=1, compound="x", occupant_state="active",
                status=dice.choice(("in_use", "in_use", "vacant")), tenure=dice.choice(("owned", "leased")),
            )  # fmt: skip
    return world


def known_then(world, seq: int):
    """The same world of which only batches up to `seq` ever came."""
    past = copy.copy(world)
    past.rows = {
        name: [
            {**row, "rec_to": OPEN if row["rec_to"] > seq else row["rec_to"]} for row in rows if row["rec_from"] <= seq
        ]
        for name, rows in world.rows.items()
    }
    past.recorded = {seq: world_time(seq)}
    past.meta = {"first_month": str(2023 * 12), "last_month": str(2024 * 12 + 2)}
    past.number = world.number + 100
    return past


def world_time(seq: int) -> dt.datetime:
    """When a batch is recorded in these worlds."""
    return dt.datetime(2025, 1, 1) + dt.timedelta(days=seq)


def shown(answers):
    """What a reader sees of answers."""
    return {
        (a.indicator, a.node, a.dim_value, a.period): (a.value, a.numerator, a.denominator, a.due, a.got, a.status)
        for a in answers
    }


CALM = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=3, **CALM)
@given(seed=st.integers(0, 10**6))
def test_every_reading_of_a_history_gives_the_same_figures(seed, world_at, ask):
    _readings_agree(seed, world_at, ask)


@settings(max_examples=3, **CALM)
@given(seed=st.integers(0, 10**6), seq=st.integers(1, BATCHES))
def test_replay_at_a_batch_equals_a_world_that_knew_no_more(seed, seq, world_at, ask):
    _replay_agrees(seed, seq, world_at, ask)


@pytest.mark.soak
@settings(max_examples=60, **CALM)
@given(seed=st.integers(0, 10**6), seq=st.integers(1, BATCHES))
def test_many_histories(seed, seq, world_at, ask):
    _readings_agree(seed, world_at, ask)
    _replay_agrees(seed, seq, world_at, ask)


def _readings_agree(seed, world_at, ask):
    """Current cube, leaf changes, children and source rows tell the same story."""
    world = history(world_at(), random.Random(seed))
    world.meta = {"first_month": str(2023 * 12), "last_month": str(2024 * 12 + 2)}
    asker = ask(world)
    last = world_time(BATCHES).replace(tzinfo=dt.UTC)
    for grain in GRAINS:
        asked = (INDICATORS, "root a b c", "2024-01..2024-03", grain)
        now = asker.all(*asked, now=last)
        leaf = asker.all(*asked, now=last, where="level = 'city'")
        assert shown(now) == shown(leaf), grain
        if grain in ("month", "ytd"):
            _parts_add_up(asker, now, grain, last)
    _splits_add_up(asker, "ytd", last)
    _rows_add_up(asker, asker.all(INDICATORS, "root a", "2024-01..2024-03", "ytd", now=last), last)
    _rows_add_up(asker, asker.all(INDICATORS, "root", "2024-03", "month", now=last), last)


def _replay_agrees(seed, seq, world_at, ask):
    """Node changes up to a batch are what a world would show in which nothing came later."""
    world = history(world_at(), random.Random(seed))
    world.meta = {"first_month": str(2023 * 12), "last_month": str(2024 * 12 + 2)}
    moment = world_time(seq).replace(tzinfo=dt.UTC) + dt.timedelta(minutes=1)
    asker, before = ask(world), ask(known_then(world, seq))
    assert asker.generation.batch_at(moment) == seq
    nodes = " ".join(sorted({row["code"] for row in world.rows["org_unit"] if row["rec_from"] <= seq}))
    for grain in GRAINS:
        asked = (INDICATORS, nodes, "2024-01..2024-03", grain)
        then = asker.all(*asked, known_at=moment)
        built = before.all(*asked, now=moment)
        sources = {a.indicator for a in built if a.status == "no_source"}
        assert {k: v for k, v in shown(then).items() if k[0] not in sources} == {
            k: v for k, v in shown(built).items() if k[0] not in sources
        }, (grain, seq)


def _parts_add_up(asker, answers, grain, moment) -> None:
    """Children, with the parent's own figures, give every additive figure of their parent."""
    for node in ("root", "a"):
        sums: dict[tuple[str, str], Decimal] = {}
        for part in asker.all(INDICATORS, node, "2024-01..2024-03", grain, by="children", now=moment):
            key = (part.indicator, part.period)
            sums[key] = sums.get(key, Decimal(0)) + Decimal(part.numerator or 0)
        for answer in answers:
            formula = parse_formula(asker.catalogue.indicators[answer.indicator].value)
            if answer.node == node and formula.kind == "sum" and answer.numerator is not None:
                assert sums[answer.indicator, answer.period] == answer.numerator, answer


def _splits_add_up(asker, grain, moment) -> None:
    """Parts by a dimension of the rows or of the units give every additive figure."""
    for indicator, dim in (("op_cost_total", "item_code"), ("op_cost_total", "level"), ("veh_count", "veh_class"),
                           ("veh_over_quota", "veh_class"), ("en_tce", "carrier"), ("off_over_rooms", "building"), ("veh_count", "kind")):  # fmt: skip
        for whole in asker.all(indicator, "root a", "2024-01..2024-03", grain, now=moment):
            parts = asker.all(indicator, whole.node, whole.period, grain, by=dim, now=moment)
            if whole.numerator is not None:
                assert sum(Decimal(p.numerator or 0) for p in parts) == whole.numerator, (whole, dim)


def _rows_add_up(asker, answers, moment) -> None:
    """Source rows give the numerator, and the denominator times the months of an average."""
    for answer in answers:
        query = Query(
            indicators=(answer.indicator,), nodes=(answer.node,), period_from=answer.period, period_to=answer.period,
            grain=answer.grain, scope=Scope.everything(), actor="test", now=moment,
        )  # fmt: skip
        found = drill.rows(asker.generation, asker.catalogue, query, limit=None)
        if answer.status not in ("ok", "incomplete"):
            continue
        for side, shown_as, divisor in (("numerator", answer.numerator, found.numerator_divisor),
                                        ("denominator", answer.denominator, found.denominator_divisor)):  # fmt: skip
            total = getattr(found, side)
            if shown_as is None or total is None:
                continue
            listed = sum(
                (r.contribution for r in found.rows if r.side == side and r.contribution is not None), Decimal(0)
            )
            assert listed == total, (answer, side)
            if divisor == 1:
                assert total == Decimal(shown_as), (answer, side, total)
            else:
                assert float(total) / divisor == float(shown_as), (answer, side, total)
