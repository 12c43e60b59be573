"""One theme: its tiles, peers, trend, structure, projection, and the source rows at the end of the drill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from callbacks.alarms import today_panel
from callbacks.board import BOARD, MOST_TILES, Theme, read_tiles, sourced
from callbacks.focus import Focus
from callbacks.outlook import landing_panel
from callbacks.pace import pace_panel
from callbacks.panels import Panel, calm, frame, rows_of
from callbacks.request import Reader, Regions, stamp
from callbacks.services import Alarm, IndicatorCard
from callbacks.sources import rows_panel
from callbacks.structure import dimension_of, structure_panel
from callbacks.tiles import tiles
from callbacks.trends import trend_panel
from callbacks.units import peers_panel, strip_panel

REGIONS = ("head", "tiles", "panels", "rows")


def reader(theme_name: str, page: str) -> Reader:
    """Return the handler of a theme's page."""
    theme = next(theme for theme in BOARD if theme.name == theme_name)

    def read(focus: Focus) -> Regions:
        return read_theme(focus, theme, page)

    return read


def read_theme(focus: Focus, theme: Theme, page: str) -> Regions:
    """Return the regions of a theme's page."""
    names = sourced(theme, focus.session.indicators())
    words = focus.words
    if not names:
        return {
            "tiles": calm(words.say("theme.empty", name=words.say(f"theme.{theme.name}")), words.say("theme.empty.why"))
        }
    picked = focus.state.pick if focus.state.pick in names else names[0]
    alarms = theme_alarms(focus, theme)
    heads = [(theme, name) for name in shown_heads(names, picked)]
    views = read_tiles(focus, heads, alarms, by_indicator=True)
    found = panels(focus, theme, page, picked, alarms)
    return {
        "tiles": tiles(views, words, focus.state.theme, picked),
        "panels": rows_of(found, words, stamp(focus), most=2),
        "rows": frame(rows_panel(focus, theme.path, picked), words, stamp(focus)),
    }


def shown_heads(names: tuple[str, ...], picked: str) -> tuple[str, ...]:
    """Return the indicators of the tiles: the first five, and the picked one in any case."""
    first = names[:MOST_TILES]
    return first if picked in first else (*first[:-1], picked)


def theme_alarms(focus: Focus, theme: Theme) -> tuple[Alarm, ...]:
    """Return what fires below the node in one theme."""
    found = focus.session.warnings(focus.node.code, focus.known_at)
    return tuple(alarm for alarm in found if alarm.theme == theme.name)


def panels(focus: Focus, theme: Theme, page: str, picked: str, alarms: tuple[Alarm, ...]) -> list[Panel]:
    """Return the panels of a theme that have something to show."""
    cards = focus.session.indicators()
    landings = [
        item
        for item in focus.session.landings(focus.node.code, focus.known_at)
        if _of_theme(cards, item.indicator, theme)
    ]
    found = [
        peers_panel(focus, picked, theme.path),
        trend_panel(focus, page, picked),
        structure_panel(focus, structured(cards, theme, picked), theme.path),
        landing_panel(focus, page, landings),
        strip_panel(focus) if theme.name == "energy" else pace_panel(focus) if theme.name == "cost" else None,
        today_panel(focus, alarms) if alarms else None,
    ]
    return [replace(panel, weight=1.0) for panel in found if panel is not None]


def structured(cards: Mapping[str, IndicatorCard], theme: Theme, picked: str) -> str:
    """Return the indicator whose parts are shown: the picked one if it has parts, else the theme's first that has."""
    if dimension_of(cards[picked]):
        return picked
    return next((name for name in sourced(theme, cards) if dimension_of(cards[name])), picked)


def _of_theme(cards: Mapping[str, IndicatorCard], indicator: str, theme: Theme) -> bool:
    return indicator in cards and cards[indicator].theme == theme.name
