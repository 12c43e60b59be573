"""Tokens of machines that push, and the answers kept for their repeated requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the control database forward."""
    op.create_table(
        "push_token",
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("kinds", sa.String(), nullable=False),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("revoked_at", sa.String(), nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("token_id"),
    )
    op.create_table(
        "push_answer",
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=False),
        sa.Column("body_sha", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("answered_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("token_id", "request_key"),
    )
    with op.batch_alter_table("push_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_push_answer_answered_at"), ["answered_at"], unique=False)


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("push_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_push_answer_answered_at"))
    op.drop_table("push_answer")
    op.drop_table("push_token")
