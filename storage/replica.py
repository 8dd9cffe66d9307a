"""A read replica of the database, for questions: a little behind, and never needed.

It tells its own "as of", for cursors are copied like everything else; so an answer from a replica that lags says how
old its numbers are. While it does not answer, questions go to the primary.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url

from storage.database import open_engine, reading

log = logging.getLogger(__name__)
T = TypeVar("T")

CONNECT_SECONDS = 3
"""After so long without an answer, a replica is down."""

PAUSE_SECONDS = 30.0
"""For so long, a replica that was down is not asked again: no question waits for it meanwhile."""


class Replica:
    """A PostgreSQL that follows the primary's; whatever is written to it fails. Safe to use from many threads."""

    def __init__(self, url: str, *, pause: float = PAUSE_SECONDS) -> None:
        parsed = make_url(url)
        if "connect_timeout" not in parsed.query:
            parsed = parsed.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
        engine = open_engine(parsed.render_as_string(hide_password=False))
        self.engine = engine.execution_options(postgresql_readonly=True)
        self._pause, self._lock = pause, threading.Lock()
        self._down, self._again = False, 0.0

    def read(self, primary: Engine, work: Callable[[Connection], T]) -> T:
        """What `work` reads from the replica; from the primary while the replica is down. `work` may be done on both,
        so it does nothing but read."""
        if time.monotonic() >= self._again:
            try:
                with reading(self.engine) as connection:
                    found = work(connection)
            except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
                self._note(error)
            else:
                self._note(None)
                return found
        with reading(primary) as connection:
            return work(connection)

    def close(self) -> None:
        self.engine.dispose()

    def _note(self, error: Exception | None) -> None:
        """One line when it goes, one when it is back."""
        with self._lock:
            changed, self._down = self._down != (error is not None), error is not None
            self._again = 0.0 if error is None else time.monotonic() + self._pause
        if changed and error is not None:
            log.error("replica_down reason=%s questions_go_to=primary", type(getattr(error, "orig", error)).__name__)
        elif changed:
            log.info("replica_back")


def read_for_question(primary: Engine, replica: Replica | None, work: Callable[[Connection], T]) -> T:
    """What `work` reads: from the replica, or from the primary where there is none or it is down. `work` may be done
    twice, so it does nothing but read."""
    if replica is not None:
        return replica.read(primary, work)
    with reading(primary) as connection:
        return work(connection)
