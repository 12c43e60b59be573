"""Editions: which definitions were in force when, and their texts, kept for good.

Every publish names the fingerprint of the definitions it was computed by. Their texts lie in `catalogues/` under that
fingerprint, written once, so that a board of a past day can be computed by what was defined on that day.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.durable import write_text


@dataclass(frozen=True)
class Edition:
    """The first publish of a run of publishes by the same definitions."""

    fingerprint: str
    through_seq: int
    published_at: dt.datetime


@dataclass(frozen=True)
class Past:
    """The editions of a store, oldest first, and the folder their texts lie in."""

    editions: tuple[Edition, ...]
    folder: Path

    def at(self, through_seq: int, moment: dt.datetime) -> Edition | None:
        """Return what was in force at a moment when a batch was the last one known.

        That is the last edition published by then over no later batch. Before the first one the first holds: figures
        of those days were never shown by another.
        """
        published = [e for e in self.editions if e.published_at <= moment and e.through_seq <= through_seq]
        return published[-1] if published else next(iter(self.editions), None)

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Every definition ever in force, oldest first."""
        return tuple(dict.fromkeys(edition.fingerprint for edition in self.editions))

    def texts(self, fingerprint: str) -> Mapping[str, str] | None:
        """Return the texts of the files a catalogue was made of; None where they are not kept or cannot be read."""
        file = file_of(self.folder, fingerprint)
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))["texts"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return kept if isinstance(kept, dict) else None


def editions_of(generations: Iterable[Mapping[str, Any]]) -> tuple[Edition, ...]:
    """Return the editions of a store from the rows of its publishes, oldest first."""
    found: list[Edition] = []
    for row in generations:
        if row["catalogue"] and (not found or found[-1].fingerprint != row["catalogue"]):
            found.append(Edition(row["catalogue"], row["through_seq"], row["built_at"]))
    return tuple(found)


def file_of(folder: Path, fingerprint: str) -> Path:
    """Return where the texts of a fingerprint lie."""
    return folder / f"{fingerprint}.json"


def keep_texts(folder: Path, fingerprint: str, texts: Mapping[str, str]) -> None:
    """Keep the texts of a catalogue durably, once: what is kept is never written again."""
    file = file_of(folder, fingerprint)
    if file.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    content = {"fingerprint": fingerprint, "texts": dict(sorted(texts.items()))}
    write_text(file, json.dumps(content, ensure_ascii=False, indent=1))
