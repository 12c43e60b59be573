"""The fast way and the careful way give the same rows, numbers and counts."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.readers import csvfile
from warehouse.readers import survey as module
from warehouse.readers.survey import BLOCK, Irregular, survey

LABELS = ["统计期", "单位名称", "金额"]
CELLS = st.sampled_from(
    ["", "合计", "小 计", "其中：公车", "一、办公费", "（二）", "注：略", "Total", "审计局", "设计费", '引"号', "换\n行",
     "财务负责人：李四", "机关负 责人", "会计：", "a,b", "12.5", " ", "统计期", "会计", "total cost", "十、", "2024-03", "说明", "本页合计", "累　计", "中", "7"]
)  # fmt: skip


def both_ways(path: Path) -> tuple[object, object]:
    text = csvfile.Utf8File(path)
    head = csvfile._read_head(text, LABELS.__contains__)
    heading = csvfile.find_heading(head.records, LABELS.__contains__)
    assert heading is not None
    try:
        fast = csvfile._regular(text, "t.csv", head, heading)
    except Irregular:
        fast = None
    slow = csvfile._irregular(text, "t.csv", head, heading)
    return (fast and told(fast)), told(slow)


def told(table: csvfile.RawTable) -> object:
    rows = [(number, *cells) for number, cells in table.texts()]
    return table.skipped, table.totals, table.rows, rows, table.row_faults


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.lists(CELLS, max_size=4), min_size=1, max_size=12), ending=st.sampled_from(["\n", "\r\n"]))
def test_both_ways_of_reading_agree(rows, ending):
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=ending)
    writer.writerows([LABELS, *rows])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_text(out.getvalue(), encoding="utf-8", newline="")
        fast, slow = both_ways(path)
    assert fast in (None, slow)


FOOTERS = [
    "财务负责人：李四,制表：王五,", '"机关后勤负责人:张三",,报出日期：2025年4月5日', "部门负 责 人（签字）：,张三,", ",分管领导：张三,会计：李四",
    "抄表人：王五,x,2",
]  # fmt: skip


def test_footers_are_found_on_the_bytes_too(tmp_path):
    """They are not among the last records, which are all looked at."""
    data = ["2025-03,会计核算中心,3"] * 300
    path = tmp_path / "t.csv"
    path.write_text("\n".join([",".join(LABELS), *data, *FOOTERS, *data]) + "\n", encoding="utf-8")
    fast, slow = both_ways(path)
    assert fast == slow
    assert dict(fast[0]) == {"header": 1, "note": len(FOOTERS)}


def test_totals_are_found_across_blocks(tmp_path):
    """Several blocks of a megabyte with a subtotal every thousand records."""
    path = tmp_path / "big.csv"
    lines = ["凭证号,摘要,金额"]
    while len(lines) < 60_000:
        lines.append("小计,,1" if len(lines) % 1000 == 0 else f"PZ{len(lines)},审计局办公设备设计费用与会计核算,1")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert path.stat().st_size > 2 * BLOCK
    found = survey(path, len("凭证号,摘要,金额\n".encode()), 2, ",", 3, b"")
    totals = [suspect.record for suspect in found.suspects if suspect.raw.startswith("小计".encode())]
    assert found.records == 59_999
    assert totals == list(range(1001, 60_001, 1000))
    assert len(found.suspects) < 300


def test_records_of_other_width_are_patched_and_named(tmp_path):
    """2 good | 3 short | 4 blank line | 5 wide | 6 quoted and short | 7 good"""
    path = tmp_path / "t.csv"
    path.write_text('统计期,单位名称,金额\n3,甲,1\n3,乙\n\n3,丙,1,余\n"3,4",丁\n3,戊,2\n', encoding="utf-8")
    fast, slow = both_ways(path)
    assert fast == slow
    assert fast[3] == [
        (2, "3", "甲", "1"),
        (3, "3", "乙", None),
        (5, "3", "丙", "1"),
        (6, "3,4", "丁", None),
        (7, "3", "戊", "2"),
    ]


@pytest.mark.parametrize("body", ["a,b\r\n1,2\n", 'a,b\n1,"2\n', 'a,b\n1,x"y"\n', "a,b\n1,2\r3,4\n", 'a,b\n1,"2"3\n'])
def test_what_the_database_might_read_differently_is_left_to_the_careful_way(tmp_path, body):
    path = tmp_path / "t.csv"
    path.write_text(body, encoding="utf-8", newline="")
    with pytest.raises(Irregular):
        survey(path, 0, 1, ",", 2, b"")


class Counted(bytes):
    """Bytes that remember how many of them were counted through."""

    scanned = 0

    def count(self, sub, start=0, end=None):  # type: ignore[no-untyped-def, override]
        end = len(self) if end is None else end
        Counted.scanned += end - start
        return super().count(sub, start, end)


@pytest.mark.parametrize("stray", ['5" 管', '"5 管', '5 管"'])
@pytest.mark.parametrize("at", [0, 20_000])
def test_one_unpaired_quote_is_not_looked_for_again_and_again(tmp_path, monkeypatch, stray, at):
    """Each look at a block is counted, and each count of quotes in it."""
    lines = [f"PZ{number:06},审计局办公设备设计费用与会计核算,1" for number in range(34_000)]
    lines[at] = f"PZ,{stray},1"
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    size = path.stat().st_size
    assert size > 2_000_000
    looked = 0
    cut = module._Scan.cut

    def counting(scan: module._Scan, block: bytes, at_end: bool) -> int:
        nonlocal looked
        looked += len(block)
        return cut(scan, Counted(block), at_end)

    monkeypatch.setattr(module, "BLOCK", 1 << 12)
    monkeypatch.setattr(module._Scan, "cut", counting)
    monkeypatch.setattr(Counted, "scanned", 0)
    with pytest.raises(Irregular):
        survey(path, 0, 1, ",", 3, b"")
    few = 3 * size if stray.startswith('"') or at else 4 << 12
    assert looked <= few
    assert Counted.scanned <= few


def test_a_long_record_in_quotes_is_found_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 64)
    path = tmp_path / "t.csv"
    text = "多行\n" * 300
    path.write_text(f'1,a,1\n2,"{text}",1\n3,c,1\n4,"x\ny",1\n', encoding="utf-8", newline="")
    found = survey(path, 0, 1, ",", 3, b"")
    assert (found.records, found.has_quoted_newline) == (4, True)


def among(folder: Path, body: list[str], count: int, ending: str = "\n") -> Path:
    """A file with the lines in its middle, `count` records of data around them."""
    data = [f"3,审计局,{number}" for number in range(count)]
    path = folder / f"{count}.csv"
    lines = [",".join(LABELS), *data[: count // 4], *body, *data[count // 4 :]]
    path.write_text("".join(line + ending for line in lines), encoding="utf-8", newline="")
    return path


NOT_DATA = [
    "  ,  ,", "  ,\t,　", '"","",""', '" ",,"\u00a0"', "\u2003,\u2009\u2009,\u00a0", " " * 40 + ",,", ",,", ",,\u3000",
    "制表人：张三,审核人：李四,", "审核人：,x,y", "注：本表,单位,万元", " 注: 略,a,b", ",注：略,a", '"注1",a,b',
    '"制表人（财务,科）：张三",审核人：李四,1', "数据来源,财政局,1", "Note: x,a,b", "source:,a,b", "第1页,共3页,", "注,a,b",
    "说 明：,a,b", "\u2003填表人:,a,b", "\u00a0备注：,a,b", "联系电话,1,2", '"审\n核人：",a,b', "ｎｏｔｅ：,a,b", "⽣成日期：,a,b",
    "合\u00a0计,,1", "合\u2002计,,1", "合\u200a计,,1", "合　计,,1", "合\t计,,1", '"合\n计",,1', '3,"小\n计",1', '"其\n中：",甲,1',
    "其\u00a0中：,甲,1", '"合\n\n 计",,1', " Total,,1", '3," total ",1', "\u3000TOTAL,,1",
]  # fmt: skip
DATA_AFTER_ALL = [
    "统计局,a,1", "审计局,a,1", "单位甲,a,1", "第1季度,a,1", "注册会计师协会,a,1", "计生委,a,1", "3,计生委,1", "中学,a,1", "《注》,a,1",
    "制表人员,a,1", "① 甲,乙,1", '"计\n算机",a,1', "Notes,a,1", "合\u200b计,a,1",
]  # fmt: skip


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("line", NOT_DATA + DATA_AFTER_ALL)
def test_a_long_file_is_sifted_like_a_short_one(tmp_path, line, ending):
    found = []
    for count in (50, 400):
        fast, slow = both_ways(among(tmp_path, [line], count, ending))
        assert fast in (None, slow)
        assert fast is not None or (ending == "\r\n" and "\n" in line)
        found.append((slow[0], [cells for _, cells in slow[1]], slow[2] - count))
    assert found[0] == found[1]
    assert (found[0][2] == 0) == (line in NOT_DATA)


def test_what_stands_alone_behind_a_note_is_one(tmp_path):
    body = ["注：甲,,", ",二、略,", '"","续 上",""', " , ,再续", "末,　,"]
    for count in (50, 400):
        fast, slow = both_ways(among(tmp_path, body, count))
        assert fast == slow
        assert fast[2] == count


WORDS = st.sampled_from(
    ["", " ", "　", "\u00a0", "\u2003", "合", "计", "其", "中", "小", "注", "：", ":", "制表", "审核", "人", "说明", "\n", "1", "甲",
     "统", "局", "页", "第", "Total", "note", '"', ",", "(", "）", "一", "、", "《"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(st.lists(WORDS, max_size=5).map("".join), min_size=3, max_size=3), min_size=1, max_size=30)
)
def test_both_ways_agree_far_from_the_end(rows):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    with TemporaryDirectory() as folder:
        fast, slow = both_ways(among(Path(folder), [out.getvalue()[:-1]], 300))
    assert fast in (None, slow)


def test_units_that_begin_like_notes_do_not_make_many_suspects(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("统计局,审计局,1\n单位甲,计生委,2\n计算机,注册处,3\n" * 1000, encoding="utf-8")
    assert len(survey(path, 0, 1, ",", 3, b"").suspects) == 200
