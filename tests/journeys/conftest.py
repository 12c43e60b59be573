"""A browser and a server over invented figures; every foreign request and console error is kept for the tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cockpit.app import create_app
from tests.fakes.services import FakeServices
from tests.journeys.serve_fake import Settings

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Site:
    """A running app and the services it stands on."""

    address: str
    services: FakeServices


@dataclass
class Watched:
    """A page and what went wrong on it."""

    page: object
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


def serve(services: FakeServices, port: int = 0):
    """Start the app on a free port of this machine."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", port, create_app(Settings(), services).server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="session")
def running() -> Iterator[Site]:
    services = FakeServices()
    server = serve(services)
    yield Site(f"http://127.0.0.1:{server.server_port}", services)
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(running: Site) -> Site:
    """One app for all journeys, so that the browser keeps what it has loaded; its store is as new for each."""
    running.services.seq, running.services.empty = 1284, False
    return running


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium.new_context()
        chromium.close()


@pytest.fixture
def watch(browser):
    """Open a page of a size and watch it."""
    opened = []

    def _open(address: str, width: int = 1366, height: int = 768, wait: str = ".tile") -> Watched:
        page = browser.new_page()
        page.set_viewport_size({"width": width, "height": height})
        opened.append(page)
        seen = Watched(page)
        base = "/".join(address.split("/")[:3])
        page.on("console", lambda m: seen.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: seen.errors.append(str(e)))
        page.on("request", lambda r: _note(seen, r, base))
        page.goto(address)
        page.locator(f".page:not(.hidden) {wait}").first.wait_for(timeout=30_000)
        return seen

    yield _open
    for page in opened:
        page.close()


def _note(seen: Watched, request, base: str) -> None:
    if not request.url.startswith((base, "data:", "blob:")):
        seen.outside.append(request.url)
    if "_dash-update-component" in request.url:
        seen.asked.append(request.post_data or "")
