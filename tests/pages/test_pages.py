"""Pages are specs: their skeletons carry no data, their ids are their own, and each costs one request."""

from __future__ import annotations

import re
import sys
import types
from importlib import import_module

import orjson
import pytest

from callbacks import ids
from cockpit.app import create_app
from pages.shell import shell
from pages.spec import load_pages
from tests.fakes.services import FakeServices
from tests.fakes.texts import ids_of
from tests.journeys.serve_fake import Settings
from warehouse.base.errors import DefinitionError

PAGES = load_pages(import_module("pages"))


def test_pages_come_in_menu_order_with_titles_in_both_languages() -> None:
    assert [page.path for page in PAGES][:1] == ["/"]
    assert {"/", "/wall", "/energy", "/cost", "/replay", "/warnings", "/data"} <= {page.path for page in PAGES}
    assert all(set(page.titles) == {"zh", "en"} for page in PAGES)


def test_two_pages_with_one_path_are_refused_by_both_names(tmp_path, monkeypatch) -> None:
    text = (
        "from pages.spec import PageSpec\n"
        "PAGE = PageSpec('{n}', '/same', {o}, {{'zh': '甲', 'en': 'A'}}, ('head',), dict)\n"
    )
    (tmp_path / "one.py").write_text(text.format(n="one", o=1), encoding="utf-8")
    (tmp_path / "two.py").write_text(text.format(n="two", o=2), encoding="utf-8")
    package = types.ModuleType("made_pages")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "made_pages", package)
    with pytest.raises(DefinitionError, match="one and by two"):
        load_pages(package)


def test_no_id_stands_twice() -> None:
    found = ids_of(shell(PAGES))
    assert len(found) == len(set(found))


def test_every_callback_speaks_of_elements_that_exist() -> None:
    app = create_app(Settings(), FakeServices())
    present = set(ids_of(shell(PAGES)))
    for callback in app.callback_map.values():
        for item in [*callback["inputs"], *callback["state"]]:
            assert item["id"] in present
        output = callback["output"]
        for one in output if isinstance(output, (list, tuple)) else [output]:
            assert one is None or str(one.component_id) in present


def test_each_page_costs_one_request() -> None:
    app = create_app(Settings(), FakeServices())
    for page in PAGES:
        asking = [
            c for c in app.callback_map.values() if any(i["id"] == ids.page_state(page.name) for i in c["inputs"])
        ]
        assert len(asking) == 1


def test_skeletons_carry_no_data() -> None:
    services = FakeServices()
    app = create_app(Settings(), services)
    sent = app.server.test_client().get("/_dash-layout").data
    assert services.opened == 0
    assert orjson.loads(sent)
    assert "示范市".encode() not in sent


def test_health_readiness_and_version_answer_for_machines() -> None:
    services = FakeServices()
    client = create_app(Settings(), services).server.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    first = client.get("/api/v1/version")
    assert first.json["through_seq"] == 1284
    assert client.get("/api/v1/version", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    services.seq += 1
    assert client.get("/api/v1/version", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_an_empty_store_serves_and_is_not_ready() -> None:
    client = create_app(Settings(), FakeServices(empty=True)).server.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assert client.get("/").status_code == 200
    assert client.get("/api/v1/version").json["through_seq"] == 0


def test_the_policy_lets_nothing_out_and_allows_no_inline_script() -> None:
    response = create_app(Settings(), FakeServices()).server.test_client().get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    scripts = next(part for part in policy.split(";") if "script-src" in part)
    assert "unsafe" not in scripts
    assert "'sha256-" in scripts
    assert not re.search(r"(src|href)=.?https?:", response.get_data(as_text=True))


def test_the_actor_is_the_portals_user_only_where_a_portal_is_trusted() -> None:
    from cockpit.app import viewer_of

    app = create_app(Settings(), FakeServices())
    with app.server.test_request_context(headers={"X-User": "zhang"}):
        assert viewer_of(Settings()).actor == "local"
        assert viewer_of(Settings(trust_proxy_user="X-User")).actor == "zhang"
