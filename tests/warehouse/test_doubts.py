"""Doubtful rows: each pattern on figures a person can check, what is like it and is none, and both times."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.office import NOW, ORG, Office
from warehouse.contracts import load_contracts
from warehouse.publish import publish

HEAD = "统计期,单位名称,电(千瓦时),电费(元),水(吨),水费(元)\n"


def energy(*lines: str) -> str:
    return HEAD + "".join(f"{line}\n" for line in lines)


def doubts(office: Office, at: int | None = None) -> list[tuple[Any, ...]]:
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    seq = generation.through_seq if at is None else at
    rows = generation.con.execute(
        "SELECT code, unit, month_no % 12 + 1, row_no FROM doubt WHERE rec_from <= $1 AND $1 < rec_to ORDER BY ALL",
        [seq],
    ).fetchall()
    generation.close()
    return rows


def test_the_figures_of_last_month_again_are_doubtful_until_they_are_corrected(office: Office) -> None:
    office.hand_in("1月.csv", energy("2025-01,市财政局,10234,7163.8,20,100"))
    office.hand_in("2月.csv", energy("2025-02,市财政局,10234,7163.8,21,105"))
    assert doubts(office) == [("copied_month", "A", 2, 2)]
    before = office.store.control.last()[0]
    office.hand_in("2月更正.csv", energy("2025-02,市财政局,1010,707,21,105"))
    assert doubts(office) == []
    assert doubts(office, before) == [("copied_month", "A", 2, 2)]


@pytest.mark.parametrize(
    ("months", "found"),
    [
        # use, use, nothing: a blank was meant
        (("100,70,9,45", "110,77,9.5,47.5", "0,0,9.6,48"), [("zero_for_blank", "A", 3, 4)]),
        # water every second month: a zero between two bills is how it comes
        (("100,70,9,45", "110,77,0,0", "120,84,10,50"), []),
        # a blank says nothing and is no zero
        (("100,70,9,45", "110,77,9.5,47.5", ",,9.6,48"), []),
    ],
)
def test_a_zero_after_months_of_use_is_doubtful(
    office: Office, months: tuple[str, ...], found: list[tuple[str, str, int, int]]
) -> None:
    office.hand_in("一季度.csv", energy(*(f"2025-0{n},市财政局,{line}" for n, line in enumerate(months, 1))))
    assert doubts(office) == found


def test_quantities_worked_out_from_the_bill_are_doubtful_when_they_come_again(office: Office) -> None:
    lines = (
        "2025-01,市财政局,1388.89,1000,,",  # 1000 / 0.72
        "2025-02,市财政局,1250.00,900,,",  # 900 / 0.72, and whole: it says nothing
        "2025-03,市财政局,1527.78,1100,,",  # 1100 / 0.72
        "2025-04,市财政局,1390.55,1000,,",  # a whole bill, but no price of two decimals makes it
    )
    office.hand_in("1-4月.csv", energy(*lines))
    assert doubts(office) == []
    before = office.store.control.last()[0]
    office.hand_in("5月.csv", energy("2025-05,市财政局,1319.44,950,,"))  # 950 / 0.72, the third time
    assert doubts(office) == [("quantity_from_cost", "A", month, row) for month, row in ((1, 2), (3, 4), (5, 2))]
    assert doubts(office, before) == []


def test_a_few_equal_digits_are_chance(office: Office) -> None:
    lines = (
        "2025-01,市财政局,10234,7163.8,125,500",
        "2025-01,市教育局,9876,6913.2,125,500",
        "2025-02,市财政局,10111,7077.7,125,500",
    )
    office.hand_in("两月.csv", energy(*lines))
    assert doubts(office) == []


def test_the_figures_of_another_unit_are_doubtful_on_both_sides(office: Office) -> None:
    lines = ("2025-01,市财政局,1234,864,3,15", "2025-01,市教育局,1234,864,3,15", "2025-02,市教育局,1300,910,3.5,17.5")
    office.hand_in("一季度.csv", energy(*lines))
    # electricity and water of one form are judged together
    assert doubts(office) == [
        ("same_as_another_unit", unit, 1, row) for unit, row in (("A", 2), ("A", 2), ("B", 3), ("B", 3))
    ]


def test_a_successor_that_takes_over_the_facts_is_no_twin(office: Office) -> None:
    office.hand_in("1月.csv", energy("2025-01,市财政局,12345,8641.5,,"))
    ended = ORG.replace(
        "A,市财政局,财政局,R,市,政府,2,2020-01-01,,", "A,市财政局,财政局,R,市,政府,2,2020-01-01,2024-12-31,"
    )
    office.hand_in("机构.csv", ended)
    office.hand_in("更正.csv", energy("2025-01,市教育局,12345,8641.5,,"))
    assert doubts(office) == []


def test_an_odometer_is_compared_across_files(office: Office) -> None:
    head = "票据号,单位名称,号牌号码,费用类型,发生日期,金额(元),里程表读数\n"
    office.hand_in("1月.csv", head + "F1,市财政局,模A·10001,加油,2025-01-15,300,52000\n")
    office.hand_in(
        "2月.csv",
        head + "F2,市财政局,模A·10001,加油,2025-02-15,300,25600\nF3,市财政局,模A·10002,加油,2025-02-16,300,100\n",
    )
    assert doubts(office) == [("odometer_below_last", "A", 2, 2)]


def test_a_rule_that_is_written_wrongly_is_named(tmp_path: Any) -> None:
    text = (
        (load_text("energy_use"))
        .replace('kind = "repeated"', 'kind = "repeting"')
        .replace('topup = "prepaid"', 'topup = "quantity"')
    )
    (tmp_path / "energy_use.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Exception, match="repeting") as caught:
        load_contracts(tmp_path)
    assert "billing.topup 'quantity' is no column of type bool" in str(caught.value)


def load_text(name: str) -> str:
    from importlib import resources

    return (resources.files("warehouse") / "sources" / f"{name}.toml").read_text(encoding="utf-8")
