"""The control database: a new one is made whole by the migrations, and they say the same as the tables in code."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from warehouse import operations, schema
from warehouse.control import METADATA, Control
from warehouse.postgres import Address
from warehouse.store import Store
from warehouse.whereabouts import make_schema


@pytest.fixture
def control(tmp_path: Path) -> Control:
    """A log without tables."""
    place = Store(tmp_path / "store").log
    (tmp_path / "store").mkdir()
    control = Control(place)
    if isinstance(place, Address):
        make_schema(control.engine, place.schema)
    return control


@pytest.mark.both_logs
def test_migrations_build_exactly_the_tables_of_the_code(control: Control) -> None:
    schema.upgrade(control.engine)
    assert schema.revision_of(control.engine) == schema.newest() == schema.NEWEST
    with control.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    assert {table.name for table in operations.TABLES} <= set(sa.inspect(control.engine).get_table_names())
    control.close()


@pytest.mark.both_logs
def test_upgrading_twice_changes_nothing(control: Control) -> None:
    schema.upgrade(control.engine)
    control.set_meta({"origin": "real"})
    schema.upgrade(control.engine)
    assert control.meta() == {"origin": "real"}
    control.close()


def test_a_store_of_an_earlier_release_is_brought_forward_when_it_is_opened(tmp_path: Path) -> None:
    control = Control(tmp_path / "control.sqlite")
    with control.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR NOT NULL)"))
    control.close()
    engine = Store(tmp_path).control.engine
    assert schema.revision_of(engine) == schema.NEWEST
    assert operations.last_runs(engine) == {}
    engine.dispose()
