"""Add what a lasting sync needs: merges, values in one currency, stage passages, rates, sources, leases, hints."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SOURCED = (
    "team",
    "person",
    "customer",
    "product",
    "pipeline",
    "stage",
    "deal",
    "lead",
    "contract",
    "purchase",
    "spend",
)
_VALUED = ("deal", "contract", "purchase", "spend")


def upgrade() -> None:
    _create()
    for name in _SOURCED:
        op.add_column(name, sa.Column("merged_into", sa.String(), nullable=True))
    for name in _VALUED:
        op.add_column(name, sa.Column("value_minor", sa.BigInteger(), nullable=True))
        # What is in the workspace's own currency needs no rate.
        row, home = _table(name, "workspace_id", "value_minor", "amount_minor", "currency"), _table("workspace")
        mine = sa.select(home.c.currency).where(home.c.workspace_id == row.c.workspace_id).scalar_subquery()
        op.execute(sa.update(row).where(row.c.currency == mine).values(value_minor=row.c.amount_minor))
    op.add_column("cursor", sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cursor", sa.Column("trouble", sa.String(), nullable=True))
    for name in ("deal", "lead"):
        _require(name, {"created_seen": (sa.Boolean(), False)})
    _require(
        "run",
        {
            "full": (sa.Boolean(), False),
            "deleted": (sa.Integer(), 0),
            "requests": (sa.Integer(), 0),
            "completed": (sa.String(), "{}"),
        },
    )
    op.add_column("membership", sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=True))
    _date_memberships()
    with op.batch_alter_table("membership") as batch:
        batch.alter_column("first_seen_at", existing_type=sa.DateTime(timezone=True), nullable=False)


def downgrade() -> None:
    op.drop_index("ix_run_workspace_id_source_started_at", table_name="run")
    for name in ("hint", "lease", "listed", "passage", "rate", "source", "stage_decision"):
        op.drop_table(name)
    gone = {name: ["merged_into"] for name in _SOURCED}
    for name in _VALUED:
        gone[name].append("value_minor")
    for name in ("deal", "lead"):
        gone[name].append("created_seen")
    gone |= {
        "cursor": ["listed_at", "trouble"],
        "run": ["full", "deleted", "requests", "completed"],
        "membership": ["first_seen_at"],
    }
    for name, columns in gone.items():
        with op.batch_alter_table(name) as batch:
            for column in columns:
                batch.drop_column(column)


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column) for column in columns or ("workspace_id", "currency")))


def _require(name: str, columns: Mapping[str, tuple[sa.types.TypeEngine[Any], object]]) -> None:
    """Columns that every row has; the rows that are there get the value."""
    for column, (type_, _) in columns.items():
        op.add_column(name, sa.Column(column, type_, nullable=True))
    there = sa.table(name, *(sa.column(column, type_) for column, (type_, _) in columns.items()))
    op.execute(sa.update(there).values({column: value for column, (_, value) in columns.items()}))
    with op.batch_alter_table(name) as batch:
        for column, (type_, _) in columns.items():
            batch.alter_column(column, existing_type=type_, nullable=False)


def _date_memberships() -> None:
    """A first membership was seen with its person; a move on the day on which it starts."""
    connection = op.get_bind()
    id_, day, moment = sa.Text(), sa.Date(), sa.DateTime(timezone=True)
    person = sa.table(
        "person", sa.column("workspace_id", id_), sa.column("id", id_), sa.column("first_seen_at", moment)
    )
    membership = sa.table(
        "membership",
        sa.column("workspace_id", id_),
        sa.column("person_id", id_),
        sa.column("starts_on", day),
        sa.column("first_seen_at", moment),
    )
    of = (person.c.workspace_id == membership.c.workspace_id) & (person.c.id == membership.c.person_id)
    found = sa.select(
        membership.c.workspace_id, membership.c.person_id, membership.c.starts_on, person.c.first_seen_at.label("seen")
    ).select_from(membership.outerjoin(person, of))
    for row in connection.execute(found).all():
        known = row.seen if row.starts_on == date.min else None
        this = [membership.c.workspace_id == row.workspace_id, membership.c.person_id == row.person_id]
        connection.execute(
            sa.update(membership)
            .where(*this, membership.c.starts_on == row.starts_on)
            .values(first_seen_at=known or datetime.combine(row.starts_on, time(), UTC))
        )


def _create() -> None:
    op.create_table(
        "hint",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("ext_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "source", "event_id", name="pk_hint"),
    )
    op.create_index("ix_hint_workspace_id_source_settled_at", "hint", ["workspace_id", "source", "settled_at"])
    op.create_index("ix_run_workspace_id_source_started_at", "run", ["workspace_id", "source", "started_at"])
    op.create_table(
        "lease",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "name", name="pk_lease"),
    )
    op.create_table(
        "listed",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("ext_id", sa.Text(), nullable=False),
        sa.Column("month", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "source", "object", "ext_id", name="pk_listed"),
    )
    op.create_table(
        "passage",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage_id", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "deal_id", "entered_at", "stage_id", name="pk_passage"),
    )
    op.create_table(
        "rate",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("ext_id", sa.String(), nullable=False),
        sa.Column("payload_hash", sa.String(), nullable=False),
        sa.Column("merged_into", sa.String(), nullable=True),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_rate"),
    )
    op.create_table(
        "source",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("options", sa.String(), nullable=False),
        sa.Column("secrets", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "source", name="pk_source"),
    )
    op.create_table(
        "stage_decision",
        sa.Column("workspace_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "source", "stage", name="pk_stage_decision"),
    )
