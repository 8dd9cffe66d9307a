"""How far each object of a source has been read, and how the next walk over it begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.connectors.base import Walk
from storage.database import insert
from storage.records import Position
from storage.schema import cursor
from storage.troubles import Code, Trouble


@dataclass(frozen=True, slots=True)
class Cursor:
    position: Position = field(default_factory=Position)
    complete_at: datetime | None = None
    listed_at: datetime | None = None
    trouble: Trouble | None = None

    @property
    def lists(self) -> bool:
        """A listing is under way whose end may find rows gone: the object was complete before."""
        return self.complete_at is not None and self.position.listing and self.position.began is not None


def read_cursors(connection: Connection, workspace_id: str, source: str) -> dict[str, Cursor]:
    """By object. A position that nothing here wrote is the beginning."""
    mine = (cursor.c.workspace_id == workspace_id, cursor.c.source == source)
    return {
        row.object: Cursor(
            _position(row.position),
            row.complete_at,
            row.listed_at,
            None if row.trouble is None else Trouble.from_json(row.trouble),
        )
        for row in connection.execute(sa.select(cursor).where(*mine))
    }


def start(walk: Walk, known: Cursor, now: datetime, *, full: bool) -> Position:
    """Where the walk goes on. A fresh listing on the first load, when `full`, and where a walk is always a listing;
    else the changes since the last walk began, less the look-back; a walk under way goes on as it is, unless a listing
    is asked for and none is under way."""
    position = known.position
    if position.began is not None and (position.listing or not full):
        return position
    if not walk.key and not full and not position.listing:
        # The token of a walk that is over is the source's word on what it has told: nothing new, nothing to read.
        return Position(began=now, token=position.token)
    if full or position.listing or position.since is None or _relists(known, now):
        return Position(began=now)
    return Position(listing=False, began=now, since=position.since - walk.look_back)


def write(connection: Connection, workspace_id: str, source: str, object_: str, values: Mapping[str, Any]) -> None:
    """Set columns of the object's row; a new row without a position stands at the beginning."""
    key = {"workspace_id": workspace_id, "source": source, "object": object_}
    connection.execute(
        insert(connection, cursor)
        .values({"position": Position().to_json()} | key | dict(values))
        .on_conflict_do_update(index_elements=list(key), set_=dict(values) or {"object": object_})
    )


def forget(connection: Connection, workspace_id: str, source: str, object_: str) -> None:
    """Nothing is known of the object, and nothing is waited for."""
    mine = (cursor.c.workspace_id == workspace_id, cursor.c.source == source, cursor.c.object == object_)
    connection.execute(sa.delete(cursor).where(*mine))


def _relists(known: Cursor, now: datetime) -> bool:
    """A listing that lacked too much is asked again after an hour: it may have been the CRM's bad moment."""
    held = known.trouble is not None and known.trouble.code == Code.VANISHED
    return held and (known.listed_at is None or (now - known.listed_at).total_seconds() >= 3_600)


def _position(text: str) -> Position:
    try:
        return Position.from_json(text)
    except (TypeError, ValueError):
        return Position()
