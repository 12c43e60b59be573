"""Explanations of doubtful rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the control database forward."""
    op.create_table(
        "explanation",
        sa.Column("doubt_id", sa.String(), nullable=False),
        sa.Column("known_at", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("doubt_id", "known_at"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("explanation")
