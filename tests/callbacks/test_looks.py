"""One palette, one place that makes charts, and charts that plotly itself accepts."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import plotly
import plotly.graph_objects as go
import pytest

from callbacks.language import Language, load_texts
from callbacks.outlook import fan
from callbacks.palette import PALETTES
from callbacks.trends import chart
from metrics.model import Query
from tests.fakes.services import FakeServices
from warehouse.base.scope import Scope

ROOT = Path(__file__).parents[2]
TOKENS = (ROOT / "assets" / "tokens.css").read_text(encoding="utf-8")
WORDS = Language("zh", load_texts("zh"))


def tokens(theme: str) -> dict[str, str]:
    start = TOKENS.index(":root {") if theme == "dark" else TOKENS.index("[data-theme=light] {")
    block = TOKENS[start : TOKENS.index("}", start)]
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})", block))


@pytest.mark.parametrize("theme", PALETTES)
def test_charts_use_the_colours_of_the_stylesheet(theme: str) -> None:
    palette, found = PALETTES[theme], tokens(theme)
    for field in fields(palette):
        assert getattr(palette, field.name) == found[field.name.replace("_", "-")], field.name


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", PALETTES)
def test_text_and_marks_can_be_read_on_their_ground(theme: str) -> None:
    ink = PALETTES[theme]
    for ground in (ink.bg, ink.panel):
        for text in (
            ink.text,
            ink.text_2,
            ink.text_3,
            ink.good,
            ink.bad,
            ink.warn_red,
            ink.warn_orange,
            ink.warn_yellow,
        ):
            assert contrast(text, ground) >= 4.5
        for mark in (ink.accent, ink.last_year, ink.warn_blue):
            assert contrast(mark, ground) >= 3


def session():
    services = FakeServices()
    return services, services.open


@pytest.mark.parametrize("theme", PALETTES)
def test_plotly_accepts_every_chart(theme: str) -> None:
    from callbacks.services import Viewer

    with FakeServices().open(Viewer(Scope.everything(), "test")) as desk:
        landing = desk.landings("R", None)[0]
        go.Figure(fan(landing, WORDS, theme))
        query = Query(
            indicators=("en_tce",), nodes=("R",), period_from="2025-01", period_to="2025-10", grain="month",
            scope=Scope.everything(), actor="test",
        )  # fmt: skip
        answers = list(desk.evaluate([query]))
    figure, unit = chart([a.period for a in answers], answers, [None, *answers[1:]], "tce", WORDS, theme)
    go.Figure(figure)
    assert unit == "tce"


def test_only_one_place_makes_charts_and_never_an_empty_one() -> None:
    for name in ("callbacks", "pages", "cockpit"):
        for path in (ROOT / name).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert "dcc.Graph(" not in text, path
            assert path.name == "figures.py" or "data_figure" not in text, path


def test_the_button_that_uploads_charts_is_off() -> None:
    from callbacks.figures import CONFIG

    assert CONFIG["showSendToCloud"] is False
    assert CONFIG["displayModeBar"] is False


def test_the_browser_gets_the_plotly_that_python_was_tried_with() -> None:
    bundle = next((ROOT / "assets").glob("*plotly-strict*"))
    head = bundle.read_text(encoding="utf-8")[:300]
    own = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    version = re.search(r"v(\d+\.\d+\.\d+)", own.read_text(encoding="utf-8")[:300])
    assert version
    assert f"v{version[1]}" in head
    assert "strict" in head
