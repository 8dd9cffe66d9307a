"""How a database is opened: SQLite (WAL, FULL synchronous) for one host, PostgreSQL through psycopg 3 for teams and
replicas."""

import sqlite3
import time
from datetime import UTC, datetime
from select import POLLIN, poll
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url

from storage.database import turns

PLANNED_ONCE = "vigie_planned_once"
"""Said of a statement whose plan is made once for all values, and of a connection while it plans so (None: unknown)."""

ONE_VIEW = "vigie_one_view"
"""Said of a connection all of whose statements see what was there at the first."""

STRAIGHT = "vigie_straight"
"""Said of a connection on which each statement is a transaction of its own."""

IDLE_SECONDS = 30.0
"""A PostgreSQL connection that nobody used for so long is asked whether it still is one."""

_USED = "vigie_used"
"""When a connection went back to its pool."""


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://…` (`postgresql://` and `postgres://` are understood).

    Raises `ValueError` with a sentence for any other kind of database.
    """
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed)
    if parsed.get_backend_name() != "sqlite":
        raise ValueError(f"Vigie speaks SQLite and PostgreSQL, not {parsed.get_backend_name()}")
    engine = sa.create_engine(parsed, connect_args={"timeout": turns.SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _configure(raw: Any, _record: object) -> None:
        # Transactions begin where we say (BEGIN IMMEDIATE in `writing`), not where the driver guesses.
        raw.isolation_level = None
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA foreign_keys = ON")
        raw.create_function("vigie_local_day", 2, _local_day, deterministic=True)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        how = connection.get_execution_options()
        if how.get(STRAIGHT):
            return
        raw: Any = connection.connection.driver_connection
        if not how.get("vigie_writing"):
            raw.execute("BEGIN")
            return
        raw.execute("PRAGMA busy_timeout = 0")
        try:
            turns.begin(raw)
        except sqlite3.OperationalError:
            # Said once more in SQLAlchemy's words.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            raw.execute(f"PRAGMA busy_timeout = {turns.SECONDS * 1000}")

    return engine


def _postgresql(url: sa.URL) -> Engine:
    """Without the compilation of statements, which takes longer than what it would save."""
    from psycopg import IsolationLevel
    from psycopg.pq import TransactionStatus

    # Whoever asks gets the connection that was used last: the statements it knows are planned already.
    engine = sa.create_engine(url, pool_use_lifo=True, connect_args={"options": "-c timezone=UTC -c jit=off"})

    @sa.event.listens_for(engine, "checkin")
    def _rest(_raw: object, record: Any) -> None:
        record.info[_USED] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def _wake(raw: Any, record: Any, _proxy: object) -> None:
        # A server that closes a connection says so on it: only where something was said, or after a while, is it asked.
        if raw is None or _USED not in record.info:
            return
        if time.monotonic() - record.info[_USED] < IDLE_SECONDS and not _has_said(raw):
            return
        try:
            engine.dialect.do_ping(raw)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError from error

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Set where it differs from the last time, not for each transaction and back: neither costs a round trip, but
        # both take as long as a small statement. Else, each statement would see what is there when it begins.
        level = IsolationLevel.REPEATABLE_READ if connection.get_execution_options().get(ONE_VIEW) else None
        raw: Any = connection.connection.driver_connection
        if raw.isolation_level is not level:
            raw.isolation_level = level

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _plan(connection: Connection, _cursor: object, _text: str, _given: Any, context: Any, _many: bool) -> None:
        # A statement of many parts takes far longer to plan than to run, and its plan is the same for any values. Any
        # other statement is planned for its values.
        once, now = context.execution_options.get(PLANNED_ONCE, False), connection.info.get(PLANNED_ONCE, False)
        if once is now:
            return
        raw: Any = connection.connection.driver_connection
        # After an error nothing can be set until it is rolled back.
        if raw.pgconn.transaction_status != TransactionStatus.INERROR:
            raw.execute(f"SET plan_cache_mode = {'force_generic_plan' if once else 'auto'}")
            connection.info[PLANNED_ONCE] = once

    @sa.event.listens_for(engine, "rollback")
    @sa.event.listens_for(engine, "rollback_savepoint")
    def _forget(connection: Connection, *_of_savepoint: object) -> None:
        # A setting made since is taken back; a connection that is lost has none.
        if not connection.invalidated:
            connection.info[PLANNED_ONCE] = None

    return engine


def _has_said(raw: Any) -> bool:
    """Whether a connection that nobody uses was closed, or has anything else to be read."""
    if raw.closed:
        return True
    line = poll()
    line.register(raw.fileno(), POLLIN)
    return bool(line.poll(0))


def _local_day(instant: str | None, zone: str) -> str | None:
    """Of a moment as SQLite holds it: UTC, without saying so."""
    if instant is None:
        return None
    return datetime.fromisoformat(instant).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date().isoformat()
