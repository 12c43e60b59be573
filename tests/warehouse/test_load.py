"""From a file to what is known: identity of the counts, restatement, slices, recovery. Tables small enough to add up."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from tests.fakes.office import NOW, ORG, P1, P2, P2B, PAY, Office, pay
from warehouse import backup as backups
from warehouse import stage
from warehouse.base.errors import RefusedInput, StoreError
from warehouse.contracts import Contract
from warehouse.durable import writer_lock
from warehouse.ingest import load
from warehouse.publish import publish
from warehouse.store import Store


@pytest.mark.both_logs
def test_a_clean_file_is_taken_whole(office: Office) -> None:
    report = office.hand_in("支付.csv", pay(P1, P2))
    assert (report.source, report.status, report.counts["accepted"]) == ("payment", "committed", 2)
    assert office.amounts() == {"V1": Decimal("100.50"), "V2": Decimal("200.00")}


def test_gb18030_and_utf16_give_the_same_rows(office: Office, tmp_path: Path) -> None:
    office.hand_in("支付.csv", pay(P1, P2), encoding="gb18030")
    assert office.hand_in("支付2.csv", pay(P1, P2), encoding="utf-16").status == "unchanged"


@pytest.mark.both_logs
def test_loading_twice_changes_nothing(office: Office) -> None:
    office.hand_in("支付.csv", pay(P1, P2))
    again = office.hand_in("支付.csv", pay(P1, P2))
    assert (again.status, again.batch_seq, again.counts["unchanged"]) == ("unchanged", None, 2)


@pytest.mark.both_logs
def test_a_value_changed_and_changed_back_gives_three_states(office: Office) -> None:
    first = office.hand_in("支付.csv", pay(P1, P2)).batch_seq
    second = office.hand_in("支付.csv", pay(P1, P2B)).batch_seq
    third = office.hand_in("支付.csv", pay(P1, P2)).batch_seq
    assert None not in (first, second, third)
    states = [office.amounts(seq)["V2"] for seq in (first, second, third)]
    assert states == [Decimal(200), Decimal(250), Decimal(200)]


@pytest.mark.both_logs
def test_a_line_absent_from_a_whole_month_is_taken_back(office: Office) -> None:
    first = office.hand_in("支付.csv", pay(P1, P2)).batch_seq
    report = office.hand_in("支付.csv", pay(P1))
    assert report.counts["removed"] == 1
    assert set(office.amounts()) == {"V1"}
    assert set(office.amounts(first)) == {"V1", "V2"}


def test_a_faulty_line_does_not_take_back_what_was_known(office: Office) -> None:
    office.hand_in("支付.csv", pay(P1, P2))
    report = office.hand_in("支付.csv", pay(P1, P2.replace(",200", ",二百")))
    assert (report.counts["removed"], report.counts["quarantined"]) == (0, 1)
    assert office.amounts()["V2"] == Decimal(200)


def test_an_unknown_unit_is_set_aside_with_suggestions(office: Office) -> None:
    report = office.hand_in("支付.csv", pay(P1, P2.replace("市教育局", "市教育居")))
    assert report.counts["quarantined"] == 1
    entry = office.store.control.quarantine()[0]
    assert (entry["code"], entry["row_no"], entry["value"]) == ("unknown_org", 3, "市教育居")
    assert "市教育局" in entry["hint"]
    assert "市教育局" in report.message["faults"][0]["zh"]


def test_alias_short_name_and_code_name_the_same_unit(office: Office) -> None:
    office.hand_in(
        "支付.csv",
        pay(
            P1,
            P1.replace("V1", "V3").replace("市财政局", "财政局"),
            P1.replace("V1", "V4").replace("市财政局", "市财政厅"),
        ),
    )
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    assert generation.con.execute("SELECT DISTINCT unit FROM d_payment").fetchall() == [("A",)]


def test_the_same_key_twice_with_other_content_is_not_guessed(office: Office) -> None:
    report = office.hand_in("支付.csv", pay(P1, P2, P2B))
    assert (report.counts["accepted"], report.counts["quarantined"]) == (1, 2)
    assert {e["code"] for e in office.store.control.quarantine()} == {"duplicate_key"}


@pytest.mark.both_logs
def test_one_open_entry_however_often_a_faulty_row_is_sent(office: Office) -> None:
    bad = pay(P1, P2.replace(",200", ",二百"))
    assert office.hand_in("支付.csv", bad).counts["quarantined"] == 1
    assert office.hand_in("支付.csv", bad).counts["quarantined"] == 1
    assert len(office.store.control.quarantine()) == 1


def test_thousands_full_width_and_odd_dates_are_read(office: Office) -> None:
    line = 'V5,1,市财政局,2025年1月9日,30201,办公费,一般公共预算财政拨款,基本支出-公用,"１,234.50"'
    assert office.hand_in("支付.csv", pay(line)).counts["accepted"] == 1
    assert office.amounts() == {"V5": Decimal("1234.50")}


def test_ten_thousand_yuan_in_the_header_is_converted_exactly(office: Office) -> None:
    office.hand_in("支付.csv", pay(P1).replace("金额(元)", "金额（万元）"))
    assert office.amounts() == {"V1": Decimal("1005000.00")}


def test_a_sum_a_thousand_times_off_its_history_is_asked_about(office: Office) -> None:
    for month in range(1, 5):
        line = f"V{month},1,市财政局,2025-0{month}-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,{100 + month}"
        assert office.hand_in(f"支付{month}.csv", pay(line)).status == "committed"
    wrong = "V9,1,市财政局,2025-05-10,30201,办公费,一般公共预算财政拨款,基本支出-公用,1010000"
    assert office.hand_in("支付5.csv", pay(wrong)).counts["quarantined"] == 1
    (entry,) = office.store.control.quarantine()
    assert (entry["code"], entry["value"], entry["hint"]) == ("magnitude", "1010000", "102.5")


@pytest.mark.both_logs
def test_a_missing_column_is_refused_and_nothing_changes(office: Office) -> None:
    office.hand_in("支付.csv", pay(P1))
    text = "凭证号,行号,单位名称,部门经济分类编码,金额(元)\nV7,1,市财政局,30201,5\n"
    report = office.hand_in("缺列.csv", text, source="payment")
    assert report.status == "refused"
    assert "支付日期" in report.message["zh"]
    assert office.amounts() == {"V1": Decimal("100.50")}


def test_a_file_nobody_knows_is_refused_with_the_nearest_contracts(office: Office) -> None:
    report = office.hand_in("诗.csv", "春,夏,秋\n花,雨,月\n")
    assert (report.status, report.batch_seq) == ("refused", None)


def test_a_file_that_is_not_a_table_is_ignored(office: Office) -> None:
    report = office.hand_in("说明.docx", "x")
    assert report.status == "ignored"
    assert report.message == {
        "zh": "《说明.docx》不是表格文件，已忽略；可导入 csv、xlsx、xls、ods、parquet。",
        "en": "说明.docx is not a table and was ignored; csv, xlsx, xls, ods and parquet are read.",
    }


def test_cumulative_figures_become_month_flows_and_falls_stay(office: Office) -> None:
    head = "单位名称,统计期,经济分类编码,经济分类名称,资金类型,全年计划,累计执行数\n"
    rows = [("2025-01", 10), ("2025-02", 30), ("2025-03", 25), ("2025-04", 45)]
    text = head + "".join(f"市财政局,{month},2210,Supplies,T,100,{total}\n" for month, total in rows)
    assert office.hand_in("执行.csv", text, source="budget_execution").status == "committed"
    late = head + "市财政局,2025-02,2210,Supplies,T,100,20\n"
    assert office.hand_in("执行更正.csv", late, source="budget_execution").counts["accepted"] == 1
    publish(office.store, clock=lambda: NOW)
    con = office.store.open_generation().con
    wanted = "SELECT actual_flow FROM d_budget_execution WHERE rec_from <= $1 AND $1 < rec_to ORDER BY from_m"
    assert [int(v) for (v,) in con.execute(wanted, [2]).fetchall()] == [10, 20, -5, 20]
    assert [int(v) for (v,) in con.execute(wanted, [3]).fetchall()] == [10, 10, 5, 20]


@pytest.mark.both_logs
def test_recorded_time_never_runs_backwards(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "支付.csv"
    path.write_text(pay(P1), encoding="utf-8")
    report = load(office.store, [path], recorded_at=NOW - dt.timedelta(days=3), clock=lambda: NOW)[0]
    assert report.status == "refused"


@pytest.mark.both_logs
def test_a_store_is_real_or_simulated(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "manifest.toml").write_text('[store]\norigin = "simulated"\n', encoding="utf-8")
    with pytest.raises(RefusedInput, match="simulated"):
        load(office.store, [folder], clock=lambda: NOW)


@pytest.mark.both_logs
def test_what_an_interrupted_writer_left_is_removed(office: Office) -> None:
    report = office.hand_in("支付.csv", pay(P1))
    stray = office.store.segments / "payment" / f"{(report.batch_seq or 0) + 1:08d}-0.parquet"
    stray.write_bytes(b"half")
    office.hand_in("支付1.csv", pay(P1))  # nothing new: the number stays free
    assert not stray.exists()


@pytest.mark.both_logs
def test_segments_of_a_newer_log_are_not_touched(office: Office) -> None:
    office.hand_in("支付.csv", pay(P1))
    newer = office.store.segments / "payment" / "00000099-0.parquet"
    newer.write_bytes(b"acknowledged by a log that is gone")
    with pytest.raises(StoreError, match="00000099-0"):
        office.hand_in("支付2.csv", pay(P1, P2))
    assert newer.exists()


def test_a_workbook_with_a_sheet_of_another_source_is_refused_whole(office: Office, tmp_path: Path) -> None:
    book = tmp_path / "两表.xlsx"
    with xlsxwriter.Workbook(book) as workbook:
        for name, text in (("支付", pay(P1)), ("编制", "单位名称,月份,编制人数,实有人数\n市财政局,2025-01,50,48\n")):
            sheet = workbook.add_worksheet(name)
            for row, line in enumerate(text.splitlines()):
                sheet.write_row(row, 0, line.split(","))
        workbook.add_worksheet("说明").write_column(0, 0, ["填表说明", "请按月填报"])
    (report,) = load(office.store, [book], clock=lambda: NOW + dt.timedelta(days=1))
    assert (report.status, report.message["codes"]) == ("refused", ["other_source"])
    assert "编制" in report.message["zh"]
    assert "staff" in report.message["en"]


def test_a_clock_that_stepped_back_goes_on_from_the_last_moment(office: Office, tmp_path: Path) -> None:
    office.hand_in("支付.csv", pay(P1))
    last = office.store.control.last()[1]
    path = tmp_path / "支付2.csv"
    path.write_text(pay(P1, P2), encoding="utf-8")
    (report,) = load(office.store, [path], clock=lambda: NOW - dt.timedelta(days=400))
    assert report.status == "committed"
    assert office.store.control.last()[1] == last


@pytest.mark.both_logs
def test_backup_restores_the_same_figures_and_a_changed_byte_is_found(office: Office, tmp_path: Path) -> None:
    office.hand_in("支付.csv", pay(P1, P2))
    before = office.amounts()
    backups.backup(office.store, tmp_path / "copy")
    twin = Office(tmp_path / "twin")
    (tmp_path / "twin").mkdir(exist_ok=True)
    backups.restore(tmp_path / "copy", twin.store)
    assert twin.amounts() == before
    segment = next((tmp_path / "copy" / "seg" / "payment").glob("*.parquet"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.unlink()
    segment.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        backups.restore(tmp_path / "copy", Store(tmp_path / "third"))


@pytest.mark.both_logs
def test_a_second_writer_waits_and_then_says_so(office: Office) -> None:
    said: list[str] = []
    with (
        writer_lock(office.store.lock),
        pytest.raises(StoreError, match="Another writer"),
        writer_lock(office.store.lock, wait_seconds=0.3, tell=said.append),
    ):
        pass
    assert len(said) == 1


def test_a_correction_and_its_reversal_at_one_moment_are_both_taken(office: Office, tmp_path: Path) -> None:
    moment = NOW - dt.timedelta(days=1)
    early = Office(tmp_path / "early")
    early.folder.mkdir()
    for name, text in (
        ("组织机构.csv", ORG),
        ("甲.csv", pay(P1, P2)),
        ("乙.csv", pay(P1, P2B)),
        ("甲.csv", pay(P1, P2)),
    ):
        path = early.folder / name
        path.write_text(text, encoding="utf-8")
        assert load(early.store, [path], recorded_at=moment, clock=lambda: NOW)[0].status == "committed"
    assert early.amounts()["V2"] == Decimal(200)


@pytest.mark.both_logs
def test_a_corrected_row_closes_what_was_set_aside(office: Office) -> None:
    office.hand_in("支付.csv", pay(P1, P2.replace(",200", ",二百")))
    assert len(office.store.control.quarantine()) == 1
    office.hand_in("支付更正.csv", pay(P1, P2))
    assert office.store.control.quarantine() == []


def test_a_row_of_an_unknown_unit_is_taken_when_the_register_knows_it(office: Office) -> None:
    text = pay(P1, P2.replace("市教育局", "市体育局"))
    assert office.hand_in("支付.csv", text).counts["quarantined"] == 1
    office.hand_in("组织机构2.csv", ORG + "C,市体育局,体育局,R,市,政府,4,2020-01-01,,\n")
    assert office.hand_in("支付.csv", text).counts["accepted"] == 1
    assert office.store.control.quarantine() == []


@pytest.mark.both_logs
def test_equal_faulty_lines_are_kept_each(office: Office) -> None:
    assert office.hand_in("支付.csv", pay(P1, P2, P2, P2)).counts["quarantined"] == 2
    assert [entry["row_no"] for entry in office.store.control.quarantine()] == [4, 5]


def test_columns_nobody_knows_are_named(office: Office) -> None:
    text = pay(P1).replace("凭证号,", "凭证号,神秘列,").replace("V1,", "V1,x,")
    report = office.hand_in("支付.csv", text)
    assert report.message["ignored_columns"] == ["神秘列"]
    assert "神秘列" in report.message["zh"]


def test_a_folder_needs_no_order(tmp_path: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    (folder / "a支付.csv").write_text(pay(P1, P2), encoding="utf-8")
    (folder / "z组织机构.csv").write_text(ORG, encoding="utf-8")
    reports = load(Store(tmp_path / "store"), [folder], clock=lambda: NOW)
    assert [report.source for report in reports] == ["org_unit", "payment"]
    assert reports[1].counts["quarantined"] == 0


def test_a_declared_span_takes_back_absent_rows_of_every_batch(office: Office) -> None:
    head = "统计月份,号牌号码,单位名称,编制类别,车辆状态\n"
    for month, plates in (("2024-01", "AB"), ("2024-02", "C")):
        office.hand_in(f"台账{month}.csv", head + "".join(f"{month},{p},市财政局,其他,在用\n" for p in plates))
    folder = office.folder / "redo"
    folder.mkdir()
    (folder / "台账.csv").write_text(head + "2024-01,A,市财政局,其他,在用\n", encoding="utf-8")
    (folder / "manifest.toml").write_text(
        '[[file]]\npath = "台账.csv"\nsource = "vehicle"\nperiod_from = "2024-01"\nperiod_to = "2024-02"\n',
        encoding="utf-8",
    )
    report = load(office.store, [folder], clock=lambda: NOW + dt.timedelta(hours=1))[0]
    assert report.counts["removed"] == 2


def book_of(path: Path, sheets: dict[str, str]) -> Path:
    with xlsxwriter.Workbook(path) as workbook:
        for name, text in sheets.items():
            sheet = workbook.add_worksheet(name)
            for row, line in enumerate(text.splitlines()):
                sheet.write_row(row, 0, line.split(","))
    return path


def test_a_sheet_a_month_for_a_whole_year(office: Office, tmp_path: Path) -> None:
    months = {f"{m}月": pay(P1.replace("V1", f"V{m}").replace("2025-01", f"2025-{m:02d}")) for m in range(1, 13)}
    (report,) = load(office.store, [book_of(tmp_path / "全年.xlsx", months)], clock=lambda: NOW + dt.timedelta(days=1))
    assert (report.status, report.counts["accepted"]) == ("committed", 12)
    assert office.amounts() == {f"V{m}": Decimal("100.50") for m in range(1, 13)}


def test_a_sheet_sharing_two_labels_is_of_its_own_source(office: Office, tmp_path: Path) -> None:
    book = book_of(
        tmp_path / "人员能耗.xlsx",
        {
            "人员": "单位名称,统计月份,编制人数,实有人数,用能人数\n市财政局,2025-01,50,48,60\n",
            "能耗": "单位名称,统计月份,用电量(千瓦时),电费(元)\n市财政局,2025-01,1000,700\n",
        },
    )
    (report,) = load(office.store, [book], clock=lambda: NOW + dt.timedelta(days=1))
    assert (report.status, report.message["codes"]) == ("refused", ["other_source"])


def test_a_damaged_parquet_file_ends_itself_alone(office: Office, tmp_path: Path) -> None:
    good, bad = tmp_path / "b.csv", tmp_path / "a.parquet"
    good.write_text(pay(P1), encoding="utf-8")
    rows = 5_000
    pq.write_table(
        pa.table({
            "凭证号": [f"V{n}" for n in range(rows)], "单位名称": ["市财政局"] * rows, "支付日期": ["2025-01-10"] * rows,
            "部门经济分类编码": ["30201"] * rows, "资金来源": ["一般公共预算财政拨款"] * rows,
            "支出类型": ["基本支出-公用"] * rows, "金额(元)": ["1"] * rows,
        }), bad, compression="none", use_dictionary=False,
    )  # fmt: skip
    data = bytearray(bad.read_bytes())
    data[2_000:6_000] = b"\xff" * 4_000
    bad.write_bytes(data)
    reports = {r.file: r for r in load(office.store, [bad, good], clock=lambda: NOW + dt.timedelta(days=1))}
    assert reports["a.parquet"].status == "refused"
    assert reports["b.csv"].status == "committed"


@pytest.mark.both_logs
def test_cells_under_equal_labels_are_all_kept_in_quarantine(office: Office) -> None:
    head = PAY.strip() + ",备注,备注,,\n"
    office.hand_in("支付.csv", head + P1.replace("市财政局", "不知道的局") + ",甲,乙,丙,丁\n")
    (entry,) = office.store.control.quarantine()
    assert [entry["raw"].count(text) for text in ("甲", "乙", "丙", "丁")] == [1, 1, 1, 1]


def test_unit_and_month_alone_name_no_source(office: Office) -> None:
    report = office.hand_in("谁的.csv", "单位,月份,胡写的一列,又一列\n市财政局,2025-01,abc,100\n")
    assert (report.status, report.message["codes"]) == ("refused", ["unknown_file"])


@pytest.mark.both_logs
def test_a_refused_delivery_is_refused_again_for_its_first_reason(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "人员.csv"
    path.write_text(pay(P1).replace("金额(元)", "金额(斤)"), encoding="utf-8")
    clock = lambda: NOW + dt.timedelta(days=9)  # noqa: E731
    said = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
    (first,) = load(office.store, [path], recorded_at=said, clock=clock)
    path2 = tmp_path / "支付.csv"
    path2.write_text(pay(P1), encoding="utf-8")
    load(office.store, [path2], recorded_at=said + dt.timedelta(days=1), clock=clock)
    (again,) = load(office.store, [path], recorded_at=said, clock=clock)
    assert (first.status, first.message["codes"]) == ("refused", ["missing_column", "unknown_unit"])
    assert (again.status, again.message) == (first.status, first.message)


def test_a_file_of_faults_only_is_refused_whole(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "MOST_FAULTS", 3)
    lines = [P1.replace("V1", f"V{n}").replace("市财政局", f"某局{n}") for n in range(4)]
    report = office.hand_in("支付.csv", pay(*lines))
    assert (report.status, report.message["codes"]) == ("refused", ["too_many_faults"])
    assert "某局0" in report.message["zh"]
    assert "3" in report.message["en"]
    assert not office.store.control.quarantine()


def test_a_fault_of_ours_ends_one_file_and_is_not_called_a_damaged_file(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    staged = stage.stage_file

    def stumbles(con: duckdb.DuckDBPyConnection, contract: Contract, *rest: Any) -> stage.Staged:
        if contract.name == "payment":
            raise duckdb.OutOfRangeException("Overflow in multiplication")
        return staged(con, contract, *rest)

    monkeypatch.setattr(stage, "stage_file", stumbles)
    (tmp_path / "支付.csv").write_text(pay(P1), encoding="utf-8")
    (tmp_path / "人员.csv").write_text(
        "单位名称,统计月份,编制人数,实有人数\n市财政局,2025-01,50,48\n", encoding="utf-8"
    )
    found = {
        r.file: r
        for r in load(
            office.store, [tmp_path / "支付.csv", tmp_path / "人员.csv"], clock=lambda: NOW + dt.timedelta(days=1)
        )
    }
    assert found["支付.csv"].message["codes"] == ["unforeseen"]
    assert "Overflow" in found["支付.csv"].message["zh"]
    assert "Overflow" in caplog.text
    assert found["人员.csv"].status == "committed"
