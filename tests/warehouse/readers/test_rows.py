"""What a row below the header is: doubtful ones are data, so that they are checked and never lost."""

from __future__ import annotations

import pytest

from warehouse.readers.rows import classify

LABELS = ("统计期", "单位名称", "项目", "金额")


@pytest.mark.parametrize(
    "cells",
    [
        ("合计", None, None, "3"), (None, "合　计", None, "3"), ("2024-03", "小计", None, "3"), ("5", "总 计：", None, "3"),
        (None, None, "本页合计", "3"), ("市本级小计", None, None, "3"), ("合计（万元）", None, None, "3"), ("其中：公车", None, None, "1"),
        ("一、基本支出", None, None, "9"), ("（二）项目支出", None, None, "9"), ("Total", None, None, "3"), ("本年累计", None, None, "3"),
        ("员工总计", None, None, "3"), ("grand total", None, None, "3"),
    ],
)  # fmt: skip
def test_totals(cells):
    assert classify(cells, LABELS) == "total"


@pytest.mark.parametrize(
    "cells",
    [
        ("2024-03", "审计局", "设计费", "3"), ("2024-03", "市统计局", "小计量泵采购", "3"), ("2024-03", "一中", "其中一项", "3"),
        ("2024-03", "会计核算中心", "合计算法研究", "3"), ("2024-03", "甲", "注册费", "3"), ("2024-03", "总工会", None, None),
        ("十里堡街道办", "甲", "办公", "1"), ("说明会", "甲", "x", "1"), ("残缺的一行", None, None, None),
        ("2024-03", "甲", "一、办公费", "3"), ("totally different", "甲", "x", "1"),
    ],
)  # fmt: skip
def test_names_that_only_look_like_totals_are_data(cells):
    assert classify(cells, LABELS) == "data"


@pytest.mark.parametrize(
    "text",
    [
        "注：本表含分摊",
        "注1.口径同上年",
        "备注：略",
        "说明：",
        "填表人：张三",
        "制表日期：2024-04-01",
        "数据来源：表计",
        "第1页",
        "单位负责人：",
        "Note: preliminary",
    ],
)
def test_notes(text):
    assert classify((text, None, None, None), LABELS) == "note"


@pytest.mark.parametrize(
    "cells",
    [
        ("财务负责人：李四　制表：王五",), ("单位负责人：张三  统计负责人：李四  填表人：王五  报出日期：2025年4月5日",),
        ("财务负责人：李四", None, "制表：王五"), ("分管财务负责人：", "李四", "制表：", "王五"), ("部门负 责 人（签字）：", "张三"),
        (None, "项目负责人签字：张三", None, "复核：李四"), ("分管领导：张三", None, "会计：李四"), ("财务主管：张三", "出纳：李四"),
        ("填报单位（盖章）：", None, "填报日期：2025-04-05"), ("抄表人：王五", "2025年4月5日"), ("盖章：", "张三"), ("单位（公章）：", "张三"),
        ("财务负责人 李四", None, "填表人 王五"), ("财务负责人", "李四", "填表人", "王五"), ("审核 张三",), ("审核", None, "制表"),
        ("单位负责人　李四　统计负责人　王五　填表人　赵六",), ("填表人 王五", "填表日期2025-04-05"), ("经办人", "王五", "2025年4月5日", "（盖章）"),
    ],
)  # fmt: skip
def test_a_line_of_signatures_below_the_table_is_a_note(cells):
    assert classify(cells, LABELS) == "note"


@pytest.mark.parametrize(
    "cells",
    [
        ("2025-03", "甲局", "财务负责人：李四", "3"), ("财务负责人员培训中心", "甲", "会议", "3"), ("会计核算中心", "甲", "水费", "3"),
        ("分管领导接待", "甲", "餐费", "3"), ("公章刻制", "甲", "印章", "3"), ("负责人", "甲", "x", "3"),
        ("财务负责人", "李四", "1200"), ("审核中心", "甲", "水费", "3"), ("会计", "张三", "办公费"), ("统计", "王五", "局"),
    ],
)  # fmt: skip
def test_names_that_only_look_like_signatures_are_data(cells):
    assert classify(cells, LABELS) == "data"


def test_a_lone_line_after_a_note_goes_on_with_it():
    assert classify(("2. 水量含绿化", None, None, None), LABELS, after_note=True) == "note"
    assert classify(("2. 水量含绿化", None, None, None), LABELS) == "data"


@pytest.mark.parametrize("cells", [(), (None, None), ("", " ", "　")])
def test_blanks(cells):
    assert classify(cells, LABELS) == "blank"


def test_the_header_once_more():
    assert classify(("统计期", "单位名称", "项目", "金额（元）"), LABELS) == "header"
    assert classify(("数量", "金额"), ("电/数量", "电/金额")) == "header"


def test_a_word_for_a_total_may_be_a_value_of_its_column():
    labels = ("预算单位编码", "统计期", "经济分类编码", "资金类型", "全年计划", "累计执行数")
    row = ("9901", "2024-03", "30201", "合计", "500", "61.5")
    assert classify(row, labels, valued={3}) == "data"
    assert classify(("合计", None, None, None, "500", "61.5"), labels, valued={3}) == "total"
    assert classify(("合计", None, None, "合计", "500", "61.5"), labels, valued={3}) == "total"
    assert classify(("9901", "2024-03", "小计", "合计", "500", "61.5"), labels, valued={3}) == "total"
