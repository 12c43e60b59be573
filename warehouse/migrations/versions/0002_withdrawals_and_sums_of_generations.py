"""Which batch a batch withdraws and why; size and sum of each generation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the control database forward."""
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("withdraws", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("why", sa.String(), nullable=True))
    with op.batch_alter_table("generation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("bytes", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("sha256", sa.String(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("generation", schema=None) as batch_op:
        batch_op.drop_column("sha256")
        batch_op.drop_column("bytes")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_column("why")
        batch_op.drop_column("withdraws")
