"""Serving: CPU of an overview refresh against a bare Dash board, memory of the process, requests an interaction costs.

The bare board is Dash on Flask with one callback. It holds the very components and figures the cockpit answered, so
what it costs is what Dash itself costs; both are asked in turn, in one process, with the request a browser sends.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import dash_ag_grid
import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, dcc, html
from flask import Flask
from flask.testing import FlaskClient

from benchmarks.report import Line
from callbacks import ids
from callbacks.services import Session, Viewer, open_services
from callbacks.state import AS_WAS
from cockpit.app import create_app
from cockpit.pipeline import rebuild
from cockpit.settings import Settings
from pages.spec import load_pages
from warehouse import operations
from warehouse.base.clock import system_clock
from warehouse.base.scope import Scope
from warehouse.store import Store

REFRESH_LIMIT = 1.2
MEMORY_LIMIT_MB = 300.0
ONE_REQUEST = 1
REFRESHES = 150
GENERATIONS = 3
NEWS = 10
UNITS = 10
ASK = "/_dash-update-component"
BOARD = ids.page_state("overview")
NAMESPACES = {
    "dash_html_components": html,
    "dash_core_components": dcc,
    "dash_bootstrap_components": dbc,
    "dash_ag_grid": dash_ag_grid,
}
BROWSER = "chromium"
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# --- the request a browser sends --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One callback as the browser sees it: what it fills, and the property that sets it off."""

    output: str
    trigger: str
    prop: str

    def body(self, search: str = "", version: int = 0) -> bytes:
        """Return the request for one view; `version` counts the refreshes of an open page."""
        asked = {
            "output": self.output,
            "outputs": [{"id": id_, "property": prop} for id_, prop in targets(self.output)],
            "inputs": [{"id": self.trigger, "property": self.prop, "value": {"search": search, "version": version}}],
            "changedPropIds": [f"{self.trigger}.{self.prop}"],
            "parsedChangedPropsIds": [f"{self.trigger}.{self.prop}"],
        }
        return json.dumps(asked).encode()


def targets(output: str) -> list[tuple[str, str]]:
    """Return the ids and properties a callback of one or several outputs fills."""
    parts = output[2:-2].split("...") if output.startswith("..") else [output]
    pairs = [part.rpartition(".") for part in parts]
    return [(id_, prop) for id_, _, prop in pairs]


def calls(dependencies: Sequence[Mapping[str, Any]]) -> dict[str, Call]:
    """Return the callbacks the server answers, by the id that sets them off."""
    on_server = [one for one in dependencies if one["clientside_function"] is None]
    found = [Call(one["output"], one["inputs"][0]["id"], one["inputs"][0]["property"]) for one in on_server]
    return {call.trigger: call for call in found}


def carries_figures(output: str, regions: frozenset[str]) -> bool:
    """Tell whether a request fills a region of a page; the frame's fills menu, labels and pickers only."""
    return any(id_ in regions for id_, _ in targets(output))


def page_regions() -> frozenset[str]:
    """Return the ids of all regions of all pages: where figures stand."""
    pages = load_pages(import_module("pages"))
    return frozenset(ids.region(page.name, name) for page in pages for name in page.regions)


# --- CPU of a refresh -------------------------------------------------------------------------------------------------


def measure_refresh(place: Path, refreshes: int = REFRESHES) -> list[Line]:
    """Return the CPU of a refresh of the open overview over that of a bare board, and of refreshes after news."""
    store = Store(place)
    ours = create_app(Settings(store=place), open_services(store)).server.test_client()
    known = calls(ours.get("/_dash-dependencies").get_json())
    board, frame = known[BOARD], known[ids.SHELL_KEY]
    answer = ours.post(ASK, data=board.body(), content_type="application/json").get_json()["response"]
    held = [dressed(answer[id_][prop]) for id_, prop in targets(board.output)]
    holds = bare_board(board, lambda: held)
    dresses = bare_board(board, lambda: [dressed(answer[id_][prop]) for id_, prop in targets(board.output)])
    same_answer(answer, (holds, dresses), board)

    rounds = [
        (cpu(ours, body), cpu(holds, body), cpu(dresses, body), cpu(ours, frame.body(version=version)))
        for version in range(refreshes)
        for body in [board.body(version=version)]
    ]
    open_board, bare, dressing, framed = (median(column) for column in zip(*rounds, strict=True))
    again = count(refreshes)
    first_time = median(cpu(ours, board.body(f"?node={unit}")) for unit in some_units(store))
    judged = median(_after(judge, store, ours, board, again) for _ in range(NEWS))
    published = median(_after(rebuild, store, ours, board, again) for _ in range(GENERATIONS))
    return [
        Line("refresh: open overview / bare one-callback Dash board", open_board / bare, REFRESH_LIMIT),
        Line("refresh: open overview / bare board that makes its components anew each time", open_board / dressing),
        Line("refresh: after the worker judged / bare board", judged / bare),
        Line("refresh: after a new generation / bare board", published / bare),
        Line("refresh: another unit, first time / bare board", first_time / bare),
        Line("refresh: the frame's own request / bare board", framed / bare),
        Line("refresh: bare board, CPU", bare * 1000, unit="ms"),
    ]


def bare_board(call: Call, read: Callable[[], list[Any]]) -> FlaskClient:
    """Return a client of a Dash app that has the same regions and one callback."""
    server = Flask("bare")
    app = Dash("bare", server=server, compress=False, assets_folder="none")  # type: ignore[arg-type]  # takes an app
    outputs = [Output(id_, prop) for id_, prop in targets(call.output)]
    app.layout = html.Div([dcc.Store(id=call.trigger), *(html.Div(id=id_) for id_, _ in targets(call.output))])

    @app.callback(outputs, Input(call.trigger, call.prop), prevent_initial_call=True)
    def _(_view: Mapping[str, Any]) -> list[Any]:
        return read()

    client = server.test_client()
    client.get("/_dash-dependencies")
    return client


def dressed(told: Any) -> Any:
    """Return what was sent as Dash components again; figures stay as they are."""
    if isinstance(told, list):
        return [dressed(item) for item in told]
    if not isinstance(told, dict) or "namespace" not in told:
        return told
    make = getattr(NAMESPACES[told["namespace"]], told["type"])
    return make(**{name: dressed(value) if name == "children" else value for name, value in told["props"].items()})


def same_answer(answer: Mapping[str, Any], boards: Sequence[FlaskClient], call: Call) -> None:
    """Make sure that the boards compared send the same figures."""
    for board in boards:
        if board.post(ASK, data=call.body(), content_type="application/json").get_json()["response"] != answer:
            raise RuntimeError("the bare board does not answer what the cockpit answers")


def cpu(client: FlaskClient, body: bytes) -> float:
    """Return the CPU seconds of this process, all threads, for one request."""
    start = time.process_time()
    answer = client.post(ASK, data=body, content_type="application/json")
    seconds = time.process_time() - start
    if answer.status_code != 200:
        raise RuntimeError(f"the board answered {answer.status_code}")
    return seconds


def judge(store: Store) -> None:
    """Note a run of the worker, as news without any new figure."""
    now = system_clock()
    operations.add_run(store.control.engine, operations.RunRow("bench", now.isoformat(), now, now, True, ""))


def _after(
    event: Callable[[Store], object], store: Store, client: FlaskClient, call: Call, again: Iterator[int]
) -> float:
    """Return the CPU of the first refresh after something happened to the store."""
    event(store)
    return cpu(client, call.body(version=next(again)))


def some_units(store: Store) -> tuple[str, ...]:
    """Return units below the root, spread over the official order."""
    with a_session(store) as session:
        tree = session.tree(None, AS_WAS)
    units = [code for code in tree.nodes if code != tree.root]
    return tuple(units[:: max(len(units) // UNITS, 1)][:UNITS])


def a_session(store: Store) -> AbstractContextManager[Session]:
    """Open a store to look up what the bench asks for."""
    return open_services(store).open(Viewer(Scope.everything(), "bench"))


# --- memory of the process --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """A running server: where it answers, and the processes behind it."""

    address: str
    arbiter: int

    @property
    def worker(self) -> int:
        """Return the process that answers."""
        return int(Path(f"/proc/{self.arbiter}/task/{self.arbiter}/children").read_text().split()[0])

    def get(self, path: str, body: bytes | None = None) -> bytes:
        """Ask once; with a body it is a POST of JSON."""
        request = urllib.request.Request(self.address + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: bytes = answer.read()
        return found


@contextmanager
def serving(place: Path) -> Iterator[Served]:
    """Serve a store with the ordinary command, on a free port, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "cockpit", "serve", "--store", str(place), "--port", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        served = Served(f"http://127.0.0.1:{port}", process.pid)
        _wait_until_ready(served, process)
        yield served
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(served: Served, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            served.get("/readyz")
            return
        except urllib.error.URLError:
            time.sleep(0.2)
    raise RuntimeError(f"the server did not answer within {seconds:g} s")


def measure_memory(place: Path, refreshes: int = 50) -> list[Line]:
    """Return what the worker of a real server holds after every page was opened and the overview refreshed."""
    with serving(place) as served:
        for path in ("/", "/_dash-layout"):
            served.get(path)
        known = calls(json.loads(served.get("/_dash-dependencies")))
        for call in known.values():
            served.get(ASK, call.body())
        for version in range(1, refreshes + 1):
            served.get(ASK, known[BOARD].body(version=version))
        pages = len(known) - 1
        told = f"every page opened ({pages}), {refreshes} refreshes"
        lines = [
            Line(f"memory: serving process, {told}", megabytes(served.worker, "VmRSS"), MEMORY_LIMIT_MB, unit="MB")
        ]
        for unit in some_units(Store(place)):
            for call in known.values():
                served.get(ASK, call.body(f"?node={unit}"))
        return [
            *lines,
            Line(f"memory: the same after every page for {UNITS} units", megabytes(served.worker, "VmRSS"), unit="MB"),
            Line("memory: its peak", megabytes(served.worker, "VmHWM"), unit="MB"),
            Line("memory: gunicorn's own process beside it", megabytes(served.arbiter, "VmRSS"), unit="MB"),
        ]


def megabytes(process: int, key: str) -> float:
    """Return a figure of a process's memory as the kernel tells it."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * 1024 / 1e6
    raise RuntimeError(f"the kernel says nothing about {key}")


# --- requests of an interaction ---------------------------------------------------------------------------------------

SHOWN = ".page:not(.hidden)"
OTHER_PAGE = ':not([href="/"]):not([href^="/?"])'


@dataclass(frozen=True)
class Ear:
    """What a browser's page has asked of the server so far: outputs of requests sent and of those answered."""

    sent: list[str]
    done: list[str]

    def settle(self, page: Any, still_ms: int = 1200, most_ms: int = 30_000) -> list[str]:
        """Wait until nothing is asked any more; return what was asked since the last time."""
        still = waited = 0
        before = -1
        while still < still_ms and waited < most_ms:
            page.wait_for_timeout(100)
            waited += 100
            still = still + 100 if len(self.sent) == before and len(self.done) == len(self.sent) else 0
            before = len(self.sent)
        asked = list(self.sent)
        self.sent.clear()
        self.done.clear()
        return asked


def listen(page: Any) -> Ear:
    """Return an ear on all the requests for data of a browser's page."""
    ear = Ear([], [])

    def note(request: Any, into: list[str]) -> None:
        if urlsplit(request.url).path == ASK:
            into.append(json.loads(request.post_data)["output"])

    page.on("request", lambda request: note(request, ear.sent))
    page.on("requestfinished", lambda request: note(request, ear.done))
    page.on("requestfailed", lambda request: note(request, ear.done))
    return ear


def interactions(day: dt.date) -> tuple[tuple[str, Callable[[Any], None]], ...]:
    """Return what a person does on one open page, in order; each changes what is shown."""
    return (
        ("unit", lambda page: pick(page, ids.NODE_PICKER)),
        ("period", lambda page: pick(page, ids.PERIOD_PICKER)),
        ("grain", lambda page: pick(page, ids.GRAIN_PICKER)),
        ("tile", lambda page: page.locator(f"{SHOWN} a.tile{OTHER_PAGE}").first.click()),
        ("tile of a theme", lambda page: page.locator(f"{SHOWN} a.tile:not(.picked)").first.click()),
        ("page", lambda page: page.locator(f".menu-link:not(.here){OTHER_PAGE}").first.click()),
        ("known at", lambda page: write(page, ids.KNOWN_PICKER, day.isoformat())),
        ("tree", lambda page: pick(page, ids.TREE_PICKER)),
        ("language", lambda page: page.locator(f"#{ids.LANGUAGE_BUTTON}").click()),
        ("theme", lambda page: page.locator(f"#{ids.THEME_BUTTON}").click()),
    )


def pick(page: Any, control: str) -> None:
    """Choose the next option of a list."""
    page.locator(f"#{control}").click()
    chosen = page.locator(".dash-options-list-option.selected + .dash-options-list-option")
    chosen.first.click()


def write(page: Any, control: str, text: str) -> None:
    """Write into a field and leave it."""
    page.locator(f"#{control}").fill(text)
    page.locator(f"#{control}").press("Enter")


def measure_requests(place: Path) -> list[Line]:
    """Return the most and the fewest data requests of one interaction in a real browser."""
    asked = record(place)
    regions = page_regions()
    data = {name: [one for one in sent if carries_figures(one, regions)] for name, sent in asked.items()}
    frame = {name: len(asked[name]) - len(found) for name, found in data.items()}
    most = max(data, key=lambda name: len(data[name]))
    fewest = min(data, key=lambda name: len(data[name]))
    heads = ", ".join(targets(one)[0][0] for one in data[most])
    return [
        Line(f"requests: most for one interaction ({most}: {heads})", len(data[most]), ONE_REQUEST, unit="n"),
        Line(
            f"requests: fewest for one interaction ({fewest})",
            len(data[fewest]),
            ONE_REQUEST,
            "n",
            at_least=True,
        ),
        Line(f"requests: of the frame, without figures ({_where(frame)})", max(frame.values()), unit="n"),
    ]


def _where(counts: Mapping[str, int]) -> str:
    return ", ".join(name for name, number in counts.items() if number) or "none"


def record(place: Path) -> dict[str, list[str]]:
    """Return the outputs asked for after each interaction of one session in headless Chromium."""
    from playwright.sync_api import sync_playwright

    with a_session(Store(place)) as session:
        day = middle_day(session)
    with serving(place) as served, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which(BROWSER), args=list(BROWSER_FLAGS))
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        ear = listen(page)
        page.goto(served.address + "/")
        page.wait_for_selector(f"{SHOWN} a.tile")
        ear.settle(page)
        found = {}
        for name, act in interactions(day):
            act(page)
            found[name] = ear.settle(page)
        browser.close()
    return found


def middle_day(session: Session) -> dt.date:
    """Return a day in the middle of what is known."""
    days = session.known_days()
    return days[len(days) // 2]
