"""What a tree of components says, as one text."""

from __future__ import annotations

from typing import Any


def texts_of(component: Any) -> str:
    """Return every text inside a component, joined by blanks."""
    if component is None:
        return ""
    if isinstance(component, str):
        return component
    if isinstance(component, (list, tuple)):
        return " ".join(texts_of(item) for item in component)
    return texts_of(getattr(component, "children", None))


def links_of(component: Any) -> list[str]:
    """Return every address a component links to."""
    if isinstance(component, (list, tuple)):
        return [link for item in component for link in links_of(item)]
    own = [component.href] if getattr(component, "href", None) else []
    return own + (links_of(component.children) if getattr(component, "children", None) is not None else [])


def ids_of(component: Any) -> list[str]:
    """Return every id inside a component."""
    if isinstance(component, (list, tuple)):
        return [found for item in component for found in ids_of(item)]
    own = [component.id] if getattr(component, "id", None) else []
    return own + (ids_of(component.children) if getattr(component, "children", None) is not None else [])
