"""What came in, what is late and from whom, what was refused and why, and the handbook of indicators."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc

from callbacks import ids
from callbacks.completeness import arrival_panel, arrival_table
from callbacks.focus import Focus
from callbacks.grids import grid
from callbacks.handbook import handbook_panel
from callbacks.panels import Panel, Table, frame, number_cell, text_cell
from callbacks.request import Regions, stamp
from callbacks.services import Batch, Doubtful, Refused

PAGE = "data"
REGIONS = ("head", "due", "batches", "quarantine", "doubts", "handbook")
LIMIT = 200


def read(focus: Focus) -> Regions:
    """Return the regions of the data page."""
    words, session = focus.words, focus.session
    dues = session.due_list(focus.node.code, focus.last_month, focus.known_at)
    arrived = arrival_panel(focus, dues)
    cards = tuple(session.indicators().values())
    found = {
        "due": _listing(
            focus, "due", arrival_table(focus, dues), arrived.reading if arrived else words.say("due.none")
        ),
        "batches": _batches(focus, session.batches(LIMIT)),
        "quarantine": _quarantine(focus, session.quarantine(LIMIT)),
        "doubts": _doubts(focus, session.doubts(focus.node.code, focus.known_at, LIMIT)),
        "handbook": handbook_panel(focus, cards),
    }
    return {name: frame(panel, words, stamp(focus)) for name, panel in found.items()}


def _listing(focus: Focus, name: str, content: Table, reading: str) -> Panel:
    return Panel(
        name=name,
        title=focus.words.say(f"{name}.title"),
        sub=focus.words.say(f"{name}.sub"),
        reading=reading,
        face=grid(ids.grid(PAGE, name), content, focus.words) if content.rows else None,
        tools=(_hand_in(focus),) if name in ("due", "quarantine") else (),
        is_list=True,
    )


def _hand_in(focus: Focus) -> dcc.Link:
    """Return the way to the page where files are handed in and rows set aside come back."""
    return dcc.Link(focus.words.say("desk.go"), href=focus.link("/hand-in"), className="tool strong")


def _batches(focus: Focus, batches: Sequence[Batch]) -> Panel:
    words = focus.words
    keys = (
        "batch",
        "recorded",
        "file",
        "source",
        "span",
        "rows_in",
        "accepted",
        "unchanged",
        "quarantined",
        "skipped",
        "removed",
        "actor",
        "what",
    )
    rows = tuple(
        (
            number_cell(f"#{batch.seq}", str(batch.seq)),
            text_cell(words.moment(batch.recorded_at)),
            text_cell(batch.file_name),
            text_cell(batch.titles[words.code]),
            text_cell(span(batch)),
            *(
                number_cell(words.count(count))
                for count in (
                    batch.rows_in,
                    batch.accepted,
                    batch.unchanged,
                    batch.quarantined,
                    batch.skipped,
                    batch.removed,
                )
            ),
            text_cell(batch.actor),
            text_cell(_event(focus, batch)),
        )
        for batch in batches
    )
    content = Table(tuple(words.say(f"column.{key}") for key in keys), rows)
    if not batches:
        return _listing(focus, "batches", content, words.say("batches.none"))
    newest = batches[0]
    reading = words.say(
        "batches.reading" if newest.withdraws is None else "batches.reading.withdrawal",
        file=newest.file_name,
        moment=words.moment(newest.recorded_at),
        seq=newest.seq,
        of=newest.withdraws,
        why=newest.why,
    )
    return _listing(focus, "batches", content, reading)


def _event(focus: Focus, batch: Batch) -> str:
    """Return whether a batch brought rows or takes an earlier batch back, and why."""
    if batch.kind == "review":
        return focus.words.say("batches.review")
    if batch.withdraws is None:
        return focus.words.say("batches.load")
    return focus.words.say("batches.withdrawal", of=batch.withdraws, why=batch.why)


def span(batch: Batch) -> str:
    """Return the periods a batch speaks of."""
    same = batch.period_from == batch.period_to
    return batch.period_from if same else f"{batch.period_from}—{batch.period_to}"


def _quarantine(focus: Focus, refused: Sequence[Refused]) -> Panel:
    words = focus.words
    keys = ("file", "place", "column", "content", "reason")
    rows = tuple(
        (
            text_cell(item.file_name),
            text_cell(words.say("rows.place.sheet" if item.sheet else "rows.place", sheet=item.sheet, row=item.row_no)),
            text_cell(item.column),
            text_cell(item.value),
            text_cell(item.reasons[words.code]),
        )
        for item in refused
    )
    content = Table(tuple(words.say(f"column.{key}") for key in keys), rows)
    key = "quarantine.reading" if refused else "quarantine.none"
    return _listing(focus, "quarantine", content, words.say(key, count=words.count(len(refused))))


def _doubts(focus: Focus, doubtful: Sequence[Doubtful]) -> Panel:
    words = focus.words
    keys = ("unit", "period", "source", "file", "place", "content", "compared", "reason", "explained")
    rows = tuple(
        (
            text_cell(item.unit_name),
            text_cell(item.period),
            text_cell(item.titles[words.code]),
            text_cell(item.file_name),
            text_cell(words.say("rows.place.sheet" if item.sheet else "rows.place", sheet=item.sheet, row=item.row_no)),
            text_cell(item.value),
            text_cell(item.other),
            text_cell(item.reasons[words.code]),
            text_cell(words.say("doubts.said", why=item.explained, actor=item.explained_by) if item.explained else ""),
        )
        for item in doubtful
    )
    content = Table(tuple(words.say(f"column.{key}") for key in keys), rows)
    open_ones = sum(not item.explained for item in doubtful)
    key = "doubts.reading" if doubtful else "doubts.none"
    reading = words.say(key, count=words.count(len(doubtful)), open=words.count(open_ones))
    return _listing(focus, "doubts", content, reading)
