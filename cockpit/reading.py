"""The dry run of a file in a process of its own, so that no file can take a page down or hold its memory.

Run as `python -m cockpit.reading`: what to read comes as JSON on the input, what was understood leaves as JSON.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.base.errors import RefusedInput
from warehouse.belonging import Hand
from warehouse.control import STORE_ID
from warehouse.corrections import NO_ADVICE, Advice, Corrections
from warehouse.operations import handover
from warehouse.preview import preview
from warehouse.reach import Reach
from warehouse.returned import sort_lines
from warehouse.returns import is_return_sheet, read_return_sheet
from warehouse.store import Store

PATIENCE_SECONDS = 120
log = logging.getLogger(__name__)
_one_at_a_time = threading.BoundedSemaphore(1)


@dataclass(frozen=True)
class Asked:
    """One file to be read: where it lies, for which source, with what is said beside it, for which unit, by whom."""

    store: Path
    path: Path
    source: str | None = None
    advice: Advice = NO_ADVICE
    near: str | None = None
    actor: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        reach = self.advice.reach
        return {
            "store": str(self.store),
            "path": str(self.path),
            "source": self.source,
            "corrections": self.advice.corrections.as_json(),
            "scope": scope_json(reach),
            "near": self.near,
            "actor": self.actor,
        }

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Asked:
        """Read what `as_json` wrote."""
        advice = Advice(Corrections.parse(data["corrections"]), reach_of(data["scope"]))
        return cls(Path(data["store"]), Path(data["path"]), data["source"], advice, data["near"], data["actor"])


def scope_json(reach: Reach) -> dict[str, list[str] | None]:
    """Return a reach as plain values."""
    return {
        "units": None if reach.units is None else sorted(reach.units),
        "themes": None if reach.themes is None else sorted(reach.themes),
    }


def reach_of(data: Mapping[str, Any]) -> Reach:
    """Read what `scope_json` wrote."""
    units, themes = data.get("units"), data.get("themes")
    return Reach(None if units is None else frozenset(units), None if themes is None else frozenset(themes))


def read_apart(asked: Asked) -> dict[str, Any] | None:
    """Return kind and preview of a file, read in a process of its own; None when it could not be read in time."""
    with _one_at_a_time:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "cockpit.reading"], input=json.dumps(asked.as_json()), capture_output=True,
                text=True, timeout=PATIENCE_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            log.warning("%s was not understood within %d s", asked.path.name, PATIENCE_SECONDS)
            return None
    if done.returncode:
        log.warning("%s ended its reader: %s", asked.path.name, done.stderr.strip().rpartition("\n")[2])
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def read(asked: Asked) -> dict[str, Any]:
    """Return what a file is, and what was understood of it."""
    store = Store(asked.store)
    if is_return_sheet(asked.path):
        return {"kind": handover.RETURN, "preview": read_returned(store, asked)}
    found = preview(store, asked.path, source=asked.source, advice=asked.advice, near=asked.near)
    return {"kind": handover.FILE, "preview": found.as_json()}


def read_returned(store: Store, asked: Asked) -> dict[str, Any]:
    """Return how many lines of a return sheet would be handed in again, discarded or left alone, and why."""
    try:
        sheet = read_return_sheet(asked.path)
        hand = Hand.of(store.control, asked.advice.reach, asked.actor)
        found = sort_lines(sheet, store.control, store.control.meta().get(STORE_ID, ""), store.contracts, hand)
    except RefusedInput as refusal:
        return {"status": "refused", "message": refusal.message}
    counts = {"again": len(found.again), "discarded": len(found.discarded)}
    counts |= {why: len(lines) for why, lines in found.left.items()}
    return {"status": "ready" if found.again or found.discarded else "nothing", "counts": counts}


def main() -> None:
    """Read one file and print what was understood."""
    json.dump(read(Asked.parse(json.load(sys.stdin))), sys.stdout, ensure_ascii=True, default=str)


if __name__ == "__main__":
    main()
