"""Shared bills: parts add up to the last digit, by the rule that was valid and known; a bill without a rule stays."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest

from tests.fakes.office import NOW, Office
from warehouse.allocating import divide_shared
from warehouse.base.periods import OPEN
from warehouse.contracts import Contract, load_contracts
from warehouse.publish import publish
from warehouse.store import Generation

CONTRACTS = load_contracts()
COMPOUND = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,机构序列,生效日期,失效日期,曾用名\n"
    "R,模拟市,,,市,区域,1,2020-01-01,,\nA,市财政局,财政局,R,市,政府,2,2020-01-01,,\nB,市教育局,教育局,R,市,政府,3,2020-01-01,,\n"
    "D,市审计局,审计局,R,市,政府,4,2020-01-01,,\nZ,市民中心,,R,市,集中办公区,9,2020-01-01,,\n"
)
RULE = "分摊对象,能源品种,分摊单位,分摊方式,分摊比例(%),分摊面积,分摊依据,启用日期,停用日期\n"
BILL = "单位名称,统计期,电(千瓦时),电费(元)\n"
JAN, FEB, MAR = 2025 * 12, 2025 * 12 + 1, 2025 * 12 + 2


@pytest.fixture
def compound(office: Office) -> Office:
    """A store with a compound of three bureaux."""
    assert office.hand_in("组织机构.csv", COMPOUND).status == "committed"
    return office


def opened(office: Office) -> Generation:
    publish(office.store, clock=lambda: NOW)
    return office.store.open_generation()


def costs(generation: Generation, seq: int | None = None) -> dict[tuple[str, int], str]:
    at = generation.through_seq if seq is None else seq
    rows = generation.con.execute(
        "SELECT unit, from_m, cost FROM d_energy_use WHERE rec_from <= $1 AND $1 < rec_to ORDER BY ALL", [at]
    ).fetchall()
    return {(unit, month): f"{cost.normalize():f}" for unit, month, cost in rows}


def test_a_bill_is_divided_by_area_and_nothing_is_left_over(compound: Office) -> None:
    """100 yuan over 1 : 1 : 1 at six decimals: 33.333334 + 33.333333 + 33.333333."""
    compound.hand_in("电.csv", BILL + "市民中心,2025-01,120,100\n")
    report = compound.hand_in(
        "规则.csv", RULE + "".join(f"市民中心,,{u},按面积,,10,示机管1号,2025-01-01,\n" for u in ("A", "B", "D"))
    )
    assert report.status == "committed", report.message
    generation = opened(compound)
    assert costs(generation) == {("A", JAN): "33.333334", ("B", JAN): "33.333333", ("D", JAN): "33.333333"}
    told = generation.con.execute(
        f"SELECT unit, account, basis, share, document, state FROM allocated WHERE rec_to = {OPEN} ORDER BY unit"
    ).fetchall()
    assert told[0] == ("A", "Z", "area", Decimal("33.3333"), "示机管1号", "divided")
    before = costs(generation, generation.through_seq - 1)
    assert before == {("Z", JAN): "100"}, "before the rule was known the bill stood at the compound"


def test_a_bill_without_a_rule_stays_at_the_compound_and_is_said_so(compound: Office) -> None:
    compound.hand_in("电.csv", BILL + "市民中心,2025-01,120,100\n市财政局,2025-01,12,10\n")
    generation = opened(compound)
    assert costs(generation) == {("A", JAN): "10", ("Z", JAN): "100"}
    told = generation.con.execute("SELECT unit, state, share FROM allocated").fetchall()
    assert told == [("Z", "no_rule", None)]


def test_a_corrected_rule_restates_its_months_and_leaves_past_days_alone(compound: Office) -> None:
    """Two bills of 100; 60 : 40 from January is corrected to 75 : 25; from February 50 : 50 stays."""
    compound.hand_in("电.csv", BILL + "市民中心,2025-01,120,100\n市民中心,2025-02,120,100\n")
    later = "Z,电,A,固定比例,50,,协议2,2025-02-01,\nZ,电,B,固定比例,50,,协议2,2025-02-01,\n"
    first = "Z,电,A,固定比例,60,,协议1,2025-01-01,2025-01-31\nZ,电,B,固定比例,40,,协议1,2025-01-01,2025-01-31\n"
    assert compound.hand_in("规则.csv", RULE + first + later).counts["accepted"] == 4
    known = compound.store.control.last()[0]
    corrected = first.replace("60,", "75,").replace("40,", "25,")
    assert compound.hand_in("规则更正.csv", RULE + corrected + later).counts["accepted"] == 2
    generation = opened(compound)
    february = {("A", FEB): "50", ("B", FEB): "50"}
    assert costs(generation) == {("A", JAN): "75", ("B", JAN): "25", **february}
    assert costs(generation, known) == {("A", JAN): "60", ("B", JAN): "40", **february}


def test_a_rule_without_a_weight_divides_by_the_areas_of_the_building_register(compound: Office) -> None:
    """Areas 300 and 100 are known late: until then the bill stays, then it is 75 and 25."""
    compound.hand_in("电.csv", BILL + "市民中心,2025-01,120,100\n")
    compound.hand_in("规则.csv", RULE + "Z,,A,按面积,,,示机管1号,2025-01-01,\nZ,,B,按面积,,,示机管1号,2025-01-01,\n")
    known = compound.store.control.last()[0]
    rooms = "房屋编码,使用单位,院落名称,建筑面积(㎡),启用日期\nF1,市财政局,市民中心,300,2020-01-01\nF1,市教育局,市民中心,100,2020-01-01\n"
    assert compound.hand_in("房屋.csv", rooms).counts["accepted"] == 2
    generation = opened(compound)
    assert costs(generation, known) == {("Z", JAN): "100"}
    assert costs(generation) == {("A", JAN): "75", ("B", JAN): "25"}
    states = generation.con.execute("SELECT DISTINCT state FROM allocated ORDER BY ALL").fetchall()
    assert states == [("divided",), ("no_rule",), ("no_weight",)]


def test_a_shared_meter_is_divided_and_a_withdrawn_rule_gives_it_back(compound: Office) -> None:
    meter = "表号,统计期,单位名称,能源品种,上次读数,本次读数,倍率,用量\nD-1,2025-01,市财政局,电,10,20.1,1,10.1\nD-2,2025-01,市教育局,电,0,5,1,5\n"
    compound.hand_in("抄表.csv", meter)
    compound.hand_in("规则.csv", RULE + "D-1,电,A,协商,70,,纪要3,2025-01-01,\nD-1,电,B,协商,30,,纪要3,2025-01-01,\n")
    generation = opened(compound)
    wanted = f"SELECT meter_no, unit, quantity, previous FROM d_meter_month WHERE rec_to = {OPEN} ORDER BY ALL"
    assert generation.con.execute(wanted).fetchall() == [
        ("D-1", "A", Decimal("7.070"), None), ("D-1", "B", Decimal("3.030"), None), ("D-2", "B", Decimal("5.000"), Decimal("0.000")),
    ]  # fmt: skip
    from warehouse.withdrawal import withdraw

    withdraw(compound.store, compound.store.control.last()[0], why="纪要作废", clock=lambda: NOW.replace(hour=23))
    rows = opened(compound).con.execute(wanted).fetchall()
    assert rows[0] == ("D-1", "A", Decimal("10.100"), Decimal("10.000")), "the whole reading is back"


def test_the_readings_of_a_shared_meter_do_not_give_away_a_unit_that_is_kept_out(compound: Office) -> None:
    """10.1 kWh at 70 : 30; B is kept out later, and its 3.03 leave the board of the day before the rule as well."""
    meter = "表号,统计期,单位名称,能源品种,上次读数,本次读数,倍率,用量\nD-1,2025-01,市财政局,电,10,20.1,1,10.1\n"
    known = compound.hand_in("抄表.csv", meter).batch_seq
    compound.hand_in("规则.csv", RULE + "D-1,电,A,协商,70,,纪要3,2025-01-01,\nD-1,电,B,协商,30,,纪要3,2025-01-01,\n")
    register = "".join(
        f"{line},{'不纳入' if number == 0 else '是' if line.startswith('B,') else ''}\n"
        for number, line in enumerate(COMPOUND.splitlines())
    )
    assert compound.hand_in("组织机构.csv", register).status == "committed"
    rows = opened(compound).con.execute(
        "SELECT unit, quantity, previous, current FROM d_meter_month WHERE rec_from <= $1 AND $1 < rec_to", [known]
    )
    assert rows.fetchall() == [("A", Decimal("7.070"), None, None)]


def test_a_bill_is_divided_by_headcount_as_each_month_and_batch_knew_it(compound: Office) -> None:
    """30 : 10 heads in January; 20 : 20 in February; the energy headcount goes before the staff in post."""
    compound.hand_in("电.csv", BILL + "市民中心,2025-01,120,100\n市民中心,2025-02,120,100\n")
    compound.hand_in("规则.csv", RULE + "Z,,A,按人数,,,示机管1号,2025-01-01,\nZ,,B,按人数,,,示机管1号,2025-01-01,\n")
    staff = "单位名称,统计期,编制人数,实有人数,用能人数\n"
    january = "市财政局,2025-01,40,25,30\n市教育局,2025-01,10,10,\n"
    assert compound.hand_in("人员1.csv", staff + january).counts["accepted"] == 2
    first = compound.store.control.last()[0]
    february = "市财政局,2025-02,40,20,20\n市教育局,2025-02,10,20,20\n"
    assert compound.hand_in("人员2.csv", staff + february).counts["accepted"] == 2
    generation = opened(compound)
    in_january = {("A", JAN): "75", ("B", JAN): "25"}
    assert costs(generation, first - 1) == {("Z", JAN): "100", ("Z", FEB): "100"}
    assert costs(generation, first) == {**in_january, ("Z", FEB): "100"}
    assert costs(generation) == {**in_january, ("A", FEB): "50", ("B", FEB): "50"}
    told = f"SELECT DISTINCT basis, share FROM allocated WHERE rec_to = {OPEN} ORDER BY ALL"
    assert generation.con.execute(told).fetchall() == [
        ("headcount", Decimal(share)) for share in ("25.0000", "50.0000", "75.0000")
    ]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("Z,电,A,固定比例,60,,协议1,2025-01-01,\nZ,电,B,固定比例,30,,协议1,2025-01-01,\n", "shares_not_whole"),
        ("Z,电,A,固定比例,,,协议1,2025-01-01,\nZ,电,B,固定比例,,,协议1,2025-01-01,\n", "share_not_given"),
        ("Z,电,A,按面积,,10,协议1,2025-01-01,\nZ,电,B,按人数,,10,协议1,2025-01-01,\n", "bases_differ"),
    ],
)
def test_a_rule_that_cannot_add_up_is_set_aside(compound: Office, lines: str, code: str) -> None:
    assert compound.hand_in("规则.csv", RULE + lines).counts["quarantined"] == 2
    assert {entry["code"] for entry in compound.store.control.quarantine()} == {code}


# --- random bills and rules against a division done in fractions ------------------------------------------------------


def laid_out() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for name in (
        "allocation",
        "org_unit",
        "building",
        "staff",
        "energy_use",
        "property_service",
        "meter_month",
        "meter_reading",
    ):
        columns = "".join(
            f', "{column.name}" {column.sql_type}' for column in CONTRACTS[name].columns if column.name != "unit"
        )
        con.execute(
            f"CREATE TABLE d_{name} (row_id BIGINT, rec_from INTEGER, rec_to INTEGER, unit VARCHAR, from_m INTEGER, to_m INTEGER"
            f"{columns}, note VARCHAR, file_name VARCHAR, sheet VARCHAR, row_no INTEGER)"
        )
    return con


def fill(con: duckdb.DuckDBPyConnection, table: str, **values: object) -> None:
    names = ", ".join(f'"{name}"' for name in values)
    con.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' for _ in values)})", list(values.values()))


Rule = tuple[str, str, Decimal, int, int, int, int]
"""Carrier, unit, weight, months, batches."""
Bill = tuple[int, str, Decimal | None, Decimal, int, int, int]
"""Row, carrier, quantity, cost, month, batches."""


def by_fractions(bill: Bill, rules: list[Rule], seq: int) -> dict[str, tuple[Decimal | None, Decimal]]:
    """Divide one bill as known at a batch, in whole millionths: largest remainders first, units in order of codes."""
    _, carrier, quantity, cost, month, _, _ = bill
    live = [r for r in rules if r[3] <= month < r[4] and r[5] <= seq < r[6] and r[0] in ("all", carrier)]
    live = [r for r in live if r[0] != "all"] or live
    weights: dict[str, Decimal] = defaultdict(Decimal)
    for _, unit, weight, *_ in live:
        weights[unit] += weight
    total = sum(weights.values())
    if not live or not total:
        return {"Z": (quantity, cost)}
    parts = [_shared_out(amount, weights) for amount in (quantity, cost)]
    return {unit: (parts[0] and parts[0][unit], parts[1][unit]) for unit in weights}  # type: ignore[index,misc]


def _shared_out(amount: Decimal | None, weights: dict[str, Decimal]) -> dict[str, Decimal] | None:
    if amount is None:
        return None
    digits = int(abs(amount) * 1_000_000)
    exact = {
        unit: Fraction(digits) * Fraction(weight) / Fraction(sum(weights.values())) for unit, weight in weights.items()
    }
    whole = {unit: int(part) for unit, part in exact.items()}
    by_rest = sorted(weights, key=lambda unit: (whole[unit] - exact[unit], unit))
    for unit in by_rest[: digits - sum(whole.values())]:
        whole[unit] += 1
    sign = -1 if amount < 0 else 1
    return {unit: Decimal(sign * part).scaleb(-6) for unit, part in whole.items()}


def random_case(dice: random.Random) -> tuple[list[Bill], list[Rule]]:
    def span(width: int) -> tuple[int, int]:
        start = dice.randint(1, width)
        return start, dice.choice([OPEN, start + dice.randint(1, width)])

    rules: list[Rule] = []
    for _ in range(dice.randint(0, 12)):
        weight = Decimal(dice.choice([0, 1, 3, 7, dice.randint(1, 10**9)])).scaleb(-4)
        rules.append((dice.choice(["all", "electricity"]), dice.choice("ABDE"), weight, *span(4), *span(9)))
    bills: list[Bill] = []
    for number in range(dice.randint(1, 5)):
        cost = Decimal(dice.randint(-(10**6), 10**13)).scaleb(-6)
        quantity = dice.choice([None, Decimal(dice.randint(0, 10**14)).scaleb(-6)])
        bills.append((number, dice.choice(["electricity", "water"]), quantity, cost, dice.randint(1, 5), *span(9)))
    return bills, rules


def check_case(dice: random.Random) -> None:
    bills, rules = random_case(dice)
    con = laid_out()
    for number, (carrier, unit, weight, from_m, to_m, rec_from, rec_to) in enumerate(rules):
        fill(con, "d_allocation", row_id=number, account="Z", carrier=carrier, unit=unit, basis="area", weight=weight,
             document="x", from_m=from_m, to_m=to_m, rec_from=rec_from, rec_to=rec_to)  # fmt: skip
    for number, carrier, quantity, cost, month, rec_from, rec_to in bills:
        fill(con, "d_energy_use", row_id=number, unit="Z", carrier=carrier, quantity=quantity, cost=cost, from_m=month,
             to_m=month + 1, rec_from=rec_from, rec_to=rec_to)  # fmt: skip
    divide_shared(con, CONTRACTS)
    for seq in range(20):
        found = con.execute(
            "SELECT row_id, unit, quantity, cost FROM d_energy_use WHERE rec_from <= $1 AND $1 < rec_to", [seq]
        ).fetchall()
        wanted = {
            (bill[0], unit): figures
            for bill in bills if bill[5] <= seq < bill[6]
            for unit, figures in by_fractions(bill, rules, seq).items()
        }  # fmt: skip
        assert {(row, unit): (quantity, cost) for row, unit, quantity, cost in found} == wanted
        assert len(found) == len(wanted)
        assert sum(row[3] for row in found) == sum(bill[3] for bill in bills if bill[5] <= seq < bill[6])
    con.close()


def seeds(count: int) -> Iterator[random.Random]:
    return (random.Random(seed) for seed in range(count))


def test_random_divisions_add_up_and_any_past_batch_sees_its_own() -> None:
    for dice in seeds(12):
        check_case(dice)


@pytest.mark.soak
def test_many_random_divisions_add_up() -> None:
    for dice in seeds(400):
        check_case(dice)


def test_a_contract_that_shares_by_a_column_it_has_not_is_refused() -> None:
    from warehouse.sharing import read_shared

    faults: list[str] = []
    read_shared("x.toml", {"account": "meter", "measures": ["note"], "speed": 1}, {"note": "text"}, faults)
    assert faults == [
        "x.toml: shared: unknown key 'speed'", "x.toml: shared names 'meter', which is not a column",
        "x.toml: shared.measures 'note' is no decimal column",
    ]  # fmt: skip
    assert {c.name for c in CONTRACTS.values() if shares(c)} == {
        "energy_use",
        "property_service",
        "meter_month",
        "meter_reading",
    }


def shares(contract: Contract) -> bool:
    return contract.shared is not None


# --- accounts (户号): one shared by several units, several of one unit --------------------------------------------------

ACCOUNT_BILL = "单位名称,统计期,户号,能源品种,数量,费用(元)\n"


def live(generation: Generation, seq: int | None = None) -> list[tuple[str, str, str]]:
    at = generation.through_seq if seq is None else seq
    rows = generation.con.execute(
        "SELECT account, unit, cost FROM d_energy_use WHERE rec_from <= $1 AND $1 < rec_to ORDER BY ALL", [at]
    ).fetchall()
    return [(account, unit, f"{cost.normalize():f}") for account, unit, cost in rows]


def test_an_account_of_several_units_is_divided_and_the_others_stay_with_the_unit_on_the_bill(compound: Office) -> None:
    """Account 8801 of 100 yuan, paid by the finance bureau: 60 : 40, later known to be 75 : 25; 8802 and 8803 are its own."""
    lines = "".join(f"市财政局,2025-01,{account},电,{cost},{cost}\n" for account, cost in (("8801", 100), ("8802", 30), ("8803", 7)))  # fmt: skip
    assert compound.hand_in("电.csv", ACCOUNT_BILL + lines).counts["accepted"] == 3
    alone = compound.store.control.last()[0]
    rule = "8801,电,A,协商,60,,纪要1,2025-01-01,\n8801,电,B,协商,40,,纪要1,2025-01-01,\n"
    assert compound.hand_in("规则.csv", RULE + rule).counts["accepted"] == 2
    first = compound.store.control.last()[0]
    compound.hand_in("规则更正.csv", RULE + rule.replace("60,", "75,").replace("40,", "25,"))
    generation = opened(compound)
    own = [("8802", "A", "30"), ("8803", "A", "7")]
    assert live(generation) == [("8801", "A", "75"), ("8801", "B", "25"), *own]
    assert live(generation, first) == [("8801", "A", "60"), ("8801", "B", "40"), *own]
    assert live(generation, alone) == [("8801", "A", "100"), *own]
    sums = [
        generation.con.execute(
            "SELECT sum(cost) FROM d_energy_use WHERE rec_from <= $1 AND $1 < rec_to", [seq]
        ).fetchall()
        for seq in range(alone, generation.through_seq + 1)
    ]
    assert sums == [[(Decimal(137),)]] * 3, "the parts add up at every batch"
    told = generation.con.execute(
        f"SELECT account, unit, share, state FROM allocated WHERE rec_to = {OPEN} ORDER BY unit"
    ).fetchall()
    assert told == [("8801", "A", Decimal("75.0000"), "divided"), ("8801", "B", Decimal("25.0000"), "divided")]


def test_an_account_in_a_compound_goes_by_its_own_rule_and_by_area_of_the_compound(compound: Office) -> None:
    """8801 by its own rule to the audit office alone; 8802 by the areas 300 : 100 of the compound it hangs in; 8803 as all
    bills of the compound, half and half; without weight 8804 stays and is told once."""
    lines = "".join(f"市民中心,2025-01,{account},电,100,100\n" for account in ("8801", "8802", "8803", "8804"))
    compound.hand_in("电.csv", ACCOUNT_BILL + lines)
    rooms = "房屋编码,使用单位,院落名称,建筑面积(㎡),启用日期\nF1,市财政局,市民中心,300,2020-01-01\nF1,市教育局,市民中心,100,2020-01-01\n"
    compound.hand_in("房屋.csv", rooms)
    rules = (
        "8801,,D,固定比例,100,,协议,2025-01-01,\n8802,,A,按面积,,,协议,2025-01-01,\n8802,,B,按面积,,,协议,2025-01-01,\n"
        "Z,,A,固定比例,50,,协议,2025-01-01,\nZ,,B,固定比例,50,,协议,2025-01-01,\n8804,,D,按面积,,,协议,2025-01-01,\n"
    )
    assert compound.hand_in("规则.csv", RULE + rules).counts["accepted"] == 6
    generation = opened(compound)
    assert live(generation) == [
        ("8801", "D", "100"), ("8802", "A", "75"), ("8802", "B", "25"), ("8803", "A", "50"), ("8803", "B", "50"),
        ("8804", "Z", "100"),
    ]  # fmt: skip
    stays = f"SELECT unit, account, state FROM allocated WHERE state <> 'divided' AND rec_to = {OPEN}"
    assert generation.con.execute(stays).fetchall() == [("Z", "8804", "no_weight")]


def test_a_whole_beside_bills_by_account_is_doubtful(compound: Office) -> None:
    compound.hand_in("电.csv", BILL + "市财政局,2025-01,137,137\n")
    compound.hand_in("分户.csv", ACCOUNT_BILL + "市财政局,2025-01,8801,电,100,100\n市财政局,2025-01,8802,电,37,37\n")
    found = opened(compound).con.execute("SELECT code, unit, other FROM doubt").fetchall()
    assert found == [("account_and_whole", "A", "8801 分户.csv 2")]
