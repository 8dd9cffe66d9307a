"""Where the product's own code is put on: its databases, its clocks and its threads go by the virtual world's.

Nothing of what is decided is replaced, only what takes time: the databases' clock, the waits, the threads.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine

from bot.jobs import postman, seeking
from storage.database import open_engine, turns, writing
from storage.schema import metadata
from tests.laws.plants import patched
from tests.laws.virtual import START, Pool, World

LOST = 0.4
"""Of the commits whose outcome is lost, so many were not done."""


class Stage:
    """A database as so many processes open it, and what befalls their statements and commits.

    Made once and kept: engines know the statements that were compiled before.
    """

    def __init__(self, url: str, processes: int) -> None:
        self.world: World | None = None
        self.step: Callable[[str], None] = lambda _place: None
        self.commit_is_lost: Callable[[], bool] = lambda: False
        self.engines = [self._open(url) for _ in range(processes)]
        self.truth = open_engine(url)
        """For whoever stands outside: nothing befalls it."""
        self._writer: object = None
        """On PostgreSQL, the connection that writes: two that waited for each other's rows would stop the world."""
        if self.truth.dialect.name == "postgresql":
            with writing(self.truth) as connection:
                connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS virtual")
                connection.exec_driver_sql(
                    "CREATE OR REPLACE FUNCTION virtual.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE "
                    "AS $$ SELECT to_timestamp(current_setting('vigie.now')::float8) $$"
                )

    def clear(self) -> None:
        with writing(self.truth) as connection:
            for table in metadata.sorted_tables:
                if table.name in {"letter", "lease"}:
                    connection.execute(sa.delete(table))

    @contextmanager
    def playing(self, world: World) -> Iterator[None]:
        self.world = World.here = world
        times = SimpleNamespace(monotonic=lambda: _monotonic(world))
        replaced: list[tuple[Any, str, Any]] = [
            (postman, "time", times),
            (postman, "ThreadPoolExecutor", lambda _most, **_: Pool(world)),
            (postman, "wait", lambda under_way, timeout, **_: world.join(under_way, timeout)),
            (seeking, "time", times),
            # A thread of its own process waits as another process does: by asking the database.
            (turns, "turn", lambda *_, **__: nullcontext()),
            (turns, "monotonic", lambda: _monotonic(world)),
            (turns, "sleep", lambda _seconds: world.wait_for_lock(1.0)),
        ]
        with ExitStack() as all_of_them:
            for owner, name, value in replaced:
                all_of_them.enter_context(patched(owner, name, value))
            yield
        self.world = World.here = None

    def close(self) -> None:
        for engine in (*self.engines, self.truth):
            engine.dispose()

    def _open(self, url: str) -> Engine:
        engine = open_engine(url)
        is_sqlite = engine.dialect.name == "sqlite"
        sa.event.listen(engine, "connect", self._set_up_sqlite if is_sqlite else self._set_up_postgresql)
        sa.event.listen(engine, "before_cursor_execute", self._before_statement)
        if not is_sqlite:
            sa.event.listen(engine, "begin", self._take_turn)
        committing: list[Any] = []
        sa.event.listen(engine, "commit", lambda connection: committing.append(_writes(connection)))
        dialect: Any = engine.dialect
        commit, rollback = dialect.do_commit, dialect.do_rollback

        def do_commit(raw: Any) -> None:
            writes = committing.pop() if committing else False
            if not writes or self.world is None:
                commit(raw)
                return
            try:
                self.step("commit")
                if self.commit_is_lost():
                    self._lose(raw, dialect, commit, rollback)
                commit(raw)
            finally:
                self._over(raw)
            self.step("committed")

        def do_rollback(raw: Any) -> None:
            rollback(raw)
            self._over(raw)

        def closing(close: Callable[[Any], None]) -> Callable[[Any], None]:
            def do_close(raw: Any) -> None:
                close(raw)
                self._over(raw)

            return do_close

        dialect.do_commit, dialect.do_rollback = do_commit, do_rollback
        dialect.do_close, dialect.do_terminate = closing(dialect.do_close), closing(dialect.do_terminate)
        return engine

    def _lose(self, raw: Any, dialect: Any, commit: Callable[[Any], None], rollback: Callable[[Any], None]) -> None:
        """The connection breaks while it commits: done or not, nobody says."""
        assert self.world is not None
        if self.world.random.random() < LOST:
            rollback(raw)
        else:
            commit(raw)
        raise dialect.loaded_dbapi.OperationalError("the connection was lost while it committed")

    def _over(self, raw: Any) -> None:
        if self.world is None:
            return
        if self._writer is getattr(raw, "driver_connection", raw):
            self._writer = None
        self.world.let_go()

    def _set_up_sqlite(self, raw: Any, _record: object) -> None:
        raw.execute("PRAGMA synchronous = OFF")
        raw.create_function("strftime", 3, self._strftime, deterministic=True)

    def _set_up_postgresql(self, raw: Any, _record: object) -> None:
        raw.execute("SET search_path = virtual, public, pg_catalog")
        raw.commit()

    def _strftime(self, _form: str, base: str | None, more: str) -> str | None:
        """As SQLite's own, for `moment` and `moment_after`."""
        if base is None:
            return None
        assert self.world is not None
        moment = START + timedelta(seconds=self.world.now)
        if base != "now":
            moment = datetime.fromisoformat(base).replace(tzinfo=START.tzinfo)
        moment += timedelta(seconds=float(more.removesuffix(" seconds")))
        return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"

    def _before_statement(self, connection: sa.Connection, *_: Any) -> None:
        self.step("statement")
        if connection.dialect.name == "postgresql" and self.world is not None:
            raw: Any = connection.connection.driver_connection
            raw.execute("SELECT set_config('vigie.now', %s, false)", (str(START.timestamp() + self.world.now),))

    def _take_turn(self, connection: sa.Connection) -> None:
        if not _writes(connection) or self.world is None:
            return
        while self._writer is not None:
            self.world.wait_for_lock(1.0)
        self._writer = connection.connection.driver_connection


def _monotonic(world: World) -> float:
    process = world.current.process
    return world.now if process is None else process.monotonic()


def _writes(connection: sa.Connection) -> bool:
    return bool(connection.get_execution_options().get("vigie_writing"))
