"""大屏: the overview and the theme pages as a programme, read at four metres."""

from callbacks.handlers import wall
from pages.spec import PageSpec

PAGE = PageSpec(
    name=wall.PAGE,
    path="/wall",
    order=100,
    titles={"zh": "大屏", "en": "Wall"},
    regions=wall.REGIONS,
    read=wall.read,
)
