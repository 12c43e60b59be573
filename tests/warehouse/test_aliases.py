"""From a name nobody knows to its rows on the board: hint, alias with its author, the same file again; by code and name."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tests.fakes.office import NOW, PAY, Office, pay
from warehouse.aliases import record_alias
from warehouse.base.errors import RefusedInput
from warehouse.corrections import Advice
from warehouse.directory import read_directory
from warehouse.ingest import load, scratch
from warehouse.organisations import Directory
from warehouse.publish import publish
from warehouse.reach import Reach
from warehouse.receipts import FileReport
from warehouse.register_history import story_of

STRANGE = "V9,1,市才政局,2025-01-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,100.50"
BOTH = PAY.replace("单位名称", "单位代码,单位名称")


def known(office: Office) -> Directory:
    con = scratch(office.store)
    found = read_directory(con, office.store)
    con.close()
    return found


def record(office: Office, name: str, code: str, **values: object) -> FileReport:
    office.minute += 1
    clock = lambda: NOW + dt.timedelta(minutes=office.minute)  # noqa: E731
    return record_alias(office.store, known(office), name, code, actor="李工", clock=clock, **values)  # type: ignore[arg-type]


def test_an_alias_mends_the_rows_it_was_recorded_for_and_keeps_who_and_when(office: Office) -> None:
    assert office.hand_in("支付.csv", pay(STRANGE)).counts["quarantined"] == 1
    (entry,) = office.store.control.quarantine()
    assert entry["code"] == "unknown_org"
    assert entry["hint"].split("、")[0] == "市财政局（模拟市） A"
    assert known(office).find("市才政局").code is None, "a suggestion alone changes nothing"
    report = record(office, "市才政局", "A", met_in="支付.csv")
    assert report.status == "committed", report.message
    again = office.hand_in("支付.csv", pay(STRANGE))
    assert (again.counts["accepted"], again.counts["quarantined"]) == (1, 0)
    assert office.store.control.quarantine() == [], "the waiting row is closed by the file that brought it right"
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    (name,) = story_of(generation, "A").names
    assert (name.name, name.recorded_by, name.met_in, name.batch) == ("市才政局", "李工", "支付.csv", report.batch_seq)
    seen = "SELECT count(*) FROM d_org_alias WHERE rec_from <= $1 AND $1 < rec_to"
    assert generation.con.execute(seen, [name.batch - 1]).fetchone() == (0,), "before that batch nobody knew the name"
    assert generation.con.execute(seen, [name.batch]).fetchone() == (1,)


def test_an_alias_with_an_end_holds_for_the_months_before_it(office: Office) -> None:
    record(office, "工商局", "B", until=dt.date(2025, 1, 31))
    rows = [
        STRANGE.replace("市才政局", "工商局"),
        STRANGE.replace("V9", "V8").replace("市才政局", "工商局").replace("2025-01", "2025-02"),
    ]
    report = office.hand_in("支付.csv", pay(*rows))
    assert (report.counts["accepted"], report.counts["quarantined"]) == (1, 1)
    (entry,) = office.store.control.quarantine()
    assert (entry["code"], entry["value"], entry["row_no"]) == ("name_not_then", "工商局", 3)


@pytest.mark.parametrize(("name", "code", "word"), [
    ("市财政局", "A", "already understood"), ("市财政局", "B", "already means A"), ("甲", "X9", "no unit"), (" ", "A", "empty"),
])  # fmt: skip
def test_a_name_that_means_somebody_is_not_given_away(office: Office, name: str, code: str, word: str) -> None:
    with pytest.raises(RefusedInput, match=word):
        record(office, name, code)


def test_code_and_name_must_mean_the_same_unit(office: Office) -> None:
    """Row 2 agrees; row 3 names another unit than its code; row 4 has no code; row 5 a name nobody knows."""
    text = BOTH + "".join(
        f"V{n},1,{code},{name},2025-01-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,10\n"
        for n, (code, name) in enumerate([("A", "市财政局"), ("A", "市教育局"), ("", "市教育局"), ("A", "市水产局")], 1)
    )
    report = office.hand_in("支付.csv", text)
    assert (report.counts["accepted"], report.counts["quarantined"]) == (2, 2)
    found = [(entry["row_no"], entry["code"], entry["value"]) for entry in office.store.control.quarantine()]
    assert found == [(3, "code_not_name", "A / 市教育局"), (5, "code_not_name", "A / 市水产局")]
    assert set(office.amounts()) == {"V1", "V3"}


def test_a_credit_code_stands_above_a_misspelt_name_and_not_above_another_units(office: Office) -> None:
    register = "单位代码,统一社会信用代码,单位名称,上级单位代码,层级,单位性质,生效日期\nA,91350100M000100Y43,市财政局,,市,政府,2020-01-01\nB,,市教育局,,市,政府,2020-01-01\n"
    assert office.hand_in("组织机构.csv", register).counts["quarantined"] == 0
    head = PAY.replace("单位名称", "统一社会信用代码,单位名称")
    rest = "2025-01-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,10\n"
    text = head + f"V1,1,91350100M000100Y43,市才政局,{rest}" + f"V2,1,91350100M000100Y43,市教育局,{rest}"
    report = office.hand_in("支付.csv", text)
    assert (report.counts["accepted"], report.counts["quarantined"]) == (1, 1)


# --- one name in several counties -------------------------------------------------------------------------------------

COUNTIES = (
    "单位代码,单位名称,简称,上级单位代码,层级,单位性质,生效日期\n"
    "R,模拟市,,,市,区域,2020-01-01\nC1,甲县,,R,县,区域,2020-01-01\nC2,乙县,,R,县,区域,2020-01-01\n"
    + "".join(
        f"{kind}{n},{county}{name},{name},C{n},县,政府,2020-01-01\n"
        for n, county in ((1, "甲县"), (2, "乙县"))
        for kind, name in (("F", "财政局"), ("E", "教育局"), ("W", "水利局"), ("S", "审计局"))
    )
)


@pytest.fixture
def counties(tmp_path: Path) -> Office:
    """Two counties whose bureaux bear the same short names."""
    office = Office(tmp_path)
    assert office.hand_in("组织机构.csv", COUNTIES).status == "committed"
    return office


def paid(*names: str, months: tuple[int, ...] = ()) -> str:
    lines = enumerate(zip(names, months or [1] * len(names), strict=True), 1)
    rest = "30201,办公费,一般公共预算财政拨款,基本支出-公用,10"
    return pay(*(f"V{n},1,{name},2025-{month:02d}-10,{rest}" for n, (name, month) in lines))


def units_of(office: Office) -> dict[str, str]:
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    rows = generation.con.execute("SELECT voucher, unit FROM d_payment").fetchall()
    generation.close()
    return dict(rows)


def test_a_file_whose_known_rows_lie_in_one_county_speaks_of_its_bureaux(counties: Office) -> None:
    report = counties.hand_in("支付.csv", paid("乙县教育局", "财政局", "乙县水利局", "W2", "财政局"))
    assert (report.counts["accepted"], report.counts["quarantined"]) == (5, 0)
    assert units_of(counties) == {"V1": "E2", "V2": "F2", "V3": "W2", "V4": "W2", "V5": "F2"}


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (("乙县教育局", "乙县水利局", "财政局"), "F2 乙县财政局、F1 甲县财政局"),
        (("乙县教育局", "乙县水利局", "乙县教育局", "甲县水利局", "财政局"), "F2 乙县财政局、F1 甲县财政局"),
        (("甲县教育局", "甲县水利局", "甲县教育局", "乙县水利局", "财政局"), "F1 甲县财政局、F2 乙县财政局"),
        (("甲县教育局", "乙县水利局", "财政局"), "F1 甲县财政局、F2 乙县财政局"),
        (("财政局",), "F1 甲县财政局、F2 乙县财政局"),
    ],
)
def test_too_few_rows_or_rows_of_two_counties_are_asked_with_the_likelier_county_first(
    counties: Office, names: tuple[str, ...], hint: str
) -> None:
    report = counties.hand_in("支付.csv", paid(*names))
    assert (report.counts["accepted"], report.counts["quarantined"]) == (len(names) - 1, 1)
    (entry,) = counties.store.control.quarantine()
    assert (entry["code"], entry["value"], entry["hint"]) == ("ambiguous_org", "财政局", hint)


@pytest.mark.parametrize(
    ("reach", "unit"), [({"C2", "F2", "E2", "W2", "S2"}, "F2"), ({"F1"}, "F1"), ({"E1", "F2"}, "F2")]
)
def test_who_may_report_for_one_county_means_its_bureau_in_the_first_row_already(
    counties: Office, reach: set[str], unit: str
) -> None:
    path = counties.folder / "支付.csv"
    path.write_text(paid("财政局"), encoding="utf-8")
    advice = Advice(reach=Reach(frozenset(reach)))
    (report,) = load(counties.store, [path], advice=advice, clock=lambda: NOW + dt.timedelta(minutes=9))
    assert report.counts["accepted"] == 1, report.message
    assert units_of(counties) == {"V1": unit}


def test_who_may_report_for_the_whole_city_is_asked(counties: Office) -> None:
    path = counties.folder / "支付.csv"
    path.write_text(paid("财政局", "甲县教育局"), encoding="utf-8")
    advice = Advice(reach=Reach(frozenset({"R", "C1", "C2", "F1", "F2", "E1"})))
    (report,) = load(counties.store, [path], advice=advice, clock=lambda: NOW + dt.timedelta(minutes=9))
    assert (report.counts["accepted"], report.counts["quarantined"]) == (1, 1)


def test_a_name_beside_a_blank_code_is_settled_by_county_and_by_month(counties: Office) -> None:
    record(counties, "水务局", "W2", until=dt.date(2025, 1, 31))
    head = PAY.replace("单位名称", "单位代码,单位名称")
    rest = "30201,办公费,一般公共预算财政拨款,基本支出-公用,10\n"
    names = ("教育局", "水务局", "水务局")
    text = head + "".join(f"K{n},1,F2,,2025-01-10,{rest}" for n in range(3))
    text += "".join(f"V{n},1,,{name},2025-0{max(n, 1)}-10,{rest}" for n, name in enumerate(names))
    report = counties.hand_in("支付.csv", text)
    assert (report.counts["accepted"], report.counts["quarantined"]) == (5, 1)
    assert [(e["row_no"], e["code"], e["value"]) for e in counties.store.control.quarantine()] == [
        (7, "name_not_then", "水务局")
    ]
    assert units_of(counties) == {"K0": "F2", "K1": "F2", "K2": "F2", "V0": "E2", "V1": "W2"}


def test_both_units_of_a_succession_are_settled(counties: Office) -> None:
    text = "撤并单位,承接单位,变更日期,变更类型\n" + "".join(
        f"{old},{new},2025-01-01,合并\n" for old, new in (("甲县水利局", "财政局"), ("E1", "财政局"), ("S1", "财政局"))
    )
    report = counties.hand_in("机构沿革.csv", text, source="org_succession")
    assert report.counts["quarantined"] == 0, report.message
    publish(counties.store, clock=lambda: NOW)
    generation = counties.store.open_generation()
    rows = generation.con.execute("SELECT unit, successor FROM d_org_succession ORDER BY unit").fetchall()
    assert rows == [("E1", "F1"), ("S1", "F1"), ("W1", "F1")]
