"""Every page on every kind of store: answered in one session, and failures are one calm component."""

from __future__ import annotations

from importlib import import_module

import pytest

from callbacks.language import load_texts
from callbacks.request import Door, answer
from callbacks.services import Viewer
from callbacks.state import ViewState
from pages.spec import PageSpec, load_pages
from tests.fakes.services import FakeServices, budget_only, energy_only
from tests.fakes.texts import links_of, texts_of
from warehouse.base.scope import Scope

PAGES = load_pages(import_module("pages"))
STORES = {"city": FakeServices, "energy": energy_only, "budget": budget_only}


def door(services: FakeServices) -> Door:
    texts = {code: load_texts(code) for code in ("zh", "en")}
    return Door(services, texts, lambda: Viewer(Scope.everything(), "test"))


def page(name: str) -> PageSpec:
    return next(spec for spec in PAGES if spec.name == name)


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("spec", PAGES, ids=lambda spec: spec.name)
def test_every_page_answers_on_every_store_from_one_session(spec: PageSpec, store: str, lang: str) -> None:
    services = STORES[store]()
    found = answer(door(services), ViewState(lang=lang), spec.read, spec.name)
    assert services.opened == 1
    assert set(found) <= set(spec.regions)
    said = texts_of(list(found.values()))
    assert said.strip()
    for key in ("state.failed", "state.cannot"):
        assert load_texts(lang)[key] not in said


@pytest.mark.parametrize("spec", PAGES, ids=lambda spec: spec.name)
def test_an_empty_store_says_how_to_load(spec: PageSpec) -> None:
    found = answer(door(FakeServices(empty=True)), ViewState(), spec.read, spec.name)
    assert "cockpit load" in texts_of(found["head"])


def test_before_the_first_file_the_page_says_so() -> None:
    found = answer(door(FakeServices()), ViewState(known_at="2020-01-01"), page("overview").read, "overview")
    assert "当时还没有数据" in texts_of(found["head"])


def test_a_future_time_is_refused() -> None:
    found = answer(door(FakeServices()), ViewState(known_at="2099-01-01"), page("overview").read, "overview")
    assert "future" in texts_of(found["head"])


def test_a_failure_comes_back_with_a_reference_and_no_detail() -> None:
    def broken(_focus):
        raise RuntimeError("secret detail")

    said = texts_of(answer(door(FakeServices()), ViewState(), broken, "overview")["head"])
    assert "编号" in said
    assert "secret" not in said


def test_the_head_says_what_caliber_is_shown() -> None:
    state = ViewState.parse("?known_at=2025-06-30&tree=2025-01-01&node=NOBODY&grain=week&where=carrier%20%3D%20'heat'")
    said = texts_of(answer(door(FakeServices()), state, page("energy").read, "energy")["head"])
    for part in ("2025-06-30", "2025-01-01", "NOBODY", "grain=week", "筛选"):
        assert part in said


def test_a_page_says_what_it_cannot_honour() -> None:
    spec = page("warnings")
    state = ViewState(period="2025-06", known_at="2025-06-30")
    said = texts_of(answer(door(FakeServices()), state, spec.read, spec.name, spec.honours)["head"])
    assert "本页不受“期间”影响" in said
    assert "本页不受“数据时点”影响" not in said


def test_a_warning_links_to_its_tile_as_known_when_it_began() -> None:
    found = answer(door(FakeServices()), ViewState(), page("warnings").read, "warnings")
    links = [link for link in links_of(found["panels"]) if "node=U11" in link]
    assert links
    assert "known_at=2025-10-31" in links[0]


def test_simulated_data_is_marked_in_the_stamp_of_every_export() -> None:
    found = answer(door(FakeServices()), ViewState(), page("overview").read, "overview")
    assert "模拟数据" in found["panels"].children[0].children[0].__dict__["data-stamp"]


def test_lists_stand_in_official_order() -> None:
    found = answer(door(FakeServices()), ViewState(), page("energy").read, "energy")
    bars = texts_of(found["panels"].children[0].children[0].children[2])
    assert bars.index("市委办公室") < bars.index("教育局") < bars.index("档案馆")


def test_the_drill_ends_at_rows_whose_sum_is_said() -> None:
    found = answer(door(FakeServices()), ViewState(node="U38", pick="en_tce"), page("energy").read, "energy")
    assert "12 行合计" in texts_of(found["rows"])


def test_the_wall_keeps_projections_off_unless_switched_on() -> None:
    services = FakeServices()
    found = answer(door(services), ViewState(), page("wall").read, "wall")
    assert "全年预计" not in texts_of(found["stage"])
    texts = {code: load_texts(code) for code in ("zh", "en")}
    open_door = Door(services, texts, lambda: Viewer(Scope.everything(), "test", internal_on_wall=True))
    assert "全年预计" in texts_of(answer(open_door, ViewState(), page("wall").read, "wall")["stage"])
