"""Jobs know who took them from the queue, their place in it, how often they may try again, and the memory that they need."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("claimed_by", sa.Text),
        sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
        sa.Column("place", sa.Integer, nullable=False, server_default="0"),
        sa.Column("tries_left", sa.Integer, nullable=False, server_default="0"),
        sa.Column("needs_mb", sa.Integer),
        sa.Column("alone", sa.Boolean, nullable=False, server_default=sa.false()),
    ]


def upgrade() -> None:
    """Add the columns; jobs that wait already keep their order."""
    for column in _columns():
        op.add_column("jobs", column)
    op.execute("UPDATE jobs SET place = position")


def downgrade() -> None:
    """Remove the columns."""
    for column in _columns():
        op.drop_column("jobs", column.name)
