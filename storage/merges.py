"""Rows that another took over: what names them names the survivor, whichever of the two is read first."""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.history import Change
from storage.rows import Row
from storage.schema import metadata

NAMED_BY: Mapping[str, Mapping[str, str]] = {
    "customer": {
        "deal": "customer_id",
        "lead": "customer_id",
        "contract": "customer_id",
        "purchase": "customer_id",
    },
    "lead": {"deal": "lead_id"},
}
"""Object to the tables that name one, with the column."""


def merged_objects(connection: Connection, workspace_id: str, source: str) -> set[str]:
    """The objects of which a row of this source was ever taken over: pages that name others need not ask."""
    found = set()
    for name in NAMED_BY:
        table = metadata.tables[name]
        mine = (table.c.workspace_id == workspace_id, table.c.source == source, table.c.merged_into.is_not(None))
        if connection.execute(sa.select(table.c.id).where(*mine).limit(1)).first() is not None:
            found.add(name)
    return found


def resolve(connection: Connection, workspace_id: str, merged: Iterable[str], name: str, rows: Sequence[Row]) -> None:
    """Make these rows of a table name the survivors; `merged` are the objects to look at."""
    for object_ in merged:
        column = NAMED_BY[object_].get(name)
        if column is not None:
            last = survivors(connection, workspace_id, object_, {row[column] for row in rows} - {None})
            for row in rows:
                row[column] = last.get(row[column], row[column])


def repoint(connection: Connection, workspace_id: str, object_: str, losers: Iterable[str], most: int) -> list[Change]:
    """Let at most so many of the rows that name one of these rows name its survivor; gives what changed. Where that is
    `most`, there may be more."""
    changes: list[Change] = []
    last = survivors(connection, workspace_id, object_, losers)
    for name, column in NAMED_BY.get(object_, {}).items() if last else ():
        table = metadata.tables[name]
        mine = (table.c.workspace_id == workspace_id, table.c[column].in_(list(last)))
        moved: dict[str, list[str]] = {}
        some = sa.select(table).where(*mine).order_by(table.c.id).limit(most - len(changes))
        for found in connection.execute(some).mappings().all():
            survivor = last[found[column]]
            changes.append(Change(name, dict(found), dict(found) | {column: survivor}))
            moved.setdefault(survivor, []).append(found["id"])
        for survivor, ids in moved.items():
            these = (table.c.workspace_id == workspace_id, table.c.id.in_(ids))
            connection.execute(sa.update(table).where(*these).values({column: survivor}))
    return changes


def still_named(connection: Connection, workspace_id: str, source: str, object_: str) -> set[str]:
    """Rows of a source that were taken over and that others still name: whoever moved those was killed."""
    loser = metadata.tables[object_]
    found: set[str] = set()
    for name, column in NAMED_BY[object_].items():
        table = metadata.tables[name]
        names = sa.and_(table.c.workspace_id == loser.c.workspace_id, table.c[column] == loser.c.id)
        mine = (loser.c.workspace_id == workspace_id, loser.c.source == source, loser.c.merged_into.is_not(None))
        found |= set(connection.scalars(sa.select(loser.c.id).join(table, names).where(*mine).distinct()))
    return found


def survivors(connection: Connection, workspace_id: str, object_: str, ids: Iterable[str]) -> dict[str, str]:
    """Of these rows, those that were taken over, each with the last of its chain."""
    table = metadata.tables[object_]
    asked = set(ids)
    steps: dict[str, str] = {}
    unknown = asked
    while unknown:
        mine = (table.c.workspace_id == workspace_id, table.c.id.in_(list(unknown)), table.c.merged_into.is_not(None))
        found = {
            row.id: row.merged_into
            for row in connection.execute(sa.select(table.c.id, table.c.merged_into).where(*mine))
        }
        steps |= found
        unknown = set(found.values()) - set(steps)
    return {loser: _last(loser, steps) for loser in asked if loser in steps}


def _last(loser: str, steps: Mapping[str, str]) -> str:
    passed = {loser}
    while loser in steps and steps[loser] not in passed:
        loser = steps[loser]
        passed.add(loser)
    return loser
