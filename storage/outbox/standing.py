"""How the outbox stands: what waits, what is in doubt, what Slack refused."""

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.schema import letter


def counts(connection: Connection, workspace_id: str) -> dict[str, int]:
    """How many letters are in each state."""
    rows = connection.execute(
        sa.select(letter.c.state, sa.func.count().label("count_"))
        .where(letter.c.workspace_id == workspace_id)
        .group_by(letter.c.state)
    )
    return {row.state: row.count_ for row in rows}
