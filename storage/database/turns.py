"""Whose turn it is to write to SQLite: within a process one after the other; among processes, who asks often.

SQLite itself lets who waits sleep for up to a tenth of a second and then try once more: beside a sync, whose
transactions follow closely upon each other, a small write may then wait for seconds (one in twenty waited a second).
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic, sleep
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.engine import Dialect

SECONDS = 5
"""How long somebody waits for a turn, and then is told that the database is busy."""

T = TypeVar("T")

_ASKS = 0.002
"""Seconds between two looks at a lock that another process holds: far less than it is held for."""

_LETS_IN = 2 * _ASKS
"""Seconds between two of many transactions, in which another process that asks finds the lock free."""

_lines: "WeakKeyDictionary[Dialect, tuple[threading.Lock, threading.Lock]]" = WeakKeyDictionary()
_new_line = threading.Lock()


@contextmanager
def turn(engine: Engine, *, again: bool) -> Iterator[None]:
    """While this lasts, no other thread has a turn on this engine's database; it waits for it no longer than that, and
    then leaves it to the database to say no.

    Those who will write `again` and again wait for each other first, so that everybody else finds at most one of them
    in the line.
    """
    with _new_line:
        first, long = _lines.setdefault(engine.dialect, (threading.Lock(), threading.Lock()))
    with ExitStack() as held:
        for line in (long, first) if again else (first,):
            if line.acquire(timeout=SECONDS):
                held.callback(line.release)
        yield
    if again:
        sleep(_LETS_IN)


def begin(raw: Any) -> None:
    """BEGIN IMMEDIATE on a driver's connection, asked for until nobody else writes. Raises `sqlite3.OperationalError`
    (busy)."""
    patiently(lambda: raw.execute("BEGIN IMMEDIATE"))


def patiently(work: Callable[[], T]) -> T:
    """What `work` gives, called again while another process writes. Raises what it raises then (busy)."""
    until = monotonic() + SECONDS
    while True:
        try:
            return work()
        except (sqlite3.OperationalError, sa.exc.OperationalError) as error:
            cause = error.orig if isinstance(error, sa.exc.OperationalError) else error
            code = getattr(cause, "sqlite_errorcode", 0)
            if code & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
        sleep(_ASKS)
