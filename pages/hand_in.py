"""数据报送: hand in a file, see what was understood, correct it, get back what was set aside; how one's unit stands."""

from callbacks.handlers import hand_in
from pages.spec import PageSpec

PAGE = PageSpec(
    name=hand_in.PAGE,
    path="/hand-in",
    order=85,
    titles={"zh": "数据报送", "en": "Hand in"},
    regions=hand_in.REGIONS,
    read=hand_in.read,
    honours=("node", "period"),
    is_kept=False,
)
