"""The thread that writes the inbox: many at once, and nobody is told that something is kept before it is."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from bot import writer
from bot.writer import NotKeptError, Writer
from storage import inbox
from storage.database import open_engine, reading, writing
from storage.inbox import Said

ME = "this process"


@contextmanager
def somebody_writes(database_url: str) -> Iterator[None]:
    """Another process holds what the inbox needs, as a sync does for a moment."""
    other = open_engine(database_url)
    with writing(other) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE inbox IN EXCLUSIVE MODE")
        yield
    other.dispose()


@contextmanager
def written_by(engine: Engine) -> Iterator[tuple[Writer, list[str]]]:
    """A running writer, and the statements that keep something."""
    statements = list[str]()

    def remember(_connection: object, _cursor: object, text: str, *_: object) -> None:
        if text.startswith("INSERT INTO inbox"):
            statements.append(text)

    sa.event.listen(engine, "before_cursor_execute", remember)
    running = Writer(engine, ME)
    running.start()
    yield running, statements
    running.stop()
    sa.event.remove(engine, "before_cursor_execute", remember)


def states(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        return inbox.counts(connection, "main")


def said(number: int) -> Said:
    return Said("main", f"said-{number}", "event", "sealed")


def test_what_comes_while_another_writes_is_kept_together(database_url: str, database: Engine) -> None:
    begun = list[int]()

    async def hear() -> list[bool]:
        with somebody_writes(database_url):
            first = asyncio.create_task(running.keep(said(0), lambda: begun.append(0)))
            while not statements:
                await asyncio.sleep(0)
            others = [
                asyncio.create_task(running.keep(said(number % 20), lambda number=number: begun.append(number)))  # type: ignore[misc]
                for number in range(1, 40)
            ]
            await asyncio.sleep(0)
            assert begun == []
        return await asyncio.gather(first, *others)

    with written_by(database) as (running, statements):
        new = asyncio.run(hear())
        tried = len(set(statements))
    assert new == [True] * 20 + [False] * 20
    assert begun == list(range(20))
    assert states(database) == {"running": 20}
    # The first alone, all others by one.
    assert tried == 2


def test_who_waits_too_long_is_told_that_it_is_not_kept_and_what_is_kept_after_all_is_begun(
    database_url: str, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "KEEP_SECONDS", 0.05)
    begun = asyncio.Event()

    async def hear() -> None:
        with somebody_writes(database_url), pytest.raises(NotKeptError):
            await running.keep(said(0), begun.set)
        monkeypatch.setattr(writer, "KEEP_SECONDS", 10.0)
        assert not await running.keep(said(0), begun.set)
        assert begun.is_set()

    with written_by(database) as (running, _):
        asyncio.run(hear())


def test_what_is_over_is_written_down_at_the_end_at_the_latest(database: Engine) -> None:
    async def hear() -> None:
        for number in range(3):
            assert await running.keep(said(number), lambda: None)

    with written_by(database) as (running, _):
        asyncio.run(hear())
        running.settle(said(0).key)
        running.settle(said(1).key, "unreadable")
        running.release(said(2).key, seconds=0, begun=True)
    assert states(database) == {"done": 1, "failed": 1, "waiting": 1}
