"""Statements that are each a transaction of their own, in one call to the driver.

A transaction of several statements lasts, on SQLite, as long as this process's other threads keep the interpreter
between them, and the write lock is held meanwhile; one statement begins, writes and commits without them.
"""

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from storage.database import turns
from storage.database.engine import STRAIGHT

T = TypeVar("T")


class Straight:
    """A connection of its own for such statements. One thread at a time uses it, and closes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives, which executes one statement and reads what it returns; then it is committed.

        On SQLite, `work` is called again while another process writes, for `turns.SECONDS` at most.
        """
        try:
            if self._engine.dialect.name != "sqlite":
                return self._once(work)
            with turns.turn(self._engine, again=False):
                return turns.patiently(lambda: self._once(work))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            # It is unlike the others: not for their pool.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _once(self, work: Callable[[Connection], T]) -> T:
        with self._opened().begin():
            return work(self._opened())

    def _opened(self) -> Connection:
        if self._connection is None:
            how: dict[str, Any] = {STRAIGHT: True}
            if self._engine.dialect.name != "sqlite":
                how["isolation_level"] = "AUTOCOMMIT"
            self._connection = self._engine.connect().execution_options(**how)
            raw = self._connection.connection.driver_connection
            if isinstance(raw, sqlite3.Connection):
                # Whoever waits here asks more often than SQLite itself does.
                raw.execute("PRAGMA busy_timeout = 0")
        return self._connection
