"""Text tables: encodings, delimiters, odd records, and what is no data."""

from __future__ import annotations

import codecs

import pytest

from warehouse.readers import csvfile, encodings, survey
from warehouse.readers.csvfile import ParsedRows
from warehouse.readers.faults import ReadRefused
from warehouse.readers.tables import read_tables

KNOWN = frozenset(["统计期", "单位名称", "金额"])
PLAIN = "统计期,单位名称,金额\n2024-03,市财政局,1\n2024-04,市公安局,2\n"
ROWS = [(2, "2024-03", "市财政局", "1"), (3, "2024-04", "市公安局", "2")]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_encoding_of_an_office_gives_the_same_rows(written, read, codec):
    reading = read(written(PLAIN.encode(codec)))
    assert reading.table.labels == ("统计期", "单位名称", "金额")
    assert reading.rows == ROWS


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF8])
def test_a_mark_before_a_quoted_header_belongs_to_no_label(written, read, mark):
    codec = "utf-16-be" if mark == codecs.BOM_UTF16_BE else "utf-8"
    content = '"统计期","单位名称","金额"\n"2024-03","甲","1"\n'
    assert read(written(mark + content.encode(codec))).table.labels[0] == "统计期"


def test_rare_characters_outside_gb2312_are_kept(written, read):
    assert read(written("单位名称,金额\n朱镕喆堃局,1\n".encode("gb18030"))).rows == [(2, "朱镕喆堃局", "1")]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(written, read, delimiter):
    assert read(written(PLAIN.replace(",", delimiter))).rows == ROWS


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read(written, read, ending):
    assert read(written(PLAIN.replace("\n", ending))).rows == ROWS


def test_a_missing_last_line_end_loses_nothing(written, read):
    assert read(written(PLAIN.rstrip("\n"))).rows == ROWS


def test_a_text_table_named_xls_is_read_as_what_it_is(written, read):
    assert read(written(PLAIN.replace(",", "\t").encode("gbk"), "导出.xls")).rows == ROWS


def test_the_name_people_know_is_the_one_in_the_table(written):
    path = written(PLAIN, "3f2a")
    (table,) = read_tables(path, KNOWN.__contains__, name="2024年3月支付.csv")
    assert (table.file, table.period_note) == ("2024年3月支付.csv", "2024年3月")


def test_titles_units_totals_and_notes_are_skipped_and_counted(written, read):
    """
    1 title | 2 unit note | 3 header | 4, 5 data | 6 小计 | 7 blank | 8 data | 9 合计 | 10 note | 11 signatures
    """
    reading = read(
        written(
            "市本级2024年3月能耗月报,,\n单位：万元,,\n统计期,单位名称,金额\n2024-03,甲,1\n2024-03,乙,2\n"
            ",小　计,3\n,,\n2024-03,丙,4\n合 计,,7\n注：含分摊,,\n填表人：张三,,审核人：李四\n"
        )
    )
    assert [row[0] for row in reading.rows] == [4, 5, 8]
    assert reading.skipped == {"title": 1, "unit": 1, "header": 1, "total": 2, "blank": 1, "note": 2}
    assert reading.table.totals == ((6, (None, "小　计", "3")), (9, ("合 计", None, "7")))
    assert reading.table.rows + sum(reading.skipped.values()) == 11
    assert (reading.table.title, reading.table.period_note) == ("市本级2024年3月能耗月报", "2024年3月")
    assert (reading.table.unit_note, reading.table.header_row) == ("万元", 3)


def test_merged_header_of_two_rows_is_joined(written, read):
    reading = read(
        written("统计期,单位名称,电,,水,\n,,数量(千瓦时),金额（元）,数量(吨),金额(元)\n2024-03,甲,1,2,3,4\n")
    )
    assert reading.table.labels == ("统计期", "单位名称", "电/数量", "电/金额", "水/数量", "水/金额")
    assert reading.table.units == (None, None, "千瓦时", "元", "吨", "元")
    assert (reading.table.header_row, reading.rows) == (2, [(3, "2024-03", "甲", "1", "2", "3", "4")])


def test_a_header_printed_on_every_page_is_no_data(written, read):
    reading = read(written("统计期,单位名称,金额(元)\n2024-03,甲,1\n统计期,单位名称,金额(元)\n2024-04,乙,2\n"))
    assert [row[0] for row in reading.rows] == [2, 4]
    assert reading.skipped == {"header": 2}


def test_quoted_line_ends_stay_in_their_cell_and_keep_the_numbers_right(written, read):
    reading = read(written('单位名称,摘要,金额\n甲,"一\n二",1\n乙,"说""好""了",2\n'))
    assert reading.rows == [(2, "甲", "一\n二", "1"), (3, "乙", '说"好"了', "2")]


def test_a_stray_quote_inside_a_cell_is_kept(written, read):
    assert read(written('单位名称,摘要,金额\n甲,5" 管,1\n')).rows == [(2, "甲", '5" 管', "1")]


def test_empty_lines_are_counted_and_do_not_move_the_numbers(written, read):
    reading = read(written("单位名称,金额\n\n甲,1\n\n乙,2\n\n"))
    assert [row[0] for row in reading.rows] == [3, 5]
    assert reading.skipped["blank"] == 3


def test_blank_cells_are_missing_however_they_are_written(written, read):
    assert read(written('单位名称,金额,摘要\n甲,,""\n')).rows == [(2, "甲", None, None)]


def test_leading_zeros_and_long_numbers_stay_text(written, read):
    rows = read(written("单位代码,金额\n00123,123456789012345678\n")).rows
    assert rows == [(2, "00123", "123456789012345678")]


def test_records_of_other_width_are_named(written, read):
    reading = read(written("统计期,单位名称,金额\n2024-03,甲\n2024-03,乙,1,多,余\n2024-03,丙,2,,\n"))
    assert [(fault.code, fault.row, fault.value, fault.hint) for fault in reading.table.row_faults] == [
        ("short_row", 2, "2", "3"),
        ("long_row", 3, "多", "3"),
    ]
    assert reading.rows == [(2, "2024-03", "甲", None), (3, "2024-03", "乙", "1"), (4, "2024-03", "丙", "2")]


def test_a_short_last_line_without_end_was_cut_off(written, read):
    (fault,) = read(written("统计期,单位名称,金额\n2024-03,甲,1\n2024-03,乙")).table.row_faults
    assert (fault.code, fault.row) == ("truncated_row", 3)


def test_unknown_columns_still_give_a_table(written):
    (table,) = read_tables(written("甲项,乙项\nx,1\ny,2\n"), frozenset().__contains__)
    assert (table.labels, table.rows) == (("甲项", "乙项"), 2)


def test_a_path_that_looks_like_a_partition_adds_no_column(tmp_path):
    folder = tmp_path / "year=2024" / "it's"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(PLAIN, encoding="utf-8")
    (table,) = read_tables(folder / "a.csv", KNOWN.__contains__)
    assert rows_of(table) == ROWS


def test_rows_can_be_had_twice_and_one_by_one(written):
    (table,) = read_tables(written(PLAIN), KNOWN.__contains__)
    assert rows_of(table) == rows_of(table) == ROWS
    assert [number for number, _ in table.texts([3])] == [3]


def test_a_regular_file_is_parsed_part_by_part(written, monkeypatch):
    monkeypatch.setattr(survey, "BLOCK", 16)
    monkeypatch.setattr(survey, "PART_BYTES", 1)
    (table,) = read_tables(written(PLAIN), KNOWN.__contains__)
    assert isinstance(table.source, ParsedRows)
    assert len(table.source.found.parts) == 2
    assert rows_of(table) == ROWS


def test_should_the_parser_count_otherwise_the_careful_way_takes_over(written, monkeypatch):
    monkeypatch.setattr(ParsedRows, "_parsed", lambda *_: None)
    (table,) = read_tables(written(PLAIN + "合计,,3\n"), KNOWN.__contains__)
    assert rows_of(table) == ROWS


def rows_of(table):
    return [(number, *cells) for number, cells in table.texts()]


def test_column_numbers_are_skipped_once_and_never_where_they_may_be_data(written, read):
    """Below the first header only figures stand: 1,2,3,4 may be one of them."""
    figures = read(written("a,b,c,d\n1,2,3,4\n1,2,3,4\n", "figures.csv"))
    assert (len(figures.rows), figures.skipped) == (2, {"header": 1})
    counted = read(written("单位名称,金额,电/数量,水/数量\n1,2,3,4\n甲局,5,6,7\n1,2,3,4\n", "counted.csv"))
    assert [row[0] for row in counted.rows] == [3, 4]
    assert counted.skipped == {"header": 2}


def test_a_name_among_records_is_no_header(written, refused):
    assert [fault.code for fault in refused(written("1,甲\n2,乙\n丙,丁\n3,戊\n"))] == ["no_header"]


def test_times_of_day_are_no_names(written, refused):
    assert [fault.code for fault in refused(written("08:30,09:15:00\n08:31,09:16:00\n"))] == ["no_header"]


@pytest.mark.parametrize("around", [0, 400])
def test_a_quote_that_swallows_records_is_said_at_its_row(written, around):
    """The quote of row 3 was meant as an inch; it closes in row 5. Few rows or many, the answer is one."""
    more = "2024-03,审计局,7\n" * around
    body = '2024-03,甲,1\n2024-03,"乙 5 管,2\n2024-03,丙,3\n2024-03,丁 6" 管,4\n2024-03,戊,5\n'
    (table,) = read_tables(written(f"统计期,单位名称,金额\n{body}{more}"), KNOWN.__contains__)
    assert [(fault.code, fault.row, fault.hint) for fault in table.row_faults][:1] == [("swallowed_rows", 3, "2")]


def test_several_lines_in_one_cell_are_no_fault(written, read):
    reading = read(written('统计期,单位名称,摘要,金额\n2024-03,甲,"办公,\n印刷",1\n'))
    assert reading.rows == [(2, "2024-03", "甲", "办公,\n印刷", "1")]
    assert reading.table.row_faults == ()


def test_text_behind_a_closing_quote_is_said_at_its_row(written, read):
    table = read(written('统计期,单位名称,金额\n3,"甲"局,1\n4,"乙",2\n')).table
    assert [(fault.code, fault.row, fault.value) for fault in table.row_faults] == [("stray_quote", 2, "3")]


@pytest.mark.parametrize("codec", ["big5", "shift_jis"])
def test_another_east_asian_encoding_is_not_taken_for_ours(written, refused, codec):
    text = (
        "月分,名前,年齢,電話番号\n三月,東京都庁総務局,会計課,経理\n"
        if codec == "shift_jis"
        else "月份,單位名稱,金額\n三月,財政局總務處,會計\n"
    )
    assert [fault.code for fault in refused(written(text.encode(codec)))] == ["foreign_encoding"]


def test_traditional_and_rare_characters_in_our_encoding_are_read(written, read):
    reading = read(written("统计期,单位名称,金额\n3,張瑋玥喆堃市財政局,1\n".encode("gb18030")))
    assert reading.rows == [(2, "3", "張瑋玥喆堃市財政局", "1")]


def test_one_column_alone_is_no_table(written, refused):
    assert [fault.code for fault in refused(written("金额\n1\n2\n"))] == ["no_header"]


def test_a_row_of_notes_between_title_and_grouped_header_is_no_group(written, read):
    lines = [
        "水电费统计表,,,,,,", "单位：万元,,,,填报单位：模拟市机关事务管理局,,", "统计期,单位名称,电,,水,,备注",
        ",,数量,费用,数量,费用,", "2025-03,市财政局,12,8.4,3,0.5,略",
    ]  # fmt: skip
    table = read(written("\n".join(lines))).table
    assert table.labels == ("统计期", "单位名称", "电/数量", "电/费用", "水/数量", "水/费用", "备注")
    assert (set(table.units), table.unit_note, table.rows) == ({None}, "万元", 1)


@pytest.mark.parametrize("bad", ["乙".encode("gb18030"), b"\0", b"\xff"], ids=["gb18030", "nul", "no letter"])
@pytest.mark.parametrize("end", [b"\n", b""], ids=["in the middle", "at the end"])
def test_a_large_file_is_proved_to_be_utf8_up_to_its_last_byte(tmp_path, monkeypatch, bad, end):
    """Which head is utf-8 says nothing of the rest: it ends as the same file does that is proved before it is read."""
    path = tmp_path / "支付.csv"
    lines = "".join(f"2024-03,甲局,{n}\n" for n in range(400)).encode()
    path.write_bytes(
        "统计期,单位名称,金额\n".encode() + lines + b"2024-03," + bad + b",1" + (end + lines if end else b"")
    )
    monkeypatch.setattr(encodings, "BLOCK", 256)
    monkeypatch.setattr(survey, "BLOCK", 256)

    def outcome(largest):
        monkeypatch.setattr(csvfile, "LARGEST", largest)
        with pytest.raises(ReadRefused) as refusal:
            read_tables(path, KNOWN.__contains__)
        return refusal.value.faults

    assert outcome(1) == outcome(1 << 30)


def test_a_large_file_is_read_as_a_small_one(written, monkeypatch):
    paths = [
        written("统计期,单位名称,金额\n" + "".join(f"2024-03,甲局,{n}\n" for n in range(99)), name="regular.csv"),
        written('统计期,单位名称,金额\n2024-03,甲"局,1\n' + "2024-03,乙局,2\n" * 99, name="irregular.csv"),
        written("﻿统计期,单位名称,金额\n2024-03,甲局,1\n合计,,1\n注：初步数,,\n", name="mark.csv"),
    ]
    plain = [[(*table.texts(), table.skipped) for table in read_tables(path, KNOWN.__contains__)] for path in paths]
    monkeypatch.setattr(csvfile, "LARGEST", 1)
    assert [
        [(*table.texts(), table.skipped) for table in read_tables(path, KNOWN.__contains__)] for path in paths
    ] == plain
