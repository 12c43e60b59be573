"""What the shape of a sheet says where no contract knows its words."""

from __future__ import annotations

import pytest

from warehouse.readers.headers import find_heading
from warehouse.readers.structure import is_form, is_numbered, lies_on_its_side, reads_sideways

NOBODY = frozenset[str]().__contains__


def grid(text):
    """A drawn table: lines of cells parted by |, empty cells are blank."""
    return [tuple(cell.strip() or None for cell in line.split("|")) for line in text.strip("\n").split("\n")]


def texts(text):
    return [[cell or "" for cell in row] for row in grid(text)]


TWO_ROWS = "类别|期末余额|  |  |备注\n  |账面余额|减值准备|账面价值|  \n备件|10|1|9|x\n材料|20|2|18|y"


def test_groups_are_understood_without_merged_cells():
    heading = find_heading(grid(TWO_ROWS), NOBODY)
    assert heading.labels == ("类别", "期末余额/账面余额", "期末余额/减值准备", "期末余额/账面价值", "备注")
    assert heading.body == 2


def test_a_header_is_not_cut_through_its_merged_cells_however_few_labels_are_known():
    """Only 类别 is known; the first row alone would know as much as both."""
    merges = [((0, 0), (1, 0)), ((0, 1), (0, 3)), ((0, 4), (1, 4))]
    heading = find_heading(grid(TWO_ROWS), ["类别"].__contains__, merges)
    assert (heading.first, heading.last) == (0, 1)
    assert heading.labels[1:4] == ("期末余额/账面余额", "期末余额/减值准备", "期末余额/账面价值")


def test_a_cell_merged_down_over_many_rows_is_data():
    """
    型号 | 参数(merged over 2)
    K1 (merged over 6) | 电压 | 高
    """
    drawn = grid("型号|参数|  \nK1|电压|高\n  |电流|低\n  |功率|中\n  |频率|高\n  |转速|低\n  |重量|轻")
    heading = find_heading(drawn, NOBODY, [((0, 1), (0, 2)), ((1, 0), (6, 0))])
    assert (heading.last, heading.labels) == (0, ("型号", "参数", "参数"))


@pytest.mark.parametrize(
    ("row", "counts"),
    [("序号|1|2|3", True), ("序号|1|2|合计", True), ("序号|1|3|2", False), ("单位|1|2|3", False), ("序号|1", False)],
)
def test_a_row_that_counts_records_from_left_to_right(row, counts):
    assert is_numbered(texts(row)[0]) is counts


FORM = "申请单位|甲局|申请日期|2024-03-01\n用车事由|开会|出发地点|市政府\n驾驶员姓名|张三|联系电话|略\n车辆类型|轿车|行驶里程|30"


def test_a_form_has_no_header():
    assert is_form(texts(FORM))
    assert find_heading(grid(FORM), NOBODY) is None


def test_a_table_of_words_is_no_form():
    drawn = "单位名称|车辆类型|使用性质|存放地点\n甲局|轿车|应急|东院\n乙局|客车|机要|西院\n丙局|轿车|应急|东院\n丁局|货车|其他|北院"
    assert not is_form(texts(drawn))
    assert find_heading(grid(drawn), NOBODY).body == 1


def test_names_below_each_other_lie_on_their_side():
    knows = ["单位名称", "金额", "日期", "人数"].__contains__
    assert lies_on_its_side(texts("单位名称|甲|乙\n金额|1|2\n日期|x|y\n人数|3|4"), knows, 1)
    assert not lies_on_its_side(texts("单位名称|金额|日期\n甲|1|x\n乙|2|y"), knows, 3)


def test_names_beside_one_value_over_the_rest_are_no_header():
    """
    审计机构名称 | 某所 (merged over 4)
    审计报告编号 | 12   (merged over 4)
    """
    drawn = grid("审计机构名称|某所|  |  |  \n审计报告编号|12号|  |  |  \n审计机构地址|某路|  |  |  ")
    merges = [((row, 1), (row, 4)) for row in range(3)]
    assert find_heading(drawn, NOBODY, merges) is None


def test_a_row_of_pairs_is_no_header_and_a_row_of_names_is():
    assert reads_sideways(texts("报告日期|甲|报告部门|乙\n处理日期|丙|处理部门|丁"), 0)
    assert not reads_sideways(texts("报告日期|甲|报告部门|乙\n1|2|3|4"), 0)
    assert not reads_sideways(texts("名称|日期|部门|金额\n报告日期|甲|报告部门|乙"), 0)
