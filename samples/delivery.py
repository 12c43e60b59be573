"""What every sample hands over: export files as csv and the manifest that says when each became known."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True)
class Handed:
    """One export file: which source it is of and when it was handed in (local time of the store)."""

    path: str
    source: str
    recorded_at: str


def plain(value: float) -> str:
    """Return the digits a float was written with: its shortest form, never with an exponent."""
    text = repr(value)
    if "e" not in text:
        return text
    return format(Decimal(text), "f")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one export as csv in UTF-8; None is a blank cell."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_manifest(folder: Path, store: Mapping[str, str], files: Iterable[Handed]) -> None:
    """Write `manifest.toml`: the facts of the store and the files in the order they were handed in."""
    lines = ["[store]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in store.items())]
    for file in files:
        lines += ["", "[[file]]", f'path = "{file.path}"', f'source = "{file.source}"']
        lines.append(f'recorded_at = "{file.recorded_at}"')
    (folder / "manifest.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
