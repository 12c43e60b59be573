"""From a name nobody knows to its rows on the board: hint, alias with its author, the same file again; by code and name."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.fakes.office import NOW, PAY, Office, pay
from warehouse.aliases import record_alias
from warehouse.base.errors import RefusedInput
from warehouse.directory import read_directory
from warehouse.ingest import scratch
from warehouse.organisations import Directory
from warehouse.publish import publish
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
