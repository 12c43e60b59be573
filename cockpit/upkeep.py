"""Upkeep of a store that runs for years: rebase what is due, publish from it, and let go of what nobody can need."""

from __future__ import annotations

import datetime as dt
import logging
import zoneinfo
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cockpit.pipeline import made_by, rebuild
from cockpit.settings import Settings
from warehouse import operations
from warehouse.base.clock import DEFAULT_ZONE, Clock, system_clock
from warehouse.base.errors import CockpitError, StoreBusy
from warehouse.compaction import Policy, Rebased, compact
from warehouse.drill import Drill, drill, published_sums
from warehouse.operations import RunRow
from warehouse.retention import Removed, drop_replaced
from warehouse.store import Store

log = logging.getLogger(__name__)

JOB = "compaction"
NIGHT = dt.time(1, 30)
"""Local time from which a night's upkeep is due: after the daily snapshot, before anybody loads."""


@dataclass(frozen=True)
class Upkeep:
    """What was rebased, what left the disk, and the generation that is published now."""

    rebased: tuple[Rebased, ...]
    removed: Removed
    generation: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values for printing."""
        return asdict(self)


def policy_of(settings: Settings) -> Policy:
    """Return the policy a deployment has set."""
    return Policy(settings.compact_segments, settings.compact_share, settings.keep_replaced_days)


def keep_up(
    store: Store, policy: Policy, *, everything: bool = False, clock: Clock = system_clock,
    progress: Callable[[str], None] | None = None,
) -> Upkeep:  # fmt: skip
    """Rebase what is due, publish, and remove replaced segments whose days are over."""
    rebased = compact(store, policy, everything=everything, clock=clock, progress=progress)
    number = rebuild(store, clock=clock, progress=progress, force=False)
    with store.writing(tell=progress):
        removed = drop_replaced(store, policy.kept_days, clock())
    return Upkeep(rebased, removed, number)


def drill_backup(folder: Path, *, progress: Callable[[str], None] | None = None) -> Drill:
    """Bring a backup back into a temporary folder and compare its figures, with the definitions that stand in it."""
    builders, catalogue = made_by(Store(folder))
    return drill(folder, builders, catalogue=catalogue, progress=progress)


def differing_tables(one: Store, other: Store) -> tuple[str, ...]:
    """Return the tables in which the published figures of two stores differ; nothing where one has none."""
    sums = [published_sums(store) for store in (one, other)]
    if sums[0] is None or sums[1] is None or any(sums[0][key] != sums[1][key] for key in ("through_seq", "catalogue")):
        return ()
    before, after = sums[0]["everything"], sums[1]["everything"]
    return tuple(name for name in sorted({*before, *after} - {"meta"}) if before.get(name) != after.get(name))


def tend_nightly(store: Store, policy: Policy, now: dt.datetime) -> RunRow | None:
    """Do a night's upkeep once; what fails is noted and tried again, and stops nothing else."""
    zone = zoneinfo.ZoneInfo(store.control.meta().get("timezone", DEFAULT_ZONE))
    local = now.astimezone(zone)
    night, engine = f"{local:%Y-%m-%d}", store.control.engine
    if local.time() < NIGHT or operations.is_done(engine, JOB, night):
        return None
    try:
        done = keep_up(store, policy, clock=lambda: now)
        ok, message = True, f"{len(done.rebased)} datasets rebased, {done.removed.segments} segments removed"
    except StoreBusy:
        log.info("a load is running; upkeep waits")
        return None
    except CockpitError as fault:
        ok, message = False, fault.message
        log.warning("upkeep failed: %s", fault)
    except Exception as fault:
        ok, message = False, f"{type(fault).__name__}: {fault}"
        log.exception("upkeep failed")
    row = RunRow(JOB, night, now, now, ok, message)
    operations.add_run(engine, row)
    return row
