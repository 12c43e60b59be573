"""A sparkline as a small picture: this year's line, last year's in pale, a dot on the last period."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from dash import html

from callbacks.palette import PALETTES

_WIDTH = 240
_HEIGHT = 44
_PAD = 5
_LEAST_SPAN = 0.05


def sparkline(
    current: Sequence[float | None], before: Sequence[float | None], theme: str, described: str
) -> html.Div | None:
    """Return the picture, or None when fewer than two periods are known."""
    known = [value for value in (*current, *before) if value is not None]
    if len([value for value in current if value is not None]) < 2:
        return None
    low, high = stretched(min(known), max(known))
    ink = PALETTES[theme]
    parts = [
        _path(before, low, high, f'stroke="{ink.last_year}" stroke-width="1.5" stroke-dasharray="3 4"'),
        _path(current, low, high, f'stroke="{ink.accent}" stroke-width="2.2"'),
    ]
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" '
        f'fill="none" stroke-linejoin="round" stroke-linecap="round">{"".join(parts)}</svg>'
    )
    image = html.Img(src=f"data:image/svg+xml,{quote(picture)}", alt=described, className="spark-line")
    last = max(index for index, value in enumerate(current) if value is not None)
    left, top = _at(last, len(current), float(current[last] or 0), low, high)
    dot = html.I(className="spark-dot", style={"left": f"{left / _WIDTH:.2%}", "top": f"{top / _HEIGHT:.2%}"})
    return html.Div([image, dot], className="spark")


def stretched(low: float, high: float) -> tuple[float, float]:
    """Return a range of at least a twentieth of the level, so that a flat series looks flat."""
    least = max(abs(low), abs(high)) * _LEAST_SPAN
    lacking = max(least - (high - low), 0.0)
    return low - lacking / 2, high + lacking / 2


def _path(values: Sequence[float | None], low: float, high: float, style: str) -> str:
    steps: list[str] = []
    pen_down = False
    for index, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        x, y = _at(index, len(values), float(value), low, high)
        steps.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = True
    return f'<path vector-effect="non-scaling-stroke" {style} d="{"".join(steps)}"/>' if steps else ""


def _at(index: int, count: int, value: float, low: float, high: float) -> tuple[float, float]:
    x = _PAD + (_WIDTH - 2 * _PAD) * (index / max(count - 1, 1))
    share = 0.5 if high == low else (value - low) / (high - low)
    return x, _HEIGHT - _PAD - share * (_HEIGHT - 2 * _PAD)
