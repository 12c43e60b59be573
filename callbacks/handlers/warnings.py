"""What fires, since when, against which threshold; every warning links to its tile as it was known then."""

from __future__ import annotations

from dash import html

from callbacks.alarms import level_counts, level_panels
from callbacks.focus import Focus
from callbacks.panels import calm, frame
from callbacks.request import Regions, stamp

REGIONS = ("head", "counts", "panels")


def read(focus: Focus) -> Regions:
    """Return the regions of the warnings page."""
    words = focus.words
    alarms = focus.session.warnings(focus.node.code, focus.known_at)
    if not alarms:
        return {"panels": calm(words.say("warnings.none"), words.say("warnings.none.why"))}
    found = [frame(panel, words, stamp(focus)) for panel in level_panels(focus, alarms)]
    return {"counts": level_counts(alarms, words), "panels": html.Div(found, className="stack")}
