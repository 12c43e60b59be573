"""Compaction: fewer and smaller segments, and every board of every day as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from warehouse import compaction
from warehouse.backup import backup, restore
from warehouse.base.errors import StoreError
from warehouse.compaction import Policy, compact, plan
from warehouse.control import DELTA, HISTORY
from warehouse.health.examine import examine
from warehouse.publish import publish
from warehouse.retention import drop_replaced
from warehouse.store import Store
from warehouse.withdrawal import withdraw

OFTEN = Policy(most_segments=0)
P3 = "V3,1,市教育局,2024-12-20,30202,印刷费,一般公共预算财政拨款,基本支出-公用,70"
LATER = NOW + dt.timedelta(days=60)


def boards(office: Office) -> list[dict[str, object]]:
    """The payments as known after every batch."""
    return [dict(office.amounts(seq)) for seq in range(office.store.control.last()[0] + 1)]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Batches: register, two payments, a correction, an older month."""
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("支付.csv", pay(P1, P2))
    office.hand_in("更正.csv", pay(P1, P2B))
    office.hand_in("去年.csv", pay(P3))
    return office


def kinds(office: Office, dataset: str = "payment") -> list[str]:
    return [segment.kind for segment in office.store.control.segments(dataset)]


def sound(store: Store) -> Sequence[str]:
    return [one.code for one in examine(store, deep=True, clock=lambda: LATER).findings]


def test_every_board_is_the_same_before_and_after(office: Office) -> None:
    before = boards(office)
    done = {one.dataset: one for one in compact(office.store, OFTEN, clock=lambda: NOW)}
    assert kinds(office) == [HISTORY]
    # three files, five signed rows: V1, V2, −V2, V2 corrected, V3 → four versions
    assert (done["payment"].segments_before, done["payment"].rows_before, done["payment"].rows_after) == (3, 5, 4)
    assert boards(office) == before
    assert sound(office.store) == []


def test_loading_goes_on_over_a_history_and_is_compacted_again(office: Office) -> None:
    compact(office.store, OFTEN, clock=lambda: NOW)
    same = office.hand_in("再报.csv", pay(P1, P2B))
    assert (same.status, same.counts["unchanged"]) == ("unchanged", 2)
    assert office.hand_in("撤销一行.csv", pay(P1)).counts["removed"] == 1
    assert kinds(office) == [HISTORY, DELTA]
    before = boards(office)
    assert set(before[-1]) == {"V1", "V3"}
    compact(office.store, OFTEN, clock=lambda: NOW)
    assert kinds(office) == [HISTORY]
    assert boards(office) == before
    assert sound(office.store) == []


def test_a_batch_inside_a_history_is_withdrawn_as_if_it_stood_alone(office: Office, tmp_path: Path) -> None:
    """The same withdrawals in a store that was compacted before each of them and in one that never was."""
    (tmp_path / "other").mkdir()
    plain = Office(tmp_path / "other")
    for name, text in (
        ("组织机构.csv", ORG),
        ("支付.csv", pay(P1, P2)),
        ("更正.csv", pay(P1, P2B)),
        ("去年.csv", pay(P3)),
    ):
        plain.hand_in(name, text)
    for seq in (3, 2):
        compact(office.store, OFTEN, clock=lambda: NOW)
        done = [
            withdraw(one.store, seq, why="报错", clock=lambda: NOW + dt.timedelta(hours=1)) for one in (office, plain)
        ]
        assert done[0].as_json() == done[1].as_json()
    compact(office.store, OFTEN, clock=lambda: NOW)
    assert boards(office) == boards(plain)
    assert boards(office)[-1] == {"V3": 70}


def test_years_beyond_a_size_have_a_history_of_their_own(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "WHOLE", 2)
    before = boards(office)
    compact(office.store, OFTEN, clock=lambda: NOW)
    assert [one.path for one in office.store.control.segments("payment")] == [
        "payment/h2024-00000004.parquet", "payment/h2025-00000004.parquet",
    ]  # fmt: skip
    assert boards(office) == before
    office.hand_in("改回.csv", pay(P1, P2))
    before = boards(office)
    compact(office.store, OFTEN, clock=lambda: NOW)
    assert [one.path for one in office.store.control.segments("payment")] == [
        "payment/h2024-00000004.parquet", "payment/h2025-00000005.parquet",
    ]  # fmt: skip
    assert boards(office) == before
    assert sound(office.store) == []


def test_only_what_is_due_is_rewritten(office: Office) -> None:
    assert plan(office.store, Policy(most_segments=3)) == ()
    assert [one.dataset for one in plan(office.store, Policy(most_segments=2))] == ["payment"]
    everything = {one.dataset for one in plan(office.store, Policy(), everything=True)}
    assert {"payment", "org_unit", "co2_factor"} <= everything
    compact(office.store, Policy(most_segments=2), clock=lambda: NOW)
    assert kinds(office, "org_unit") == [DELTA]
    office.hand_in("改回.csv", pay(P1, P2))
    assert plan(office.store, Policy(share=0.1)) == (), "one segment beside a history is no gain"
    office.hand_in("再改.csv", pay(P1, P2B))
    assert [one.dataset for one in plan(office.store, Policy(share=0.1))] == ["payment"]


def test_what_was_replaced_leaves_the_disk_only_when_all_three_conditions_hold(office: Office) -> None:
    files = lambda: sorted(file.name for file in office.store.segments.glob("payment/*"))  # noqa: E731
    publish(office.store, clock=lambda: NOW)
    compact(office.store, OFTEN, clock=lambda: NOW)
    assert len(files()) == 4
    with office.store.writing():
        assert drop_replaced(office.store, 14, LATER).segments == 0, "not published from the history yet"
        publish(office.store, clock=lambda: NOW)
        assert drop_replaced(office.store, 14, NOW + dt.timedelta(days=13)).segments == 0, "too early"
        assert drop_replaced(office.store, 14, NOW - dt.timedelta(days=99)).segments == 0, "the clock stepped back"
    before = boards(office)
    base = office.store.segments / office.store.control.segments("payment")[0].path
    whole = base.read_bytes()
    base.write_bytes(whole[:-1])
    with office.store.writing():
        drop_replaced(office.store, 14, LATER)
    assert len(files()) == 4, "the history is damaged: its deltas may be needed"
    base.write_bytes(whole)
    with office.store.writing():
        drop_replaced(office.store, 14, LATER)
    assert files() == [base.name]
    assert {one.path for one in office.store.control.segments("payment", replaced=True)} == {f"payment/{base.name}"}
    assert boards(office) == before
    assert sound(office.store) == []


def test_a_history_that_does_not_say_the_same_never_stands(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    before, standing = boards(office), office.store.control.segments()
    write = compaction.write_aside

    def lose_a_row(con: object, rows: str, *rest: object) -> None:
        write(con, f"SELECT * FROM ({rows}) LIMIT 3", *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(compaction, "write_aside", lose_a_row)
    with pytest.raises(StoreError, match="does not say the same"):
        compact(office.store, OFTEN, clock=lambda: NOW)
    assert office.store.control.segments() == standing
    monkeypatch.undo()
    assert boards(office) == before


def test_a_damaged_segment_is_not_made_right_by_compacting(office: Office) -> None:
    file = sorted(office.store.segments.glob("payment/*"))[0]
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(StoreError, match="altered"):
        compact(office.store, OFTEN, clock=lambda: NOW)
    assert kinds(office) == [DELTA] * 3


def test_a_rebase_broken_off_before_its_commit_leaves_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    before = boards(office)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compaction, "_let_stand", crash)
    with pytest.raises(KeyboardInterrupt):
        compact(office.store, OFTEN, clock=lambda: NOW)
    monkeypatch.undo()
    assert list(office.store.segments.glob("*/h*"))
    office.hand_in("再报.csv", pay(P1, P2B))
    assert not list(office.store.segments.glob("*/h*"))
    assert boards(office) == before


def test_backups_before_and_after_both_come_back(office: Office, tmp_path: Path) -> None:
    before = boards(office)
    backup(office.store, tmp_path / "earlier")
    compact(office.store, OFTEN, clock=lambda: NOW)
    publish(office.store, clock=lambda: NOW)
    backup(office.store, tmp_path / "between")
    with office.store.writing():
        assert drop_replaced(office.store, 0, LATER).segments > 3
    backup(office.store, tmp_path / "later")
    for name in ("earlier", "between", "later"):
        other = Office(tmp_path)
        other.store = Store(tmp_path / f"again-{name}")
        restore(tmp_path / name, other.store)
        assert boards(other) == before, name
        assert sound(other.store) == [], name


def test_a_log_from_before_the_rebase_does_not_make_recovery_delete_the_history(office: Office) -> None:
    store = office.store
    publish(store, clock=lambda: NOW)
    log = store.path / "control.sqlite"
    store.control.close()
    older = log.read_bytes()
    compact(store, OFTEN, clock=lambda: NOW)
    publish(store, clock=lambda: NOW)
    with store.writing():
        drop_replaced(store, 0, LATER)
    store.control.close()
    for file in store.path.glob("control.sqlite*"):
        file.unlink()
    log.write_bytes(older)
    office.store = Store(store.path)
    with pytest.raises(StoreError, match="older copy"):
        office.hand_in("再报.csv", pay(P1, P2B))
    assert list(store.segments.glob("payment/h*"))
