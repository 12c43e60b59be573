"""The wall: a programme that turns by itself and by keys, fits every shape, and survives the server."""

from __future__ import annotations

import pytest

from tests.fakes.services import FakeServices
from tests.journeys.conftest import serve

SHAPES = [(1920, 1080), (3840, 2160), (5760, 1080), (1080, 1920)]
SHOWN = "document.querySelector('.board.shown').dataset.board"
SPILLED = """() => [...document.querySelectorAll('.board.shown .tile, .board.shown .panel')]
    .filter(el => { const box = el.getBoundingClientRect(); return box.right > innerWidth + 1 || box.bottom > innerHeight + 1; })
    .map(el => el.className)"""
SMALL = """() => { const scale = innerHeight > innerWidth ? innerWidth / 1080 : Math.min(innerWidth / 1920, innerHeight / 1080);
    return [...document.querySelectorAll('.board.shown .tile *, .board.shown .panel *')]
    .filter(el => el.children.length === 0 && el.textContent.trim() && el.offsetParent && !el.closest('svg'))
    .filter(el => parseFloat(getComputedStyle(el).fontSize) < 17.9).map(el => el.className + ':' + el.textContent); }"""


@pytest.mark.parametrize("size", SHAPES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_shape_is_filled_and_nothing_spills(site, watch, size: tuple[int, int]) -> None:
    seen = watch(site.address + "/wall", *size, wait=".board.shown")
    seen.page.wait_for_timeout(1500)
    assert seen.page.evaluate(SPILLED) == []
    assert seen.page.evaluate(SMALL) == []
    assert seen.errors == []


def test_keys_turn_pause_and_return(site, watch) -> None:
    seen = watch(site.address + "/wall", 1920, 1080, wait=".board.shown")
    page = seen.page
    assert page.evaluate(SHOWN) == "overview"
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(SHOWN) == "cost"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(SHOWN) == "overview"
    page.wait_for_timeout(1500)
    assert "已暂停" in page.locator(".wall-next").inner_text()
    page.keyboard.press("Escape")
    page.locator("#page-overview .tile").first.wait_for()


def test_the_wall_says_how_old_it_is(site, watch) -> None:
    seen = watch(site.address + "/wall", 1920, 1080, wait=".board.shown")
    seen.page.wait_for_timeout(1500)
    assert "天前" in seen.page.locator(".board.shown .age").inner_text()


def test_the_wall_survives_the_server_and_says_when_it_is_alone(watch) -> None:
    services = FakeServices()
    server = serve(services)
    port = server.server_port
    seen = watch(f"http://127.0.0.1:{port}/wall", 1920, 1080, wait=".board.shown")
    page = seen.page
    page.wait_for_timeout(500)
    server.shutdown()
    server.server_close()
    page.evaluate("window.cockpitWatch.poll()")
    page.locator(".board.shown .age", has_text="失去联系").wait_for()
    assert page.evaluate(SHOWN) == "overview"
    services.seq = 2000
    server = serve(services, port)
    page.evaluate("window.cockpitWatch.poll()")
    page.locator(".wall-foot", has_text="#2000").wait_for()
    server.shutdown()
    server.server_close()


def test_an_empty_store_asks_for_data_and_fills_itself_when_it_comes(watch) -> None:
    services = FakeServices(empty=True)
    server = serve(services)
    seen = watch(f"http://127.0.0.1:{server.server_port}/", wait=".calm")
    page = seen.page
    assert "cockpit load" in page.locator(".calm").inner_text()
    page.evaluate("window.cockpitWatch.poll()")
    page.wait_for_timeout(500)
    services.empty = False
    page.evaluate("window.cockpitWatch.poll()")
    page.locator(".tile").first.wait_for()
    server.shutdown()
    server.server_close()
