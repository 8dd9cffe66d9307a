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


def last_sent(connection: Connection, workspace_id: str, channel_id: str) -> str | None:
    """The id of the letter that was delivered last in a channel; None where none ever was."""
    return connection.scalar(
        sa.select(letter.c.id)
        .where(letter.c.workspace_id == workspace_id, letter.c.channel_id == channel_id, letter.c.state == "sent")
        .order_by(letter.c.last_try_at.desc(), letter.c.id)
        .limit(1)
    )
