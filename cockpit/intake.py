"""The addresses a page hands files in through: a file comes, is looked at, corrected, accepted or discarded.

A browser proves that it is on a page of ours: its Origin is this host and it bears a token only our pages hold. A
file is streamed to the desk, never held in memory; nothing is committed here, the worker does that.
"""

from __future__ import annotations

import errno
import io
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from flask import Flask, Response, jsonify, request, send_file
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from callbacks.request import Door
from callbacks.services import Viewer
from callbacks.state import LANGUAGES
from cockpit.reading import Asked, reach_of, read_apart, scope_json
from cockpit.return_sheets import rows_of_units, workbook
from warehouse import desk
from warehouse.base.clock import Clock, system_clock
from warehouse.corrections import Advice, Corrections
from warehouse.handover_rows import rows_of_handover
from warehouse.manifest import READABLE
from warehouse.operations import handover
from warehouse.operations.handover import HandoverRow
from warehouse.return_sheet import Language
from warehouse.returns import words as return_words
from warehouse.store import Store
from warehouse.waiting import WaitingRow

ADDRESS = "/api/v1/hand-in"
TOKEN_HEADER, NAME_HEADER = "X-Desk-Token", "X-File-Name"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET_ENDING = "/return.xlsx"
CHUNK = 1 << 20
MOST_OPEN = 60
"""Files of one person that wait for a decision or for the worker."""

MOST_SAID = 1 << 18
"""Bytes of what is said of a file: its corrections."""

Look = Callable[[Asked], dict[str, Any] | None]


class Refusal(Exception):
    """A request that is not answered: the status for the browser, and which sentence the person reads."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(key)
        self.status, self.key, self.values = status, key, values


@dataclass(frozen=True)
class Desk:
    """What the addresses need: the store, how large a file may be, who reads it, and whether a portal stands in front."""

    store: Store
    most_megabytes: int
    has_portal: bool = False
    clock: Clock = system_clock
    look: Look = read_apart


def add_intake(server: Flask, door: Door, place: Desk) -> None:
    """Add the addresses of the desk."""

    @server.post(ADDRESS)
    def _take() -> tuple[Response, int]:
        viewer = _known_page(place, door)
        row = _received(place, door, viewer)
        _understand(place, row)
        return jsonify(id=row.handover_id), 201

    @server.post(f"{ADDRESS}/<handover_id>")
    def _decide(handover_id: str) -> Response:
        viewer = _known_page(place, door)
        said = _said()
        row = _own(place, viewer, handover_id)
        action = {"look": _look_again, "accept": _accept, "discard": _discard}.get(str(said.get("do")))
        if action is None:
            raise Refusal(400, "unclear")
        if not action(place, row, said):
            raise Refusal(409, "settled")
        return jsonify(id=handover_id)

    @server.get(ADDRESS)
    def _marks() -> BaseResponse:
        """Tell in a few bytes whether anything of the viewer's hand-overs has moved."""
        if not place.store.exists:
            return jsonify(busy=0, mark="")
        rows = handover.handovers(place.store.control.engine, door.viewer().actor, MOST_OPEN)
        busy = sum(row.state in (handover.WAITING, handover.LOADING) for row in rows)
        return jsonify(busy=busy, mark="|".join(f"{row.handover_id[:6]}{row.state}{row.tries}" for row in rows))

    @server.get(f"{ADDRESS}/<handover_id>/return.xlsx")
    def _sheet(handover_id: str) -> Response:
        row = _own(place, door.viewer(), handover_id)
        rows = rows_of_handover(place.store.control, row)
        return _download(place, rows, _return_name(row.file_name))

    @server.get(f"{ADDRESS}/return.xlsx")
    def _sheet_of_unit() -> Response:
        node, viewer = request.args.get("node", ""), door.viewer()
        if not door.services.is_ready():
            raise Refusal(409, "no_store")
        with door.services.open(viewer) as session:
            units, with_unknown = session.units_below(node), session.owns_unknown(node)
        rows = rows_of_units(place.store, units, viewer.scope, with_unknown=with_unknown)
        return _download(place, rows, _return_name(node))

    @server.errorhandler(Refusal)
    def _refused(refusal: Refusal) -> tuple[Response, int]:
        said = {lang: door.words(lang).say(f"desk.refused.{refusal.key}", **refusal.values) for lang in LANGUAGES}
        if request.path.endswith(SHEET_ENDING):  # a link somebody follows: a person reads the answer, not a script
            own = _language()
            lines = [said[own], *(text for lang, text in said.items() if lang != own)]
            return Response("\n".join(lines) + "\n", mimetype="text/plain"), refusal.status
        return jsonify(message=said[_language()]), refusal.status


def _return_name(of: str) -> str:
    stem = desk.safe_name(of).removesuffix(Path(of).suffix)
    return f"{return_words()['explain']['title'][_language()]}-{stem}.xlsx"


def _download(place: Desk, rows: Sequence[WaitingRow], name: str) -> Response:
    if not rows:
        raise Refusal(404, "no_rows")
    content = io.BytesIO(workbook(place.store, rows, cast(Language, _language())))
    answer = send_file(content, mimetype=XLSX, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _language() -> str:
    asked = request.args.get("lang", LANGUAGES[0])
    return asked if asked in LANGUAGES else LANGUAGES[0]


# --- who asks --------------------------------------------------------------------------------------------------------


def _known_page(place: Desk, door: Door) -> Viewer:
    """Return who asks, when the request comes from a page this store served to them."""
    if not is_own_origin(dict(request.headers), has_portal=place.has_portal):
        raise Refusal(403, "origin")
    if not door.services.is_ready():
        raise Refusal(409, "no_store")
    viewer = door.viewer()
    if not desk.is_token(place.store, viewer.actor, place.clock().date(), request.headers.get(TOKEN_HEADER, "")):
        raise Refusal(403, "token")
    return viewer


def is_own_origin(headers: Mapping[str, str], *, has_portal: bool) -> bool:
    """Tell whether a request was made by a page of this host; a portal in front may have renamed the host."""
    if headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    host = urlsplit(headers.get("Origin", "")).netloc.casefold()
    known = {headers.get("Host", "").casefold()}
    if has_portal:
        known.add(headers.get("X-Forwarded-Host", "").casefold())
    return bool(host) and host in known


def _own(place: Desk, viewer: Viewer, handover_id: str) -> HandoverRow:
    """Return a hand-over of the one who asks; another's is as good as none."""
    row = handover.find_handover(place.store.control.engine, handover_id) if place.store.exists else None
    if row is None or row.actor != viewer.actor:
        raise Refusal(404, "unknown")
    return row


# --- a file comes ----------------------------------------------------------------------------------------------------


def _received(place: Desk, door: Door, viewer: Viewer) -> HandoverRow:
    """Stream the body to the desk and note it."""
    store, name = place.store, desk.safe_name(unquote(request.headers.get(NAME_HEADER, "")))
    most = place.most_megabytes << 20
    if Path(name).suffix.lower() not in READABLE:
        raise Refusal(415, "not_a_table", name=name)
    if (request.content_length or 0) > most:
        raise Refusal(413, "too_large", name=name, limit=place.most_megabytes)
    if handover.count_open(store.control.engine, viewer.actor) >= MOST_OPEN:
        raise Refusal(429, "too_many", limit=MOST_OPEN)
    handover_id = secrets.token_hex(16)
    kept = _kept(store, handover_id, name, most, place.most_megabytes)
    if not kept.bytes:
        desk.drop(store, handover_id)
        raise Refusal(422, "empty", name=name)
    try:
        with door.services.open(viewer) as session:
            reach = session.reach()
        row = HandoverRow(
            handover_id, name, kept.sha, kept.bytes, viewer.actor, place.clock(), node=request.args.get("node"),
            scope=scope_json(reach),
        )  # fmt: skip
        handover.add_handover(store.control.engine, row)
    except BaseException:
        desk.drop(store, handover_id)
        raise
    return row


def _kept(store: Store, handover_id: str, name: str, most: int, megabytes: int) -> desk.Kept:
    try:
        return desk.keep(store, handover_id, name, _chunks(), most)
    except desk.TooLarge:
        raise Refusal(413, "too_large", name=name, limit=megabytes) from None
    except OSError as cause:
        if cause.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Refusal(507, "no_room", name=name) from cause
        raise


def _chunks() -> Iterator[bytes]:
    while chunk := request.stream.read(CHUNK):
        yield chunk


# --- it is looked at and decided -------------------------------------------------------------------------------------


def _understand(place: Desk, row: HandoverRow) -> bool:
    """Read a file under what is said of it and keep what was understood."""
    corrections = Corrections.parse(row.corrections)
    path = desk.place_of(place.store, row.handover_id, row.file_name)
    advice = Advice(corrections, reach_of(row.scope))
    seen = place.look(Asked(place.store.path, path, row.source, advice, row.node, row.actor)) or {}
    return handover.understand_handover(
        place.store.control.engine, row.handover_id, seen.get("preview"), place.clock(), source=row.source,
        corrections=corrections.as_json(), kind=seen.get("kind", handover.FILE),
    )  # fmt: skip


def _look_again(place: Desk, row: HandoverRow, said: Mapping[str, Any]) -> bool:
    """Read a file again for the source that was chosen, with what was said of its labels and names."""
    if row.state != handover.RECEIVED:
        return False
    source = said.get("source") or None
    if source is not None and (not isinstance(source, str) or source not in place.store.contracts):
        raise Refusal(400, "unclear")
    return _understand(place, replace(row, source=source, corrections=Corrections.parse(said).as_json()))


def _accept(place: Desk, row: HandoverRow, _said: Mapping[str, Any]) -> bool:
    if row.preview is not None and row.preview.get("status") == "refused":
        raise Refusal(409, "not_ready", name=row.file_name)
    return handover.accept_handover(place.store.control.engine, row.handover_id, place.clock())


def _discard(place: Desk, row: HandoverRow, _said: Mapping[str, Any]) -> bool:
    done = handover.discard_handover(place.store.control.engine, row.handover_id, place.clock())
    if done:
        desk.drop(place.store, row.handover_id)
    return done


def _said() -> Mapping[str, Any]:
    """Return the small JSON object a page sends."""
    request.max_content_length = MOST_SAID  # also of a body that does not say how long it is
    try:
        said = request.get_json(silent=True)
    except (RequestEntityTooLarge, RecursionError):
        raise Refusal(400, "unclear") from None
    if not isinstance(said, dict):
        raise Refusal(400, "unclear")
    return said
