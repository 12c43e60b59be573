"""HTML attributes that are no Python names (`data-*`, `aria-*`), for use as `**attributes(data_act="export")`."""

from __future__ import annotations

from typing import Any


def attributes(**values: str | None) -> Any:
    """Return the attributes with hyphens, without those that are None."""
    return {key.replace("_", "-"): value for key, value in values.items() if value is not None}
