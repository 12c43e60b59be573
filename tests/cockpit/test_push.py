"""Machines push through the real server: what is acknowledged is on disk, what is not taken is said, row by row."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cockpit.app import TOKEN_ROUTES
from cockpit.cli import app
from cockpit.push import openapi
from tests.fakes.office import ORG, Office
from warehouse import operations
from warehouse.base.errors import UnknownName
from warehouse.live.tokens import holds, new_token, parse_token
from warehouse.metering.folding import arrivals_of, fold_readings
from warehouse.operations import TokenRow
from warehouse.publish import publish
from warehouse.store import Store

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
"""Noon in Shanghai."""
METERS = (
    "表号,单位名称,能源品种,倍率,整数位数,采集间隔,启用日期,停用日期\n"
    "E1,市财政局,电,40,6,15,2020-01-01,\n"
    "E2,市教育局,电,1,6,60,2020-01-01,\n"
    "E3,市财政局,电,1,6,60,2020-01-01,2024-01-01\n"
)


@dataclass(frozen=True)
class Site:
    """A running server over a store, and the tokens it knows."""

    store: Store
    port: int
    token: str
    token_id: str
    narrow: str
    process: subprocess.Popen[bytes]

    def ask(self, body: bytes, token: str | None = None, **headers: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {token or self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST", "/api/v1/readings", body, {k: v for k, v in sent.items() if v})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text), dict(answer.getheaders())

    def push(self, *rows: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        return self.ask(json.dumps(rows).encode(), **headers)


def start(store: Store, **settings: str) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "COCKPIT_NOW": NOW.isoformat(), **settings}
    command = [sys.executable, "-m", "cockpit", "serve", "--store", str(store.path), "--port", str(port)]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return process, port
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def token_for(store: Store, node: str, kinds: str = "readings") -> tuple[str, str]:
    token_id, text, digest = new_token()
    operations.add_token(store.control.engine, TokenRow(token_id, "test", digest, node, kinds, NOW, "test"))
    return text, token_id


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    office = Office(tmp_path_factory.mktemp("push"))
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("表计台账.csv", METERS)
    publish(office.store, clock=lambda: NOW)
    token, token_id = token_for(office.store, "R")
    narrow, _ = token_for(office.store, "B")
    process, port = start(
        office.store, COCKPIT_PUSH_BYTES="20000", COCKPIT_PUSH_ROWS="100", COCKPIT_PUSH_PER_MINUTE="1000"
    )
    yield Site(office.store, port, token, token_id, narrow, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def reading(meter: str, at: str, value: str, **more: Any) -> dict[str, Any]:
    return {"meter": meter, "read_at": f"2026-11-21T{at}:00+08:00", "reading": value, **more}


def statuses(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["status"], row.get("code", "")) for row in answer["rows"]]


def waiting(store: Store) -> list[dict[str, Any]]:
    return [row for arrival in arrivals_of(store).waiting() for row in arrival.body["rows"]]


def test_the_guard_lets_through_exactly_what_asks_for_a_token() -> None:
    posted = {path for path, verbs in openapi()["paths"].items() if "post" in verbs}
    assert set(TOKEN_ROUTES) == posted


def test_each_row_is_answered_on_its_own(site: Site) -> None:
    status, answer, _ = site.push(
        reading("E1", "00:00", "100"),
        reading("E1", "00:15", "100.5", ratio="40", unit="kWh", quality="good"),
        reading("E1", "00:30", "101", ratio="50"),
        reading("E9", "00:00", "1"),
        reading("E3", "00:00", "1"),
        reading("E1", "00:45", "-1"),
        reading("E1", "00:45", "abc"),
        {"meter": "E1", "read_at": "2026-11-23T12:06:00+08:00", "reading": "1"},
        {"meter": "E1", "read_at": "yesterday", "reading": "1"},
        {"meter": "E1", "read_at": "2026-11-21T00:45:00", "reading": "102", "quantity": "1"},
        reading("E1", "01:00", "103", unit="m3"),
        reading("E1", "01:00", "103", colour="red"),
        reading("E1", "00:00", "100"),
        reading("E1", "02:00", "104"),
        reading("E1", "02:00", "105"),
    )
    assert status == 202
    assert statuses(answer) == [
        ("taken", ""), ("taken", ""), ("refused", "ratio_differs"), ("refused", "unknown_meter"),
        ("refused", "not_in_service"), ("refused", "negative"), ("refused", "not_a_number"), ("refused", "in_future"),
        ("refused", "not_a_time"), ("refused", "reading_or_quantity"), ("refused", "unknown_unit"),
        ("refused", "unknown_field"), ("repeated", "repeated"), ("refused", "contradicts"), ("refused", "contradicts"),
    ]  # fmt: skip
    assert (answer["received"], answer["kept"], answer["refused"]) == (15, 2, 12)
    assert "50" in answer["rows"][2]["zh"] and "40" in answer["rows"][2]["en"]


def test_a_clock_some_minutes_ahead_is_borne_and_one_further_ahead_is_told(site: Site) -> None:
    _, answer, _ = site.push(
        {"meter": "E2", "read_at": "2026-11-22T12:04:59+08:00", "reading": "7"},
        {"meter": "E2", "read_at": "2026-11-22T12:05:01+08:00", "reading": "8"},
    )
    assert statuses(answer) == [("taken", ""), ("refused", "in_future")]
    assert "2026-11-22T12:00:00+0800" in answer["rows"][1]["en"]


def test_lines_of_ndjson_fail_alone(site: Site) -> None:
    lines = [json.dumps(reading("E1", "03:00", "110")), "{broken", json.dumps(reading("E1", "03:15", "111")), "[1]", ""]
    status, answer, _ = site.ask("\n".join(lines).encode(), Content_Type="application/x-ndjson")
    assert (status, statuses(answer)) == (
        202, [("taken", ""), ("refused", "not_json"), ("taken", ""), ("refused", "not_an_object")],
    )  # fmt: skip


@pytest.mark.parametrize(
    "body, headers, status, code",
    [
        (b"[]", {"Authorization": ""}, 401, "no_token"),
        (b"[]", {"Authorization": "Basic abc"}, 401, "no_token"),
        (b"[]", {"token": "ckp_000000000000_" + "A" * 43}, 401, "bad_token"),
        (b"[]", {"token": "nonsense"}, 401, "bad_token"),
        (b"[]", {}, 400, "nothing_sent"),
        (b"{", {}, 400, "not_json_body"),
        (b"\xff\xfe", {}, 400, "not_json_body"),
        (b"3", {}, 400, "not_json_body"),
        (b"[" * 9000, {}, 400, "not_json_body"),
        (b"[NaN]", {}, 400, "not_json_body"),
        (b"[" + b"1," * 100 + b"1]", {}, 413, "too_many_rows"),
        (b" " * 20001, {}, 413, "too_large"),
        (b"[]", {"Content_Type": "text/csv"}, 415, "wrong_media"),
        (b"[]", {"Content_Encoding": "gzip"}, 415, "wrong_media"),
        (b"[1]", {"Idempotency_Key": "x" * 129}, 400, "bad_key"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_taken_is_told_why(
    site: Site, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    before = len(waiting(site.store))
    answered, answer, _ = site.ask(body, **headers)
    assert (answered, answer["code"], answer["kept"]) == (status, code, 0)
    assert answer["zh"] and answer["en"]
    assert len(waiting(site.store)) == before


def test_a_body_without_a_length_is_cut_off_at_the_limit(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {site.token}"}
    chunks = iter([b"[" + b" " * 9_000] * 3)
    connection.request("POST", "/api/v1/readings", chunks, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, "too_large")


def test_no_row_of_all_is_422(site: Site) -> None:
    status, answer, _ = site.push(reading("E9", "00:00", "1"))
    assert (status, answer["kept"]) == (422, 0)


def test_a_token_speaks_only_for_what_stands_below_its_node(site: Site) -> None:
    _, answer, _ = site.ask(
        json.dumps([reading("E1", "05:00", "200"), reading("E2", "05:00", "9")]).encode(), site.narrow
    )
    assert statuses(answer) == [("refused", "unknown_meter"), ("taken", "")]


def test_a_token_is_for_its_kind_and_a_revoked_one_for_nothing(site: Site) -> None:
    other, token_id = token_for(site.store, "R", "positions")
    assert site.ask(b"[1]", other)[1]["code"] == "wrong_kind"
    operations.revoke_token(site.store.control.engine, token_id, "test", NOW)
    assert site.ask(b"[1]", other)[1]["code"] == "bad_token"


def test_a_key_repeats_the_answer_and_takes_nothing_twice(site: Site) -> None:
    rows = [reading("E1", "06:00", "300"), reading("E9", "06:00", "1")]
    _, first, _ = site.push(*rows, Idempotency_Key="k1")
    before = len(waiting(site.store))
    _, second, _ = site.push(*rows, Idempotency_Key="k1")
    assert second == {**first, "replayed": True} and len(waiting(site.store)) == before
    status, third, _ = site.push(rows[0], Idempotency_Key="k1")
    assert (status, third["code"]) == (422, "key_reused")


def test_what_is_kept_of_a_token_does_not_open_the_door(site: Site) -> None:
    row = operations.find_token(site.store.control.engine, site.token_id)
    assert row and site.token.rpartition("_")[2] not in json.dumps([row.digest, row.name])
    assert site.ask(b"[1]", f"ckp_{site.token_id}_{row.digest[:43]}")[1]["code"] == "bad_token"


def test_the_description_is_served(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    connection.request("GET", "/api/v1/openapi.json")
    assert json.loads(connection.getresponse().read())["paths"].keys() == openapi()["paths"].keys()


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.hand_in("组织机构.csv", ORG)
    office.hand_in("表计台账.csv", METERS)
    publish(office.store, clock=lambda: NOW)
    return office


def test_what_was_acknowledged_survives_a_kill_and_counts_once(office: Office) -> None:
    """24 hours of E2 from 1000, one kWh an hour, and the first one again after the kill: 24 kWh, 24 of 24."""
    token, token_id = token_for(office.store, "R")
    process, port = start(office.store, COCKPIT_PUSH_PER_MINUTE="3")
    site = Site(office.store, port, token, token_id, "", process)
    hours = [reading("E2", f"{hour:02d}:00", str(1000 + hour)) for hour in range(24)]
    last = {"meter": "E2", "read_at": "2026-11-22T00:00:00+08:00", "reading": "1024"}
    assert site.push(*reversed(hours[12:]))[0] == 202
    assert site.push(*hours[:12], last)[0] == 202
    assert site.push(hours[0])[0] == 202
    status, answer, headers = site.push(hours[0])
    assert (status, answer["code"]) == (429, "too_often") and int(headers["Retry-After"]) > 0
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    fold_readings(office.store, clock=lambda: NOW)
    fold_readings(office.store, clock=lambda: NOW)
    publish(office.store, clock=lambda: NOW)
    generation = office.store.open_generation()
    rows = generation.con.execute("SELECT day, quantity, got, expected, complete, basis FROM d_meter_day").fetchall()
    generation.close()
    assert rows == [(dt.date(2026, 11, 21), Decimal(24), 24, 24, True, "push")]
    assert [batch["dataset"] for batch in office.store.control.batches()].count("meter_day") == 1


def test_tokens_are_made_listed_and_revoked_on_the_command_line(office: Office) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["tokens", *arguments, "--store", str(office.store.path)])
        return done.exit_code, done.stdout

    code, text = run("add", "能耗平台", "--node", "A")
    found = parse_token(text.strip())
    assert code == 0 and found
    row = operations.find_token(office.store.control.engine, found[0])
    assert holds(row, found[1]) and row and (row.name, row.node, row.kinds) == ("能耗平台", "A", "readings")
    listed = json.loads(run("list", "--json")[1])
    assert [one["token_id"] for one in listed] == [found[0]] and found[1] not in json.dumps(listed)
    assert run("revoke", found[0])[0] == 0
    assert not holds(operations.find_token(office.store.control.engine, found[0]), found[1])
    for wrong in (("add", "x", "--node", "ZZ"), ("add", "x", "--node", "A", "--for", "secrets"), ("revoke", found[0])):
        assert isinstance(
            CliRunner().invoke(app, ["tokens", *wrong, "--store", str(office.store.path)]).exception, UnknownName
        )
