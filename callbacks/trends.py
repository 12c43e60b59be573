"""An indicator over the months: this year's line, last year's in pale."""

from __future__ import annotations

from collections.abc import Sequence

from callbacks import ids
from callbacks.board import HISTORY_MONTHS, SHOWN_MONTHS, has_source
from callbacks.figures import Figure, axis, graph, layout, line
from callbacks.focus import Focus
from callbacks.language import Language
from callbacks.palette import PALETTES
from callbacks.panels import Panel, Table, number_cell, text_cell
from callbacks.services import IndicatorCard, Seam
from callbacks.tiles import direction
from metrics.model import Answer
from warehouse.base.periods import month_label


def trend_panel(focus: Focus, page: str, indicator: str, is_brief: bool = False) -> Panel | None:
    """Return the last thirteen months of an indicator beside the same months a year earlier."""
    cards, words = focus.session.indicators(), focus.words
    if not has_source(cards, indicator):
        return None
    months_asked = {"period_from": focus.months_back(HISTORY_MONTHS - 1), "period_to": focus.last_month}
    answers = focus.session.evaluate(focus.queries([indicator], grain="month", **months_asked))
    known = {answer.period: answer for answer in answers if answer.value is not None}
    months = [focus.months_back(back) for back in range(SHOWN_MONTHS - 1, -1, -1)]
    current = [known.get(month) for month in months]
    before = [
        known.get(focus.months_back(back)) for back in range(HISTORY_MONTHS - 1, HISTORY_MONTHS - 1 - len(months), -1)
    ]
    if sum(answer is not None for answer in current) < 2:
        return None
    card = cards[indicator]
    sentence = reading(current, before, words, "trend.brief" if is_brief else "trend.reading")
    figure, unit = chart(months, current, before, card.unit, words, focus.state.theme, 2 if is_brief else 1)
    mark_seams(figure, months, card, words, focus.state.theme)
    return Panel(
        name="trend",
        title=words.say("trend.title"),
        sub=words.say("trend.sub", name=card.names[words.code], unit=unit),
        reading=" ".join([sentence, *seam_sentences(months, card, words)]),
        face=graph(ids.graph(page, "trend"), figure, sentence),
        twin=twin(months, current, before, words),
        weight=1.1,
    )


def reading(
    current: Sequence[Answer | None], before: Sequence[Answer | None], words: Language, key: str = "trend.reading"
) -> str:
    """Return the newest month, its change on last year and the highest month in one sentence."""
    present = [answer for answer in current if answer is not None]
    last, top = present[-1], max(present, key=lambda answer: float(answer.value or 0))
    then = before[current.index(last)]
    values = {
        "period": words.period(last.period, "month"),
        "value": words.figure(last.value, last.unit).text,
        "top_period": words.period(top.period, "month"),
        "top": words.figure(top.value, top.unit).text,
    }
    if then is None or not then.value:
        return words.say(key, **values)
    in_points = last.unit == "%"
    now, base = float(last.value or 0), float(then.value)
    change = now - base if in_points else (now / base - 1) * 100
    size = words.points(abs(change)).lstrip("+") if in_points else words.percent(abs(change))
    return words.say(f"{key}.{direction(change)}", size=size, **values)


def twin(
    months: Sequence[str], current: Sequence[Answer | None], before: Sequence[Answer | None], words: Language
) -> Table:
    """Return the months as a table."""
    headers = (words.say("column.period"), words.say("column.this_year"), words.say("column.last_year"))
    rows = []
    for month, now, then in zip(months, current, before, strict=True):
        cells = [
            number_cell("", "")
            if a is None
            else number_cell(words.figure(a.value, a.unit).text, words.full(a.value or 0))
            for a in (now, then)
        ]
        rows.append((text_cell(words.period(month, "month")), *cells))
    return Table(headers, tuple(rows))


def chart(
    months: Sequence[str],
    current: Sequence[Answer | None],
    before: Sequence[Answer | None],
    unit: str,
    words: Language,
    theme: str,
    every: int = 1,
) -> tuple[Figure, str]:
    """Return the chart and the unit its axis is in."""
    ink = PALETTES[theme]
    values = [float(a.value or 0) for a in (*current, *before) if a is not None]
    divisor, shown_unit = words.axis_scale(max(map(abs, values)), unit)
    x = list(range(len(months)))

    def plotted(answers: Sequence[Answer | None]) -> list[float | None]:
        return [None if a is None else float(a.value or 0) / divisor for a in answers]

    def hover(answers: Sequence[Answer | None], key: str) -> list[str]:
        return ["" if a is None else words.say(key, value=words.figure(a.value, unit).text) for a in answers]

    pale = {"color": ink.last_year, "width": 1.8, "dash": "dot"}
    sizes = [0.0] * (len(x) - 1) + [9.0]
    data = [
        line(x, plotted(before), "before", ink.last_year, hover(before, "trend.hover.before"), line=pale),
        line(
            x,
            plotted(current),
            "current",
            ink.accent,
            hover(current, "trend.hover.current"),
            mode="lines+markers",
            marker={"size": sizes, "color": ink.accent, "line": {"width": 0}},
        ),
    ]
    names = [words.month_name(int(month[5:]) - 1) for month in months]
    low, high = min(values) / divisor, max(values) / divisor
    floor = 0.0 if low >= 0 and low < high * 0.35 else low - (high - low) * 0.1
    dressed = layout(
        theme,
        margin={"l": 48, "r": 14, "t": 8, "b": 26},
        xaxis=axis(
            ink, tickvals=x[::every], ticktext=names[::every], tickangle=0, showgrid=False, range=[-0.3, len(x) - 0.7]
        ),
        yaxis=axis(ink, gridded=True, range=[floor, high + (high - floor) * 0.08], nticks=6),
    )
    return {"data": data, "layout": dressed}, shown_unit


def seam_sentences(months: Sequence[str], card: IndicatorCard, words: Language) -> list[str]:
    """Return for every month shown in which the definition changed from when on, and by which document."""
    return [
        words.say("trend.seam", period=words.period(month, "month"), basis=seam.documents[words.code].rstrip("。."))
        for month, seam in _seams(months, card)
    ]


def mark_seams(figure: Figure, months: Sequence[str], card: IndicatorCard, words: Language, theme: str) -> None:
    """Draw a thin neutral line before the first month of a later definition, with the sentence to point at."""
    ink = PALETTES[theme]
    told = seam_sentences(months, card, words)
    shapes, notes = [], []
    for (month, _), sentence in zip(_seams(months, card), told, strict=True):
        place = list(months).index(month) - 0.5
        shapes.append({
            "type": "line", "xref": "x", "yref": "paper", "x0": place, "x1": place, "y0": 0, "y1": 1, "layer": "below",
            "line": {"color": ink.text_3, "width": 1},
        })  # fmt: skip
        notes.append({
            "x": place, "xref": "x", "y": 1, "yref": "paper", "yanchor": "top", "xanchor": "left", "showarrow": False,
            "text": words.say("trend.seam.mark"), "hovertext": sentence, "font": {"color": ink.text_3, "size": 12},
        })  # fmt: skip
    if shapes:
        figure["layout"] |= {"shapes": shapes, "annotations": notes}


def _seams(months: Sequence[str], card: IndicatorCard) -> list[tuple[str, Seam]]:
    """Return the months shown that begin a definition; the first of all has nothing before it to differ from."""
    found = ((month_label(seam.month), seam) for seam in card.seams)
    return [(month, seam) for month, seam in found if month in months[1:]]
