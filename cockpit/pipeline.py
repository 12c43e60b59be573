"""The one way data reaches the screens: load under the writer's lock, then publish with the metric cubes."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sqlalchemy.exc import DatabaseError

from metrics.catalogue import load_catalogue
from metrics.cubes import build
from metrics.model import Catalogue
from metrics.refresh import refresh
from metrics.snapshot import build_snapshots, refresh_snapshots
from metrics.standing import keep, to_build
from warehouse import ingest
from warehouse.base.clock import Clock, system_clock
from warehouse.base.errors import StoreError
from warehouse.contracts import Contract
from warehouse.corrections import NO_ADVICE, Advice
from warehouse.health.examine import Examination, examine
from warehouse.incremental import Change
from warehouse.publish import Builder, publish
from warehouse.reach import EVERYTHING, Reach
from warehouse.receipts import FileReport
from warehouse.recovery import recover
from warehouse.resubmission import Resubmission, resubmit
from warehouse.review import Decision
from warehouse.store import Generation, Store
from warehouse.withdrawal import Withdrawal, withdraw

Progress = Callable[[str], None]


def publish_store(store: Store, *, clock: Clock = system_clock, force: bool = False) -> int:
    """Publish what is committed and not yet shown; the caller holds the writer lock. Returns the generation."""
    catalogue = to_build(store)
    keep(store, catalogue)
    return publish(store, [Cubes(catalogue)], catalogue=catalogue.fingerprint, clock=clock, force=force)


def examine_store(
    store: Store, *, deep: bool = False, clock: Clock = system_clock, progress: Progress | None = None
) -> Examination:
    """Examine a store with the definitions that stand."""
    try:
        catalogue = to_build(store)
    except (DatabaseError, StoreError):
        catalogue = load_catalogue()  # a log nobody can read tells of no edition: the examination says so itself
    return examine(
        store, [Cubes(catalogue)], catalogue=catalogue.fingerprint, deep=deep, clock=clock, progress=progress
    )


def made_by(store: Store) -> tuple[list[Builder], str]:
    """Return what builds the cubes of a store, and the fingerprint of its definitions."""
    catalogue = to_build(store)
    return [Cubes(catalogue)], catalogue.fingerprint


@dataclass(frozen=True)
class Cubes:
    """What adds the cubes of a catalogue to a generation, whole or carried on."""

    catalogue: Catalogue

    def __call__(self, con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]) -> None:
        """Build every cube."""
        build(con, contracts, self.catalogue)
        build_snapshots(con, self.catalogue)

    def refresh(self, con: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract], change: Change) -> None:
        """Carry every cube on."""
        refresh(con, contracts, self.catalogue, change)
        refresh_snapshots(con, self.catalogue)


def load_and_publish(
    store: Store,
    paths: Iterable[Path],
    *,
    source: str | None = None,
    recorded_at: dt.datetime | None = None,
    actor: str = "local",
    clock: Clock = system_clock,
    progress: Progress | None = None,
    advice: Advice = NO_ADVICE,
    span: tuple[int, int] | None = None,
) -> list[FileReport]:
    """Load files and publish; when this returns the figures are served."""
    reports = ingest.load(
        store, paths, source=source, recorded_at=recorded_at, actor=actor, clock=clock, progress=progress,
        advice=advice, span=span,
    )  # fmt: skip
    rebuild(store, clock=clock, progress=progress, force=False)
    return reports


def withdraw_and_publish(
    store: Store, seq: int, *, why: str, actor: str = "local", clock: Clock = system_clock,
    progress: Progress | None = None,
) -> Withdrawal:  # fmt: skip
    """Withdraw a batch and publish; when this returns the figures without it are served."""
    done = withdraw(store, seq, why=why, actor=actor, clock=clock, progress=progress)
    rebuild(store, clock=clock, progress=progress, force=False)
    return done


def resubmit_and_publish(
    store: Store, path: Path, *, name: str | None = None, actor: str = "local", clock: Clock = system_clock,
    progress: Progress | None = None, reach: Reach = EVERYTHING,
) -> Resubmission:  # fmt: skip
    """Take a corrected return sheet and publish; when this returns the figures with its rows are served."""
    done = resubmit(store, path, name=name, actor=actor, clock=clock, progress=progress, reach=reach)
    if done.reports:
        rebuild(store, clock=clock, progress=progress, force=False)
    return done


def review_and_publish(
    store: Store,
    decide: Callable[[Generation], Decision],
    *,
    clock: Clock = system_clock,
    progress: Progress | None = None,
) -> Decision:
    """Take a decision on what is published, under the writer's lock, and publish; then the figures show it."""
    with store.writing(tell=progress):
        recover(store)
        publish_store(store, clock=clock)
        with contextlib.closing(store.open_generation(memory="1GB", threads=2)) as generation:
            done = decide(generation)
        publish_store(store, clock=clock)
    return done


def rebuild(store: Store, *, clock: Clock = system_clock, progress: Progress | None = None, force: bool = True) -> int:
    """Publish under the writer's lock; `force` builds the projection anew even when nothing is new."""
    if progress:
        progress("publish")
    with store.writing(tell=progress):
        return publish_store(store, clock=clock, force=force)
