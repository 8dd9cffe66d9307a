"""Find the leads of a customer by an index: those of one that is taken over are sought under the write lock."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INDEX = "ix_lead_workspace_id_customer_id"


def upgrade() -> None:
    named = sa.text("customer_id IS NOT NULL")
    op.create_index(_INDEX, "lead", ["workspace_id", "customer_id"], sqlite_where=named, postgresql_where=named)


def downgrade() -> None:
    op.drop_index(_INDEX, "lead")
