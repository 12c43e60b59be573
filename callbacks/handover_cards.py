"""One file handed in, as a card: what it was taken for, what is in doubt, what becomes of it, and what one may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from callbacks.attributes import attributes
from callbacks.desk import SourceCard
from callbacks.focus import Focus
from callbacks.language import Language
from warehouse.control import COUNTS
from warehouse.operations import handover
from warehouse.operations.handover import HandoverRow
from warehouse.preview import ORG_FAULTS
from warehouse.sight import ColumnSight, FaultSight, Preview, RowSight, SheetSight, StrangeName

LEFT_OUT = "-"
"""What a list of choices says for nothing; a blank would not be sent."""

FAULTS_SHOWN = 6
TOLD_BESIDE = ("classified",)
"""Rows passed over that did hold data; a sentence beside the counts says so."""


def card(focus: Focus, row: HandoverRow, sources: Mapping[str, SourceCard]) -> html.Section:
    """Return the card of a hand-over."""
    words = focus.words
    body: list[Any]
    if row.state == handover.RECEIVED:
        body = _returned(words, row) if row.kind == handover.RETURN else _understood(words, row, sources)
    elif row.state in handover.OPEN_STATES:
        body = [_working(words, row)]
    else:
        body = _outcome(focus, row, sources)
    source = row.preview.get("source") if row.preview and row.kind == handover.FILE else None
    return html.Section(
        [_head(words, row), *body],
        className=f"desk-card {row.state}",
        id=f"desk-{row.handover_id}",
        **attributes(data_id=row.handover_id, data_source=source or row.source or ""),
    )


def _head(words: Language, row: HandoverRow) -> html.Header:
    state = row.state
    if state == handover.RECEIVED and row.preview is not None:
        state = {"refused": "refused", "nothing": "doubtful"}.get(str(row.preview.get("status")), "received")
    return html.Header(
        [
            html.H3(row.file_name, title=row.file_name),
            html.Span(size_text(row.bytes), className="desk-size"),
            html.Span(words.moment(row.given_at), className="desk-when"),
            html.Span(words.say(f"desk.state.{state}"), className=f"desk-state {state}"),
        ]
    )


def size_text(size: int) -> str:
    """Return a number of bytes as people read it."""
    return f"{size / 2**20:,.1f} MB" if size >= 2**20 else f"{max(1, round(size / 2**10)):,} KB"


# --- what was understood, before it is accepted ----------------------------------------------------------------------


def _understood(words: Language, row: HandoverRow, sources: Mapping[str, SourceCard]) -> list[Any]:
    if row.preview is None:
        return [
            html.P(words.say("desk.unseen"), className="desk-told"),
            _buttons(words, can_accept=True, can_look=True),
        ]
    seen = Preview.parse(row.preview)
    source = sources.get(row.source or seen.source or "")
    parts: list[Any] = [_told(words, seen)]
    if seen.sheets:
        parts.append(_source_choice(words, seen, source, sources))
        parts += _column_choices(words, seen, source)
    if seen.strangers:
        parts.append(_strangers(words, seen.strangers, max(0, seen.strangers_total - len(seen.strangers))))
    asked = {one.text for one in seen.strangers if one.rows}
    faults = [fault for fault in seen.faults if fault.value not in asked or fault.code not in ORG_FAULTS]
    if faults:
        parts.append(_faults(words, faults, seen.faults_total - len(seen.faults)))
    parts += [_sheet(words, sheet, is_open=place == 0) for place, sheet in enumerate(seen.sheets) if sheet.rows]
    parts.append(_buttons(words, can_accept=seen.status != "refused"))
    return parts


def _told(words: Language, seen: Preview) -> html.Div:
    """Return the one sentence that says what would happen."""
    if seen.status == "refused":
        return html.Div(html.P(words.say("desk.told.refused")), className="desk-told refused")
    sentences = [html.P(counted(words, seen.counts, seen.titles[words.code], _span(words, seen)))]
    sentences += [html.P(one[words.code], className="desk-beside") for one in seen.beside]
    bare = {code: count for code, count in seen.skipped.items() if code not in TOLD_BESIDE}
    if bare:
        listed = words.say("list.joint").join(
            words.say("desk.part", name=_skip(words, code), count=words.count(count)) for code, count in bare.items()
        )
        sentences.append(html.P(words.say("desk.skipped", parts=listed), className="desk-aside"))
    if seen.counts.get("removed"):
        sentences.append(
            html.P(words.say("desk.removed", count=words.count(seen.counts["removed"])), className="desk-aside")
        )
    if seen.status in ("unchanged", "nothing"):
        sentences.append(html.P(words.say(f"desk.told.{seen.status}"), className="desk-aside"))
    return html.Div(sentences, className="desk-told")


def _skip(words: Language, code: str) -> str:
    return words.say(f"desk.skip.{code}") if words.has(f"desk.skip.{code}") else code


def _span(words: Language, seen: Preview) -> str:
    if seen.period_from is None:
        return ""
    first = words.period(seen.period_from, "month")
    if seen.period_to is None:
        return words.say("desk.since", first=first)
    return first if seen.period_to == seen.period_from else f"{first} — {words.period(seen.period_to, 'month')}"


def counted(words: Language, counts: Mapping[str, int], title: str, span: str = "", *, is_done: bool = False) -> str:
    """Return what would become, or became, of the rows of a file."""
    values = {name: words.count(counts.get(name, 0)) for name in COUNTS}
    told = words.say("desk.became" if is_done else "desk.would", **values)
    if is_done and counts.get("removed", 0):
        told += words.say("desk.taken_back", removed=values["removed"])
    return words.say("desk.of", title=words.say("desk.titled", title=title, span=span) if span else title, told=told)


def _source_choice(
    words: Language, seen: Preview, source: SourceCard | None, sources: Mapping[str, SourceCard]
) -> html.Label:
    """Return the list of sources, the likeliest first."""
    near = [one for one in seen.candidates if one.name in sources]
    options = [
        {
            "value": one.name,
            "label": words.say("desk.candidate", title=one.titles[words.code], known=one.known, labels=one.labels),
        }
        for one in near
    ]
    rest = sorted((one for one in sources.values() if one.name not in {c.name for c in near}), key=lambda one: one.name)
    options += [{"value": one.name, "label": one.titles[words.code]} for one in rest]
    if source is None:
        options.insert(0, {"value": LEFT_OUT, "label": words.say("desk.which")})
    return _field(words.say("desk.source"), _select(options, source.name if source else LEFT_OUT, data_desk="source"))


def _column_choices(words: Language, seen: Preview, source: SourceCard | None) -> list[Any]:
    """Return for each label what it is taken for: those in doubt open, those understood folded away."""
    if source is None:
        return []
    columns = list(
        {column.label: column for sheet in seen.sheets if sheet.is_read for column in sheet.columns}.values()
    )
    taken = {column.column for column in columns if column.column}
    missing = {fault.column for fault in seen.faults if fault.code == "missing_column"}
    doubtful = [c for c in columns if c.column is None or c.is_chosen]
    clear = [c for c in columns if c not in doubtful]
    parts: list[Any] = []
    if doubtful:
        title = words.say("desk.columns.missing" if missing else "desk.columns.left", count=words.count(len(doubtful)))
        face = [_column(words, column, source, taken) for column in doubtful]
        parts.append(
            _fold(title, html.Div(face, className="desk-columns"), is_open=bool(missing) or len(doubtful) <= 4)
        )
    if clear:
        face = [_column(words, column, source, taken) for column in clear]
        parts.append(
            _fold(
                words.say("desk.columns.clear", count=words.count(len(clear))), html.Div(face, className="desk-columns")
            )
        )
    return parts


def _column(words: Language, column: ColumnSight, source: SourceCard, taken: set[str]) -> html.Div:
    free = [(name, titles) for name, titles in source.columns if name not in taken or name == column.column]
    options = [{"value": LEFT_OUT, "label": words.say("desk.left_out")}]
    options += [{"value": name, "label": titles[words.code]} for name, titles in free]
    named = {name for name, _ in free}
    if column.column and column.column not in named:
        options.append({"value": column.column, "label": column.titles.get(words.code, column.column)})
    unit = ""
    if column.unit and column.unit_from:
        unit = words.say(f"desk.unit.{column.unit_from}", unit=_unit(words, column.unit))
    if column.stored_unit:
        unit += words.say("desk.unit.stored", unit=_unit(words, column.stored_unit))
    return html.Div(
        [
            html.Span(column.label, className="desk-label", title=column.label),
            html.Span("→", className="desk-arrow"),
            _select(
                options, column.column or LEFT_OUT, data_desk="column", data_label=column.label,
                data_was=None if column.is_chosen else column.column or LEFT_OUT,
            ),
            html.Span(unit, className="desk-unit"),
        ],
        className="desk-column",
    )  # fmt: skip


def _unit(words: Language, unit: str) -> str:
    """Return a unit of a contract as people write it; money is in the currency of the store."""
    return words.unit("元") if unit == "CNY" else unit


def _strangers(words: Language, strangers: Sequence[StrangeName], more: int) -> html.Div:
    """Return for each unknown name who may be meant; nothing is chosen until somebody chooses."""
    lines: list[Any] = []
    for one in strangers:
        options = [{"value": LEFT_OUT, "label": words.say("desk.stranger.aside")}]
        options += [{"value": code, "label": f"{name} · {code}"} for code, name in one.suggestions]
        label = words.say("desk.stranger", name=one.text, count=words.count(one.rows)) if one.rows else one.text
        lines.append(
            _field(label, _select(options, one.chosen or LEFT_OUT, data_desk="organisation", data_name=one.text))
        )
    if more:
        lines.append(html.P(words.say("desk.strangers.more", count=words.count(more)), className="desk-aside"))
    left = sum(1 for one in strangers if one.rows) + more
    settled = len(strangers) + more - left
    key = "desk.strangers" if not settled else "desk.strangers.left" if left else "desk.strangers.settled"
    title = html.H4(words.say(key, count=words.count(left), settled=words.count(settled)))
    return html.Div([title, *lines], className="desk-strangers")


def _faults(words: Language, faults: Sequence[FaultSight], more: int) -> html.Div:
    total = len(faults) + more
    shown = [html.Li(fault.texts[words.code]) for fault in faults[:FAULTS_SHOWN]]
    rest = [html.Li(fault.texts[words.code]) for fault in faults[FAULTS_SHOWN:]]
    if more > 0:
        rest.append(html.Li(words.say("desk.faults.more", count=words.count(more))))
    parts: list[Any] = [html.H4(words.say("desk.faults", count=words.count(total))), html.Ul(shown)]
    if rest:
        parts.append(_fold(words.say("desk.faults.rest", count=words.count(total - len(shown))), html.Ul(rest)))
    return html.Div(parts, className="desk-faults")


def _sheet(words: Language, sheet: SheetSight, *, is_open: bool) -> html.Details:
    name = sheet.name or words.say("desk.sheet.only")
    title = words.say(
        "desk.rows", sheet=name, row=sheet.header_row, rows=words.count(sheet.rows_in), shown=len(sheet.rows)
    )
    if not sheet.is_read:
        title = words.say("desk.rows.passed", sheet=name)
    head = html.Tr([html.Th("", className="num"), *(html.Th(one[words.code]) for one in sheet.headers), html.Th("")])
    lines = [_row(words, row) for row in sheet.rows]
    table = html.Table([html.Thead(head), html.Tbody(lines)], className="grid-table")
    return _fold(title, html.Div(table, className="desk-rows"), is_open=is_open)


def _row(words: Language, row: RowSight) -> html.Tr:
    cells = [
        html.Td(text, className="wrong" if place in row.wrong else "", title=text)
        for place, text in enumerate(row.cells)
    ]
    fate = html.Td(words.say(f"desk.fate.{row.fate}"), className=f"fate {row.fate}")
    return html.Tr([html.Td(str(row.row_no), className="num place"), *cells, fate], className=row.fate)


def _returned(words: Language, row: HandoverRow) -> list[Any]:
    """Return what a corrected return sheet would do."""
    seen: Mapping[str, Any] = row.preview or {}
    if seen.get("status") == "refused":
        told = html.Div(html.P(str(seen.get("message", ""))), className="desk-told refused")
        return [told, _buttons(words, can_accept=False)]
    counts: Mapping[str, int] = seen.get("counts", {})
    listed = [words.say(f"desk.line.{why}", count=words.count(n)) for why, n in counts.items() if n]
    sentences = [
        html.P(words.say("desk.returned")),
        html.P(words.say("list.joint").join(listed), className="desk-aside"),
    ]
    if seen.get("status") == "nothing":
        sentences.append(html.P(words.say("desk.returned.nothing"), className="desk-aside"))
    return [html.Div(sentences, className="desk-told"), _buttons(words, can_accept=seen.get("status") == "ready")]


# --- what becomes of it ----------------------------------------------------------------------------------------------


def _working(words: Language, row: HandoverRow) -> html.Div:
    return html.Div(
        [html.Div(className="desk-progress"), html.P(words.say(f"desk.working.{row.state}"))], className="desk-told"
    )


def _outcome(focus: Focus, row: HandoverRow, sources: Mapping[str, SourceCard]) -> list[Any]:
    words = focus.words
    if row.state == handover.FAILED:
        key = row.why if words.has(f"desk.why.{row.why}") else "reference" if row.why.startswith("#") else ""
        text = words.say(f"desk.why.{key}", reference=row.why) if key else row.why
        return [html.Div(html.P(text), className="desk-told refused")]
    reports = list(row.report or ())
    sentences: list[Any] = [html.P(one["message"][words.code]) for one in reports if "outcome" in one]
    loads = [one for one in reports if "outcome" not in one]
    for report in loads:
        if report["status"] == "refused" and not report.get("rows_in"):
            sentences.append(html.P(report["message"][words.code], className="refused"))
            continue
        source = sources.get(report["source"] or "")
        title = source.titles[words.code] if source else report["source"] or ""
        sentences.append(html.P(counted(words, report, title, is_done=True)))
        sentences += [html.P(one[words.code], className="desk-beside") for one in report["message"].get("beside", ())]
    links: list[Any] = []
    if any(report.get("quarantined") for report in loads):
        left = focus.session.still_waiting(row)
        sentences.append(html.P(words.say("desk.still" if left else "desk.all_mended", count=words.count(left))))
    else:
        left = 0
    if left:
        href = f"/api/v1/hand-in/{row.handover_id}/return.xlsx?lang={words.code}"
        links.append(html.A(words.say("desk.sheet"), href=href, className="act"))
        sentences.append(html.P(words.say("desk.sheet.why"), className="desk-aside"))
    batches = [report["batch_seq"] for report in loads if report["batch_seq"]]
    if batches:
        sentences.append(
            html.P(
                words.say("desk.batch", seq=words.say("list.joint").join(f"#{b}" for b in batches)),
                className="desk-aside",
            )
        )
        links.append(dcc.Link(words.say("desk.board"), href=focus.link("/"), className="plain-link"))
    return [html.Div(sentences, className="desk-told"), html.Div(links, className="desk-buttons") if links else None]


# --- parts -----------------------------------------------------------------------------------------------------------


def _buttons(words: Language, *, can_accept: bool, can_look: bool = False) -> html.Div:
    accept = html.Button(words.say("desk.accept"), className="act", type="button", disabled=not can_accept,
                         **attributes(data_desk="accept"))  # fmt: skip
    discard = html.Button(
        words.say("desk.discard"), className="plain", type="button", **attributes(data_desk="discard")
    )
    why = [] if can_accept else [html.Span(words.say("desk.not_yet"), className="desk-aside")]
    again = html.Button(words.say("desk.look"), className="plain", type="button", **attributes(data_desk="look"))
    return html.Div([accept, *([again] if can_look else []), discard, *why], className="desk-buttons")


def _field(label: str, control: Any) -> html.Label:
    return html.Label([html.Span(label, className="desk-label", title=label), control], className="desk-field")


def _select(options: Sequence[Mapping[str, str]], value: str, **marks: str | None) -> html.Div:
    """Return a list to choose from; what it is for stands on the element around it."""
    return html.Div(
        dbc.Select(options=list(options), value=value, size="sm"), className="desk-select", **attributes(**marks)
    )


def _fold(title: str, face: Any, *, is_open: bool = False) -> html.Details:
    return html.Details([html.Summary(title), face], open=is_open, className="desk-fold")
