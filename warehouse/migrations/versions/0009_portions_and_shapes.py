"""Which deliveries were a part or the whole of their source; the columns and the sum of what was pulled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the control database forward."""
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("portion", sa.String(), nullable=True))
    with op.batch_alter_table("pull", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shape", sa.String(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("sha", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("pull", schema=None) as batch_op:
        batch_op.drop_column("sha")
        batch_op.drop_column("shape")
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_column("portion")
