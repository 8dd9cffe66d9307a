"""Write a page's rows of one table: new ones in, changed ones over, equal and older ones left alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from storage.database import Insert, insert_of
from storage.history import Change, changed_fields
from storage.rows import Row

_FIRST = {"workspace_id", "id", "source", "ext_id", "first_seen_at"}
"""Columns that the first sight of a row settles."""


@dataclass(slots=True)
class Outcome:
    changes: list[Change] = field(default_factory=list)
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    standing: dict[str, Row] = field(default_factory=dict)
    """Rows left alone because a newer version was there, by id, as they are."""


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Row],
    now: datetime,
    *,
    created: date | None = None,
    mend: bool = False,
) -> Outcome:
    """Upsert rows of one workspace, guarded by (modified, payload hash); `now` is the first sight of new ones.

    A row whose stored version was modified later is left alone. A row that is told as deleted (`deleted`) keeps what it
    says, who took it over, and the moment it was first told so; one that is told again as any other lives again. Two
    versions in one call are settled in order. `created` is the local day of `now` where the source tells no creation
    and the row's first sight stands for it; once given, that day stays. To `mend`, rows of the same content are
    compared column by column, and brought back to it where something else has written them; but for values, which
    follow the rates (`storage.revalue`).
    """
    outcome = Outcome()
    there = _existing(connection, table, rows, whole=mend)
    write: dict[str, Row] = {}
    for row in rows:
        before = there.get(row["id"])
        if before is not None and _is_older(row, before):
            outcome.standing[row["id"]] = before
            continue
        gone = row["deleted"]
        if (
            before is not None
            and before["payload_hash"] == row["payload_hash"]
            and (before["deleted_at"] is not None) is gone
            and not (mend and _strayed(table, row, before, now))
        ):
            outcome.unchanged += 1
            continue
        after = _after(row, before, now, created)
        change = Change(table.name, before, after)
        if before is None or before["payload_hash"] == "":
            outcome.new += 1
        elif gone and before["deleted_at"] is None:
            outcome.deleted += 1
        elif changed_fields(change):
            outcome.changed += 1
        else:
            outcome.unchanged += 1
        outcome.changes.append(change)
        write[row["id"]] = there[row["id"]] = after
    if write:
        _write(connection, table, list(write.values()))
    return outcome


def _after(row: Row, before: Row | None, now: datetime, created: date | None) -> Row:
    after = {name: value for name, value in row.items() if name != "deleted"}
    after["first_seen_at"] = now if before is None else before["first_seen_at"]
    after["deleted_at"] = ((before or {}).get("deleted_at") or now) if row["deleted"] else None
    if before is not None and row["deleted"] and row["merged_into"] is None:
        after["merged_into"] = before["merged_into"]
    if after.get("created_on", now) is None:
        if before is not None and before["created_seen"]:
            after |= {name: before[name] for name in ("created_on", "created_at", "created_seen")}
        elif before is None and created is not None:
            after |= {"created_on": created, "created_at": now, "created_seen": True}
    return after


def _strayed(table: Table, row: Row, before: Row, now: datetime) -> bool:
    """Whether the stored row says something else than the content that it is marked with."""
    fields = changed_fields(Change(table.name, before, _after(row, before, now, None)))
    return any(name != "value_minor" for name in fields)


def _existing(connection: Connection, table: Table, rows: Sequence[Row], *, whole: bool) -> dict[str, Row]:
    """What the table says of these ids: whole rows where the content differs or all are wanted so, else only what the
    guard needs."""
    guard, wholly = _questions(table)
    told = {row["id"]: row["payload_hash"] for row in rows}
    mine = {"workspace": rows[0]["workspace_id"]}
    found = connection.execute(guard, mine | {"ids": list(told)}).mappings()
    there = {row["id"]: dict(row) for row in found}
    # A row told twice in one page may differ in one telling and not in the other.
    all_ = whole or len(told) != len(rows)
    differ = [key for key, row in there.items() if all_ or row["payload_hash"] != told[key] or row["deleted_at"]]
    if differ:
        found = connection.execute(wholly, mine | {"ids": differ}).mappings()
        there |= {row["id"]: dict(row) for row in found}
    return there


@cache
def _questions(table: Table) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """What the guard needs of rows, and whole rows; as `_statement`, made once."""
    these = (
        table.c.workspace_id == sa.bindparam("workspace"),
        table.c.id.in_(sa.bindparam("ids", expanding=True)),
    )
    guard = (table.c.id, table.c.payload_hash, table.c.modified_at, table.c.deleted_at)
    return sa.select(*guard).where(*these).with_for_update(), sa.select(table).where(*these)


def _is_older(row: Row, before: Row) -> bool:
    told, known = row["modified_at"], before["modified_at"]
    return told is not None and known is not None and told < known


def _write(connection: Connection, table: Table, rows: list[Row]) -> None:
    connection.execute(_statement(connection.dialect.name, table), rows)


@cache
def _statement(dialect: str, table: Table) -> Insert:
    """Made once for each table: SQLAlchemy takes as long for it as the database for ten rows."""
    statement = insert_of(dialect, table)
    excluded = statement.excluded
    # The guard stands in the statement too: another process may have written since this one read.
    newer = sa.or_(
        table.c.modified_at.is_(None), excluded.modified_at.is_(None), excluded.modified_at >= table.c.modified_at
    )
    return statement.on_conflict_do_update(
        index_elements=["workspace_id", "id"],
        set_={column.name: excluded[column.name] for column in table.c if column.name not in _FIRST},
        where=newer,
    )
