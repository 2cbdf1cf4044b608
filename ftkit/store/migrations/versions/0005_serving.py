"""Export, serving and monitoring: keys and versions of the gateway, its traffic with feedback, drift checks, alerts, harvests."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    _make_api_keys()
    _make_served_versions()
    _make_serving_events()
    _make_traffic()
    _make_feedback()
    _make_drift_checks()
    _make_alerts()
    _make_harvested()
    _make_choices()


def downgrade() -> None:
    """Drop them."""
    for name in (
        "feedback",
        "api_keys",
        "served_versions",
        "serving_events",
        "traffic",
        "drift_checks",
        "alerts",
        "harvested",
        "choices",
    ):
        op.drop_table(name)


def _make_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("hint", sa.String(16), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("requests_per_minute", sa.Integer),
        sa.Column("tokens_per_day", sa.Integer),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
    )


def _make_served_versions() -> None:
    op.create_table(
        "served_versions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("target", sa.String(128), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("engine", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("share", sa.Float, nullable=False, server_default="0"),
        sa.Column("smoke", sa.JSON(none_as_null=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("served_versions_by_state", "served_versions", ["state"])


def _make_serving_events() -> None:
    op.create_table(
        "serving_events",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("version", sa.String(64)),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("values", sa.JSON, nullable=False),
    )


def _make_traffic() -> None:
    op.create_table(
        "traffic",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("streamed", sa.Boolean, nullable=False),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("answer_tokens", sa.Integer),
        sa.Column("first_token_seconds", sa.Float),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("finish", sa.String(16)),
        sa.Column("confidence", sa.Float),
        sa.Column("refused", sa.Boolean),
        sa.Column("personal", sa.JSON(none_as_null=True)),
        sa.Column("messages", sa.JSON(none_as_null=True)),
        sa.Column("answer", sa.Text),
    )
    op.create_index("traffic_by_time", "traffic", ["at"])
    op.create_index("traffic_by_version", "traffic", ["version", "at"])


def _make_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column(
            "request", sa.String(64), sa.ForeignKey("traffic.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("thumb", sa.Integer),
        sa.Column("rating", sa.Integer),
        sa.Column("correction", sa.Text),
        sa.Column("comment", sa.Text),
    )
    op.create_index("feedback_by_time", "feedback", ["at"])


def _make_drift_checks() -> None:
    op.create_table(
        "drift_checks",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begins", sa.DateTime(timezone=True)),
        sa.Column("ends", sa.DateTime(timezone=True)),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("report", sa.JSON, nullable=False),
    )
    op.create_index("drift_checks_by_version", "drift_checks", ["version", "at"])


def _make_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("values", sa.JSON, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True)),
        sa.Column("delivery", sa.JSON(none_as_null=True)),
    )
    op.create_index("alerts_by_time", "alerts", ["at"])


def _make_harvested() -> None:
    op.create_table(
        "harvested",
        sa.Column("request", sa.String(64), primary_key=True),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def _make_choices() -> None:
    op.create_table(
        "choices",
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("values", sa.JSON, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
