"""Who is doing something that only one may do at a time: a row with a holder and an end, by the database's clock.

A holder that died is followed by another once its time is up; one that is only slow finds out when it renews, and
writes nothing more.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from storage.database import insert, moment, writing
from storage.schema import lease

SECONDS = 60
"""After so long, a holder that was killed is followed by another."""
BEAT = 15.0
"""Seconds between two renewals by `kept`: three may fail before the time is up."""


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


def take_free(
    connection: Connection, names: Iterable[tuple[str, str]], holder: str, seconds: int
) -> set[tuple[str, str]]:
    """Within the caller's transaction: of these (workspace, name), hold the ones that are free or whose time is up, and
    give them back. Whoever holds the others is not waited for."""
    # Always in the same order: two who take several never wait for each other.
    wanted = [{"workspace_id": workspace_id, "name": name} for workspace_id, name in sorted(set(names))]
    if not wanted:
        return set()
    statement = insert(connection, lease).values(
        workspace_id=sa.bindparam("workspace_id"), name=sa.bindparam("name"), holder=holder, until=moment(seconds)
    )
    taken = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "name"],
            set_={"holder": statement.excluded.holder, "until": statement.excluded.until},
            where=lease.c.until <= moment(0),
        ).returning(lease.c.workspace_id, lease.c.name),
        wanted,
    )
    return {(row.workspace_id, row.name) for row in taken}


def drop(connection: Connection, workspace_id: str, name: str) -> None:
    """Free the lease, whoever holds it: what it was for is done."""
    connection.execute(sa.delete(lease).where(lease.c.workspace_id == workspace_id, lease.c.name == name))


def renew(connection: Connection, workspace_id: str, name: str, holder: str, seconds: int = SECONDS) -> None:
    """Within the transaction that needs it: the lease is ours until this commits. Raises `LostError`."""
    renewed = connection.execute(
        sa.update(lease).where(*_held(workspace_id, name, holder)).values(until=moment(seconds))
    )
    if not renewed.rowcount:
        raise LostError(name)


@contextmanager
def kept(engine: Engine, workspace_id: str, name: str, holder: str) -> Iterator[None]:
    """Renew the lease while the block lasts, however long a CRM makes it wait.

    It ends with the process, and where the lease is another's: whoever holds on to it for a transaction is told so
    (`renew`), a thread beside is not.
    """
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            try:
                with writing(engine) as connection:
                    renew(connection, workspace_id, name, holder)
            except LostError:
                return
            except sa.exc.OperationalError:
                # The database is busy or away: the next beat may find it again.
                continue

    thread = threading.Thread(target=beat, name=f"lease {name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def release(connection: Connection, workspace_id: str, name: str, holder: str) -> None:
    """Give the lease back. Raises `LostError`."""
    if not connection.execute(sa.delete(lease).where(*_held(workspace_id, name, holder))).rowcount:
        raise LostError(name)


def _held(workspace_id: str, name: str, holder: str) -> tuple[sa.ColumnElement[bool], ...]:
    return lease.c.workspace_id == workspace_id, lease.c.name == name, lease.c.holder == holder
