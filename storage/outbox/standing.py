"""How the outbox stands: what waits, what is in doubt, what Slack refused."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import not_sought_by
from storage.outbox.letters import WAITING
from storage.schema import letter

HELD = "held"
"""Of letters whose moment is still to come."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Letters of one channel that are in the same state for the same reason."""

    channel_id: str
    """Or a person's id."""
    state: str
    """As in the table, and `held`; never `sent`."""
    error: str | None
    letters: int
    due_at: datetime
    """Of the oldest."""


def lots(
    connection: Connection, workspace_id: str, now: datetime, *, skipped_since: datetime, owner: str | None = None
) -> list[Lot]:
    """Everything that is not delivered, the oldest first; of what was skipped, only what was due since then. With
    `owner`, only that person's."""
    state = sa.case((sa.and_(letter.c.state == "pending", letter.c.due_at > now), HELD), else_=letter.c.state)
    wanted = [
        # By their state: nearly all of a workspace's letters are sent.
        not_sought_by(letter.c.workspace_id) == workspace_id,
        sa.or_(
            letter.c.state.in_([*WAITING, "dead"]),
            sa.and_(letter.c.state == "skipped", letter.c.due_at > skipped_since),
        ),
        *([] if owner is None else [letter.c.owner == owner]),
    ]
    kind = (letter.c.channel_id, state.label("state"), letter.c.error)
    oldest = sa.func.min(letter.c.due_at, type_=letter.c.due_at.type).label("oldest")
    rows = connection.execute(
        sa.select(*kind, sa.func.count().label("letters"), oldest)
        .where(*wanted)
        # By its place: PostgreSQL takes a name for the column of the table.
        .group_by(letter.c.channel_id, sa.text("2"), letter.c.error)
        .order_by(oldest, letter.c.channel_id)
    )
    return [Lot(row.channel_id, row.state, row.error, row.letters, row.oldest) for row in rows]


def last_sent(connection: Connection, workspace_id: str, channel_id: str) -> str | None:
    """The id of the letter that was delivered last in a channel; None where none ever was."""
    return connection.scalar(
        sa.select(letter.c.id)
        .where(letter.c.workspace_id == workspace_id, letter.c.channel_id == channel_id, letter.c.state == "sent")
        .order_by(letter.c.last_try_at.desc(), letter.c.id)
        .limit(1)
    )


def is_sent(connection: Connection, workspace_id: str, letter_id: str) -> bool:
    """Whether a letter's message stands in its channel, by all that is known."""
    mine = (letter.c.workspace_id == workspace_id, letter.c.id == letter_id)
    return connection.scalar(sa.select(letter.c.state).where(*mine)) == "sent"
