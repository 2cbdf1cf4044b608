"""Rating studies: items, raters, assignments, ratings and their history; examples kept on the compare page."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    _make_studies()
    _make_rating_items()
    _make_raters()
    _make_assignments()
    _make_ratings()
    _make_rating_changes()
    _make_saved_examples()


def downgrade() -> None:
    """Drop them."""
    for name in (
        "saved_examples",
        "rating_changes",
        "ratings",
        "assignments",
        "raters",
        "rating_items",
        "studies",
    ):
        op.drop_table(name)


def _make_studies() -> None:
    op.create_table(
        "studies",
        sa.Column(
            "study", sa.String(64), sa.ForeignKey("artefacts.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("changes", sa.Integer, nullable=False, server_default="0"),
        sa.Column("left_out", sa.JSON(none_as_null=True)),
        sa.Column("opened_at", sa.DateTime(timezone=True)),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
    )


def _make_rating_items() -> None:
    op.create_table(
        "rating_items",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("study", sa.String(64), sa.ForeignKey("studies.study", ondelete="CASCADE"), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("gold", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("named", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("rated", sa.Integer, nullable=False, server_default="0"),
        sa.Column("shuffled", sa.String(64), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
    )
    op.create_index("rating_items_by_study", "rating_items", ["study", "place"])
    op.create_index("rating_items_by_need", "rating_items", ["study", "gold", "rated", "shuffled", "id"])


def _make_raters() -> None:
    op.create_table(
        "raters",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("study", sa.String(64), sa.ForeignKey("studies.study", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
    )
    op.create_index("raters_by_study", "raters", ["study"])


def _make_assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("study", sa.String(64), sa.ForeignKey("studies.study", ondelete="CASCADE"), nullable=False),
        sa.Column(
            "item", sa.String(64), sa.ForeignKey("rating_items.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("rater", sa.String(64), sa.ForeignKey("raters.id", ondelete="CASCADE"), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("answer_order", sa.JSON, nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("draft", sa.JSON(none_as_null=True)),
        sa.Column("draft_number", sa.Integer, nullable=False, server_default="0"),
        sa.UniqueConstraint("item", "rater", name="one_assignment"),
    )
    op.create_index("assignments_by_rater", "assignments", ["rater", "state"])
    op.create_index("assignments_by_study", "assignments", ["study", "state"])


def _make_ratings() -> None:
    op.create_table(
        "ratings",
        sa.Column(
            "assignment", sa.String(64), sa.ForeignKey("assignments.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("study", sa.String(64), sa.ForeignKey("studies.study", ondelete="CASCADE"), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("rater", sa.String(64), nullable=False),
        sa.Column("values", sa.JSON, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("item", "rater", name="one_rating"),
    )
    op.create_index("ratings_by_study", "ratings", ["study"])


def _make_rating_changes() -> None:
    op.create_table(
        "rating_changes",
        sa.Column(
            "study", sa.String(64), sa.ForeignKey("studies.study", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.String(64), nullable=False),
        sa.Column("item", sa.String(64), nullable=False),
        sa.Column("rater", sa.String(64), nullable=False),
        sa.Column("submission", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("values", sa.JSON, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("rater", "submission", name="one_submission"),
    )
    op.create_index("rating_changes_by_assignment", "rating_changes", ["assignment"])


def _make_saved_examples() -> None:
    op.create_table(
        "saved_examples",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("saved_by", sa.String(128), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
    )
