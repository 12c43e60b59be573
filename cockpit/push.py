"""The door machines push through: a token, a body of bounded size, and an answer that says of each row what became of it.

Nothing here writes a fact. A row is on disk before it is acknowledged; the worker folds it with the next fold.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import threading
import tomllib
import zlib
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Protocol

from flask import Flask, Request, Response, jsonify, request

from cockpit.push_kinds import KINDS, PushKind, Register
from cockpit.push_rows import JSON, NDJSON, judge, rows_of
from cockpit.settings import Settings
from warehouse import operations
from warehouse.base.clock import Clock
from warehouse.live.answers import Refusal
from warehouse.live.arrivals import Arrivals
from warehouse.live.tokens import holds, parse_token
from warehouse.operations import AnswerRow, TokenRow
from warehouse.store import Generation, Store

STATUS = {
    "no_token": 401, "bad_token": 401, "wrong_kind": 403, "too_large": 413, "too_many_rows": 413, "wrong_media": 415,
    "too_often": 429, "not_ready": 503, "not_written": 503, "key_reused": 422,
}  # fmt: skip
ANSWERS_KEPT = dt.timedelta(hours=24)
LONGEST_KEY = 128
MINUTE = 60.0


class Published(Protocol):
    """Where the registers come from: the store and its published generation."""

    @property
    def store(self) -> Store: ...

    def is_ready(self) -> bool: ...

    def generation(self) -> Generation: ...


@dataclass
class Pace:
    """How often somebody came of late: so many times a minute, saved up for at most one minute."""

    per_minute: int
    left: dict[str, tuple[float, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_of(self, who: str, now: float) -> float:
        """Return the seconds somebody has to wait, 0 when they may come now."""
        with self.lock:
            left, at = self.left.get(who, (float(self.per_minute), now))
            left = min(float(self.per_minute), left + max(0.0, now - at) * self.per_minute / MINUTE)
            if left < 1:
                return (1 - left) * MINUTE / self.per_minute
            self.left[who] = (left - 1, now)
            if len(self.left) > 10_000:
                self.left.clear()
            return 0.0


@dataclass
class Door:
    """What one serving process needs to take pushes."""

    published: Published
    settings: Settings
    clock: Clock
    pace: Pace
    arrivals: dict[str, Arrivals]
    known: dict[tuple[int, str, str], Register] = field(default_factory=dict)

    def take(self, kind: PushKind, asked: Request) -> tuple[dict[str, Any], int]:
        """Answer a push; a Refusal says why nothing of it was taken."""
        token = self._token(kind, asked)
        body, media = self._body(asked)
        sha = hashlib.sha256(body).hexdigest()
        key = asked.headers.get("Idempotency-Key")
        if key is not None and (said := self._said_before(token, key, sha)) is not None:
            return {**said, "replayed": True}, 202 if said["kept"] else 422
        rows = rows_of(body, media)
        if not rows:
            raise Refusal("nothing_sent")
        if len(rows) > self.settings.push_rows:
            raise Refusal("too_many_rows", str(len(rows)), str(self.settings.push_rows))
        answer = self._judged(kind, token, rows)
        if key is not None:
            self._keep_answer(token, key, sha, answer)
        return answer, 202 if answer["kept"] else 422

    def _judged(self, kind: PushKind, token: TokenRow, rows: list[object]) -> dict[str, Any]:
        store, now = self.published.store, self.clock()
        if not self.published.is_ready():
            raise Refusal("not_ready")
        generation = self.published.generation()
        zone = zoneinfo.ZoneInfo(generation.zone)
        register = self._register(kind, token, generation, now.astimezone(zone).date())
        judged = judge(kind, rows, register, zone, now, kind.raw(store).closed_before())
        if judged.kept:
            try:
                self.arrivals[kind.name].append(
                    {"received": now.isoformat(), "token": token.token_id, "rows": judged.kept}, now
                )
            except OSError as cause:
                raise Refusal("not_written") from cause
        return {"received": len(rows), "kept": len(judged.kept), **judged.counts(), "rows": judged.rows}

    # --- who asks ----------------------------------------------------------------------------------------------------

    def _token(self, kind: PushKind, asked: Request) -> TokenRow:
        scheme, _, text = asked.headers.get("Authorization", "").partition(" ")
        self._slow_down(f"from {asked.remote_addr}", "no_token" if scheme.casefold() != "bearer" else "")
        found = parse_token(text)
        store = self.published.store
        row = operations.find_token(store.control.engine, found[0]) if found and store.exists else None
        if not holds(row, found[1] if found else "") or row is None:
            self._slow_down(f"failed {asked.remote_addr}", "bad_token")
        assert row is not None
        self._slow_down(row.token_id, "")
        if kind.name not in row.kinds.split():
            raise Refusal("wrong_kind", kind.name)
        return row

    def _slow_down(self, who: str, refusal: str) -> None:
        """Count somebody's coming; whoever comes too often is told to wait, before anything else is said."""
        wait = self.pace.wait_of(who, self.clock().timestamp())
        if wait > 0:
            raise Refusal("too_often", hint=f"{max(1, round(wait + 0.5))}")
        if refusal:
            raise Refusal(refusal)

    def _register(self, kind: PushKind, token: TokenRow, generation: Generation, today: dt.date) -> Register:
        """Return what the token may speak of, as published."""
        key = (generation.number, kind.name, token.node)
        if key not in self.known:
            asked = generation.cursor()
            nodes = nodes_below(asked, token.node, today)
            found = kind.register(asked)
            asked.close()
            self.known = {place: held for place, held in self.known.items() if place[0] == generation.number}
            self.known[key] = {name: thing for name, thing in found.items() if kind.owners(thing) & nodes}
        return self.known[key]

    # --- what is sent ------------------------------------------------------------------------------------------------

    def _body(self, asked: Request) -> tuple[bytes, str]:
        most = self.settings.push_bytes
        media = asked.mimetype or ""
        if media not in (JSON, *NDJSON) or asked.headers.get("Content-Encoding", "identity") != "identity":
            raise Refusal("wrong_media", asked.headers.get("Content-Encoding") or media)
        if (asked.content_length or 0) > most:
            raise Refusal("too_large", hint=f"{most:,} B")
        body = asked.stream.read(most + 1)
        if len(body) > most:
            raise Refusal("too_large", hint=f"{most:,} B")
        return body, media

    def _said_before(self, token: TokenRow, key: str, sha: str) -> dict[str, Any] | None:
        if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
            raise Refusal("bad_key")
        found = operations.find_answer(self.published.store.control.engine, token.token_id, key)
        if found is None or found.answered_at < self.clock() - ANSWERS_KEPT:
            return None
        if found.body_sha != sha:
            raise Refusal("key_reused", key)
        said: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(found.answer)))
        return said

    def _keep_answer(self, token: TokenRow, key: str, sha: str, answer: Mapping[str, Any]) -> None:
        now = self.clock()
        packed = base64.b64encode(zlib.compress(json.dumps(answer, ensure_ascii=False).encode())).decode()
        row = AnswerRow(token.token_id, key, sha, packed, now)
        operations.keep_answer(self.published.store.control.engine, row, now - ANSWERS_KEPT)


def nodes_below(generation: Generation, node: str, today: dt.date) -> frozenset[str]:
    """Return a node and what stands below it today, as published."""
    seq, month = generation.through_seq, today.year * 12 + today.month - 1
    rows = generation.con.execute(
        "SELECT DISTINCT dsc FROM closure WHERE anc = $node AND rec_from <= $seq AND $seq < rec_to"
        " AND from_m <= $month AND $month < to_m",
        {"node": node, "seq": seq, "month": month},
    ).fetchall()
    return frozenset(code for (code,) in rows)


def add_push(server: Flask, published: Published, settings: Settings, clock: Clock) -> None:
    """Add the addresses machines push to, and their description."""
    arrivals = {kind.name: kind.arrivals(published.store) for kind in KINDS}
    door = Door(published, settings, clock, Pace(settings.push_per_minute), arrivals)
    for kind in KINDS:
        server.add_url_rule(kind.path, f"push_{kind.name}", _view(door, kind), methods=["POST"])

    @server.get("/api/v1/openapi.json")
    def _openapi() -> Response:
        return jsonify(openapi())


def _view(door: Door, kind: PushKind) -> Callable[[], Response]:
    def view() -> Response:
        try:
            answer, status = door.take(kind, request)
        except Refusal as refusal:
            return _refused(refusal)
        response = jsonify(answer)
        response.status_code = status
        return response

    return view


def _refused(refusal: Refusal) -> Response:
    response = jsonify({"code": refusal.code, **refusal.words(), "kept": 0})
    response.status_code = STATUS.get(refusal.code, 400)
    response.headers["Connection"] = "close"
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="cockpit"'
    if refusal.code == "too_often":
        response.headers["Retry-After"] = refusal.hint
    return response


def openapi() -> dict[str, Any]:
    """Return the description of the addresses for machines."""
    return tomllib.loads((resources.files("cockpit") / "openapi.toml").read_text(encoding="utf-8"))
