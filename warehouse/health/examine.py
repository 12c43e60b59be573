"""The doctor: looks at every hash, sum and pointer of a store and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import ServerError, StoreError
from warehouse.health.agreement import check_agreement
from warehouse.health.finding import Finding, finding
from warehouse.health.generations import check_contents, check_generations, check_pointer
from warehouse.health.log import DamagedLog, Log, check_log, read_log
from warehouse.health.received import check_received
from warehouse.health.segments import check_pairs, check_segments
from warehouse.health.server import check_server
from warehouse.health.surroundings import check_surroundings
from warehouse.postgres import Address
from warehouse.publish import Builder
from warehouse.store import Store


@dataclass(frozen=True)
class Examination:
    """What was looked at and what was found."""

    store: str
    deep: bool
    batches: int
    segments: int
    received: int
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return {**asdict(self), "healthy": self.healthy}


def examine(
    store: Store, builders: Sequence[Builder] = (), *, catalogue: str = "", deep: bool = False,
    clock: Clock = system_clock, progress: Callable[[str], None] | None = None,
) -> Examination:  # fmt: skip
    """Examine a store, also beside a writer; `deep` also pairs every row and builds the projection anew."""
    _refuse_other_folders(store)
    found = list(check_surroundings(store))
    log = _log(store, found)
    if log is None:
        return Examination(str(store.path), deep, 0, 0, 0, tuple(found))
    found += check_log(log, clock())
    found += check_segments(store.segments, log)
    found += check_received(store.inbox, log, {name for name, one in store.contracts.items() if one.is_passing})
    if log.batches:
        found += check_generations(store, log, catalogue)
    found += _agreement(store)
    if deep and log.batches and not any(one.severity == "error" for one in found):
        found += _deep(store, log, builders, catalogue, found, progress)
    received = sum(1 for file in store.inbox.glob("*") if file.is_file())
    return Examination(str(store.path), deep, len(log.batches), len(log.segments), received, tuple(found))


def _refuse_other_folders(store: Store) -> None:
    if not store.path.is_dir():
        raise StoreError(
            f"没有 {store.path} 这个库。 There is no store in {store.path}.",
            f"用 --store 指明，或新建：cockpit load PATH --store {store.path} · name it with --store, or create one",
        )
    if not store.exists and not any(store.segments.glob("*/*")):
        raise StoreError(
            f"{store.path} 不是一个库。 {store.path} is not a store: it holds no control log.",
            "用 --store 指明库所在的目录 · name the folder of a store with --store",
        )


def _log(store: Store, found: list[Finding]) -> Log | None:
    place = store.log
    if isinstance(place, Path) and not place.exists():
        found.append(finding("log_missing", place))
        return None
    try:
        if isinstance(place, Address):
            found += check_server(store, place)
        return read_log(place)
    except DamagedLog as damage:
        found.append(finding("log_damaged", place, damage))
    except ServerError as away:
        found.append(finding("log_unreachable", place, away.message))
    return None


def _agreement(store: Store) -> tuple[Finding, ...]:
    try:
        return check_agreement(store)
    except DamagedLog as damage:
        return (finding("log_damaged", store.log, damage),)
    except ServerError as away:
        return (finding("log_unreachable", store.log, away.message),)


def _deep(
    store: Store, log: Log, builders: Sequence[Builder], catalogue: str, found: Sequence[Finding],
    progress: Callable[[str], None] | None,
) -> Iterator[Finding]:  # fmt: skip
    """A generation that is behind or of other definitions cannot equal a rebuild; it was found already."""
    yield from check_pairs(store.segments, log)
    if any(one.code.startswith(("generation_", "pointer_", "schema_")) for one in found):
        return
    with store.writing(tell=progress):
        moved = tuple(check_pointer(store, read_log(store.log)))  # by a load in the meantime
        yield from moved or check_contents(store, builders, catalogue)
