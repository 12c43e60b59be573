"""What the tests of the warehouse share; those of the control log run on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.books import Books
from tests.fakes.office import ORG, Office
from tests.fakes.postgres import Postgres, stores_on


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `both_logs` twice: with every store's control log in SQLite, and in PostgreSQL."""
    if metafunc.definition.get_closest_marker("both_logs"):
        metafunc.parametrize("log_kind", ["sqlite", "postgresql"], indirect=True, scope="module")


@pytest.fixture(scope="module", autouse=True)
def log_kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the logs of stores that a test makes lie; each store has a schema of its own."""
    kind = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        yield kind
        return
    server: Postgres = request.getfixturevalue("postgres")
    with stores_on(server):
        yield kind


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A store that knows two bureaux below one region."""
    office = Office(tmp_path)
    assert office.hand_in("组织机构.csv", ORG).status == "committed"
    return office


@pytest.fixture
def books(tmp_path: Path, postgres: Postgres) -> Books:
    """A finance system in a database, and an office that takes its vouchers."""
    return Books(tmp_path, postgres)
