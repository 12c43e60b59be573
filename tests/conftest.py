"""Stores that several test files look at: built once a run from the samples, through the ordinary door."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Town:
    """A simulated city as loaded: its store, its truth, and what the loader said of each file."""

    store: Path
    exports: Path
    truth: dict[str, Any]
    reports: tuple[Any, ...]


Build = Callable[[int, int, int], Town]


@pytest.fixture(scope="session")
def build_town(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Return a builder of towns by seed, months and units; each is built once a run."""
    from cockpit.pipeline import load_and_publish
    from samples import city
    from warehouse.store import Store

    built: dict[tuple[int, int, int], Town] = {}

    def build(seed: int, months: int, units: int) -> Town:
        key = (seed, months, units)
        if key not in built:
            place = tmp_path_factory.mktemp(f"town-{seed}")
            city.write(place / "files", seed=seed, months=months, units=units, truth=place / "truth.json")
            reports = load_and_publish(Store(place / "store"), [place / "files"], clock=lambda: NOW)
            truth = json.loads((place / "truth.json").read_text(encoding="utf-8"))
            built[key] = Town(place / "store", place / "files", truth, tuple(reports))
        return built[key]

    return build


@pytest.fixture(scope="session")
def town(build_town: Build) -> Town:
    """Return the city as `make run` builds it."""
    return build_town(1, 34, 60)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """Return a real PostgreSQL server, started when the first test asks for it and thrown away after the last."""
    from tests.fakes.postgres import Postgres

    server = Postgres()
    yield server
    server.remove()
