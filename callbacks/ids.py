"""Every identifier of the screen; nothing else may invent one.

A region's id derives from its page and its name, so a page never spells an id out.
"""

from __future__ import annotations

ADDRESS = "address"
SHELL_KEY = "shell-key"
DEFAULTS = "shell-defaults"
VERSION = "shell-version"
NAVIGATION = "shell-navigation"
BRAND = "shell-brand"
ORIGIN = "shell-origin"
LANGUAGE_BUTTON = "shell-language"
THEME_BUTTON = "shell-theme"
COPY_BUTTON = "shell-copy"
FOOTER = "shell-footer"
NODE_PICKER = "context-node"
PERIOD_PICKER = "context-period"
GRAIN_PICKER = "context-grain"
KNOWN_PICKER = "context-known-at"
TREE_PICKER = "context-tree"
CHIPS = "context-chips"
CONTEXT_PARTS = ("node", "period", "grain", "known_at", "tree")


def context_label(part: str) -> str:
    """Id of the label of one control of the context bar."""
    return f"context-label-{part.replace('_', '-')}"


def menu_link(page: str) -> str:
    """Id of a page's link in the menu."""
    return f"menu-{page}"


def page_state(page: str) -> str:
    """Id of the store that tells a page which view to show."""
    return f"{page}-state"


def page_frame(page: str) -> str:
    """Id of the element that holds a whole page and is hidden while another is shown."""
    return f"page-{page}"


def region(page: str, name: str) -> str:
    """Id of one region of a page."""
    return f"{page}-{name}"


def graph(page: str, name: str) -> str:
    """Id of the chart inside a region; it stays the same over refreshes, so charts are redrawn in place."""
    return f"{page}-{name}-graph"


def grid(page: str, name: str) -> str:
    """Id of the large table inside a region."""
    return f"{page}-{name}-grid"
