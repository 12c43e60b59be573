"""Whether a frozen board shows reviewed or reported figures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the control database forward; a board frozen before knew only reported figures."""
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state", sa.String(), nullable=False, server_default="reported"))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.drop_column("state")
