"""Two samples as both engines see them: built once for all tests of a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from metrics.catalogue import load_catalogue
from metrics.model import Catalogue
from tests.witness.clickhouse import ClickHouse
from tests.witness.recorded import Written, datasets, record
from warehouse.store import Generation, Store

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Witnessed:
    """A generation, what its build wrote, the second engine that wrote the same, and what that one refused."""

    name: str
    generation: Generation
    catalogue: Catalogue
    written: tuple[Written, ...]
    second: ClickHouse
    refused: Mapping[str, str]


@pytest.fixture(scope="module", params=["city", "gsa"])
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Witnessed]:
    if request.param == "city":
        store = Store(request.getfixturevalue("build_town")(1, 16, 16).store)
    else:
        store = Store(request.getfixturevalue("build_sample")("gsa").store)
    generation, catalogue = store.open_generation(memory="2GB"), load_catalogue()
    written = record(generation, store.contracts, catalogue)
    second = ClickHouse(tmp_path_factory.mktemp(f"parquet-{request.param}"))
    second.read(generation.con, datasets(generation.con))
    refused = second.build(written)
    yield Witnessed(request.param, generation, catalogue, written, second, refused)
    second.close()
    generation.close()
