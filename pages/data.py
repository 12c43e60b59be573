"""数据台账: what came in, what is due and from whom, what was refused and why, what each figure means."""

from callbacks.handlers import data
from pages.spec import PageSpec

PAGE = PageSpec(
    name="data",
    path="/data",
    order=90,
    titles={"zh": "数据台账", "en": "Data"},
    regions=data.REGIONS,
    read=data.read,
    honours=("node", "period", "grain", "known_at"),
)
