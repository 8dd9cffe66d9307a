"""Add what trusted delivery needs: the inbox, threads, acknowledged alerts, votes, what was told, richer schedules."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_MAY: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "schedule": {"kpis": sa.String(), "paused_at": _MOMENT},
    "rule": {
        "against": sa.Integer(),
        "window_days": sa.Integer(),
        "quiet_from": sa.Time(),
        "quiet_to": sa.Time(),
        "holidays": sa.String(),
        "remind_hours": sa.Integer(),
        "paused_at": _MOMENT,
    },
    "episode": {
        "beneath": sa.String(),
        "judged_on": sa.Date(),
        "acked_by": sa.String(),
        "acked_at": _MOMENT,
        "assigned_to": sa.String(),
        "snoozed_until": _MOMENT,
        "remind_at": _MOMENT,
    },
    "letter": {"thread": sa.String(), "owner": sa.String()},
}
"""Columns that may be null."""
_MUST: dict[str, dict[str, tuple[sa.types.TypeEngine[Any], Any]]] = {
    "schedule": {
        "audience": (sa.String(), "channel"),
        "cadence": (sa.String(), "weekly"),
        "month_day": (sa.Integer(), 1),
        "skip_unchanged": (sa.Boolean(), False),
    },
    "rule": {"delay_minutes": (sa.Integer(), 60), "time_zone": (sa.String(), "UTC")},
    "episode": {"reminders": (sa.Integer(), 0)},
}
"""Columns that every row has, with what the rows that are there get."""
_INDEXES = {
    "letter": ["workspace_id", "channel_id", "state"],
    "episode": ["remind_at"],
    "inbox": ["state", "received_at"],
    "published": ["workspace_id", "schedule_id", "day"],
}


def upgrade() -> None:
    _create()
    for name, columns in _MAY.items():
        for column, type_ in columns.items():
            op.add_column(name, sa.Column(column, type_, nullable=True))
    for name, required in _MUST.items():
        for column, (type_, _) in required.items():
            op.add_column(name, sa.Column(column, type_, nullable=True))
        there = sa.table(name, *(sa.column(column, type_) for column, (type_, _) in required.items()))
        op.execute(sa.update(there).values({column: value for column, (_, value) in required.items()}))
    _zones()
    for name, required in _MUST.items():
        with op.batch_alter_table(name) as batch:
            for column, (type_, _) in required.items():
                batch.alter_column(column, existing_type=type_, nullable=False)
            if name == "schedule":
                batch.alter_column("language", existing_type=sa.String(), nullable=True)
    for name, columns_ in _INDEXES.items():
        op.create_index(f"ix_{name}_{'_'.join(columns_)}", name, columns_)


def downgrade() -> None:
    for name, columns_ in _INDEXES.items():
        op.drop_index(f"ix_{name}_{'_'.join(columns_)}", table_name=name)
    for name in ("inbox", "published", "vote"):
        op.drop_table(name)
    spoken = sa.table("schedule", sa.column("language", sa.String()))
    op.execute(sa.update(spoken).where(spoken.c.language.is_(None)).values(language="en"))
    for name in _MAY:
        with op.batch_alter_table(name) as batch:
            for column in [*_MAY[name], *_MUST.get(name, {})]:
                batch.drop_column(column)
            if name == "schedule":
                batch.alter_column("language", existing_type=sa.String(), nullable=False)


def _zones() -> None:
    """A rule's days are its workspace's."""
    rule = sa.table("rule", sa.column("workspace_id"), sa.column("time_zone"))
    home = sa.table("workspace", sa.column("workspace_id"), sa.column("time_zone"))
    its = sa.select(home.c.time_zone).where(home.c.workspace_id == rule.c.workspace_id).scalar_subquery()
    op.execute(sa.update(rule).values(time_zone=sa.func.coalesce(its, rule.c.time_zone)))


def _create() -> None:
    op.create_table(
        "inbox",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("settled_at", _MOMENT, nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_inbox"),
    )
    op.create_table(
        "published",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("letter_id", sa.Text(), nullable=False),
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("as_of", _MOMENT, nullable=True),
        sa.Column("schedule_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("restated", sa.String(), nullable=True),
        sa.Column("restatements", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "letter_id", "figure", name="pk_published"),
    )
    op.create_table(
        "vote",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("letter_id", sa.Text(), nullable=False),
        sa.Column("slack_user_id", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("useful", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "rule_id", "letter_id", "slack_user_id", name="pk_vote"),
    )
