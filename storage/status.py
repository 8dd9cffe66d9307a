"""How much is known and how fresh it is: what `/kpi status` says, and when data counts as late."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage import schema
from storage.troubles import Trouble

READY, REFUSED, STOPPED = "ready", "refused", "stopped"
"""How a connected source is: see `source.state`."""

COUNTED = (schema.deal, schema.lead, schema.customer, schema.person, schema.team, schema.contract, schema.spend)


@dataclass(frozen=True, slots=True)
class Told:
    """One object of a source."""

    object: str
    complete_at: datetime | None
    """Confirmed complete up to then; None = never read to its end."""
    listed_at: datetime | None
    """When everything that the source has was last compared with it; None = never."""
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class Run:
    """One sync. `outcome` is `ok`, `partial` or `failed`; None = under way."""

    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    full: bool
    new: int
    changed: int
    deleted: int
    quarantined: int
    requests: int
    error: str | None
    """What was raised, by its name."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source, connected or only loaded by hand; `state` None = by hand."""

    source: str
    state: str | None
    state_since: datetime | None
    due_at: datetime | None
    told: tuple[Told, ...]
    last_run: Run | None
    """The last one begun."""
    hints: int
    """Knocks of webhooks whose rows are still to be read again."""

    @property
    def complete_at(self) -> datetime | None:
        """A source is as fresh as its least fresh object: one that was never complete makes it unknown."""
        moments = [each.complete_at for each in self.told]
        known = [moment for moment in moments if moment is not None]
        return min(known) if known and len(known) == len(moments) else None

    @property
    def listed_at(self) -> datetime | None:
        """When the last of its objects was compared as a whole; None where one never was."""
        moments = [each.listed_at for each in self.told if each.listed_at is not None]
        return min(moments) if moments and len(moments) == len(self.told) else None

    def late(self, since: datetime) -> bool:
        """Whether it is connected and some object was not confirmed complete since then.

        What was never complete is not late: its first reading may take its time, and there is no older number to doubt.
        """
        waited_for = self.state in {READY, REFUSED}
        return waited_for and any(each.complete_at is not None and each.complete_at < since for each in self.told)


@dataclass(frozen=True, slots=True)
class Status:
    sources: tuple[Source, ...]
    rows: dict[str, int]
    """Rows not deleted, by table name; tables without any are left out."""
    set_aside: int
    """Rows in quarantine that were not loaded."""
    flagged: int
    """Rows loaded with a doubt."""


def read_status(connection: Connection, workspace_id: str) -> Status:
    """One workspace's data, counted."""
    rows = {
        table.name: connection.execute(
            sa.select(sa.func.count()).where(table.c.workspace_id == workspace_id, table.c.deleted_at.is_(None))
        ).scalar_one()
        for table in COUNTED
    }
    quarantine = schema.quarantine
    counted = connection.execute(
        sa.select(quarantine.c.kept, sa.func.count().label("rows"))
        .where(quarantine.c.workspace_id == workspace_id)
        .group_by(quarantine.c.kept)
    )
    kept = {row.kept: row.rows for row in counted}
    return Status(
        read_sources(connection, workspace_id),
        {name: count for name, count in rows.items() if count},
        kept.get(False, 0),
        kept.get(True, 0),
    )


def read_sources(connection: Connection, workspace_id: str) -> tuple[Source, ...]:
    """Every source that is connected or has told anything, by name."""
    states = {row.source: row for row in _rows(connection, schema.source, workspace_id)}
    told: dict[str, list[Told]] = {}
    for row in _rows(connection, schema.cursor, workspace_id):
        told.setdefault(row.source, []).append(_told(row))
    hint = schema.hint
    waiting = {
        row.source: row.hints
        for row in connection.execute(
            sa.select(hint.c.source, sa.func.count().label("hints"))
            .where(hint.c.workspace_id == workspace_id, hint.c.settled_at.is_(None))
            .group_by(hint.c.source)
        )
    }
    found = []
    for name in sorted({*states, *told}):
        state = states.get(name)
        found.append(
            Source(
                name,
                None if state is None else state.state,
                None if state is None else state.state_since,
                None if state is None else state.due_at,
                tuple(sorted(told.get(name, ()), key=lambda each: each.object)),
                _last_run(connection, workspace_id, name),
                waiting.get(name, 0),
            )
        )
    return tuple(found)


def _rows(connection: Connection, table: sa.Table, workspace_id: str) -> sa.CursorResult[Any]:
    return connection.execute(sa.select(table).where(table.c.workspace_id == workspace_id))


def _last_run(connection: Connection, workspace_id: str, source: str) -> Run | None:
    run = schema.run
    row = connection.execute(
        sa.select(*(run.c[name] for name in Run.__slots__))
        .where(run.c.workspace_id == workspace_id, run.c.source == source)
        .order_by(run.c.started_at.desc(), run.c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else Run(*row)


def _told(row: sa.Row[Any]) -> Told:
    return Told(
        row.object, row.complete_at, row.listed_at, None if row.trouble is None else Trouble.from_json(row.trouble)
    )
