"""Rows of which the source tells only that they are no more."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from storage.database import insert
from storage.history import Change
from storage.records import Gone, Mention
from storage.rows import MENTIONED, Frame, Row, mentioned_row
from storage.schema import metadata


def apply(connection: Connection, frame: Frame, told: Sequence[Gone], now: datetime) -> list[Change]:
    """Mark these rows as deleted, and taken over where that is told; gives what changed.

    A row that was modified later lives. One that is not there is left so, unless it was taken over and others may name
    it: then its name is kept, for them to find the survivor.
    """
    changes = []
    for object_ in dict.fromkeys(gone.object for gone in told):
        table = metadata.tables[object_]
        mine = [gone for gone in told if gone.object == object_]
        ids = [frame.own(gone.ext_id) for gone in mine]
        where = (table.c.workspace_id == frame.workspace_id, table.c.id.in_(ids))
        found = connection.execute(sa.select(table).where(*where).with_for_update()).mappings()
        there = {row["id"]: dict(row) for row in found}
        for gone in mine:
            change = _bury(connection, table, frame, gone, there, now)
            if change is not None:
                changes.append(change)
    return changes


def _bury(
    connection: Connection, table: Table, frame: Frame, gone: Gone, there: dict[str, Row], now: datetime
) -> Change | None:
    key = frame.own(gone.ext_id)
    before, survivor = there.get(key), frame.id(gone.merged_into)
    if before is None:
        if survivor is None or gone.object not in MENTIONED:
            return None
        name = Mention(object=gone.object, ext_id=gone.ext_id, name=gone.ext_id)
        row = mentioned_row(name, frame) | {"first_seen_at": now, "deleted_at": now, "merged_into": survivor}
        connection.execute(insert(connection, table).values(row | {"modified_at": gone.at}))
        there[key] = dict.fromkeys(table.c.keys()) | row | {"modified_at": gone.at}
        return Change(table.name, None, there[key])
    known = before["modified_at"]
    if gone.at is not None and known is not None and known > gone.at:
        return None
    after = before | {
        "deleted_at": before["deleted_at"] or now,
        "merged_into": survivor or before["merged_into"],
        # What was true before it was deleted, and is read late, does not raise it again.
        "modified_at": known if gone.at is None else gone.at,
    }
    if after == before:
        return None
    there[key] = after
    values = {name: after[name] for name in ("deleted_at", "merged_into", "modified_at")}
    this = (table.c.workspace_id == frame.workspace_id, table.c.id == key)
    connection.execute(sa.update(table).where(*this).values(values))
    same = all(before[name] == after[name] for name in ("deleted_at", "merged_into"))
    return None if same else Change(table.name, before, after)
