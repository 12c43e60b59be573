"""What a person at a desk does, in a real browser."""

from __future__ import annotations

import re

import pytest

SIZES = [(1366, 768), (1920, 1080), (3840, 2160), (5760, 1080), (390, 844)]
PATHS = ["/", "/energy", "/cost", "/replay", "/warnings", "/data"]

CLIPPED = """() => [...document.querySelectorAll('.page:not(.hidden) .value b, .page:not(.hidden) h1, .page:not(.hidden) .change')]
    .filter(el => el.scrollWidth > el.clientWidth + 1 && getComputedStyle(el).display !== 'inline').map(el => el.textContent)"""


@pytest.mark.parametrize("path", PATHS)
def test_a_page_draws_without_error_and_without_asking_the_world(site, watch, path: str) -> None:
    seen = watch(site.address + path, wait=".panel, .tile")
    seen.page.wait_for_timeout(1500)
    assert seen.errors == []
    assert seen.outside == []
    pages = [body for body in seen.asked if '"inputs":[{"id":"shell-key"' not in body and "shell-key" not in body]
    assert len(pages) == 1


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_is_clipped_at_any_size(site, watch, size: tuple[int, int]) -> None:
    seen = watch(site.address + "/", *size)
    seen.page.wait_for_timeout(1500)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert seen.page.evaluate(CLIPPED) == []


def test_plotly_uses_the_bundle_of_the_house(site, watch) -> None:
    seen = watch(site.address + "/")
    seen.page.locator(".js-plotly-plot").first.wait_for()
    assert seen.page.evaluate("window.Plotly.version") == "4.1.1"
    assert seen.page.locator("text=WebGL is not supported").count() == 0


def test_changing_pages_keeps_the_context_and_costs_one_request(site, watch) -> None:
    seen = watch(site.address + "/?lang=en&theme=light&node=U09")
    seen.page.wait_for_timeout(800)
    before = len(seen.asked)
    seen.page.locator("#menu-energy").click()
    seen.page.locator("#page-energy .tile").first.wait_for()
    seen.page.wait_for_timeout(500)
    assert "/energy?" in seen.page.url
    assert all(part in seen.page.url for part in ("lang=en", "theme=light", "node=U09"))
    assert len(seen.asked) == before + 1


def test_the_drill_goes_from_tile_to_unit_to_rows_and_back(site, watch) -> None:
    seen = watch(site.address + "/")
    page = seen.page
    page.locator(".tile", has_text="公共机构节能").click()
    page.locator("#page-energy .bars a", has_text="教育局").first.click()
    page.locator("#page-energy .page-head h1", has_text="教育局").wait_for()
    page.locator("#page-energy .panel-rows .ag-row").first.wait_for()
    assert re.search(r"\d+ 行合计", page.locator("#page-energy .panel-rows .reading").inner_text())
    assert page.locator("#page-energy .bar-row.here").count() == 1
    page.locator("#page-energy .crumbs a").first.click()
    page.locator("#page-energy .page-head h1", has_text="示范市").wait_for()
    assert seen.errors == []


def test_a_unit_is_found_by_its_pinyin_or_code(site, watch) -> None:
    seen = watch(site.address + "/")
    page = seen.page
    page.locator("#context-node").click()
    page.locator(".dash-dropdown-search").fill("U11")
    page.locator(".dash-dropdown-option", has_text="公安局").first.click()
    page.locator("#page-overview h1", has_text="公安局").wait_for()
    assert "node=U11" in page.url


def test_as_known_on_a_day_is_chosen_shown_and_linked(site, watch) -> None:
    seen = watch(site.address + "/")
    seen.page.locator("#context-known-at").fill("2025-06-30")
    seen.page.locator("#context-known-at").blur()
    seen.page.locator(".note", has_text="2025-06-30").wait_for()
    assert "known_at=2025-06-30" in seen.page.url


def test_language_and_theme_change_in_place(site, watch) -> None:
    seen = watch(site.address + "/")
    page = seen.page
    page.locator("#shell-language").click()
    page.locator(".tile", has_text="Operating cost").first.wait_for()
    page.locator("#shell-theme").click()
    page.wait_for_timeout(800)
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert "模拟数据" not in page.locator(".top").inner_text()
    assert "Simulated data" in page.locator(".top").inner_text()


def test_the_twin_shows_the_figures_and_the_export_is_the_twin(site, watch) -> None:
    seen = watch(site.address + "/")
    page = seen.page
    panel = page.locator(".panel-pace")
    panel.locator("[data-act=twin]").click()
    shown = [row.inner_text().split("\t") for row in panel.locator(".twin tbody tr").all()]
    with page.expect_download() as caught:
        panel.locator("[data-act=export]").click()
    lines = caught.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "预算执行"
    assert "模拟数据" in lines[1]
    assert [line.split(",")[0] for line in lines[3:]] == [row[0] for row in shown]


def test_a_name_that_looks_like_a_formula_leaves_as_text(site, watch) -> None:
    seen = watch(site.address + "/")
    safe = "text => window.cockpitCsv.safe(text)"
    for text, expected in {
        "=1+1": "'=1+1",
        "+cmd": "'+cmd",
        "@sum": "'@sum",
        "-12.5": "-12.5",
        "甲,乙": '"甲,乙"',
        '=a"b': '"\'=a""b"',
    }.items():
        assert seen.page.evaluate(safe, text) == expected


def test_new_data_is_drawn_in_place(site, watch) -> None:
    seen = watch(site.address + "/")
    page = seen.page
    page.locator(".js-plotly-plot").first.wait_for()
    page.wait_for_timeout(800)
    page.evaluate("document.querySelector('.js-plotly-plot').dataset.kept = 'yes'")
    site.services.seq += 1
    page.evaluate("window.cockpitWatch.poll()")
    page.locator(".foot", has_text="1285").wait_for()
    page.wait_for_timeout(800)
    assert page.evaluate("document.querySelector('.js-plotly-plot').dataset.kept") == "yes"
    assert seen.errors == []
    assert page.locator(".js-plotly-plot .scatterlayer path.js-line").count() > 0


def test_the_day_of_a_replay_is_in_the_address(site, watch) -> None:
    seen = watch(site.address + "/replay", wait=".replay-controls")
    seen.page.locator("#replay-day").fill("2024-06-30")
    seen.page.locator("#replay-day").blur()
    seen.page.locator(".then h2", has_text="2024年6月30日").wait_for()
    assert "day=2024-06-30" in seen.page.url


def test_going_to_and_fro_keeps_no_dead_pages(site, watch) -> None:
    seen = watch(site.address + "/")
    page = seen.page
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")

    def counted() -> tuple[float, float]:
        client.send("HeapProfiler.collectGarbage")
        metrics = {m["name"]: m["value"] for m in client.send("Performance.getMetrics")["metrics"]}
        return metrics["Nodes"], metrics["JSEventListeners"]

    def round_trips(count: int) -> None:
        for _ in range(count):
            for name in ("energy", "overview"):
                page.evaluate(f"document.getElementById('menu-{name}').click()")
                page.wait_for_timeout(350)

    round_trips(6)
    nodes, listeners = counted()
    round_trips(10)
    more_nodes, more_listeners = counted()
    assert more_nodes <= nodes * 1.02
    assert more_listeners <= listeners * 1.02
