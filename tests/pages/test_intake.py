"""The addresses files are handed in through: who is let in, what is taken, and what is said of the rest."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from werkzeug.test import Client, TestResponse

from callbacks.live import LiveServices
from callbacks.services import Viewer
from cockpit import reading
from cockpit.app import create_app
from cockpit.handovers import take_handovers
from cockpit.intake import ADDRESS, MOST_OPEN, Desk, is_own_origin
from cockpit.pipeline import rebuild
from tests.fakes.office import NOW, ORG, P1, P2, Office, pay
from tests.journeys.serve_fake import Settings
from warehouse import desk
from warehouse.base.scope import Scope
from warehouse.operations import handover
from warehouse.store import Store

HOST = "127.0.0.1:8050"
ORIGIN = f"http://{HOST}"


def clock():
    return NOW


@dataclass
class Counter:
    """A page's side of the addresses: a client with the headers a page of ours sends."""

    office: Office
    client: Client
    place: Desk

    def headers(self, **more: str) -> dict[str, str]:
        token = desk.token_of(self.office.store, "local", NOW.date())
        return {"Host": HOST, "Origin": ORIGIN, "X-Desk-Token": token, **more}

    def give(self, name: str, content: bytes, **changes: str) -> TestResponse:
        headers = {**self.headers(**{"X-File-Name": quote(name)}), **changes}
        return self.client.post(ADDRESS, data=content, headers=headers)

    def decide(self, key: str, **said: Any) -> TestResponse:
        return self.client.post(f"{ADDRESS}/{key}", json=said, headers=self.headers())

    def row(self, key: str) -> handover.HandoverRow:
        found = handover.find_handover(self.office.store.control.engine, key)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A published store that knows its bureaux; each test has a copy."""
    office = Office(tmp_path_factory.mktemp("made"))
    office.hand_in("组织机构.csv", ORG)
    rebuild(office.store, clock=clock)
    office.store.control.close()
    return office.folder


@pytest.fixture
def office(made: Path, tmp_path: Path) -> Iterator[Office]:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    office = Office(tmp_path)
    office.minute = 1
    yield office
    office.store.control.close()


@pytest.fixture
def counter(office: Office) -> Counter:
    place = Desk(office.store, most_megabytes=1, clock=clock, look=reading.read)
    app = create_app(Settings(), LiveServices(office.store, clock), place)
    return Counter(office, app.server.test_client(), place)


def test_a_file_is_kept_understood_corrected_accepted_and_loaded(counter: Counter) -> None:
    text = pay(P1, P2.replace("市教育局", "市教育句")).replace("单位名称", "用款部门")
    given = counter.give("支付.csv", text.encode("gb18030"))
    assert given.status_code == 201
    key = given.json["id"]
    assert counter.row(key).preview["status"] == "refused"
    assert counter.decide(key, do="accept").status_code == 409
    said = {"source": "payment", "columns": {"用款部门": "unit"}, "organisations": {"市教育句": "B"}}
    assert counter.decide(key, do="look", **said).status_code == 200
    assert counter.row(key).preview["counts"]["accepted"] == 2
    assert counter.client.get(ADDRESS, headers=counter.headers()).json["busy"] == 0
    assert counter.decide(key, do="accept").status_code == 200
    assert counter.client.get(ADDRESS, headers=counter.headers()).json["busy"] == 1
    assert take_handovers(counter.office.store, clock) == 1
    assert counter.row(key).report[0]["accepted"] == 2
    assert counter.decide(key, do="look", **said).status_code == 409
    assert counter.decide(key, do="discard").status_code == 409


def test_a_discarded_file_is_gone(counter: Counter) -> None:
    key = counter.give("支付.csv", pay(P1).encode()).json["id"]
    assert counter.decide(key, do="discard").status_code == 200
    assert not desk.place_of(counter.office.store, key, "支付.csv").exists()
    assert counter.row(key).state == handover.DISCARDED


@pytest.mark.parametrize(
    "changes",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"X-Desk-Token": ""},
        {"X-Desk-Token": "0" * 64},
        {"X-Desk-Token": "é" * 64},
    ],
)
def test_only_a_page_of_this_store_is_heard(counter: Counter, changes: dict[str, str]) -> None:
    answer = counter.give("支付.csv", pay(P1).encode(), **changes)
    assert answer.status_code == 403
    assert answer.json["message"]
    assert handover.count_open(counter.office.store.control.engine, "local") == 0


def test_a_token_is_one_persons_and_of_today_or_yesterday(office: Office) -> None:
    import datetime as dt

    today = NOW.date()
    token = desk.token_of(office.store, "zhang", today)
    assert desk.is_token(office.store, "zhang", today, token)
    assert desk.is_token(office.store, "zhang", today + dt.timedelta(days=1), token)
    assert not desk.is_token(office.store, "zhang", today + dt.timedelta(days=2), token)
    assert not desk.is_token(office.store, "li", today, token)
    assert (office.store.path / "desk" / "secret").stat().st_mode & 0o077 == 0


def test_a_portal_may_have_renamed_the_host() -> None:
    told = {"Host": "10.0.0.4:8050", "Origin": "https://cockpit.office", "X-Forwarded-Host": "cockpit.office"}
    assert is_own_origin(told, has_portal=True)
    assert not is_own_origin(told, has_portal=False)


def test_too_large_is_refused_by_what_is_said_and_by_what_comes(counter: Counter) -> None:
    large = b"x" * ((1 << 20) + 1)
    said = counter.give("大.csv", large)
    assert said.status_code == 413
    assert "1 MB" in said.json["message"]
    headers = counter.headers(**{"X-File-Name": quote("大.csv"), "Transfer-Encoding": "chunked"})
    came = counter.client.post(
        ADDRESS, input_stream=io.BytesIO(large), headers=headers, environ_overrides={"wsgi.input_terminated": True}
    )
    assert came.status_code == 413
    assert [entry.name for entry in (counter.office.store.path / "desk").iterdir()] == ["secret"]


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("装.exe", b"MZ\0\0", 415), ("无后缀", b"a,b", 415), ("空.csv", b"", 422), ("脚本.csv.js", b"x", 415)],
)
def test_what_is_no_table_is_not_kept(counter: Counter, name: str, content: bytes, status: int) -> None:
    assert counter.give(name, content).status_code == status
    assert handover.count_open(counter.office.store.control.engine, "local") == 0


def bomb() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (60 << 20))
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content"), [("弹.xlsx", bomb()), ("装.xlsx", b"MZ\x90\0\3\0"), ("图.csv", b"\x89PNG\r\n")]
)
def test_what_only_looks_like_a_table_is_shown_as_refused(counter: Counter, name: str, content: bytes) -> None:
    given = counter.give(name, content)
    assert given.status_code == 201
    row = counter.row(given.json["id"])
    assert row.preview["status"] == "refused"
    assert row.preview["faults"][0]["texts"]["zh"]
    assert counter.decide(row.handover_id, do="accept").status_code == 409


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("../../etc/支付.csv", "支付.csv"), ("C:\\表\\支付.csv", "支付.csv"), ("..csv", "csv"), ("a\u202ecsv.csv", "a_csv.csv"),
        ("长" * 300 + ".csv", "长" * 76 + ".csv"), ("𠮷" * 90 + ".csv", "𠮷" * 59 + ".csv"), ("a\x00b?.csv", "a_b_.csv"), (".csv", "csv"), ("", "file"),
    ],
)  # fmt: skip
def test_a_file_name_is_only_a_name(written: str, kept: str) -> None:
    assert desk.safe_name(written) == kept


def test_anothers_file_is_as_good_as_none(counter: Counter) -> None:
    key = counter.give("支付.csv", pay(P1).encode()).json["id"]
    settings = replace(Settings(), trust_proxy_user="X-User")
    app = create_app(settings, LiveServices(counter.office.store, clock), counter.place)
    other = app.server.test_client()
    token = desk.token_of(counter.office.store, "li", NOW.date())
    headers = {**counter.headers(), "X-User": "li", "X-Desk-Token": token}
    assert other.post(f"{ADDRESS}/{key}", json={"do": "accept"}, headers=headers).status_code == 404
    assert other.get(f"{ADDRESS}/{key}/return.xlsx", headers=headers).status_code == 404
    assert counter.row(key).state == handover.RECEIVED


@pytest.mark.parametrize(
    "said", [{}, {"do": "load"}, {"do": "look", "source": "nothing"}, {"do": "look", "source": ["payment"]}]
)
def test_what_cannot_be_understood_changes_nothing(counter: Counter, said: dict[str, str]) -> None:
    key = counter.give("支付.csv", pay(P1).encode()).json["id"]
    assert counter.decide(key, **said).status_code == 400
    assert counter.row(key).state == handover.RECEIVED


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"do": "discard", "x": "' + b"a" * (1 << 19) + b'"}', b"\xff"])
def test_what_is_said_is_small_and_plain_also_when_its_length_is_not_told(counter: Counter, body: bytes) -> None:
    key = counter.give("支付.csv", pay(P1).encode()).json["id"]
    for more in ({}, {"Transfer-Encoding": "chunked"}):
        answer = counter.client.post(
            f"{ADDRESS}/{key}", input_stream=io.BytesIO(body), content_type="application/json",
            headers=counter.headers(**more, **({} if more else {"Content-Length": str(len(body))})),
            environ_overrides={"wsgi.input_terminated": bool(more)},
        )  # fmt: skip
        assert (answer.status_code, counter.row(key).state) == (400, handover.RECEIVED)
        assert answer.json["message"]


def test_half_a_character_is_no_correction(counter: Counter) -> None:
    key = counter.give("支付.csv", pay(P1).encode()).json["id"]
    assert counter.decide(key, do="look", columns={"行号": "\ud800"}, organisations={"\udfff": "A"}).status_code == 200
    assert counter.row(key).corrections == {"columns": {}, "organisations": {}}


def test_a_store_that_is_not_there_yet_is_said_so(tmp_path) -> None:
    store = Store(tmp_path / "none")
    place = Desk(store, most_megabytes=1, clock=clock, look=reading.read)
    client = create_app(Settings(), LiveServices(store, clock), place).server.test_client()
    assert client.get(ADDRESS, headers={"Host": HOST}).json == {"busy": 0, "mark": ""}
    sheet = client.get(f"{ADDRESS}/return.xlsx?node=A", headers={"Host": HOST})
    assert (sheet.status_code, "管理员" in sheet.text) == (409, True)
    assert client.post(ADDRESS, headers={"Host": HOST, "Origin": ORIGIN}).status_code == 409
    assert not store.path.exists()


def test_a_viewer_of_other_themes_is_shown_no_row_that_waits(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    key = counter.give("支付.csv", pay(P2.replace(",200", ",贰佰")).encode()).json["id"]
    counter.decide(key, do="accept")
    take_handovers(counter.office.store, clock)
    services = LiveServices(counter.office.store, clock)
    for domains, status in ((frozenset({"energy"}), 404), (frozenset({"cost"}), 200)):
        viewer = Viewer(Scope(frozenset({"B"}), domains), "local")
        monkeypatch.setattr("cockpit.app.viewer_of", lambda _, viewer=viewer: viewer)
        answer = counter.client.get(f"{ADDRESS}/return.xlsx?node=B", headers=counter.headers())
        assert answer.status_code == status
        with services.open(viewer) as session:
            assert [one.dataset for one in session.waiting("B")] == (["payment"] if status == 200 else [])


def test_nobody_fills_the_desk(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.intake.handover.count_open", lambda *_: MOST_OPEN)
    assert counter.give("支付.csv", pay(P1).encode()).status_code == 429


def test_a_viewer_hands_in_only_for_the_units_of_their_scope(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded = Viewer(Scope(nodes=frozenset({"B"})), "local")
    monkeypatch.setattr("cockpit.app.viewer_of", lambda _: bounded)
    mixed = counter.row(counter.give("两家.csv", pay(P1, P2).encode()).json["id"])
    assert mixed.scope["units"] == ["B"]
    assert (mixed.preview["counts"]["accepted"], mixed.preview["counts"]["quarantined"]) == (1, 1)
    alone = counter.row(counter.give("别家.csv", pay(P1).encode()).json["id"])
    assert [fault["code"] for fault in alone.preview["faults"]] == ["file_outside_scope"]
    assert counter.decide(alone.handover_id, do="accept").status_code == 409
    counter.decide(mixed.handover_id, do="accept")
    take_handovers(counter.office.store, clock)
    assert set(counter.office.amounts()) == {"V2"}


def test_rows_set_aside_come_back_as_a_sheet_that_is_known_again(counter: Counter, tmp_path) -> None:
    key = counter.give("支付.csv", pay(P1, P2.replace(",200", ",贰佰")).encode()).json["id"]
    counter.decide(key, do="accept")
    take_handovers(counter.office.store, clock)
    answer = counter.client.get(f"{ADDRESS}/{key}/return.xlsx", headers=counter.headers())
    assert answer.status_code == 200
    assert ".xlsx" in answer.headers["Content-Disposition"]
    sheet = mended(answer.data, "贰佰", "200")
    again = counter.give("退改.xlsx", sheet).json["id"]
    assert counter.row(again).kind == handover.RETURN
    assert counter.row(again).preview["counts"]["again"] == 1
    counter.decide(again, do="accept")
    take_handovers(counter.office.store, clock)
    assert counter.row(again).report[0]["outcome"]["mended"] == 1
    assert set(counter.office.amounts()) == {"V1", "V2"}
    gone = counter.client.get(f"{ADDRESS}/{key}/return.xlsx?lang=en", headers=counter.headers())
    assert (gone.status_code, gone.mimetype) == (404, "text/plain")
    assert gone.text.splitlines() == [
        "No row waits; there is no need for a return sheet.", "没有待核的行，不需要退改表。"
    ]  # fmt: skip


def test_a_card_offers_the_sheet_as_long_as_a_row_of_it_waits(counter: Counter, tmp_path) -> None:
    wrong = pay(P1.replace(",100.50", ",壹佰"), P2.replace(",200", ",贰佰"))
    key = counter.give("支付.csv", wrong.encode()).json["id"]
    counter.decide(key, do="accept")
    take_handovers(counter.office.store, clock)
    rebuild(counter.office.store, clock=clock)
    services = LiveServices(counter.office.store, clock)

    def left() -> int:
        with services.open(Viewer(Scope(), "local")) as session:
            return session.still_waiting(counter.row(key))

    assert left() == 2
    for text, number, still in (("壹佰", "100.50", 1), ("贰佰", "200", 0)):
        sheet = counter.client.get(f"{ADDRESS}/{key}/return.xlsx", headers=counter.headers()).data
        again = counter.give(f"{number}.xlsx", mended(sheet, text, number)).json["id"]
        counter.decide(again, do="accept")
        take_handovers(counter.office.store, clock)
        assert left() == still


@pytest.mark.parametrize(
    ("node", "nodes", "sees"),
    [("R", None, True), ("A", None, False), ("R", frozenset({"R"}), False), ("A", frozenset({"A"}), False)],
)
def test_rows_of_a_unit_nobody_knows_are_the_roots_alone(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, node: str, nodes: frozenset[str] | None, sees: bool
) -> None:
    key = counter.give("支付.csv", pay(P2.replace("市教育局", "市宇航局")).encode()).json["id"]
    counter.decide(key, do="accept")
    take_handovers(counter.office.store, clock)
    rebuild(counter.office.store, clock=clock)
    viewer = Viewer(Scope(nodes=nodes), "local")
    with LiveServices(counter.office.store, clock).open(viewer) as session:
        assert [(one.unit, one.rows) for one in session.waiting(node)] == ([(None, 1)] if sees else [])
    monkeypatch.setattr("cockpit.app.viewer_of", lambda _: viewer)
    answer = counter.client.get(f"{ADDRESS}/return.xlsx?node={node}", headers=counter.headers())
    assert answer.status_code == (200 if sees else 404)


def mended(content: bytes, wrong: str, right: str) -> bytes:
    """Write what is right into the correction cell beside a wrong one."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book.worksheets:
        for line in sheet.iter_rows():
            for cell in line:
                if cell.value == wrong:
                    sheet.cell(cell.row, cell.column + 1).value = right
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def test_the_same_file_of_a_unit_is_offered_by_its_node(counter: Counter) -> None:
    key = counter.give("支付.csv", pay(P2.replace(",200", ",贰佰")).encode()).json["id"]
    counter.decide(key, do="accept")
    take_handovers(counter.office.store, clock)
    rebuild(counter.office.store, clock=clock)
    own = counter.client.get(f"{ADDRESS}/return.xlsx?node=B", headers=counter.headers())
    assert own.status_code == 200
    assert counter.client.get(f"{ADDRESS}/return.xlsx?node=A", headers=counter.headers()).status_code == 404


def test_a_file_is_read_in_a_process_of_its_own(office: Office, tmp_path) -> None:
    path = tmp_path / "支付.csv"
    path.write_text(pay(P1), encoding="utf-8")
    asked = reading.Asked(office.store.path, path, near="B")
    assert reading.Asked.parse(asked.as_json()) == asked
    seen = reading.read_apart(asked)
    assert seen is not None
    assert (seen["kind"], seen["preview"]["counts"]["accepted"]) == (handover.FILE, 1)


def test_a_reader_that_dies_or_takes_too_long_takes_nothing_with_it(office: Office, monkeypatch) -> None:
    asked = reading.Asked(office.store.path, office.folder / "nowhere.csv")
    assert reading.read_apart(asked) is None
    monkeypatch.setattr(reading, "PATIENCE_SECONDS", 0.01)
    assert reading.read_apart(asked) is None


def test_without_a_desk_there_is_no_address(office: Office) -> None:
    app = create_app(Settings(), LiveServices(office.store, clock))
    assert app.server.test_client().post(ADDRESS, headers={"Host": HOST}).status_code in (404, 405)
