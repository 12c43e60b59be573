"""预警督办: what fires, since when, and by how much."""

from callbacks.handlers import warnings
from pages.spec import PageSpec

PAGE = PageSpec(
    name="warnings",
    path="/warnings",
    order=60,
    titles={"zh": "预警督办", "en": "Warnings"},
    regions=warnings.REGIONS,
    read=warnings.read,
    honours=("node", "known_at"),
)
