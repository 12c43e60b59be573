"""The control database's schema: one Alembic tree for every table of a store."""

from __future__ import annotations

import logging
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from warehouse.turns import is_shared, one_at_a_time

MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = "0011"
"""The newest revision the package ships, known without asking Alembic: opening a store must not cost its start."""


def upgrade(engine: Engine) -> None:
    """Bring a control database to the newest revision; a new one is made whole."""
    from alembic import command
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection, one_at_a_time(connection, "schema"):
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if is_shared(engine):
            _compare_bytes(connection)


def _compare_bytes(connection: Connection) -> None:
    """Let texts of a server be ordered and compared as SQLite does, byte by byte, whatever language it was set up in."""
    inspector = sa.inspect(connection)
    for table in inspector.get_table_names():
        for column in inspector.get_columns(table):
            if isinstance(column["type"], sa.String) and column["type"].collation != "C":
                connection.execute(
                    sa.text(f'ALTER TABLE "{table}" ALTER COLUMN "{column["name"]}" TYPE VARCHAR COLLATE "C"')
                )


def bring_forward(engine: Engine) -> None:
    """Upgrade a control database that an earlier release made; one that is up to date costs one look."""
    if revision_of(engine) != NEWEST:
        upgrade(engine)


def newest() -> str:
    """Return the newest revision among the migration files."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config).get_current_head() or ""


def revision_of(engine: Engine) -> str:
    """Return the revision a control database stands at, empty before its first."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return ""
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or ""
