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
from warehouse.readers.survey import BLOCK, Irregular, survey

LABELS = ["统计期", "单位名称", "金额"]
CELLS = st.sampled_from(
    ["", "合计", "小 计", "其中：公车", "一、办公费", "（二）", "注：略", "Total", "审计局", "设计费", '引"号', "换\n行",
     "a,b", "12.5", " ", "统计期", "会计", "total cost", "十、", "2024-03", "说明", "本页合计", "累　计", "中", "7"]
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
