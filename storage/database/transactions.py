"""Connections to read by, transactions to write in, and what is said to the database about its tables."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table

from storage.database import turns
from storage.database.engine import ONE_VIEW


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for queries: one consistent snapshot for all of its statements, nothing written."""
    with engine.connect().execution_options(**{ONE_VIEW: True}) as connection, connection.begin():
        yield connection


@contextmanager
def counting(connection: Connection) -> Iterator[list[str]]:
    """The statements that this connection executes until the end of the block, as they come."""
    executed: list[str] = []

    def remember(*event: Any) -> None:
        executed.append(event[2])

    sa.event.listen(connection, "before_cursor_execute", remember)
    try:
        yield executed
    finally:
        sa.event.remove(connection, "before_cursor_execute", remember)


@contextmanager
def writing(engine: Engine, *, again: bool = False) -> Iterator[Connection]:
    """One write transaction: committed at the end of the block, rolled back if it raises.

    On SQLite the write lock is taken at the start (no deadlock by upgrade), so nothing slow belongs inside: never a
    network call. `again`: one of many that follow upon each other, as a sync's do; others are let in between.
    """
    with _turn(engine, again), engine.connect().execution_options(vigie_writing=True) as connection, connection.begin():
        yield connection


def _turn(engine: Engine, again: bool) -> AbstractContextManager[None]:
    return turns.turn(engine, again=again) if engine.dialect.name == "sqlite" else nullcontext()


def is_one_writer(engine: Engine) -> bool:
    """Whether whoever writes holds up all others who do."""
    return engine.dialect.name == "sqlite"


def alone(connection: Connection, what: int) -> None:
    """Within a write transaction: whoever does the same (a number that the callers agree on) in this database waits
    until this one is over. SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(what)))


def refresh_statistics(engine: Engine, tables: Iterable[Table]) -> None:
    """Tell the query planner how large these tables have become, after many rows were written.

    PostgreSQL plans a fresh table as if it were empty, and reads all of it for every page of a sync until it is told.
    SQLite takes the whole key without being told.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection, connection.begin():
            analyze(connection, tables)


def analyze(connection: Connection, tables: Iterable[Table]) -> None:
    """`refresh_statistics` within a transaction: of tables that only this connection sees."""
    if connection.dialect.name == "postgresql":
        for table in tables:
            connection.execute(sa.text(f"ANALYZE {connection.dialect.identifier_preparer.format_table(table)}"))


def home_schema(connection: Connection) -> str:
    """The schema that Vigie's tables are in."""
    if connection.dialect.name == "postgresql":
        return str(connection.execute(sa.select(sa.func.current_schema())).scalar_one())
    return "main"


def private_schema(connection: Connection) -> str:
    """The schema of tables that only this connection sees, and that are gone with it."""
    return "pg_temp" if connection.dialect.name == "postgresql" else "temp"
