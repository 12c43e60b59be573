"""The frame around every page: brand, menu, context bar, pages, foot. A skeleton; its words arrive by callback."""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from callbacks import ids
from callbacks.attributes import attributes
from pages.spec import PageSpec, layout


def shell(pages: Sequence[PageSpec]) -> html.Div:
    """Return the whole document of the app."""
    return html.Div(
        [
            dcc.Location(id=ids.ADDRESS, refresh=False),
            dcc.Store(id=ids.SHELL_KEY),
            dcc.Store(id=ids.DEFAULTS),
            dcc.Store(id=ids.VERSION, data=0),
            html.Header([_brand(), _menu(pages), _corner()], className="top"),
            _context(),
            html.Main([layout(page) for page in pages], id="main"),
            html.Footer(id=ids.FOOTER, className="foot"),
        ],
        id="cockpit",
    )


def _brand() -> html.Div:
    return html.Div(id=ids.BRAND, className="brand")


def _menu(pages: Sequence[PageSpec]) -> html.Nav:
    links = [
        html.A("", id=ids.menu_link(page.name), href=page.path, className="menu-link") for page in pages if page.in_menu
    ]
    return html.Nav(links, className="menu", id=ids.NAVIGATION)


def _corner() -> html.Div:
    return html.Div(
        [
            html.Span(id=ids.ORIGIN, className="origin"),
            html.Button(id=ids.LANGUAGE_BUTTON, className="plain", **attributes(data_act="lang")),
            html.Button(id=ids.THEME_BUTTON, className="plain", **attributes(data_act="theme")),
        ],
        className="corner",
    )


def _context() -> html.Div:
    return html.Div(
        [
            _control("node", dcc.Dropdown(id=ids.NODE_PICKER, clearable=False, optionHeight=30, maxHeight=420)),
            _control("period", dcc.Dropdown(id=ids.PERIOD_PICKER, clearable=False, maxHeight=420)),
            _control("grain", dcc.Dropdown(id=ids.GRAIN_PICKER, clearable=False, searchable=False)),
            _control("known_at", dbc.Input(id=ids.KNOWN_PICKER, type="date", debounce=True)),
            _control("tree", dcc.Dropdown(id=ids.TREE_PICKER, clearable=False, searchable=False)),
            html.Div(id=ids.CHIPS, className="chips"),
            html.Button(id=ids.COPY_BUTTON, className="plain copy", **attributes(data_act="copy")),
        ],
        className="context",
        id="context",
    )


def _control(name: str, control: Component) -> html.Div:
    label = html.Label(id=ids.context_label(name), className="control-label")
    return html.Div([label, control], className=f"control control-{name}", **attributes(data_part=name))
