"""历史回溯: what did we know on that day, and what has changed since, by which file?"""

from callbacks.handlers import replay
from pages.spec import PageSpec

PAGE = PageSpec(
    name="replay",
    path="/replay",
    order=80,
    titles={"zh": "历史回溯", "en": "Replay"},
    regions=replay.REGIONS,
    read=replay.read,
)
