"""A row that is taken back is named, not repeated: its values stand where it came, and every reader finds them there."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from warehouse import segment
from warehouse.compaction import Policy, compact
from warehouse.control import SegmentRow
from warehouse.health.examine import examine
from warehouse.ingest import scratch
from warehouse.live.known import moved_rows
from warehouse.withdrawal import withdraw

P2C = P2.replace(",200", ",300")
LINES = 2_000
DAY = dt.timedelta(days=1)


def whole(rows: str) -> str:
    """A segment as it was written before: what is taken back with all its values."""
    return rows


def filled(folder: Path) -> Office:
    """Batches: register, two payments (2), V2 corrected (3) and again (4), V1 left out (5)."""
    folder.mkdir()
    office = Office(folder)
    office.hand_in("组织机构.csv", ORG)
    for name, lines in (("一.csv", (P1, P2)), ("二.csv", (P1, P2B)), ("三.csv", (P1, P2C)), ("四.csv", (P2C,))):
        office.hand_in(name, pay(*lines))
    return office


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same deliveries in a store of today and in one whose segments are older."""
    folder = tmp_path_factory.mktemp("deliveries")
    filled(folder / "now").store.control.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment, "_lean", whole)
        filled(folder / "then").store.control.close()
    return folder


@pytest.fixture
def offices(deliveries: Path, tmp_path: Path) -> tuple[Office, Office]:
    shutil.copytree(deliveries, tmp_path, dirs_exist_ok=True)
    return Office(tmp_path / "now"), Office(tmp_path / "then")


def boards(office: Office) -> list[dict[str, Decimal]]:
    return [office.amounts(seq) for seq in range(office.store.control.last()[0] + 1)]


def stored(office: Office, batch: int) -> list[tuple[object, ...]]:
    """What the file of a batch says: sign, who and how much, in the order it is written."""
    (one,) = [s for s in office.store.control.segments("payment") if s.batch_seq == batch]
    file = str(office.store.segments / one.path)
    return (
        duckdb.connect()
        .execute("SELECT n, voucher, amount, file_name, from_m FROM read_parquet($1)", [file])
        .fetchall()
    )


def held(office: Office, one: SegmentRow) -> int:
    """Bytes of the values of a segment before a packer that finds some repetitions, not all, went over them."""
    file = str(office.store.segments / one.path)
    row = duckdb.connect().execute("SELECT sum(total_uncompressed_size) FROM parquet_metadata($1)", [file]).fetchone()
    assert row is not None
    return int(row[0])


def test_a_row_taken_back_is_stored_without_its_values(offices: tuple[Office, Office]) -> None:
    now, then = offices
    month = 2025 * 12
    assert stored(now, 3) == [(-1, None, None, None, month), (1, "V2", Decimal(250), "二.csv", month)]
    assert sorted(stored(then, 3)) == [
        (-1, "V2", Decimal(200), "二.csv", month),
        (1, "V2", Decimal(250), "二.csv", month),
    ]
    assert stored(now, 5) == [(-1, None, None, None, month)]


def test_a_restated_month_costs_little_more_than_its_new_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 lines, each restated by one fen. What was would cost its vouchers and amounts a second time."""
    chance = random.Random(1)
    drawn = [(f"凭{chance.randrange(10**9)}", chance.randrange(10**7)) for _ in range(LINES)]

    def lines(fen: int) -> str:
        kinds = "30201,办公费,一般公共预算财政拨款,基本支出-公用"
        return pay(*(f"{voucher},1,市财政局,2025-01-10,{kinds},{yuan}.{fen:02d}" for voucher, yuan in drawn))

    grown = {}
    for name, lean in (("now", segment._lean), ("then", whole)):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(segment, "_lean", lean)
        office = Office(tmp_path / name)
        office.hand_in("组织机构.csv", ORG)
        for fen in (10, 11):
            office.hand_in(f"{fen}.csv", lines(fen))
        first, second = office.store.control.segments("payment")
        assert (first.rows, second.rows) == (LINES, 2 * LINES)
        grown[name] = held(office, second) / held(office, first)
    assert grown["now"] < 1.1
    assert grown["then"] > 1.9


def test_every_past_day_is_the_same_whichever_way_it_was_written(offices: tuple[Office, Office]) -> None:
    expected = [
        {}, {}, {"V1": Decimal("100.50"), "V2": 200}, {"V1": Decimal("100.50"), "V2": 250},
        {"V1": Decimal("100.50"), "V2": 300}, {"V2": 300},
    ]  # fmt: skip
    for office in offices:
        assert boards(office) == expected
        assert examine(office.store, deep=True, clock=lambda: NOW + DAY).findings == ()
        compact(office.store, Policy(most_segments=0), clock=lambda: NOW)
        assert boards(office) == expected
        assert examine(office.store, deep=True, clock=lambda: NOW + DAY).findings == ()


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize(
    ("order", "taken", "came", "left"),
    [
        # what left V1 out is withdrawn: it comes back; then the newest amount of V2, the one in between, the first
        ((5, 4, 3, 2), [0, 1, 1, 2], [1, 1, 1, 0], {}),
        # a batch restated twice has only V1 left, which the last file took: nothing of it is live, nothing changes
        ((2, 3), [0, 0], [0, 0], {"V2": 300}),
        ((3, 4), [0, 1], [0, 1], {"V2": 200}),
        # without the first delivery nobody has said V1, so that it does not come back when it is no longer left out
        ((2, 5), [0, 0], [0, 0], {"V2": 300}),
    ],
)
def test_a_batch_restated_twice_is_withdrawn_as_before(
    offices: tuple[Office, Office], order: tuple[int, ...], taken: list[int], came: list[int], left: dict[str, Decimal],
    compacted: bool,
) -> None:  # fmt: skip
    for office in offices:
        if compacted:
            compact(office.store, Policy(most_segments=0), clock=lambda: NOW)
        done = [withdraw(office.store, seq, why="报错", clock=lambda: NOW + DAY) for seq in order]
        assert ([one.taken_back for one in done], [one.came_back for one in done]) == (taken, came)
        assert office.amounts() == left


def test_a_batch_that_only_takes_back_still_tells_what_moved(offices: tuple[Office, Office]) -> None:
    for office in offices:
        for compacted in (False, True):
            if compacted:
                compact(office.store, Policy(most_segments=0), clock=lambda: NOW)
            with scratch(office.store) as con:
                ask = [
                    sorted(moved_rows(con, office.store, "payment", ("voucher", "amount"), since))
                    for since in (4, 3, 5)
                ]
            assert ask == [[("V1", Decimal("100.50"))], [("V1", Decimal("100.50")), ("V2", 250), ("V2", 300)], []]
