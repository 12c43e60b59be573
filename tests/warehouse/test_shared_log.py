"""A control log on a PostgreSQL server that several machines share: whose it is, whose turn it is, what a break does."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.fakes.office import NOW, ORG, P1, P2, P2B, Office, pay
from tests.fakes.postgres import PASSWORD, USER, Postgres, free_port
from tests.warehouse.test_control import entry, receipt
from warehouse import turns
from warehouse.backup import backup, restore
from warehouse.base.errors import ServerError, ServerLost, StoreBusy, StoreError
from warehouse.health.examine import examine
from warehouse.postgres import Address, parse_address
from warehouse.store import STORE_ID, Store
from warehouse.whereabouts import read_pointer

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


def shared_office(folder: Path, server: Postgres) -> Office:
    folder.mkdir(exist_ok=True)
    office = Office(folder)
    office.store = Store(folder / "store", server.url(server.fresh_schema(), password=None))
    assert office.hand_in("组织机构.csv", ORG).status == "committed"
    return office


def batch(seq: int, file: str = "支付.csv") -> dict[str, Any]:
    counts = dict.fromkeys(("rows_in", "accepted", "unchanged", "quarantined", "skipped", "removed", "delta_rows"), 0)
    return {
        "batch_seq": seq, "dataset": "payment", "file_name": file, "file_sha": "", "kind": "load", "origin": "real",
        "recorded_at": "", "recorded_by": "", "committed_at": "", "period_from": None, "period_to": None, **counts,
    }  # fmt: skip


# --- addresses and passwords ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:geheim@h/db", "postgresql://u@h/db?schema=cockpit"),
        ("postgres://u@h:6000/db?schema=city", "postgresql://u@h:6000/db?schema=city"),
        ("postgresql+psycopg://u:geheim@h/db?sslmode=require&password=geheim", "postgresql://u@h/db?schema=cockpit&sslmode=require"),
        ("postgresql://u%40x:ge%2Fheim@h/db", "postgresql://u%40x@h/db?schema=cockpit"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_password(text: str, shown: str) -> None:
    address = parse_address(text)
    assert sorted(address.shown.split("?")[1].split("&")) == sorted(shown.split("?")[1].split("&"))
    assert address.shown.split("?")[0] == shown.split("?", maxsplit=1)[0]
    assert "heim" not in f"{address} {address!r} {address.shown}"
    assert parse_address(address.shown).shown == address.shown


@pytest.mark.parametrize(
    "text", ["geheim", "mysql://u:geheim@h/db", "postgresql://u:geheim@h", "postgresql://u:geheim@h/db?schema=X;drop",
             "postgresql://u:geheim@h:port/db", "postgresql://u:geheim@h/db?schema=pg_catalog"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ServerError) as told:
        parse_address(text)
    assert "geheim" not in str(told.value)


def test_no_password_is_written_logged_or_backed_up(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("PGPASSWORD")
    caplog.set_level(logging.DEBUG)
    store = Store(tmp_path / "store", postgres.url(postgres.fresh_schema()))
    store.create()
    Office(tmp_path).store = store
    backup(store, tmp_path / "saved")
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes() and b"s3cret" not in file.read_bytes(), file
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr(store.log) + str(store.control.place)


@pytest.mark.parametrize(
    ("change", "zh", "en"),
    [
        ({"password": "wrong-geheim"}, "不接受所给的用户和密码", "does not take this user and password"),
        ({"port": 1}, "连接被拒绝", "refused"),
        ({"database": "nowhere"}, "没有这个数据库", "no such database"),
        ({"host": "no-such-host.invalid"}, "找不到主机", "no such host"),
    ],
)
def test_a_server_that_cannot_be_used_is_told_in_words(
    tmp_path: Path, postgres: Postgres, change: dict[str, Any], zh: str, en: str
) -> None:
    address = parse_address(postgres.url("x"))
    store = Store(tmp_path / "store", address.url.set(**change).render_as_string(hide_password=False))
    with pytest.raises(ServerError) as told:
        store.create()
    assert zh in told.value.message and en in told.value.message and told.value.hint
    assert "geheim" not in str(told.value) and "s3cret" not in str(told.value)


# --- whose log it is --------------------------------------------------------------------------------------------------


def test_a_folder_with_the_log_of_another_store_is_refused(tmp_path: Path, postgres: Postgres) -> None:
    one, two = shared_office(tmp_path / "one", postgres), shared_office(tmp_path / "two", postgres)
    address, name = read_pointer(one.store.path)
    assert one.store.control.meta()[STORE_ID] == name
    stranger = Store(tmp_path / "three", address.shown)
    with pytest.raises(ServerError, match="is the control log of another store already"):
        stranger.create()
    assert not stranger.exists
    pointer = two.store.path / "control.toml"
    pointer.write_text(pointer.read_text().replace(read_pointer(two.store.path)[0].schema, address.schema))
    with pytest.raises(ServerError, match="are not of one store"):
        _ = Store(two.store.path).control
    found = examine(Store(two.store.path), clock=lambda: NOW)
    assert "log_foreign" in [one.code for one in found.findings]


def test_the_folder_decides_where_its_log_lies(tmp_path: Path, postgres: Postgres) -> None:
    office = shared_office(tmp_path / "one", postgres)
    assert not (office.store.path / "control.sqlite").exists()
    assert Store(office.store.path).control.last()[0] == 1
    with pytest.raises(ServerError, match="COCKPIT_CONTROL_URL names"):
        _ = Store(office.store.path, postgres.url(postgres.fresh_schema())).control
    local = Office(tmp_path)
    local.hand_in("组织机构.csv", ORG)
    with pytest.raises(ServerError, match=r"control\.sqlite"):
        _ = Store(local.store.path, postgres.url(postgres.fresh_schema())).control


def test_a_log_that_is_gone_is_not_made_anew(tmp_path: Path, postgres: Postgres) -> None:
    office = shared_office(tmp_path / "one", postgres)
    address, _ = read_pointer(office.store.path)
    office.store.control.close()
    with postgres.connect() as con:
        con.execute(f'DROP SCHEMA "{address.schema}" CASCADE')
    with pytest.raises(ServerError, match="has no tables"):
        _ = Store(office.store.path).control
    office.store = Store(office.store.path)
    with pytest.raises(ServerError, match="has no tables"):
        office.hand_in("支付.csv", pay(P1))
    assert [one.code for one in examine(Store(office.store.path)).findings] == ["log_damaged"]


def test_a_store_whose_making_was_broken_off_goes_on(tmp_path: Path, postgres: Postgres) -> None:
    """The folder names its log first; if no more came about, nothing is lost by going on."""
    office = shared_office(tmp_path / "one", postgres)
    for name in ("seg", "inbox"):
        for file in (office.store.path / name).rglob("*"):
            if file.is_file():
                file.unlink()
    address, name = read_pointer(office.store.path)
    office.store.control.close()
    with postgres.connect() as con:
        con.execute(f'DROP SCHEMA "{address.schema}" CASCADE')
    store = Store(office.store.path)
    store.create()
    assert store.control.meta() == {STORE_ID: name}


# --- turns ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def machines(tmp_path: Path, postgres: Postgres) -> Iterator[tuple[Store, Store]]:
    """Two machines over one log; each has a lock file of its own, as where file locks do not reach across."""
    one = Store(tmp_path / "one", postgres.url(postgres.fresh_schema()))
    one.create()
    two = Store(tmp_path / "one")
    two.lock = tmp_path / "one" / "other-machine.lock"
    yield one, two
    one.control.close()
    two.control.close()


def test_one_machine_writes_at_a_time(machines: tuple[Store, Store]) -> None:
    one, two = machines
    said: list[str] = []
    with one.writing():
        with pytest.raises(StoreBusy, match="Another writer"), two.writing(wait_seconds=0.3, tell=said.append):
            pass
        assert said == ["Another writer is at work; waiting for it."]
    with two.writing(wait_seconds=0):
        assert two.control.turns.number == 2
    with one.alone("worker"), two.control.turns.hold("worker") as is_held:
        assert not is_held
    with two.control.turns.hold("worker") as is_held:
        assert is_held
        (two.path / "worker.lock").unlink()  # as on a machine that does not see the first one's file lock
        with pytest.raises(StoreBusy, match="On another machine"), one.alone("worker"):
            pass


def test_numbers_stay_in_order_under_many_writers(machines: tuple[Store, Store]) -> None:
    """Without any turn: of commits at the same time with the same number one is taken, and the others are told so."""
    outcomes: list[str] = []
    ready = threading.Barrier(6)

    def write(store: Store, file: str) -> None:
        ready.wait()
        try:
            store.control.commit(receipt(file), batch(0, file), (), ())
            outcomes.append("taken")
        except StoreError as refused:
            outcomes.append(refused.message)

    workers = [threading.Thread(target=write, args=(machines[n % 2], f"{n}.csv")) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(outcomes) == [
        *["Batch 0 is not the next one; the control log expects 1."] * 5, "taken",
    ]  # fmt: skip
    assert len(machines[0].control.batches()) == len(machines[0].control.receipts()) == 1


def test_a_writer_that_lost_its_turn_cannot_commit(machines: tuple[Store, Store], postgres: Postgres) -> None:
    one, two = machines
    with one.writing():
        with postgres.connect() as con:  # the network between machine one and the server breaks
            con.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        with two.writing(wait_seconds=5):
            two.control.commit(receipt("二"), batch(0, "二"), (), ())
        with pytest.raises(ServerError, match="another machine began to write"):
            one.control.commit(receipt("一"), batch(1, "一"), (), ())
    assert [row["file_name"] for row in one.control.batches()] == ["二"]
    assert len(one.control.receipts()) == 1


def test_a_load_goes_from_machine_to_machine(tmp_path: Path, postgres: Postgres) -> None:
    one = shared_office(tmp_path / "one", postgres)
    two = Office(tmp_path / "one")
    two.minute = 10
    assert one.hand_in("支付.csv", pay(P1, P2)).batch_seq == 2
    assert two.hand_in("更正.csv", pay(P1, P2B)).batch_seq == 3
    one.minute = 20
    assert one.hand_in("再报.csv", pay(P1, P2B)).status == "unchanged"
    assert {key: str(value) for key, value in one.amounts().items()} == {"V1": "100.50", "V2": "250.00"}
    assert examine(one.store, clock=lambda: NOW + dt.timedelta(days=1)).findings == ()


# --- breaks -----------------------------------------------------------------------------------------------------------


def breaking(store: Store, moment: str, times: int = 1) -> list[int]:
    """Let the connection of a commit break before it is sent, or after the server has done it."""
    left = [times]
    engine = store.control.engine
    broken: list[int] = []

    def cut(raw: Any) -> None:
        if left[0] and _writes_receipt.get(id(raw)):
            left[0] -= 1
            broken.append(1)
            if moment == "after":
                raw.commit()
            pid = raw.info.backend_pid
            with psycopg.connect(store_url(store), autocommit=True) as con:
                con.execute("SELECT pg_terminate_backend(%s)", [pid])
            raw.execute("SELECT 1")  # the answer to the commit never came

    _writes_receipt: dict[int, bool] = {}

    @sa.event.listens_for(engine, "after_cursor_execute")
    def _noticed(con: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO receipt"):
            _writes_receipt[id(con.connection.driver_connection)] = True

    made = engine.dialect.do_commit

    def do_commit(connection: Any) -> None:
        cut(connection.driver_connection)
        made(connection)

    engine.dialect.do_commit = do_commit  # type: ignore[method-assign]
    return broken


def store_url(store: Store) -> str:
    assert isinstance(store.log, Address)
    return store.log.url.set(drivername="postgresql").render_as_string(hide_password=False)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_connection_that_breaks_in_a_commit_neither_loses_nor_doubles_it(
    machines: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    monkeypatch.setattr(turns, "PAUSES", (0.0, 0.0))
    store = machines[0]
    broken = breaking(store, moment)
    with store.writing():
        store.control.commit(receipt("一"), batch(0), (), [entry(1), entry(2)])
    assert broken == [1]
    assert len(store.control.batches()) == len(store.control.receipts()) == 1
    assert len(store.control.quarantine()) == 2


def test_a_server_that_stays_away_is_told_and_the_next_load_goes_on(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PAUSES", (0.0,))
    office = shared_office(tmp_path / "one", postgres)
    broken = breaking(office.store, "before", times=2)
    with pytest.raises(ServerLost) as told:
        office.hand_in("支付.csv", pay(P1, P2))
    assert "中断" in told.value.message and broken == [1, 1]
    office.store = Store(office.store.path)
    report = office.hand_in("支付.csv", pay(P1, P2))
    assert (report.status, report.batch_seq) == ("committed", 2)
    assert {key: str(value) for key, value in office.amounts().items()} == {"V1": "100.50", "V2": "200.00"}


CHILD = """
import sys
from pathlib import Path
from warehouse.ingest import load
from warehouse.store import Store
print("ready", flush=True)
for number in range(40):
    path = Path(sys.argv[2]) / f"{number}.csv"
    assert load(Store(sys.argv[1]), [path])[0].status in ("committed", "unchanged")
    print(f"acknowledged {number}", flush=True)
"""


def test_a_server_killed_under_a_load_keeps_every_acknowledged_batch(tmp_path: Path) -> None:
    """As a power cut would: all processes of the server at once; it recovers from its own log."""
    server = Postgres()
    try:
        office = shared_office(tmp_path / "one", server)
        for number in range(40):
            (tmp_path / f"{number}.csv").write_text(
                pay(P1.replace("V1", f"K{number}").replace("01-10", "02-10")), "utf-8"
            )
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(office.store.path), str(tmp_path)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(3)]
        server.kill()
        child.kill()
        lines += child.stdout.readlines()
        child.wait()
        child.stdout.close()
        acknowledged = sum(line.startswith("acknowledged") for line in lines)
        server.start()
        log = Store(office.store.path).control
        assert acknowledged >= 2 and log.last()[0] - 1 in (acknowledged, acknowledged + 1)
        log.close()
        office.store = Store(office.store.path)
        office.minute = 10**6
        assert office.hand_in("三月.csv", pay(P2.replace("2025-01", "2025-03"))).status == "committed"
        found = examine(Store(office.store.path), clock=lambda: NOW + dt.timedelta(days=1000))
        assert [one.code for one in found.findings] in (["generation_behind"], ["pointer_missing"])
    finally:
        server.remove()


# --- backup, into either kind -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("here", "there"), [("server", "file"), ("server", "server"), ("file", "server")])
def test_a_backup_comes_back_into_either_kind(tmp_path: Path, postgres: Postgres, here: str, there: str) -> None:
    if here == "server":
        office = shared_office(tmp_path / "one", postgres)
    else:
        office = Office(tmp_path)
        office.hand_in("组织机构.csv", ORG)
    office.hand_in("支付.csv", pay(P1, P2.replace(",200", ",二百")))
    backup(office.store, tmp_path / "saved")
    assert (tmp_path / "saved/control.sqlite").exists() and not (tmp_path / "saved/control.toml").exists()
    assert not list((tmp_path / "saved").glob("*.tmp*"))
    new = Store(tmp_path / "new", postgres.url(postgres.fresh_schema()) if there == "server" else "")
    restore(tmp_path / "saved", new)
    assert isinstance(Store(new.path).log, Address) is (there == "server")
    for name in ("batches", "segments", "receipts", "meta"):
        assert getattr(new.control, name)() == getattr(office.store.control, name)(), name
    assert new.control.quarantine() == office.store.control.quarantine() != []
    again = Office(tmp_path)
    again.store, again.minute = Store(new.path), office.minute + 1
    report = again.hand_in("更正.csv", pay(P1, P2B))
    assert (report.batch_seq, report.status) == (3, "committed")
    assert again.store.control.quarantine() == []
    assert len({one["receipt_id"] for one in again.store.control.receipts()}) == 4
    with pytest.raises(StoreError, match="already holds a store"):
        restore(tmp_path / "saved", Store(new.path))


def test_a_restore_takes_no_schema_that_is_in_use(tmp_path: Path, postgres: Postgres) -> None:
    office = shared_office(tmp_path / "one", postgres)
    backup(office.store, tmp_path / "saved")
    address, _ = read_pointer(office.store.path)
    with pytest.raises(ServerError, match="is the control log of another store already"):
        restore(tmp_path / "saved", Store(tmp_path / "new", address.shown))
    assert office.store.control.last()[0] == 1 and not Store(tmp_path / "new").exists


# --- the server itself ------------------------------------------------------------------------------------------------


def test_texts_are_ordered_byte_by_byte_and_a_zero_byte_is_kept_as_a_picture(machines: tuple[Store, Store]) -> None:
    control = machines[0].control
    names = ["b", "B", "a", "_", "中", "é", "A\0"]
    control.commit(receipt("一"), None, (), [{**entry(n), "value": name} for n, name in enumerate(names)])
    with control.engine.connect() as con:
        found = con.execute(sa.text("SELECT value FROM quarantine ORDER BY value")).scalars().all()
    assert found == ["A␀", "B", "_", "a", "b", "é", "中"]


def test_a_server_told_not_to_wait_for_its_disk_waits_all_the_same(tmp_path: Path, postgres: Postgres) -> None:
    with postgres.connect() as con:
        con.execute(f'ALTER ROLE "{USER}" SET synchronous_commit TO off')
    try:
        store = Store(tmp_path / "store", postgres.url(postgres.fresh_schema()))
        store.create()
        with store.control.engine.connect() as con:
            assert con.execute(sa.text("SHOW synchronous_commit")).scalar() == "on"
    finally:
        with postgres.connect() as con:
            con.execute(f'ALTER ROLE "{USER}" RESET synchronous_commit')


def test_a_port_where_nobody_listens_is_told_by_the_doctor(tmp_path: Path, postgres: Postgres) -> None:
    office = shared_office(tmp_path / "one", postgres)
    pointer = office.store.path / "control.toml"
    pointer.write_text(pointer.read_text().replace(str(postgres.port), str(free_port())))
    assert [one.code for one in examine(Store(office.store.path)).findings] == ["log_unreachable"]


# --- files of a writer that was overtaken -----------------------------------------------------------------------------


def test_a_writer_overtaken_while_it_writes_spoils_nothing_of_the_other(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both write the next batch; the one that lost its turn comes last to the same name."""
    from warehouse import segment

    one = shared_office(tmp_path / "one", postgres)
    write = segment.write_aside

    def meanwhile(*given: Any) -> None:
        """The connection of the first machine breaks, and the second loads a file of its own."""
        monkeypatch.setattr(segment, "write_aside", write)
        write(*given)
        kept = given[2].read_bytes()
        with postgres.connect() as con:
            con.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        two = Office(tmp_path / "one")
        two.minute = 10
        monkeypatch.setattr("warehouse.store.writer_lock", lambda *_: contextlib.nullcontext())  # no lock reaches there
        assert two.hand_in("更正.csv", pay(P2B)).batch_seq == 2
        given[2].write_bytes(kept)

    monkeypatch.setattr(segment, "write_aside", meanwhile)
    with pytest.raises(StoreError, match="written by somebody else"):
        one.hand_in("支付.csv", pay(P1, P2))
    one.store = Store(one.store.path)
    assert {key: str(value) for key, value in one.amounts().items()} == {"V2": "250.00"}
    found = examine(one.store, clock=lambda: NOW + dt.timedelta(days=1)).findings
    assert [code for code in (each.code for each in found) if code != "leftover"] == []
    one.minute = 20
    assert one.hand_in("支付.csv", pay(P1)).batch_seq == 3
