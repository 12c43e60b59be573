"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the control database forward."""
    op.create_table(
        "batch",
        sa.Column("batch_seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("file_sha", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("committed_at", sa.String(), nullable=False),
        sa.Column("period_from", sa.Integer(), nullable=True),
        sa.Column("period_to", sa.Integer(), nullable=True),
        sa.Column("rows_in", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("delta_rows", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("batch_seq"),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_dataset"), ["dataset"], unique=False)

    op.create_table(
        "forecast",
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("data_hash", sa.String(), nullable=False),
        sa.Column("known_at", sa.String(), nullable=False),
        sa.Column("through_seq", sa.Integer(), nullable=False),
        sa.Column("month_no", sa.Integer(), nullable=False),
        sa.Column("mean", sa.Float(), nullable=False),
        sa.Column("lo80", sa.Float(), nullable=False),
        sa.Column("hi80", sa.Float(), nullable=False),
        sa.Column("lo90", sa.Float(), nullable=False),
        sa.Column("hi90", sa.Float(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("history", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("indicator", "node", "made_at", "step"),
    )
    with op.batch_alter_table("forecast", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_forecast_data_hash"), ["data_hash"], unique=False)

    op.create_table(
        "generation",
        sa.Column("gen", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("through_seq", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("catalogue", sa.String(), nullable=False),
        sa.Column("built_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("gen"),
    )
    op.create_table(
        "landing",
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.Column("known_at", sa.String(), nullable=False),
        sa.Column("through_seq", sa.Integer(), nullable=False),
        sa.Column("data_hash", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("paid", sa.Float(), nullable=False),
        sa.Column("months_reported", sa.Integer(), nullable=False),
        sa.Column("missing", sa.String(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("lo80", sa.Float(), nullable=True),
        sa.Column("hi80", sa.Float(), nullable=True),
        sa.Column("lo90", sa.Float(), nullable=True),
        sa.Column("hi90", sa.Float(), nullable=True),
        sa.Column("budget", sa.Float(), nullable=True),
        sa.Column("exceed_probability", sa.Float(), nullable=True),
        sa.Column("crossing_early", sa.Integer(), nullable=True),
        sa.Column("crossing_likely", sa.Integer(), nullable=True),
        sa.Column("crossing_late", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("indicator", "node", "year", "made_at"),
    )
    with op.batch_alter_table("landing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_landing_known_at"), ["known_at"], unique=False)

    op.create_table(
        "quarantine",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("receipt_id", sa.Integer(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("sheet", sa.String(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("column_name", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("hint", sa.String(), nullable=True),
        sa.Column("raw", sa.String(), nullable=False),
        sa.Column("row_hash", sa.String(), nullable=False),
        sa.Column("row_key", sa.String(), nullable=True),
        sa.Column("opened_at", sa.String(), nullable=False),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quarantine_dataset"), ["dataset"], unique=False)
        batch_op.create_index(
            "one_open_entry",
            ["dataset", "file_name", "row_no", "row_hash", "code", "column_name"],
            unique=True,
            sqlite_where=sa.text("closed_by IS NULL"),
            postgresql_where=sa.text("closed_by IS NULL"),
        )

    op.create_table(
        "receipt",
        sa.Column("receipt_id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("file_sha", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=True),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.Column("loaded_at", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("batch_seq", sa.Integer(), nullable=True),
        sa.Column("counts", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("receipt_id"),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipt_file_sha"), ["file_sha"], unique=False)

    op.create_table(
        "segment",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("batch_seq", sa.Integer(), nullable=False),
        sa.Column("from_m", sa.Integer(), nullable=False),
        sa.Column("to_m", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("path"),
    )
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_segment_dataset"), ["dataset"], unique=False)

    op.create_table(
        "snapshot",
        sa.Column("snapshot_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("taken_at", sa.String(), nullable=False),
        sa.Column("known_at", sa.String(), nullable=False),
        sa.Column("through_seq", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("values", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id"),
    )
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_snapshot_day"), ["day"], unique=False)

    op.create_table(
        "snapshot_value",
        sa.Column("snapshot_id", sa.String(), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("grain", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=True),
        sa.Column("numerator", sa.String(), nullable=True),
        sa.Column("denominator", sa.String(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=True),
        sa.Column("got", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("through_seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "indicator", "node", "period", "grain"),
    )
    op.create_table(
        "store_meta",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "warning",
        sa.Column("warning_id", sa.String(), nullable=False),
        sa.Column("opened_seq", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("indicator", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("node_name", sa.String(), nullable=False),
        sa.Column("dim_value", sa.String(), nullable=True),
        sa.Column("grain", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=False),
        sa.Column("title_en", sa.String(), nullable=False),
        sa.Column("first_period", sa.String(), nullable=False),
        sa.Column("last_period", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=True),
        sa.Column("bound", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("to_verify", sa.Boolean(), nullable=False),
        sa.Column("judged_at", sa.String(), nullable=False),
        sa.Column("closed_seq", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.String(), nullable=True),
        sa.Column("closed_why", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("warning_id", "opened_seq"),
    )
    with op.batch_alter_table("warning", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_warning_opened_at"), ["opened_at"], unique=False)

    op.create_table(
        "warning_reading",
        sa.Column("warning_id", sa.String(), nullable=False),
        sa.Column("opened_seq", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("known_seq", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=True),
        sa.Column("bound", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("known_at", sa.String(), nullable=False),
        sa.Column("gone_seq", sa.Integer(), nullable=True),
        sa.Column("gone_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("warning_id", "opened_seq", "period", "known_seq"),
    )
    op.create_table(
        "worker_run",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("due_key", sa.String(), nullable=False),
        sa.Column("started_at", sa.String(), nullable=False),
        sa.Column("finished_at", sa.String(), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("job", "due_key"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("worker_run")
    op.drop_table("warning_reading")
    with op.batch_alter_table("warning", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_warning_opened_at"))

    op.drop_table("warning")
    op.drop_table("store_meta")
    op.drop_table("snapshot_value")
    with op.batch_alter_table("snapshot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_snapshot_day"))

    op.drop_table("snapshot")
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_segment_dataset"))

    op.drop_table("segment")
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_receipt_file_sha"))

    op.drop_table("receipt")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_index("one_open_entry", sqlite_where=sa.text("closed_by IS NULL"))
        batch_op.drop_index(batch_op.f("ix_quarantine_dataset"))

    op.drop_table("quarantine")
    with op.batch_alter_table("landing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_landing_known_at"))

    op.drop_table("landing")
    op.drop_table("generation")
    with op.batch_alter_table("forecast", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_forecast_data_hash"))

    op.drop_table("forecast")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_dataset"))

    op.drop_table("batch")
