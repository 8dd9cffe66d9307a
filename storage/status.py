"""How much is known and how fresh it is: what `/kpi status` says."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from storage import schema

COUNTED = (schema.deal, schema.lead, schema.customer, schema.person, schema.team, schema.contract, schema.spend)


@dataclass(frozen=True, slots=True)
class Source:
    source: str
    complete_at: datetime | None
    """When the least fresh of its objects was last read to its end; None = never."""


@dataclass(frozen=True, slots=True)
class Status:
    sources: tuple[Source, ...]
    rows: dict[str, int]
    """Rows not deleted, by table name; tables without any are left out."""
    set_aside: int
    """Rows in quarantine that were not loaded."""
    flagged: int
    """Rows loaded with a doubt."""
    last_outcome: str | None
    """`ok`, `failed`, or None when no sync has ended."""


def read_status(connection: Connection, workspace_id: str) -> Status:
    """One workspace's data, counted."""
    cursor, quarantine, run = schema.cursor, schema.quarantine, schema.run
    # A source is as fresh as its least fresh object: one that was never complete makes it unknown.
    sources = connection.execute(
        sa.select(
            cursor.c.source,
            sa.case((sa.func.count(cursor.c.complete_at) == sa.func.count(), sa.func.min(cursor.c.complete_at))).label(
                "complete_at"
            ),
        )
        .where(cursor.c.workspace_id == workspace_id)
        .group_by(cursor.c.source)
        .order_by(cursor.c.source)
    ).all()
    rows = {
        table.name: connection.execute(
            sa.select(sa.func.count()).where(table.c.workspace_id == workspace_id, table.c.deleted_at.is_(None))
        ).scalar_one()
        for table in COUNTED
    }
    counted = connection.execute(
        sa.select(quarantine.c.kept, sa.func.count().label("rows"))
        .where(quarantine.c.workspace_id == workspace_id)
        .group_by(quarantine.c.kept)
    )
    kept = {row.kept: row.rows for row in counted}
    outcome = connection.execute(
        sa.select(run.c.outcome)
        .where(run.c.workspace_id == workspace_id, run.c.ended_at.is_not(None))
        .order_by(run.c.ended_at.desc())
        .limit(1)
    ).scalar()
    return Status(
        tuple(Source(row.source, row.complete_at) for row in sources),
        {name: count for name, count in rows.items() if count},
        kept.get(False, 0),
        kept.get(True, 0),
        outcome,
    )
