"""What every page's handler gets and gives, and the one place where a failure becomes a calm component."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import Dash, Input, Output, dcc, html

from callbacks import ids
from callbacks.attributes import attributes
from callbacks.focus import Focus, resolve
from callbacks.language import Language
from callbacks.panels import calm
from callbacks.services import Services, StoreFacts, Viewer
from callbacks.state import AS_WAS, ViewState
from warehouse.base.clock import system_clock
from warehouse.base.errors import CockpitError, Forbidden, StoreError

log = logging.getLogger("cockpit.screen")

ALL_PARTS = ("node", "period", "grain", "known_at", "tree", "where")
"""The parts of the context bar."""
Regions = dict[str, Any]
Reader = Callable[[Focus], Regions]
"""A page's handler: one view in, the children of its regions out."""


@dataclass(frozen=True)
class Door:
    """What pages need from the running app: the store, the words, and who is asking."""

    services: Services
    texts: Mapping[str, Mapping[str, str]]
    viewer: Callable[[], Viewer]

    def words(self, code: str, facts: StoreFacts | None = None) -> Language:
        """Return a language with the currency and zone of the store."""
        texts = self.texts[code]
        return (
            Language(code, texts)
            if facts is None
            else Language(code, texts, facts.currency, facts.zone, facts.fiscal_start)
        )


KEPT_VIEWS = 32
"""Finished views kept per page; a view is the same for everyone with the same scope until something new is known."""


class Views:
    """The last finished views of one page, by everything they depend on."""

    def __init__(self, size: int = KEPT_VIEWS) -> None:
        self.size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, list[Any]] = OrderedDict()

    def get(self, key: Hashable) -> list[Any] | None:
        """Return a kept view and count it as fresh."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, view: list[Any]) -> None:
        """Keep a view; the one looked at longest ago goes."""
        with self._lock:
            self._kept[key] = view
            self._kept.move_to_end(key)
            while len(self._kept) > self.size:
                self._kept.popitem(last=False)


def register_page(
    app: Dash, door: Door, page: str, regions: Sequence[str], read: Reader, honours: Sequence[str] = ALL_PARTS,
    *, is_kept: bool = True,
) -> None:  # fmt: skip
    """Register the one callback of a page: its view in, all its regions out, in one data request.

    A page that shows what one person is doing is not kept: it moves without any new figure.
    """
    outputs = [Output(ids.region(page, name), "children") for name in regions]
    views = Views()

    @app.callback(outputs, Input(ids.page_state(page), "data"), prevent_initial_call=True)
    def _(data: Mapping[str, Any]) -> list[Any]:
        # the hour stands in the key because ages and due days are told in it
        viewer = door.viewer()
        key = (door.services.version(), data["search"], viewer, system_clock().strftime("%Y%m%d%H"))
        view = views.get(key)
        if view is None:
            found = answer(door, ViewState.parse(data["search"]), read, page, honours)
            view = [found.get(name) for name in regions]
            if is_kept and "failed" not in found:
                views.put(key, view)
        return view


def answer(door: Door, state: ViewState, read: Reader, page: str, honours: Sequence[str] = ALL_PARTS) -> Regions:
    """Read a page in one generation of the store; every failure comes back as one calm component."""
    words = door.words(state.lang)
    try:
        if not door.services.is_ready():
            return {"head": empty_store(words, door.services.load_hint())}
        with door.services.open(door.viewer()) as session:
            words = door.words(state.lang, session.facts)
            focus = resolve(state, session, words)
            if focus is None:
                return {"head": calm(words.say("empty.then"), words.say("empty.then.why", known_at=state.known_at))}
            return {"head": head(focus, page, honours)} | read(focus)
    except StoreError:
        return {"head": empty_store(words, door.services.load_hint())}
    except Forbidden:
        return {"head": calm(words.say("state.forbidden"), words.say("state.forbidden.why"))}
    except CockpitError as fault:
        return {"head": calm(words.say("state.cannot"), fault.message)}
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("page %s failed, reference %s", page, reference)
        return {
            "head": calm(words.say("state.failed"), words.say("state.failed.why", reference=reference)),
            "failed": reference,
        }


def empty_store(words: Language, hint: str) -> html.Div:
    """Return the page of a store without data: how to load."""
    return calm(words.say("empty.title"), words.say("empty.why"), html.Pre(hint))


def head(focus: Focus, page: str, honours: Sequence[str] = ALL_PARTS) -> html.Div:
    """Return the head of a page: the path down to the node, what is shown, and what could not be honoured."""
    words = focus.words
    path = focus.tree.path(focus.node.code)
    crumbs: list[Any] = []
    for node in path[:-1]:
        crumbs += [dcc.Link(node.name, href=focus.link(_path(page), node=node.code)), html.Span("›", className="sep")]
    notes = [html.Span(text, className="note") for text in [*notes_of(focus), *unheeded(focus, honours)]]
    return html.Div(
        [
            html.Div(crumbs, className="crumbs"),
            html.H1(focus.node.name),
            html.Span(words.period(focus.window.label, focus.grain), className="when"),
            *notes,
            *_other_state(focus, page),
        ],
        className="page-head",
        **attributes(data_stamp=stamp(focus)),
    )


def _other_state(focus: Focus, page: str) -> list[Any]:
    """Return the way from reviewed figures to reported ones and back; nothing in a store without review."""
    if not focus.session.facts.has_review:
        return []
    key, state = ("state.show.reported", "reported") if focus.shows_reviewed else ("state.show.reviewed", None)
    return [dcc.Link(focus.words.say(key), href=focus.link(_path(page), state=state), className="note state-link")]


def notes_of(focus: Focus) -> list[str]:
    """Return what the viewer must know about the caliber: as known on, tree, ignored parts, an unknown node."""
    words, state = focus.words, focus.state
    found = []
    if focus.known_at is not None:
        found.append(words.say("note.known_at", moment=words.moment(focus.known_at)))
    if state.tree != AS_WAS:
        found.append(words.say("note.tree", day=state.tree))
    if focus.session.facts.has_review:
        found.append(words.say("note.state.reviewed" if focus.shows_reviewed else "note.state.reported"))
    if state.node and state.node != focus.node.code:
        found.append(words.say("note.node", node=state.node))
    if state.where:
        found.append(words.say("note.where"))
    found += [words.say("note.ignored", text=text) for text in state.ignored]
    return found


def unheeded(focus: Focus, honours: Sequence[str]) -> list[str]:
    """Return what was chosen in the context bar but has no meaning on this page."""
    blank, words = ViewState(), focus.words
    chosen = [part for part in ALL_PARTS if getattr(focus.state, part) != getattr(blank, part)]
    return [words.say("note.unheeded", part=words.say(f"context.{part}")) for part in chosen if part not in honours]


def stamp(focus: Focus) -> str:
    """Return the line that heads every export: node, period, caliber, batch, origin."""
    words, facts = focus.words, focus.session.facts
    known = words.moment(focus.known_at) if focus.known_at else words.say("stamp.now")
    origin = words.say(f"origin.{facts.origin}")
    return words.say(
        "stamp.line",
        node=focus.node.name,
        period=words.period(focus.window.label, focus.grain),
        known_at=known,
        seq=facts.through_seq,
        origin=origin,
    ) + _stamped_state(focus)


def _stamped_state(focus: Focus) -> str:
    """Return which figures an export holds, where the store tells reviewed and reported ones apart."""
    if not focus.session.facts.has_review:
        return ""
    return focus.words.say("stamp.state.reviewed" if focus.shows_reviewed else "stamp.state.reported")


def _path(page: str) -> str:
    return "/" if page == "overview" else f"/{page}"
