"""Change history: what a row said before, field by field. Append-only."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count

import sqlalchemy as sa
from sqlalchemy import Connection

from storage import schema
from storage.database import insert
from storage.rows import Row

_OWN = {"workspace_id", "id", "source", "ext_id", "modified_at", "payload_hash", "first_seen_at"}
"""Columns that are not the source's facts."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row before and after; `before` is None for a new one."""

    object: str
    before: Row | None
    after: Row


def changed_fields(change: Change) -> dict[str, tuple[object, object]]:
    """Field to (old, new); empty for a new row."""
    before = change.before
    if before is None:
        return {}
    return {
        field: (before[field], value)
        for field, value in change.after.items()
        if field not in _OWN and before[field] != value
    }


def object_id(change: Change) -> str:
    """What `change.object_id` says: the row's id, of a membership `person_id|starts_on`."""
    if change.object == "membership":
        return f"{change.after['person_id']}|{change.after['starts_on'].isoformat()}"
    return str(change.after["id"])


class History:
    """Writes the changes of one run, each under an id of its own."""

    def __init__(self, workspace_id: str, source: str, run_id: str) -> None:
        self._shared = {"workspace_id": workspace_id, "source": source}
        self._run_id = run_id
        self._number = count(1)

    def write(self, connection: Connection, changes: Iterable[Change], now: datetime) -> None:
        """`now` is the moment at which they are seen."""
        rows = [row | {"seen_at": now} for change in changes for row in self._rows(change)]
        if rows:
            connection.execute(insert(connection, schema.change), rows)

    def _rows(self, change: Change) -> Iterator[Row]:
        for field, (old, new) in changed_fields(change).items():
            yield self._shared | {
                "id": f"{self._run_id}:{next(self._number):09d}",
                "object": change.object,
                "object_id": object_id(change),
                "field": field,
                "old": _text(old),
                "new": _text(new),
            }


def touched(connection: Connection, workspace_id: str, object_: str, since: datetime, most: int) -> frozenset[str]:
    """The ids of at most so many rows of an object that are new, or that changed, after a moment; the latest ones."""
    change, table = schema.change, schema.metadata.tables[object_]
    changed = (
        sa.select(change.c.object_id, sa.func.max(change.c.seen_at).label("at"))
        .where(change.c.workspace_id == workspace_id, change.c.object == object_, change.c.seen_at > since)
        .group_by(change.c.object_id)
    )
    new = sa.select(table.c.id, table.c.first_seen_at.label("at")).where(
        table.c.workspace_id == workspace_id, table.c.first_seen_at > since
    )
    both = sa.union_all(changed, new).subquery("both")
    latest = sa.select(both.c.object_id).order_by(both.c.at.desc(), both.c.object_id).limit(most)
    return frozenset(connection.scalars(latest))


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
