"""What webhooks said, until the rows they speak of have been read again. Only ids are believed."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.connectors.base import Hint
from storage.database import insert
from storage.schema import hint


def put(connection: Connection, workspace_id: str, source: str, hints: Iterable[Hint], now: datetime) -> int:
    """Keep these hints; gives how many are new. An event that was told before, settled or not, is not new."""
    rows = {
        told.event_id: {
            "workspace_id": workspace_id,
            "source": source,
            "event_id": told.event_id,
            "object": told.object,
            "ext_id": told.ext_id,
            "received_at": now,
            "settled_at": None,
        }
        for told in hints
    }
    new = 0
    for row in rows.values():
        # The row count of such an INSERT is not known on PostgreSQL; what it returns is.
        put_ = insert(connection, hint).values(row).on_conflict_do_nothing().returning(hint.c.event_id)
        new += connection.execute(put_).first() is not None
    return new


def waiting(connection: Connection, workspace_id: str, source: str, limit: int = 500) -> list[Hint]:
    """The hints that wait, the oldest first."""
    mine = (hint.c.workspace_id == workspace_id, hint.c.source == source, hint.c.settled_at.is_(None))
    found = connection.execute(sa.select(hint).where(*mine).order_by(hint.c.received_at, hint.c.event_id).limit(limit))
    return [Hint(row.event_id, row.object, row.ext_id) for row in found]


def settle(connection: Connection, workspace_id: str, source: str, event_ids: Sequence[str], now: datetime) -> None:
    """The rows of these events have been read again."""
    mine = (hint.c.workspace_id == workspace_id, hint.c.source == source, hint.c.event_id.in_(event_ids))
    connection.execute(sa.update(hint).where(*mine).values(settled_at=now))


def prune(connection: Connection, workspace_id: str, source: str, before: datetime, most: int = 500) -> int:
    """Forget hints that were settled before a moment, so many at most: a CRM repeats an event for hours, not for
    weeks. Those that came before it and still wait are moot: listings have read their rows since."""
    mine = (hint.c.workspace_id == workspace_id, hint.c.source == source)
    over = sa.func.coalesce(hint.c.settled_at, hint.c.received_at) < before
    done = sa.select(hint.c.event_id).where(*mine, over).limit(most)
    return connection.execute(sa.delete(hint).where(*mine, hint.c.event_id.in_(done))).rowcount
