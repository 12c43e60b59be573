"""Stores that several test files look at: built once a run from the samples, through the ordinary door.

A run on several workers builds each of them once as well: the first that asks builds, the others wait and read it.
Nothing may be written into them: a test that writes takes a copy.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Town:
    """A sample as loaded: its store, its exports, its truth (of a city), and what the loader said of each file."""

    store: Path
    exports: Path
    truth: dict[str, Any]
    reports: tuple[Any, ...]

    def copied(self, folder: Path) -> Path:
        """Return a store of its own to write into."""
        return Path(shutil.copytree(self.store, folder))


Build = Callable[[int, int, int], Town]
Sample = Callable[[str], Town]
Write = Callable[[Path], None]


@pytest.fixture(scope="session", autouse=True)
def _no_blank_stays() -> Iterator[None]:
    """Leave no folder behind in which a blank store was made."""
    from tests.fakes.blank import forget_blanks

    yield
    forget_blanks()


@pytest.fixture(scope="session")
def build_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Write], Town]:
    """Return a builder of stores by name; each is built once a run, by whichever worker asks first."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def build(name: str, write: Write) -> Town:
        place = shared / f"built-{name}"
        place.mkdir(exist_ok=True)
        with (place / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (place / "reports").exists():
                _build(place, write)
        truth = place / "files.truth.json"
        return Town(
            place / "store", place / "files", json.loads(truth.read_text(encoding="utf-8")) if truth.exists() else {},
            pickle.loads((place / "reports").read_bytes()),
        )  # fmt: skip

    return build


def _build(place: Path, write: Write) -> None:
    """Write the files and load them; what the loader said is written last and says that all is there."""
    from cockpit.pipeline import load_and_publish
    from warehouse.store import Store

    for half in ("files", "store"):
        shutil.rmtree(place / half, ignore_errors=True)
    write(place / "files")
    store = Store(place / "store")
    reports = tuple(load_and_publish(store, [place / "files"], clock=lambda: NOW))
    store.control.close()
    (place / "part").write_bytes(pickle.dumps(reports))
    (place / "part").rename(place / "reports")


@pytest.fixture(scope="session")
def build_town(build_once: Callable[[str, Write], Town]) -> Build:
    """Return a builder of simulated cities by seed, months and units."""
    from samples import city

    def build(seed: int, months: int, units: int) -> Town:
        return build_once(
            f"city-{seed}-{months}-{units}", lambda out: city.write(out, seed=seed, months=months, units=units)
        )

    return build


@pytest.fixture(scope="session")
def build_sample(build_once: Callable[[str, Write], Town]) -> Sample:
    """Return a builder of the excerpts of real data sets in this repository: `gsa` buildings, `ua` budgets."""
    from samples import gsa, ua

    def build(name: str) -> Town:
        return build_once(name, lambda out: {"gsa": gsa, "ua": ua}[name].write(out, None))

    return build


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """Return a real PostgreSQL server, started when the first test asks for it and thrown away after the last."""
    from tests.fakes.postgres import Postgres

    server = Postgres()
    yield server
    server.remove()
