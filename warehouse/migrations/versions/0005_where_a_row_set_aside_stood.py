"""Of which unit and month a row set aside is, what stood above it, and which bytes a scrubbed copy stands for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_by IS NULL")
_ONE = ["dataset", "file_name", "row_no", "row_hash", "code", "column_name"]


def upgrade() -> None:
    """Bring the control database forward; equal rows of two sheets are two rows from now on."""
    op.create_table(
        "quarantine_layout",
        sa.Column("layout", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("layout"),
    )
    op.drop_index("one_open_entry", table_name="quarantine")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unit", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("month", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("layout", sa.String(), nullable=True))
    op.create_index(
        "one_open_entry", "quarantine", ["dataset", "file_name", "sheet", *_ONE[2:]],
        unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN,
    )  # fmt: skip
    op.create_index("ix_quarantine_row_hash", "quarantine", ["row_hash"])
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("received_sha", sa.String(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_column("received_sha")
    op.drop_index("ix_quarantine_row_hash", table_name="quarantine")
    op.drop_index("one_open_entry", table_name="quarantine")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_column("layout")
        batch_op.drop_column("month")
        batch_op.drop_column("unit")
    op.create_index("one_open_entry", "quarantine", _ONE, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.drop_table("quarantine_layout")
