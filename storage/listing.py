"""What a complete listing proves: rows that it does not tell are gone, unless too many would be."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.sql.elements import ColumnElement

from storage.database import insert, reading
from storage.history import Change
from storage.parts import Stride
from storage.reports import Month
from storage.rows import Row
from storage.schema import deal, listed, metadata
from storage.troubles import Code, Trouble

SHARE = 5
"""A listing that lacks one row in so many, or more, is not believed."""
CHUNK = 500
"""Ids that are asked for at a time."""


def note(
    connection: Connection, workspace_id: str, source: str, object_: str, rows: Sequence[Row], others: Sequence[str]
) -> None:
    """These rows, and these ext ids of rows that could not be read, are in the listing under way."""
    nothing: Row = {"month": None, "currency": None, "amount_minor": None}
    told = dict.fromkeys(others, nothing)
    for row in rows:
        month = f"{row['created_on']:%Y-%m}" if row.get("created_on") else None
        told[row["ext_id"]] = {"month": month, "currency": row.get("currency"), "amount_minor": row.get("amount_minor")}
    if not told:
        return
    key = {"workspace_id": workspace_id, "source": source, "object": object_}
    statement = insert(connection, listed)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[*key, "ext_id"], set_={name: statement.excluded[name] for name in nothing}
        ),
        [key | {"ext_id": ext_id} | values for ext_id, values in told.items()],
    )


def count(connection: Connection, workspace_id: str, source: str, object_: str) -> int:
    """Living rows of one object that the source told itself."""
    table = metadata.tables[object_]
    known = sa.select(sa.func.count()).select_from(table).where(*_known(table, workspace_id, source))
    return connection.execute(known).scalar_one()


def vanishing(engine: Engine, workspace_id: str, source: str, object_: str) -> Trouble | None:
    """The trouble, if more living rows than can be believed are not in the listing."""
    table = metadata.tables[object_]
    unlisted = sa.select(sa.func.count()).select_from(table).where(*_known(table, workspace_id, source), ~_told(table))
    with reading(engine) as connection:
        of = count(connection, workspace_id, source, object_)
        gone = connection.execute(unlisted).scalar_one()
    return Trouble(object_, Code.VANISHED, {"count": gone, "of": of}) if gone and gone * SHARE >= of else None


def next_unlisted(engine: Engine, workspace_id: str, source: str, object_: str, after: str, most: int) -> list[str]:
    """Ids of the next living rows, so many at most, in order and after this one, that the listing does not tell."""
    table = metadata.tables[object_]
    these = (*_known(table, workspace_id, source), table.c.id > after, ~_told(table))
    with reading(engine) as connection:
        return list(connection.scalars(sa.select(table.c.id).where(*these).order_by(table.c.id).limit(most)))


def delete(
    connection: Connection, workspace_id: str, source: str, object_: str, ids: Sequence[str], now: datetime
) -> list[Change]:
    """Mark these rows as deleted, unless they have been told since; gives what changed."""
    table = metadata.tables[object_]
    these = (*_known(table, workspace_id, source), table.c.id.in_(ids), ~_told(table))
    found = connection.execute(sa.select(table).where(*these).order_by(table.c.id).with_for_update(of=table))
    changes = [Change(object_, dict(row), dict(row) | {"deleted_at": now}) for row in found.mappings()]
    mine = (table.c.workspace_id == workspace_id, table.c.id.in_([change.after["id"] for change in changes]))
    connection.execute(sa.update(table).where(*mine).values(deleted_at=now))
    return changes


def lacking(engine: Engine, workspace_id: str, source: str, object_: str, ext_ids: set[str]) -> set[str]:
    """Those of these ext ids that the listing does not tell."""
    mine = (listed.c.workspace_id == workspace_id, listed.c.source == source, listed.c.object == object_)
    asked, there = sorted(ext_ids), set[str]()
    with reading(engine) as connection:
        for start in range(0, len(asked), CHUNK):
            some = listed.c.ext_id.in_(asked[start : start + CHUNK])
            there |= set(connection.scalars(sa.select(listed.c.ext_id).where(*mine, some)))
    return ext_ids - there


def clean(engine: Engine, workspace_id: str, source: str, object_: str) -> None:
    """Forget what the listing told, in short transactions."""
    mine = (listed.c.workspace_id == workspace_id, listed.c.source == source, listed.c.object == object_)
    stride = Stride()
    while True:
        with reading(engine) as connection:
            some = list(connection.scalars(sa.select(listed.c.ext_id).where(*mine).limit(stride.rows)))
        if not some:
            return
        with stride.writing(engine, len(some)) as connection:
            connection.execute(sa.delete(listed).where(*mine, listed.c.ext_id.in_(some)))


def compare_months(engine: Engine, workspace_id: str, source: str) -> list[Month]:
    """Months of creation whose deals, as stored, do not add up to what the listing told, currency by currency."""
    told = sa.and_(
        listed.c.workspace_id == deal.c.workspace_id,
        listed.c.source == deal.c.source,
        listed.c.object == "deal",
        listed.c.ext_id == deal.c.ext_id,
    )
    rows = deal.outerjoin(listed, told)
    known = _known(deal, workspace_id, source)
    year, month = sa.extract("year", deal.c.created_on), sa.extract("month", deal.c.created_on)
    own = sa.case((~deal.c.created_seen, year * 100 + month))
    with reading(engine) as connection:
        here = connection.execute(
            sa.select(own, deal.c.currency, sa.func.sum(deal.c.amount_minor))
            .where(*known)
            .group_by(own, deal.c.currency)
        ).all()
        there = connection.execute(
            sa.select(listed.c.month, listed.c.currency, sa.func.sum(listed.c.amount_minor))
            .select_from(rows)
            .where(*known)
            .group_by(listed.c.month, listed.c.currency)
        ).all()
    ours = _sums((None if at is None else f"{int(at) // 100:04d}-{int(at) % 100:02d}", *more) for at, *more in here)
    theirs = _sums(there)
    return [
        Month(*key, ours.get(key, 0), theirs.get(key, 0))
        for key in sorted(ours.keys() | theirs.keys(), key=lambda key: (key[0] or "", key[1]))
        if ours.get(key, 0) != theirs.get(key, 0)
    ]


def _known(table: Table, workspace_id: str, source: str) -> tuple[ColumnElement[bool], ...]:
    """Living rows of the source that it told itself; one that was only named by another is in no listing."""
    return (
        table.c.workspace_id == workspace_id,
        table.c.source == source,
        table.c.deleted_at.is_(None),
        table.c.payload_hash != "",
    )


def _told(table: Table) -> ColumnElement[bool]:
    return sa.exists().where(
        listed.c.workspace_id == table.c.workspace_id,
        listed.c.source == table.c.source,
        listed.c.object == table.name,
        listed.c.ext_id == table.c.ext_id,
    )


def _sums(rows: Iterable[Any]) -> dict[tuple[str | None, str], int]:
    """By month and currency; a row without a currency is one that the listing does not tell."""
    return {(month, currency): int(total or 0) for month, currency, total in rows if currency is not None}
