"""Withdrawing a batch: only what is still live goes, only what nothing newer replaced comes back, no past day changes."""

from __future__ import annotations

import datetime as dt
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from warehouse import withdrawal
from warehouse.base.errors import RefusedInput, StoreError
from warehouse.ingest import load, scratch
from warehouse.publish import publish
from warehouse.store import Store
from warehouse.withdrawal import Withdrawal, withdraw

P2C = P2.replace(",200", ",300")
STAFF = "单位名称,统计期,编制人数,实有人数,用能人数\n"


class Desk(Office):
    """An office that also takes back."""

    def take_back(self, seq: int | None, why: str = "报错了") -> Withdrawal:
        assert seq is not None
        self.minute += 1
        return withdraw(
            self.store, seq, why=why, actor="张三", clock=lambda: NOW + dt.timedelta(minutes=self.minute)
        )  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    assert desk.hand_in("组织机构.csv", ORG).batch_seq == 1
    return desk


def test_a_first_delivery_goes_whole_and_its_day_stays(desk: Desk) -> None:
    first = desk.hand_in("支付.csv", pay(P1, P2)).batch_seq
    done = desk.take_back(first)
    assert (done.batch_seq, done.taken_back, done.came_back) == (3, 2, 0)
    assert desk.amounts() == {}
    assert desk.amounts(first) == {"V1": Decimal("100.50"), "V2": Decimal(200)}


@pytest.mark.both_logs
def test_what_a_correction_replaced_comes_back(desk: Desk) -> None:
    desk.hand_in("支付.csv", pay(P1, P2))
    second = desk.hand_in("更正.csv", pay(P1, P2B)).batch_seq
    done = desk.take_back(second)
    assert (done.taken_back, done.came_back) == (1, 1)
    assert desk.amounts() == {"V1": Decimal("100.50"), "V2": Decimal(200)}


@pytest.mark.both_logs
def test_what_a_whole_month_took_back_comes_back(desk: Desk) -> None:
    desk.hand_in("支付.csv", pay(P1, P2))
    second = desk.hand_in("半份.csv", pay(P1)).batch_seq
    assert desk.take_back(second).came_back == 1
    assert set(desk.amounts()) == {"V1", "V2"}


def test_a_newer_correction_stays_and_the_middle_one_never_returns(desk: Desk) -> None:
    """V2: 200 (batch 2), 250 (3), 300 (4). Without 3 it is 300; without 3 and 4 it is 200, not 250."""
    desk.hand_in("一.csv", pay(P1, P2))
    second = desk.hand_in("二.csv", pay(P1, P2B)).batch_seq
    third = desk.hand_in("三.csv", pay(P1, P2C)).batch_seq
    done = desk.take_back(second)
    assert (done.taken_back, done.came_back) == (0, 0)
    assert "不变" in done.message["zh"] and "still live" in done.message["en"]
    assert desk.amounts()["V2"] == Decimal(300)
    desk.take_back(third)
    assert desk.amounts()["V2"] == Decimal(200)


def test_what_a_later_whole_month_left_out_stays_out(desk: Desk) -> None:
    first = desk.hand_in("一.csv", pay(P1, P2)).batch_seq
    desk.hand_in("二.csv", pay(P1))
    desk.take_back(first)
    assert desk.amounts() == {}


def test_loaded_withdrawn_and_loaded_again_are_three_states(desk: Desk) -> None:
    first = desk.hand_in("支付.csv", pay(P1, P2)).batch_seq
    gone = desk.take_back(first).batch_seq
    again = desk.hand_in("支付.csv", pay(P1, P2))
    assert (again.status, again.batch_seq, again.counts["accepted"]) == ("committed", gone + 1, 2)
    assert [len(desk.amounts(seq)) for seq in (first, gone, again.batch_seq)] == [2, 0, 2]
    desk.take_back(again.batch_seq)
    assert desk.amounts() == {}


def test_a_row_that_came_back_names_the_file_it_came_from(desk: Desk) -> None:
    desk.hand_in("支付.csv", pay(P1, P2))
    desk.take_back(desk.hand_in("更正.csv", pay(P1, P2B)).batch_seq)
    publish(desk.store, clock=lambda: NOW)
    wanted = "SELECT file_name, row_no, rec_from FROM d_payment WHERE voucher = 'V2' ORDER BY rec_from, rec_to"
    rows = desk.store.open_generation().con.execute(wanted).fetchall()
    assert rows == [("支付.csv", 3, 2), ("更正.csv", 3, 3), ("支付.csv", 3, 4)]


@pytest.mark.both_logs
def test_the_new_batch_says_what_who_and_why(desk: Desk) -> None:
    first = desk.hand_in("支付.csv", pay(P1, P2)).batch_seq
    desk.take_back(first, why="金额单位写错")
    batch = desk.store.control.batches()[-1]
    said = [batch[name] for name in ("kind", "withdraws", "why", "recorded_by", "dataset", "file_name")]
    assert said == ["withdrawal", first, "金额单位写错", "张三", "payment", "支付.csv"]
    assert (batch["rows_in"], batch["removed"], batch["delta_rows"]) == (0, 2, 2)
    receipt = desk.store.control.receipts()[0]
    assert (receipt["status"], receipt["batch_seq"]) == ("withdrawn", batch["batch_seq"])


def test_later_files_that_said_the_same_are_named(desk: Desk) -> None:
    first = desk.hand_in("一.csv", pay(P1)).batch_seq
    desk.hand_in("二.csv", pay(P1, P2))
    done = desk.take_back(first)
    assert set(desk.amounts()) == {"V2"}
    assert "二.csv" in done.message["zh"] and "二.csv" in done.message["en"]


@pytest.mark.parametrize(
    ("seq", "zh", "en"),
    [(0, "批次 0", "Batch 0"), (9, "没有批次 9", "no batch 9"), (-1, "没有批次 -1", "no batch -1"), (2, "已由批次 3", "already withdrawn by batch 3"), (3, "本身是对批次 2", "itself the withdrawal of batch 2")],
)  # fmt: skip
def test_what_cannot_be_withdrawn_is_said_in_both_languages(desk: Desk, seq: int, zh: str, en: str) -> None:
    desk.take_back(desk.hand_in("支付.csv", pay(P1)).batch_seq)
    with pytest.raises(RefusedInput) as refused:
        desk.take_back(seq)
    assert zh in refused.value.message and en in refused.value.message and refused.value.hint
    assert desk.store.control.last()[0] == 3


def test_a_withdrawal_needs_its_reason_and_a_store(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(RefusedInput, match="--why"):
        desk.take_back(1, why="  ")
    with pytest.raises(StoreError, match="no store"):
        withdraw(Store(tmp_path / "none"), 1, why="x")


def test_a_batch_of_a_source_that_is_no_more_is_refused_kindly(desk: Desk) -> None:
    first = desk.hand_in("支付.csv", pay(P1)).batch_seq
    assert first is not None
    kept = {name: contract for name, contract in desk.store.contracts.items() if name != "payment"}
    later = Store(desk.store.path)
    later.contracts = kept
    with pytest.raises(RefusedInput, match=r"已没有这个数据源.*no longer has") as refused:
        withdraw(later, first, why="报错了")
    assert "支付.csv" in str(refused.value) and "payment" in str(refused.value)
    assert len(desk.store.control.batches()) == first + 1


def test_the_recorded_time_never_runs_backwards(desk: Desk) -> None:
    first = desk.hand_in("支付.csv", pay(P1)).batch_seq
    last = desk.store.control.last()[1]
    assert first is not None
    done = withdraw(desk.store, first, why="x", clock=lambda: NOW - dt.timedelta(days=3))
    assert done.recorded_at == last


# --- registers --------------------------------------------------------------------------------------------------------

NEW_UNIT = ORG + "C,市体育局,体育局,R,市,政府,4,2020-01-01,,\n"
SPLIT = ORG.replace("A,市财政局,财政局,R,市,政府,2,2020-01-01,,市财政厅\n",
                    "A,市财政局,财政局,R,市,政府,2,2020-01-01,2024-12-31,市财政厅\n"
                    "A,市财政金融局,财金局,R,市,政府,2,2025-01-01,,\n")  # fmt: skip


def units(desk: Desk) -> list[tuple[str, str]]:
    publish(desk.store, clock=lambda: NOW)
    wanted = "SELECT code, name FROM d_org_unit WHERE rec_to = 2147483647 ORDER BY code, from_m"
    return desk.store.open_generation().con.execute(wanted).fetchall()


@pytest.mark.both_logs
def test_a_register_is_withdrawn_like_any_batch(desk: Desk) -> None:
    before = units(desk)
    second = desk.hand_in("名录二.csv", NEW_UNIT).batch_seq
    assert ("C", "市体育局") in units(desk)
    desk.take_back(second)
    assert units(desk) == before
    assert desk.hand_in("支付.csv", pay(P2.replace("市教育局", "市体育局"))).counts["quarantined"] == 1


def test_a_withdrawal_that_would_leave_two_versions_of_a_unit_is_refused(desk: Desk) -> None:
    """Batch 2 closes A in 2024 and opens a new A; batch 3 corrects only the new one. Without 2 both would be open."""
    second = desk.hand_in("名录二.csv", SPLIT).batch_seq
    third = desk.hand_in("名录三.csv", SPLIT.replace("市财政金融局", "市财政和金融局")).batch_seq
    with pytest.raises(RefusedInput) as refused:
        desk.take_back(second)
    assert "A" in refused.value.message and str(third) in str(refused.value.hint)
    assert desk.store.control.last()[0] == third
    desk.take_back(third)
    desk.take_back(second)
    assert units(desk) == [("A", "市财政局"), ("B", "市教育局"), ("R", "模拟市")]


def test_a_withdrawal_that_would_leave_units_without_the_one_above_is_refused(desk: Desk) -> None:
    desk.hand_in("名录二.csv", NEW_UNIT)
    with pytest.raises(RefusedInput, match="C"):
        desk.take_back(1)


def test_a_withdrawal_that_would_close_a_circle_is_refused(desk: Desk) -> None:
    """2: B under A. 3: B under R again. 4: A under B. Without 3, A would stand under B and B under A."""
    under_a = ORG.replace("B,市教育局,教育局,R", "B,市教育局,教育局,A")
    under_b = ORG.replace("A,市财政局,财政局,R", "A,市财政局,财政局,B")
    desk.hand_in("二.csv", under_a)
    third = desk.hand_in("三.csv", ORG).batch_seq
    desk.hand_in("四.csv", under_b)
    with pytest.raises(RefusedInput, match="→"):
        desk.take_back(third)


def test_a_refused_withdrawal_leaves_no_database_open(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[duckdb.DuckDBPyConnection] = []

    def remembered(store: Store) -> duckdb.DuckDBPyConnection:
        opened.append(scratch(store))
        return opened[-1]

    monkeypatch.setattr(withdrawal, "scratch", remembered)
    desk.hand_in("名录二.csv", NEW_UNIT)
    with pytest.raises(RefusedInput, match="C"):
        desk.take_back(1)
    (con,) = opened
    with pytest.raises(duckdb.ConnectionException):
        con.execute("SELECT 1")


@pytest.mark.both_logs
def test_the_only_register_can_go_and_come_again(desk: Desk) -> None:
    desk.take_back(1)
    assert units(desk) == []
    desk.hand_in("组织机构.csv", ORG)
    assert [code for code, _ in units(desk)] == ["A", "B", "R"]


# --- quarantine -------------------------------------------------------------------------------------------------------


@pytest.mark.both_logs
def test_rows_set_aside_by_a_withdrawn_file_wait_no_longer(desk: Desk) -> None:
    first = desk.hand_in("支付.csv", pay(P1, P2.replace(",200", ",二百"))).batch_seq
    assert len(desk.store.control.quarantine()) == 1
    desk.take_back(first)
    assert desk.store.control.quarantine() == []


@pytest.mark.both_logs
def test_a_row_whose_correction_is_withdrawn_waits_again(desk: Desk) -> None:
    desk.hand_in("支付.csv", pay(P1, P2.replace(",200", ",二百")))
    second = desk.hand_in("更正.csv", pay(P1, P2)).batch_seq
    assert desk.store.control.quarantine() == []
    desk.take_back(second)
    assert [entry["row_no"] for entry in desk.store.control.quarantine()] == [3]


@pytest.mark.both_logs
def test_a_row_that_a_newer_file_still_brings_right_stays_closed(desk: Desk) -> None:
    desk.hand_in("支付.csv", pay(P1, P2.replace(",200", ",二百")))
    second = desk.hand_in("更正.csv", pay(P1, P2)).batch_seq
    desk.hand_in("再更正.csv", pay(P1, P2B))
    desk.take_back(second)
    assert desk.store.control.quarantine() == []


# --- every past day against a plain model -----------------------------------------------------------------------------

Event = tuple[str, object]
LINES = st.dictionaries(st.sampled_from(["V1", "V2", "V3"]), st.integers(1, 3), max_size=3)
WHOLE = st.tuples(st.just("whole"), LINES.filter(bool))
PART = st.tuples(st.just("part"), LINES.filter(bool))
BACK = st.tuples(st.just("back"), st.integers(0, 9))


class Model:
    """Knowledge in plain Python: what each batch said of each key, and which batches are withdrawn."""

    def __init__(self) -> None:
        self.said: dict[int, dict[str, int | None]] = {}
        self.gone: set[int] = set()
        self.last = 1
        self.past: dict[int, dict[str, int]] = {}

    def now(self) -> dict[str, int]:
        found: dict[str, int | None] = {}
        for seq in sorted(self.said):
            if seq not in self.gone:
                found.update(self.said[seq])
        return {key: value for key, value in found.items() if value is not None}

    def load(self, lines: dict[str, int], whole: bool) -> bool:
        known = self.now()
        said: dict[str, int | None] = {key: value for key, value in lines.items() if known.get(key) != value}
        if whole:
            said.update(dict.fromkeys(set(known) - set(lines)))
        if said:
            self.last += 1
            self.said[self.last] = said
            self.past[self.last] = self.now()
        return bool(said)

    def withdraw(self, seq: int) -> None:
        self.last += 1
        self.gone.add(seq)
        self.past[self.last] = self.now()


def whole_month(lines: dict[str, int]) -> str:
    return pay(*(P1.replace("V1", key).replace("100.50", str(value)) for key, value in lines.items()))


def part_file(lines: dict[str, int]) -> str:
    months = {"V1": "2025-01", "V2": "2025-02", "V3": "2025-03"}
    return STAFF + "".join(f"市财政局,{months[key]},{value},{value},{value}\n" for key, value in lines.items())


def known_in(store: Store, wanted: str, at: int) -> dict[str, int]:
    generation = store.open_generation()
    rows = generation.con.execute(f"{wanted} WHERE rec_from <= $1 AND $1 < rec_to", [at]).fetchall()
    generation.close()
    assert len(rows) == len({row[0] for row in rows}), "a key is live twice"
    return {str(key): int(value) for key, value in rows}


def live_through(steps: list[Event], text: object, wanted: str) -> None:
    """Do the steps in a store and in the model, then compare every batch of the past."""
    with tempfile.TemporaryDirectory() as folder:
        desk, model = Desk(Path(folder)), Model()
        desk.hand_in("组织机构.csv", ORG)
        for kind, value in steps:
            if kind == "back":
                left = sorted(set(model.said) - model.gone)
                if left:
                    seq = left[int(str(value)) % len(left)]
                    assert desk.take_back(seq).batch_seq == model.last + 1
                    model.withdraw(seq)
                continue
            assert isinstance(value, dict)
            report = desk.hand_in(f"{kind}.csv", text(value))  # type: ignore[operator]
            changed = model.load(value, whole=kind == "whole")
            assert (report.batch_seq == model.last) is changed
        publish(desk.store, clock=lambda: NOW)
        for seq, state in model.past.items():
            assert known_in(desk.store, wanted, seq) == state, f"as known at batch {seq} of {steps}"
        desk.store.control.close()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.one_of(WHOLE, BACK), min_size=2, max_size=7))
def test_whole_months_and_withdrawals_give_every_past_day_of_the_model(steps: list[Event]) -> None:
    live_through(steps, whole_month, "SELECT voucher, amount FROM d_payment")


@settings(max_examples=12, deadline=None)
@given(st.lists(st.one_of(PART, BACK), min_size=2, max_size=7))
def test_part_files_and_withdrawals_give_every_past_day_of_the_model(steps: list[Event]) -> None:
    live_through(
        steps, part_file, "SELECT 'V' || (from_m - 2025 * 12 + 1)::VARCHAR, authorised_staff FROM d_staff"
    )  # fmt: skip


def test_a_history_with_its_own_recorded_times_is_taken_back_too(desk: Desk, tmp_path: Path) -> None:
    """Two files of one moment are two batches; withdrawing the second leaves the first."""
    moment = NOW + dt.timedelta(hours=1)
    for name, text in (("一.csv", pay(P1, P2)), ("二.csv", pay(P1, P2B))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        load(desk.store, [tmp_path / name], recorded_at=moment, clock=lambda: moment)
    withdraw(desk.store, 3, why="x", clock=lambda: moment)
    assert desk.amounts()["V2"] == Decimal(200)
    assert desk.amounts(3)["V2"] == Decimal(250)
