"""First tables: artefacts with their parents, jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "artefacts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
    )
    op.create_index("artefacts_by_kind", "artefacts", ["kind", "created_at"])
    op.create_table(
        "artefact_parents",
        sa.Column(
            "child", sa.String(64), sa.ForeignKey("artefacts.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("parent", sa.String(64), primary_key=True),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False, unique=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("lane", sa.String(32), nullable=False),
        sa.Column("artefact", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("pid", sa.Integer),
        sa.Column("pid_started", sa.Text),
        sa.Column("boot_id", sa.Text),
        sa.Column("error", sa.JSON),
    )
    op.create_index("jobs_by_artefact", "jobs", ["artefact", "position"])
    op.create_index("jobs_by_lane", "jobs", ["lane", "state", "position"])


def downgrade() -> None:
    """Remove the tables."""
    for table in ("jobs", "artefact_parents", "artefacts"):
        op.drop_table(table)
