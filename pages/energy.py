"""公共机构节能: kgce/m², per head, water and carbon against quota; which unit, which carrier, which row."""

from callbacks.handlers import domain
from pages.spec import PageSpec

PAGE = PageSpec(
    name="energy",
    path="/energy",
    order=30,
    titles={"zh": "公共机构节能", "en": "Energy"},
    regions=domain.REGIONS,
    read=domain.reader("energy", "energy"),
)
