"""Colours for what cannot read a CSS variable: charts and sparklines. The same values as assets/tokens.css (tested)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """The colours of one theme."""

    bg: str
    panel: str
    line: str
    grid: str
    text: str
    text_2: str
    text_3: str
    accent: str
    accent_soft: str
    last_year: str
    good: str
    bad: str
    warn_red: str
    warn_orange: str
    warn_yellow: str
    warn_blue: str


PALETTES = {
    "dark": Palette(
        bg="#0d131c",
        panel="#141c28",
        line="#26324a",
        grid="#202b3d",
        text="#e9eef6",
        text_2="#a9b6c8",
        text_3="#8596b0",
        accent="#4fb3d9",
        accent_soft="#244b61",
        last_year="#6d7f9b",
        good="#5fc9a7",
        bad="#f0926b",
        warn_red="#f0625f",
        warn_orange="#f59342",
        warn_yellow="#edcb4e",
        warn_blue="#6b98f2",
    ),
    "light": Palette(
        bg="#f4f6f9",
        panel="#ffffff",
        line="#dde3ec",
        grid="#e8edf4",
        text="#17202e",
        text_2="#4d5b70",
        text_3="#5a677b",
        accent="#1477a4",
        accent_soft="#cfe6f1",
        last_year="#7f8ca1",
        good="#1b7f5f",
        bad="#b4511f",
        warn_red="#c62f2f",
        warn_orange="#a8560c",
        warn_yellow="#856500",
        warn_blue="#2b5fc4",
    ),
}


def translucent(colour: str, share: float) -> str:
    """Return a hex colour as rgba with an opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"
