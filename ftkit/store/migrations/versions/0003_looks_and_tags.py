"""How often a test part was looked at, and what people said of the rows of an evaluation."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "looks",
        sa.Column("evaluation", sa.String(64), primary_key=True),
        sa.Column("split", sa.String(64), nullable=False),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("rows_hash", sa.Text, nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("looks_by_rows", "looks", ["rows_hash"])
    op.create_table(
        "tags",
        sa.Column(
            "evaluation", sa.String(64), sa.ForeignKey("artefacts.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("tag", sa.String(64), primary_key=True),
        sa.Column("tagged_by", sa.String(128), nullable=False),
        sa.Column("tagged_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("tags")
    op.drop_index("looks_by_rows", "looks")
    op.drop_table("looks")
