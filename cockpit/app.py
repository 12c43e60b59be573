"""The app factory: everything the running screen is made of, put together in visible order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol

from dash import Dash
from flask import Flask, Response, jsonify, request
from werkzeug.wrappers import Response as BaseResponse

from callbacks.handlers import shell as shell_handler
from callbacks.language import load_texts
from callbacks.request import Door, register_page
from callbacks.services import Services, Viewer
from callbacks.state import LANGUAGES
from cockpit.intake import Desk, add_intake
from pages.shell import shell
from pages.spec import PageSpec, load_pages
from warehouse.base.scope import Scope

ASSETS = Path(__file__).resolve().parent.parent / "assets"
POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; "
    "object-src 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
OPEN_ROUTES = ("/healthz", "/readyz")
"""What a watchdog asks without being a user."""
TOKEN_ROUTES = ("/api/v1/readings", "/api/v1/positions")
"""Where machines push; each request proves itself with a token, which no page of the web can know."""
INDEX = """<!DOCTYPE html>
<html lang="zh-CN" data-theme="dark" data-refresh="@refresh@" data-upload="@upload@">
<head>{%metas%}<title>{%title%}</title>{%favicon%}{%css%}</head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


class AppSettings(Protocol):
    """What the app must be told."""

    @property
    def trust_proxy_user(self) -> str:
        """Name of the header in which a portal in front names the viewer; empty while there is no sign-in."""
        ...

    @property
    def refresh_seconds(self) -> int:
        """How often an open page asks whether there is something new."""
        ...


def create_app(settings: AppSettings, services: Services, place: Desk | None = None) -> Dash:
    """Return the Dash app over some services; nothing else in the process is touched. Files are taken at a desk."""
    pages = load_pages(import_module("pages"))
    build = fingerprint(ASSETS.iterdir())
    server = Flask("cockpit")
    app = Dash(
        "cockpit",
        server=server,  # type: ignore[arg-type]  # dash declares bool, takes an app
        use_pages=False,
        pages_folder="",
        assets_folder=str(ASSETS),
        serve_locally=True,
        compress=False,
        title="Cockpit",
        update_title="",
        index_string=INDEX.replace("@refresh@", str(settings.refresh_seconds)).replace(
            "@upload@", str(place.most_megabytes if place else 0)
        ),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = shell(pages)
    door = Door(services, {code: load_texts(code) for code in LANGUAGES}, lambda: viewer_of(settings))
    shell_handler.register(app, door, [page.name for page in pages], menu_of(pages))
    for page in pages:
        register_page(app, door, page.name, page.regions, page.read, page.honours, is_kept=page.is_kept)
    add_guard(server, settings.trust_proxy_user)
    add_routes(server, services, build)
    if place is not None:
        add_intake(server, door, place)
    add_headers(server, POLICY.format(hashes=" ".join(app.csp_hashes())))
    return app


def menu_of(pages: Sequence[PageSpec]) -> list[tuple[str, str, dict[str, str]]]:
    """Return the pages of the menu as the frame needs them."""
    return [(page.name, page.path, dict(page.titles)) for page in pages if page.in_menu]


def viewer_of(settings: AppSettings) -> Viewer:
    """Return who asks: the portal's user where a portal is trusted, else the person at this machine."""
    header = settings.trust_proxy_user
    actor = (request.headers.get(header) or "anonymous") if header else "local"
    return Viewer(Scope.everything(), actor)


def add_guard(server: Flask, header: str) -> None:
    """Answer only whom we may: users a portal names, or, without a portal, a browser that means this machine.

    A foreign name that resolves to this machine (DNS rebinding) would let a page of the web read the figures.
    """

    @server.before_request
    def _guard() -> tuple[Response, int] | None:
        if request.path in TOKEN_ROUTES:
            return None
        if header:
            allowed = request.path in OPEN_ROUTES or bool(request.headers.get(header, "").strip())
            reason = "The portal in front did not name a user."
        else:
            allowed = host_name(request.headers.get("Host", "")) in LOCAL_HOSTS
            reason = "Open this site as http://localhost or http://127.0.0.1."
        return None if allowed else (Response(f"{reason}\n", mimetype="text/plain"), 403)


def host_name(host: str) -> str:
    """Return the name of a Host header without its port."""
    name, colon, port = host.strip().casefold().rpartition(":")
    return name if colon and port.isdecimal() else host.strip().casefold()


def fingerprint(files: Iterable[Path]) -> str:
    """Return a short text that changes when what the browser holds has changed."""
    digest = hashlib.sha256()
    for file in sorted(path for path in files if path.is_file()):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def add_routes(server: Flask, services: Services, build: str) -> None:
    """Add the addresses for machines: health, readiness, version."""

    @server.get("/healthz")
    def _healthz() -> Response:
        return jsonify(status="ok")

    @server.get("/readyz")
    def _readyz() -> tuple[Response, int]:
        ready = services.is_ready()
        return jsonify(status="ready" if ready else "no data"), 200 if ready else 503

    @server.get("/api/v1/version")
    def _version() -> BaseResponse:
        version = services.version()
        answer = jsonify(
            build=build, generation=version.generation, through_seq=version.through_seq, records=version.records
        )
        answer.set_etag(f"{build}-{version.generation}-{version.through_seq}-{version.records}")
        answer.headers["Cache-Control"] = "no-cache"
        return answer.make_conditional(request)


def add_headers(server: Flask, policy: str) -> None:
    """Add the headers that keep every request on this machine and the page out of foreign frames."""

    @server.after_request
    def _protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        return response
