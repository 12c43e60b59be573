"""The same pages on every kind of store: two real ones with a part of the sources, and cities of other seeds and sizes."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callbacks.language import load_texts
from callbacks.live import LiveServices
from callbacks.request import Door, answer
from callbacks.services import Viewer
from callbacks.state import ViewState
from cockpit.app import create_app
from cockpit.settings import Settings
from cockpit.worker import run_once
from metrics.catalogue import load_catalogue
from metrics.evaluate import evaluate
from metrics.model import Query
from pages.cost import PAGE as COST
from pages.data import PAGE as DATA
from pages.energy import PAGE as ENERGY
from pages.overview import PAGE as OVERVIEW
from pages.replay import PAGE as REPLAY
from pages.warnings import PAGE as WARNINGS
from tests.fakes.texts import texts_of
from warehouse.base.scope import Scope
from warehouse.store import Store

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
PAGES = (OVERVIEW, COST, ENERGY, WARNINGS, REPLAY, DATA)
SAMPLES = {"buildings": "gsa", "budgets": "ua"}
STORES = (*SAMPLES, "town")


@pytest.fixture(scope="module", params=STORES)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, build_town: Any, build_sample: Any
) -> Path:
    """A store of each kind, judged once by the worker."""
    built = build_town(11, 30, 26) if request.param == "town" else build_sample(SAMPLES[request.param])
    path = built.copied(tmp_path_factory.mktemp(request.param) / "store")
    assert all(run.ok for run in run_once(Store(path), NOW))
    return path


@pytest.fixture(scope="module")
def services(place: Path) -> LiveServices:
    return LiveServices(Store(place), clock=lambda: NOW)


@pytest.fixture(scope="module")
def address(services: LiveServices) -> Iterator[str]:
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, create_app(Settings(), services).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_reads_every_store(services: LiveServices, page: Any, language: str) -> None:
    texts = {code: load_texts(code) for code in ("zh", "en")}
    viewer = Viewer(Scope.everything(), "test")
    state = ViewState.parse(f"?lang={language}")
    found = answer(Door(services, texts, lambda: viewer), state, page.read, page.name)
    said = texts_of([value for name, value in found.items() if name != "failed"])
    assert "failed" not in found, said[:500]
    assert _root_name(services) in said


def _root_name(services: LiveServices) -> str:
    row = services.generation().con.execute(
        "SELECT name FROM d_org_unit WHERE coalesce(parent, '') = '' AND rec_to = 2147483647 LIMIT 1"
    )
    return str((row.fetchone() or [""])[0])


def test_the_boards_draw_without_error_and_ask_nobody(address: str, watch: Any) -> None:
    for path in ("/", "/wall"):
        seen = watch(address + path, 1920, 1080)
        assert seen.errors == []
        assert seen.outside == []


def test_replay_as_of_now_equals_live(place: Path) -> None:
    generation, catalogue = Store(place).open_generation(), load_catalogue()
    last = int(generation.meta["last_month"])
    root = generation.con.execute(
        "SELECT anc FROM closure WHERE rec_to = 2147483647 GROUP BY 1 ORDER BY count(DISTINCT dsc) DESC LIMIT 1"
    ).fetchone()
    assert root is not None
    months = [f"{(last - back) // 12:04d}-{(last - back) % 12 + 1:02d}" for back in (13, 0)]
    indicators = tuple(item.id for item in catalogue.written)
    for grain in ("month", "ytd", "r12"):
        boards = []
        for known_at in (None, NOW):
            query = Query(
                indicators=indicators, nodes=(root[0],), period_from=months[0], period_to=months[1], grain=grain,  # type: ignore[arg-type]
                known_at=known_at, scope=Scope.everything(), actor="test", now=NOW,
            )  # fmt: skip
            answers = evaluate(generation, catalogue, query)
            boards.append(
                [(a.indicator, a.period, a.value, a.numerator, a.denominator, a.status, a.due, a.got) for a in answers]
            )
        assert boards[0] == boards[1]
        assert any(row[2] is not None for row in boards[0])


def test_the_due_list_counts_as_the_figures_beside_it(services: LiveServices) -> None:
    catalogue, viewer, compared = load_catalogue(), Viewer(Scope.everything(), "test"), 0
    with services.open(viewer) as desk:
        tree, last = desk.tree(None, "as-was"), desk.latest_period(None)
        assert last is not None
        laid = set(desk.known.layout.themes)
        for node in (tree.root, *(child.code for child in tree.children(tree.root)[:3])):
            for due in desk.due_list(node, last, None):
                names = tuple(i.id for i in catalogue.written if laid.intersection(i.sources) == {due.dataset})
                query = Query(
                    indicators=names, nodes=(node,), period_from=last, period_to=last, grain="month",
                    scope=Scope.everything(), actor="test",
                )  # fmt: skip
                shown = [one for one in desk.evaluate([query]) if one.status not in ("no_source", "not_due")]
                assert {(one.due, one.got) for one in shown} <= {(due.due, due.got)}
                compared += len(shown)
    assert compared
