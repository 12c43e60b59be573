"""Which segments a rebase made and replaced; what was declared when a file was handed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the control database forward."""
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(), nullable=False, server_default="delta"))
        batch_op.add_column(sa.Column("valid_from_seq", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("valid_to_seq", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("replaced_at", sa.String(), nullable=True))
    op.execute("UPDATE segment SET valid_from_seq = batch_seq")
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("declared_source", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("span_from", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("span_to", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Take it back; a store that was rebased cannot be read by the earlier release."""
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_column("span_to")
        batch_op.drop_column("span_from")
        batch_op.drop_column("declared_source")
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.drop_column("replaced_at")
        batch_op.drop_column("valid_to_seq")
        batch_op.drop_column("valid_from_seq")
        batch_op.drop_column("kind")
