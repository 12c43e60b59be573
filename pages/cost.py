"""机关运行成本: what was spent, on what, against which plan, who is ahead of pace."""

from callbacks.handlers import domain
from pages.spec import PageSpec

PAGE = PageSpec(
    name="cost",
    path="/cost",
    order=20,
    titles={"zh": "运行成本", "en": "Cost"},
    regions=domain.REGIONS,
    read=domain.reader("cost", "cost"),
)
