"""Who is doing something that only one may do at a time: a row with a holder and an end, by the database's clock.

A holder that died is followed by another once its time is up; one that is only slow finds out when it renews, and
writes nothing more.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from storage.database import insert, moment, writing
from storage.schema import lease

SECONDS = 300
"""Longer than a CRM may make us wait for one page."""


class BusyError(Exception):
    """Another holds the lease, at the latest until `until` (UTC)."""

    def __init__(self, name: str, until: datetime) -> None:
        super().__init__(f"{name} is under way elsewhere, until {until.isoformat(timespec='seconds')} at the latest")
        self.name, self.until = name, until


class LostError(Exception):
    """The lease is another's now: whoever held it must write nothing more."""


def take(engine: Engine, workspace_id: str, name: str, holder: str, seconds: int = SECONDS) -> None:
    """Hold the lease for so many seconds from now, where it is free or its time is up. Raises `BusyError`."""
    with writing(engine) as connection:
        statement = insert(connection, lease).values(
            workspace_id=workspace_id, name=name, holder=holder, until=moment(seconds)
        )
        taken = connection.execute(
            statement.on_conflict_do_update(
                index_elements=["workspace_id", "name"],
                set_={"holder": statement.excluded.holder, "until": statement.excluded.until},
                where=sa.or_(lease.c.until <= moment(0), lease.c.holder == statement.excluded.holder),
            )
            # The row count of such an INSERT is not known on PostgreSQL; what it returns is.
            .returning(lease.c.holder)
        )
        if taken.first() is None:
            mine = (lease.c.workspace_id == workspace_id, lease.c.name == name)
            raise BusyError(name, connection.execute(sa.select(lease.c.until).where(*mine)).scalar_one())


def renew(connection: Connection, workspace_id: str, name: str, holder: str, seconds: int = SECONDS) -> None:
    """Within the transaction that needs it: the lease is ours until this commits. Raises `LostError`."""
    renewed = connection.execute(
        sa.update(lease).where(*_held(workspace_id, name, holder)).values(until=moment(seconds))
    )
    if not renewed.rowcount:
        raise LostError(name)


def release(connection: Connection, workspace_id: str, name: str, holder: str) -> None:
    """Give the lease back. Raises `LostError`."""
    if not connection.execute(sa.delete(lease).where(*_held(workspace_id, name, holder))).rowcount:
        raise LostError(name)


def _held(workspace_id: str, name: str, holder: str) -> tuple[sa.ColumnElement[bool], ...]:
    return lease.c.workspace_id == workspace_id, lease.c.name == name, lease.c.holder == holder
