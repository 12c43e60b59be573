"""Alembic's door: migrations run on the connection the store passes in."""

from __future__ import annotations

from alembic import context

from warehouse import operations
from warehouse.control import METADATA

assert operations  # its tables belong to the same metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise RuntimeError("migrations run through warehouse.schema.upgrade, which passes the store's connection")
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
