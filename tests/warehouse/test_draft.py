"""A large file's rows are written once, as the segment they become; whatever is in the file, the store is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.office import ORG, Office
from warehouse import draft
from warehouse.ascending import Ascending
from warehouse.readers import survey

HEAD = "凭证号,单位名称,支付日期,部门经济分类编码,资金来源,支出类型,金额(万元),摘要\n"
REST = "一般公共预算财政拨款,基本支出-公用"


def line(
    voucher: str, unit: str = "市财政局", day: str = "2025-03-02", code: str = "30201", money: str = "1.25"
) -> str:
    return f"{voucher},{unit},{day},{code},{REST},{money},购 {voucher}\n"


CLEAN = HEAD + "".join(line(f"V{n:04d}", day=f"2025-0{n % 3 + 1}-1{n % 9}", money=f"{n}.5") for n in range(60))
FILES = {
    "clean": CLEAN,
    "keys in no order": HEAD + "".join(line(f"V{n * 7 % 41}") for n in range(41)),
    "a key twice": CLEAN + line("V0003", money="9") + line("V0059", day="2025-03-15", money="59.5"),
    "faults": CLEAN
    + line("V0060", money="viel")
    + line("V0061", code="三〇二")
    + line("")
    + line("V0062", unit="市某局"),
    "dates as people write them": CLEAN + line("V0060", day="2025年3月5日") + line("V0061", day="45717"),
    "texts that recur at first": HEAD
    + "".join(line(f"V{n:04d}", code="30201") for n in range(40))
    + "".join(line(f"V{n:04d}", code=f"{30000 + n}") for n in range(40, 90)),
    "a total and a line of two": CLEAN + f'V2,市财政局,2025-03-02,30201,{REST},1,"两\n行"\n' + "合计,,,,,,1815.0,\n",
}


def handed_in(folder: Path, texts: list[str]) -> dict[str, Any]:
    """All that a store keeps of some files handed in one after the other."""
    folder.mkdir()
    office = Office(folder)
    office.hand_in("组织机构.csv", ORG)
    reports = [office.hand_in("支付.csv", text) for text in texts]
    segments = office.store.control.segments("payment")
    paths = [str(office.store.segments / segment.path) for segment in segments]
    con = duckdb.connect()
    read = [con.sql(f"SELECT * FROM read_parquet('{path}') ORDER BY row_id, n") for path in paths]
    opened = [
        {k: v for k, v in e.items() if k not in ("opened_at", "receipt_id")} for e in office.store.control.quarantine()
    ]
    return {
        "reports": [(report.status, report.counts, report.message) for report in reports],
        "segments": [(s.path, s.rows, s.from_m, s.to_m) for s in segments],
        "columns": [list(zip(rows.columns, map(str, rows.types), strict=True)) for rows in read],
        "rows": [rows.fetchall() for rows in read],
        "quarantine": opened,
        "left behind": [path.name for path in office.store.tmp.iterdir()],
    }


@pytest.fixture
def drafted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each table held that was drafted, in files of a few lines cut into many parts."""
    seen: list[int] = []
    take = draft._Packing.take

    def noted(self: Any, rows: pa.Table) -> None:
        seen.append(len(rows))
        take(self, rows)

    monkeypatch.setattr(draft._Packing, "take", noted)
    monkeypatch.setattr(survey, "BLOCK", 512)
    monkeypatch.setattr(survey, "PART_BYTES", 1024)
    return seen


@pytest.mark.parametrize("name", FILES)
def test_a_drafted_file_leaves_the_same_store(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drafted: list[int]
) -> None:
    plain = handed_in(tmp_path / "plain", [FILES[name]])
    assert not drafted
    monkeypatch.setattr(draft, "FEWEST_ROWS", 1)
    assert handed_in(tmp_path / "drafted", [FILES[name]]) == plain
    assert sum(drafted) >= 3
    assert not plain["left behind"]


def test_what_is_known_already_is_compared_and_not_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drafted: list[int]
) -> None:
    again = [CLEAN, CLEAN.replace("V0007,市财政局", "V0007,市教育局"), CLEAN]
    plain = handed_in(tmp_path / "plain", again)
    monkeypatch.setattr(draft, "FEWEST_ROWS", 1)
    assert handed_in(tmp_path / "drafted", again) == plain
    assert [report[0] for report in plain["reports"]] == ["committed"] * 3
    assert [len(rows) for rows in plain["rows"]] == [60, 2, 2]


def test_the_draft_is_the_segment_only_where_nothing_was_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drafted: list[int]
) -> None:
    sealed: list[int] = []
    seal = draft.Draft.seal
    monkeypatch.setattr(draft, "FEWEST_ROWS", 1)
    monkeypatch.setattr(draft.Draft, "seal", lambda self, *rest: sealed.append(rest[-1]) or seal(self, *rest))
    handed_in(tmp_path / "clean", [FILES["clean"]])
    assert sealed == [2]
    for name in ("a key twice", "faults"):
        handed_in(tmp_path / name, [FILES[name]])
    assert sealed == [2]


def test_a_draft_that_becomes_the_segment_also_closes_what_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drafted: list[int]
) -> None:
    """Nothing is known yet: the only row handed in before was set aside."""
    again = [HEAD + line("V0007", money="viel"), CLEAN]
    plain = handed_in(tmp_path / "plain", again)
    monkeypatch.setattr(draft, "FEWEST_ROWS", 1)
    assert handed_in(tmp_path / "drafted", again) == plain
    assert [report[0] for report in plain["reports"]] == ["refused", "committed"]
    assert plain["quarantine"] == []


@given(
    rows=st.lists(st.tuples(st.sampled_from(["", "a", "b", "市", None]), st.integers(0, 3)), max_size=8),
    cut=st.integers(0, 8),
)
def test_what_is_seen_to_ascend_holds_no_key_twice(rows: list[tuple[str | None, int]], cut: int) -> None:
    order = Ascending(("text", "number"))
    for part in (rows[:cut], rows[cut:]):
        texts = pa.array([text for text, _ in part], pa.string())
        order.see(pa.table({"text": texts.dictionary_encode(), "number": pa.array([n for _, n in part], pa.int64())}))
    whole = [row for row in rows if row[0] is not None]
    assert order.holds is (whole == rows and sorted(set(whole)) == whole)
