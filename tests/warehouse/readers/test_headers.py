"""Finding the header: under titles, over sub-headers, with units, with and without merged cells."""

from __future__ import annotations

import pytest

from warehouse.readers.headers import find_heading
from warehouse.readers.labels import find_period, find_unit_notes, split_unit

KNOWN = frozenset(
    ["统计期", "单位名称", "单位代码", "金额", "电", "电/数量", "电/金额", "用途", "标识化", "人数"]
).__contains__
NOBODY = frozenset[str]().__contains__


def grid(text):
    """A drawn table: lines of cells parted by |, empty cells are blank."""
    return [tuple(cell.strip() or None for cell in line.split("|")) for line in text.strip("\n").split("\n")]


def test_the_row_most_contracts_know_is_the_header():
    heading = find_heading(grid("说明|共 3 页|第 1 页\n统计期|单位名称|金额\n2024-03|甲|1"), KNOWN)
    assert (heading.first, heading.last, heading.body) == (1, 1, 2)
    assert heading.before == ("title", "header")


def test_a_group_above_known_labels_belongs_to_the_header():
    heading = find_heading(grid("|  |电|  \n统计期|单位名称|数量|金额\n2024-03|甲|1|2"), KNOWN)
    assert heading.labels == ("统计期", "单位名称", "电/数量", "电/金额")


def test_three_rows_of_header():
    drawn = grid("单位名称|能源|  |  |  \n  |电|  |水|  \n  |数量|金额|数量|金额\n甲|1|2|3|4")
    assert find_heading(drawn, KNOWN).labels == (
        "单位名称",
        "能源/电/数量",
        "能源/电/金额",
        "能源/水/数量",
        "能源/水/金额",
    )


def test_merged_cells_say_where_a_group_ends():
    drawn = grid("单位名称|电|  |备注\n  |数量|金额|  \n甲|1|2|x")
    heading = find_heading(drawn, KNOWN, [((0, 0), (1, 0)), ((0, 1), (0, 2)), ((0, 3), (1, 3))])
    assert heading.labels == ("单位名称", "电/数量", "电/金额", "备注")
    assert heading.body == 2


def test_a_first_data_row_of_words_is_no_header():
    heading = find_heading(grid("单位名称|用途|备注\n甲|办公室|  \n乙|会议室|新"), KNOWN)
    assert (heading.last, heading.body) == (0, 1)


def test_a_first_data_row_that_fills_an_unnamed_column_is_still_data():
    heading = find_heading(grid("单位名称|  |用途|人数\n甲|办公室|  |  \n乙|会议室|新|  "), KNOWN)
    assert (heading.body, heading.labels[1]) == (1, "")


def test_a_row_of_units_below_the_header_gives_the_units():
    heading = find_heading(grid("统计期|单位名称|电|金额\n  |  |(千瓦时)|万元\n2024-03|甲|1|2"), KNOWN)
    assert heading.units == (None, None, "千瓦时", "万元")
    assert heading.body == 2


@pytest.mark.parametrize("line", ["1|2|3|4", "甲|乙|1|2", "栏次|1|2|3"])
def test_a_row_of_column_numbers_is_part_of_the_header(line):
    heading = find_heading(grid(f"统计期|单位名称|电|金额\n{line}\n2024-03|甲|1|2"), KNOWN)
    assert heading.before == ("header", "header")


def test_a_first_row_of_figures_is_data():
    assert find_heading(grid("统计期|单位名称|电|金额\n202401|7|1|2"), KNOWN).body == 1


def test_white_space_and_line_ends_inside_a_label_do_not_matter():
    heading = find_heading([("统 计\n期", "单位　名称", "金 额\n（万元）"), ("2024-03", "甲", "1")], KNOWN)
    assert heading.labels == ("统计期", "单位名称", "金额")
    assert heading.units == (None, None, "万元")


def test_the_note_over_the_table_is_kept_apart_from_the_columns():
    heading = find_heading(
        grid("能耗表|  |  \n填报单位：市财政局|  |金额单位：万元\n统计期|单位名称|金额\n2024-03|甲|1"), KNOWN
    )
    assert heading.unit_note == "万元"
    assert heading.units == (None, None, None)
    assert heading.title == "能耗表 / 填报单位：市财政局 金额单位：万元"


def test_a_note_that_is_no_money_holds_for_columns_without_their_own_unit():
    heading = find_heading(grid("单位：万千瓦时|  \n单位名称|电\n甲|1"), KNOWN)
    assert heading.units == ("万千瓦时", "万千瓦时")


@pytest.mark.parametrize(
    ("label", "bare", "unit"),
    [
        ("金额(万元)", "金额", "万元"), ("建筑面积(㎡)", "建筑面积", "㎡"), ("金额[元]", "金额", "元"), ("电/千瓦时", "电", "千瓦时"),
        ("金额(克朗)", "金额", "克朗"), ("金额(含税)", "金额(含税)", None), ("标识化(是/否)", "标识化(是/否)", None),
        ("人数(年末)", "人数(年末)", None), ("别的(说明)", "别的(说明)", None), ("租金(万元/年)", "租金", "万元/年"), ("(元)", "", "元"),
        ("金额(元,含税)", "金额", "元"), ("电/金额", "电/金额", None),
    ],
)  # fmt: skip
def test_a_unit_is_taken_off_its_label(label, bare, unit):
    assert split_unit(label, KNOWN) == (bare, unit)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("单位：万元", ("万元",)), ("（单位:万元）", ("万元",)), ("金额单位：人民币元", ("人民币元",)), ("计量单位：千瓦时", ("千瓦时",)),
        ("单位：市财政局", ()), ("填报单位：元宝区政府", ()), ("2024年3月 单位：元", ("元",)), ("单位：平方米、万元", ("平方米", "万元")),
    ],
)  # fmt: skip
def test_a_unit_note_is_told_from_the_name_of_an_office(text, units):
    assert find_unit_notes(text) == units


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("市本级2024年3月能耗表", "2024年3月"), ("2024年1-6月执行情况", "2024年1-6月"), ("截至2024年3月31日房屋", "截至2024年3月31日"),
        ("2024年第一季度", "2024年第一季度"), ("支付_202403.csv", "202403"), ("能耗2024-03", "2024-03"), ("2024年度决算", "2024年度"),
        ("budget-2024Q2.csv", "2024Q2"), ("打印日期：2024-04-02", None), ("报出日期：2025年4月5日", None), ("填表时间：2025年4月", None), ("发改投资〔2014〕2674号", None), ("20240305", None),
    ],
)  # fmt: skip
def test_the_period_of_a_title(text, period):
    assert find_period(text) == period


def test_the_title_speaks_before_the_sheet_and_the_file():
    heading = find_heading(grid("2024年3月表|  \n单位名称|金额\n甲|1"), KNOWN)
    assert heading.with_names("5月", "2024年6月.xlsx") == "2024年3月"
    bare = find_heading(grid("单位名称|金额\n甲|1"), KNOWN)
    assert bare.with_names("2024年5月", "2024年6月.xlsx") == "2024年5月"
    assert bare.with_names("Sheet1", "2024.xlsx") == "2024"


def test_a_sheet_nobody_knows_still_has_its_first_row_of_names():
    heading = find_heading(grid("某某情况表|  |  \n项目|期初|期末\n应收|1|2"), NOBODY)
    assert (heading.labels, heading.hits) == (("项目", "期初", "期末"), 0)


@pytest.mark.parametrize("drawn", ["1|2|3\n4|5|6", "只有一段话", "2024-03-05|12\n2024-03-06|13"])
def test_figures_and_prose_have_no_header(drawn):
    assert find_heading(grid(drawn), NOBODY) is None


GROUPED = "统计期|单位名称|电| |水| |备注\n | |数量|费用|数量|费用| \n2025-03|甲|1|2|3|4|x"
GROUPED_LABELS = ("统计期", "单位名称", "电/数量", "电/费用", "水/数量", "水/费用", "备注")


@pytest.mark.parametrize(
    ("note", "unit"),
    [
        ("填报单位：模拟市机关事务管理局| | | |单位：万元", "万元"), ("单位：万元| | | |填报单位：模拟市机关事务管理局", "万元"),
        ("填报单位:模拟局| |（单位：万元）| |填报日期：2025年4月5日", "万元"), ("模拟市机关事务管理局| |2025年3月| |金额单位：元", "元"),
        ("编制部门：财务科| | | |金额单位:万元", "万元"), ("填报单位：|模拟局| | |单 位：|万元", "万元"),
        ("填报单位（盖章）：模拟局| |日期：2025-04-05| |单位：千元", "千元"), ("填报单位：模拟局| | | |日期：2025年3月", None),
        ("单位：万元", "万元"), (" | | | | | |单位：万元", "万元"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", [KNOWN, NOBODY, {*GROUPED_LABELS}.__contains__])
@pytest.mark.parametrize("is_merged", [True, False])
def test_a_row_of_notes_over_the_header_is_no_group_and_its_unit_holds_for_all(note, unit, known, is_merged):
    heads = [((2, 0), (3, 0)), ((2, 1), (3, 1)), ((2, 2), (2, 3)), ((2, 4), (2, 5)), ((2, 6), (3, 6))]
    filled = [at for at, cell in enumerate(grid(note)[0]) if cell]
    spans = [(left, right - 1) for left, right in zip(filled, [*filled[1:], 7], strict=True)]
    merges = [((0, 0), (0, 6)), *(((1, left), (1, right)) for left, right in spans if left < right), *heads]
    heading = find_heading(grid(f"水电费统计表| | | | | | \n{note}\n{GROUPED}"), known, merges if is_merged else [])
    assert heading.labels == GROUPED_LABELS
    assert (heading.first, heading.body, heading.unit_note, set(heading.units)) == (2, 4, unit, {None})


@pytest.mark.parametrize(
    "drawn",
    [
        "单位：|统计期|金额：\n甲|2024-03|1",
        "单位名称|金额：元|人数\n甲局|5|2",
        "单位：万元|市财政局|市审计局\n电费|1|2",
        "日期：|部门：|金额\n2024-01|甲|2",
    ],
)
def test_names_with_a_colon_or_a_unit_in_the_corner_are_still_a_header(drawn):
    assert find_heading(grid(drawn), KNOWN).body == 1


@pytest.mark.parametrize(
    ("drawn", "unit"),
    [
        ("单位：万元|市财政局|市审计局\n电费|1|2", "万元"), ("统计期|（单位：万元）|电|金额\n2024-01|甲局|5|2", "万元"),
        ("统计期|单位|金额：万元\n2024-01|甲局|5", None), ("单位：元|单位：万元|金额\n甲局|1.5|2.5", None),
    ],
)  # fmt: skip
def test_a_unit_in_the_corner_of_a_header_holds_for_the_table(drawn, unit):
    assert find_heading(grid(drawn), KNOWN).unit_note == unit


def test_one_known_word_in_a_row_of_data_makes_it_no_header():
    drawn = [("Person", "Region"), ("Anna", "West"), ("Kelly", "Central")]
    assert find_heading(drawn, frozenset(["Central"]).__contains__).first == 0
