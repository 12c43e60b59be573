"""What is handed in: a folder with a manifest, a folder without one, or single files."""

from __future__ import annotations

import datetime as dt
import tomllib
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from warehouse.base.clock import DEFAULT_ZONE, parse_instant
from warehouse.base.errors import QueryError, RefusedInput
from warehouse.base.periods import FISCAL_START, Period, check_fiscal_start
from warehouse.corrections import NO_ADVICE, Advice
from warehouse.portion import PORTIONS

READABLE = (".csv", ".xlsx", ".xls", ".ods", ".parquet")
ONE_STORE = ("origin", "currency", "timezone", FISCAL_START, "country")
"""Facts in which all manifests of one call must agree."""


@dataclass(frozen=True)
class Delivery:
    """One file handed in: when it became known, for which source, over which declared months."""

    path: Path
    name: str
    source: str | None = None
    recorded_at: dt.datetime | None = None
    span: tuple[int, int] | None = None
    readable: bool = True
    advice: Advice = NO_ADVICE
    """What the one who hands it in says beside the file, and how far they reach."""
    portion: str | None = None
    """Where the delivery itself says whether it is a part or the whole of its source."""


@dataclass(frozen=True)
class Handover:
    """The deliveries of one call in the order they became known, and what the manifest says of the store."""

    deliveries: tuple[Delivery, ...]
    store: Mapping[str, str] = field(default_factory=dict)

    def advised(self, advice: Advice) -> Handover:
        """Return the same deliveries with what the one who hands them in says of all of them."""
        return replace(self, deliveries=tuple(replace(delivery, advice=advice) for delivery in self.deliveries))


def gather(
    paths: Iterable[Path], source: str | None, recorded_at: dt.datetime | None, span: tuple[int, int] | None = None
) -> Handover:
    """Collect the files behind paths; raises RefusedInput naming every path that does not exist.

    `span` are the months `[from, to)` the files cover, as the one who hands them in says.
    """
    paths = list(paths)
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise RefusedInput(f"No such file or folder: {', '.join(missing)}.", "check the spelling of the path")
    manifests = [path / "manifest.toml" for path in paths if path.is_dir() and (path / "manifest.toml").exists()]
    _refuse_options(manifests, source, recorded_at, span)
    found = {path.parent: read_manifest(path) for path in manifests}
    deliveries: list[Delivery] = []
    for path in paths:
        if path in found:
            deliveries += found[path].deliveries
        elif path.is_dir():
            files = sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
            deliveries += [_single(file, source, recorded_at, span) for file in files]
        else:
            deliveries.append(_single(path, source, recorded_at, span))
    early = dt.datetime.max.replace(tzinfo=dt.UTC)
    ordered = tuple(sorted(deliveries, key=lambda d: d.recorded_at or early))
    return Handover(ordered, _one_store({path: handover.store for path, handover in found.items()}))


def _refuse_options(
    manifests: Iterable[Path], source: str | None, recorded_at: dt.datetime | None, span: tuple[int, int] | None
) -> None:
    """A manifest says itself what its files are and when they became known; an option beside it would be lost."""
    options = (("--source", source), ("--recorded-at", recorded_at), ("--period", span))
    given = [name for name, value in options if value is not None]
    for path in manifests:
        if given:
            raise RefusedInput(
                f"{' and '.join(given)} cannot be given for {path.parent}: its manifest says it for each file.",
                f"leave the option out, or write it into {path}",
            )


def _one_store(said: Mapping[Path, Mapping[str, str]]) -> dict[str, str]:
    """Return the facts of the store; manifests of one call that contradict each other are refused."""
    facts: dict[str, str] = {}
    for store in said.values():
        facts.update(store)
    faults = []
    for key in ONE_STORE:
        values = {str(folder): store[key] for folder, store in said.items() if key in store}
        if len(set(values.values())) > 1:
            faults.append(f"{key}: " + ", ".join(f"'{value}' in {folder}" for folder, value in values.items()))
    if faults:
        raise RefusedInput(f"The manifests disagree on {'; '.join(faults)}.", "load them into stores of their own")
    return facts


def _single(path: Path, source: str | None, recorded_at: dt.datetime | None, span: tuple[int, int] | None) -> Delivery:
    return Delivery(path, path.name, source, recorded_at, span, readable=path.suffix.lower() in READABLE)


def read_manifest(path: Path) -> Handover:
    """Read a manifest: `[store]` facts and one `[[file]]` a file; all its faults come together."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise RefusedInput(f"{path} is not a manifest: {cause}.", "write it as TOML in UTF-8") from cause
    faults: list[str] = []
    store = _store_facts(data.get("store", {}), faults)
    zone = _zone(store, faults)
    begins = _fiscal_start(store, faults)
    deliveries = []
    for number, item in enumerate(_items(data.get("file", []), faults), 1):
        wrong: list[str] = []
        delivery = _delivery(path.parent, item, zone, begins, wrong)
        faults += [f"file {number}: {fault}" for fault in wrong]
        deliveries.append(delivery)
    if faults:
        raise RefusedInput(f"{path} has {len(faults)} fault(s): {'; '.join(faults)}.", "correct the manifest")
    return Handover(tuple(deliveries), store)


def _store_facts(value: object, faults: list[str]) -> dict[str, str]:
    if not isinstance(value, dict):
        faults.append(f"store = {value!r} is not a table; write [store]")
        return {}
    return {key: str(fact) for key, fact in value.items()}


def _zone(store: Mapping[str, str], faults: list[str]) -> str:
    zone = store.get("timezone", DEFAULT_ZONE)
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(f"timezone '{zone}' is unknown; write a name such as {DEFAULT_ZONE}")
        return DEFAULT_ZONE
    return zone


def _fiscal_start(store: Mapping[str, str], faults: list[str]) -> int:
    try:
        return check_fiscal_start(store.get(FISCAL_START, "1"))
    except QueryError as cause:
        faults.append(f"{cause.message} {cause.hint}")
        return 1


def _items(value: object, faults: list[str]) -> list[Mapping[str, Any]]:
    """Return the tables of `[[file]]`; anything else is a fault."""
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    shown = "[file] is one table" if isinstance(value, dict) else f"file = {value!r} is no list of tables"
    faults.append(f"{shown}; write [[file]] for each file")
    return []


def _delivery(folder: Path, item: Mapping[str, Any], zone: str, begins: int, faults: list[str]) -> Delivery:
    name = str(item.get("path", ""))
    if not name or not (folder / name).is_file():
        faults.append(f"no such file '{name}'")
    source = item.get("source")
    if source is not None and not isinstance(source, str):
        faults.append(f"source = {source!r} is not a name")
    moment, span = None, None
    try:
        moment = parse_instant(str(item["recorded_at"]), zone) if "recorded_at" in item else None
        span = _span(item, begins)
    except QueryError as cause:
        faults.append(cause.message.rstrip("."))
    portion = item.get("portion")
    if portion is not None and portion not in PORTIONS:
        faults.append(f"portion = {portion!r} is neither 'part' nor 'whole'")
    return Delivery(folder / name, name, source, moment, span, portion=portion)


def _span(item: Mapping[str, object], begins: int) -> tuple[int, int] | None:
    if "period_from" not in item:
        return None
    first = Period.parse(str(item["period_from"]), begins)
    last = Period.parse(str(item.get("period_to", item["period_from"])), begins)
    return first.from_m, last.to_m
