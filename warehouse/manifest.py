"""What is handed in: a folder with a manifest, a folder without one, or single files."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from warehouse.base.clock import DEFAULT_ZONE, parse_instant
from warehouse.base.errors import RefusedInput
from warehouse.base.periods import Period

READABLE = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".ods", ".parquet")


@dataclass(frozen=True)
class Delivery:
    """One file handed in: when it became known, for which source, over which declared months."""

    path: Path
    name: str
    source: str | None = None
    recorded_at: dt.datetime | None = None
    span: tuple[int, int] | None = None
    readable: bool = True


@dataclass(frozen=True)
class Handover:
    """The deliveries of one call in the order they became known, and what the manifest says of the store."""

    deliveries: tuple[Delivery, ...]
    store: Mapping[str, str] = field(default_factory=dict)


def gather(paths: Iterable[Path], source: str | None, recorded_at: dt.datetime | None) -> Handover:
    """Collect the files behind paths; raises RefusedInput naming every path that does not exist."""
    paths = list(paths)
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise RefusedInput(f"No such file or folder: {', '.join(missing)}.", "check the spelling of the path")
    deliveries: list[Delivery] = []
    store: dict[str, str] = {}
    for path in paths:
        if path.is_dir() and (path / "manifest.toml").exists():
            found = read_manifest(path / "manifest.toml")
            deliveries += found.deliveries
            store.update(found.store)
        elif path.is_dir():
            files = sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
            deliveries += [_single(file, source, recorded_at) for file in files]
        else:
            deliveries.append(_single(path, source, recorded_at))
    early = dt.datetime.max.replace(tzinfo=dt.UTC)
    return Handover(tuple(sorted(deliveries, key=lambda d: d.recorded_at or early)), store)


def _single(path: Path, source: str | None, recorded_at: dt.datetime | None) -> Delivery:
    return Delivery(path, path.name, source, recorded_at, readable=path.suffix.lower() in READABLE)


def read_manifest(path: Path) -> Handover:
    """Read a manifest: `[store]` facts and one `[[file]]` a file; all its faults come together."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise RefusedInput(f"{path} is not a manifest: {cause}.", "write it as TOML in UTF-8") from cause
    store = {key: str(value) for key, value in data.get("store", {}).items()}
    zone = store.get("timezone", DEFAULT_ZONE)
    faults: list[str] = []
    deliveries: list[Delivery] = []
    for number, item in enumerate(data.get("file", ()), 1):
        file = path.parent / str(item.get("path", ""))
        if not item.get("path") or not file.is_file():
            faults.append(f"file {number}: no such file '{item.get('path', '')}'")
            continue
        moment = parse_instant(str(item["recorded_at"]), zone) if "recorded_at" in item else None
        deliveries.append(Delivery(file, str(item["path"]), item.get("source"), moment, _span(item)))
    if faults:
        raise RefusedInput(f"{path} names files that are not there: {'; '.join(faults)}.")
    return Handover(tuple(deliveries), store)


def _span(item: Mapping[str, object]) -> tuple[int, int] | None:
    if "period_from" not in item:
        return None
    first = Period.parse(str(item["period_from"]))
    last = Period.parse(str(item.get("period_to", item["period_from"])))
    return first.from_m, last.to_m
