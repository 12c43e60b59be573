"""Totals on a sheet are compared with its rows; a difference is told and sets nothing aside."""

from __future__ import annotations

import pytest

from tests.fakes.office import PAY, Office
from warehouse import control_totals

ROW = "{no},1,市财政局,2025-01-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,{amount}\n"


def sheet(*amounts: str, total: str, head: str = PAY) -> str:
    rows = "".join(ROW.format(no=f"V{n}", amount=amount) for n, amount in enumerate(amounts, 1))
    return f"{head}{rows}合计,,,,,,,,{total}\n"


def test_a_total_its_rows_add_up_to_is_not_spoken_of(office: Office) -> None:
    report = office.hand_in("支付.csv", sheet("100.50", "200", total="300.50"))
    assert report.status == "committed"
    assert "totals" not in report.message


def test_a_total_of_more_than_was_read_is_told_with_both_figures(office: Office) -> None:
    report = office.hand_in("支付.csv", sheet("100.50", "200", total="350.50"))
    assert (report.status, report.counts["accepted"], report.counts["quarantined"]) == ("committed", 2, 0)
    (gap,) = report.message["totals"]
    assert gap["zh"] == "《支付.csv》第 4 行“金额”列的合计为 350.5，读到的各行相加为 300.5，请核对是否缺行或有错。"
    assert gap["en"] == (
        "The total in column “金额”, row 4, 支付.csv is 350.5, but the rows read add up to 300.5; "
        "please check whether rows are missing or wrong."
    )
    assert gap["en"] in report.message["en"]


@pytest.mark.parametrize(("total", "told"), [("61.17", False), ("61.20", False), ("61.23", True)])
def test_ten_thousands_may_miss_their_total_by_five_hundred_yuan(office: Office, total: str, told: bool) -> None:
    # 30.58 + 30.59 = 61.17; 0.03 is rounding, 0.06 is not
    head = PAY.replace("金额(元)", "金额(万元)")
    report = office.hand_in("支付.csv", sheet("30.58", "30.59", total=total, head=head))
    assert ("totals" in report.message) is told


def test_subtotals_speak_of_the_rows_since_the_last_one(office: Office) -> None:
    first = ROW.format(no="V1", amount="10") + ROW.format(no="V2", amount="20") + "小计,,,,,,,,30\n"
    second = ROW.format(no="V3", amount="5") + "小计,,,,,,,,5\n" + "合计,,,,,,,,35\n"
    assert "totals" not in office.hand_in("支付.csv", PAY + first + second).message


def test_many_subtotals_are_compared_by_one_look_and_the_wrong_ones_told_in_their_order(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    # rows 2, 4 and 6 hold 10, 20 and 5; the subtotals say 10, 21 and 5, the total 36 instead of 35
    looks: list[object] = []
    real = control_totals._sums
    monkeypatch.setattr(control_totals, "_sums", lambda *given: looks.append(given) or real(*given))
    lines = zip(("10", "20", "5"), ("10", "21", "5"), strict=True)
    text = "".join(f"{ROW.format(no=f'V{own}', amount=own)}小计,,,,,,,,{told}\n" for own, told in lines)
    gaps = office.hand_in("支付.csv", f"{PAY}{text}合计,,,,,,,,36\n").message["totals"]
    assert ["第 5 行" in gaps[0]["zh"], "第 8 行" in gaps[1]["zh"], len(gaps)] == [True, True, 2]
    assert ["21" in gaps[0]["zh"], "36" in gaps[1]["zh"], "35" in gaps[1]["zh"]] == [True, True, True]
    assert len(looks) == 1


def test_where_a_figure_could_not_be_read_no_sum_is_known(office: Office) -> None:
    report = office.hand_in("支付.csv", sheet("100.50", "二百", total="300.50"))
    assert report.counts["quarantined"] == 1
    assert "totals" not in report.message
