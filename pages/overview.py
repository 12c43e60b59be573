"""总览: are cost, vehicles, space, energy and services in order, and what is red?"""

from callbacks.handlers import overview
from pages.spec import PageSpec

PAGE = PageSpec(
    name=overview.PAGE,
    path="/",
    order=10,
    titles={"zh": "总览", "en": "Overview"},
    regions=("head", "tiles", "panels", "quiet"),
    read=overview.read,
)
