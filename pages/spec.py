"""What a page is: a path, a place in the menu, its titles, its regions and the handler that fills them.

A layout is a skeleton without data: every page's skeleton is sent to every browser once, hidden, and stays
mounted, so that changing pages costs no request and charts are redrawn in place. Adding a page is adding a module
with a `PAGE` here; its ids derive from its name and regions.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from dash import dcc, html

from callbacks import ids
from callbacks.request import ALL_PARTS, Reader
from warehouse.base.errors import DefinitionError


@dataclass(frozen=True)
class PageSpec:
    """One page. `honours` names the parts of the context bar it can use; the head of the page names the others."""

    name: str
    path: str
    order: int
    titles: Mapping[str, str]
    regions: tuple[str, ...]
    read: Reader
    in_menu: bool = True
    honours: tuple[str, ...] = ALL_PARTS
    is_kept: bool = True
    """Its finished views serve everyone who asks the same; a page of what one person is doing is read anew."""


def layout(spec: PageSpec) -> html.Div:
    """Return the skeleton of a page: its view store and one empty element per region."""
    regions = [html.Div(id=ids.region(spec.name, name), className=f"region region-{name}") for name in spec.regions]
    return html.Div(
        [dcc.Store(id=ids.page_state(spec.name)), *regions],
        id=ids.page_frame(spec.name),
        className=f"page page-{spec.name} hidden",
    )


def load_pages(package: ModuleType) -> tuple[PageSpec, ...]:
    """Return every page of the package in menu order, or all faults at once."""
    found: dict[str, tuple[str, PageSpec]] = {}
    faults: list[str] = []
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        spec = getattr(module, "PAGE", None)
        if not isinstance(spec, PageSpec):
            continue
        for key in (f"name {spec.name}", f"path {spec.path}", f"order {spec.order}"):
            if key in found:
                faults.append(f"{key} is claimed by {found[key][0]} and by {info.name}")
            found[key] = (info.name, spec)
    if faults:
        raise DefinitionError("Pages", faults)
    specs = {spec.name: spec for _, spec in found.values()}
    return tuple(sorted(specs.values(), key=lambda spec: spec.order))
