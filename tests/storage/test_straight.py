"""Statements that are each a transaction of their own."""

from threading import Event, Thread

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from storage import leases
from storage.database import Straight, open_engine, reading, writing
from storage.schema import lease

MAIN = "main"


def take(connection: Connection, *names: str) -> set[tuple[str, str]]:
    return leases.take_free(connection, [(MAIN, name) for name in names], "holder", 60)


def held(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return sorted(connection.scalars(sa.select(lease.c.name)))


def test_each_is_committed_when_it_is_done_and_gives_what_it_returns(database: Engine) -> None:
    straight = Straight(database)
    assert straight.run(lambda connection: take(connection, "a", "b")) == {(MAIN, "a"), (MAIN, "b")}
    assert held(database) == ["a", "b"]
    assert straight.run(lambda connection: take(connection, "b", "c")) == {(MAIN, "c")}
    with pytest.raises(sa.exc.SQLAlchemyError):
        straight.run(lambda connection: connection.execute(sa.text("INSERT INTO nowhere VALUES (1)")))
    assert straight.run(lambda connection: take(connection, "d")) == {(MAIN, "d")}
    assert held(database) == ["a", "b", "c", "d"]
    straight.close()


def test_it_waits_for_another_process_that_writes(database_url: str, database: Engine) -> None:
    # Another engine is to SQLite what another process is.
    other, begun, taken = open_engine(database_url), Event(), list[set[tuple[str, str]]]()

    def write() -> None:
        straight = Straight(database)
        begun.set()
        taken.append(straight.run(lambda connection: take(connection, "a")))
        straight.close()

    with writing(other) as connection:
        take(connection, "b")
        thread = Thread(target=write)
        thread.start()
        assert begun.wait(10)
        if database.dialect.name == "sqlite":
            thread.join(0.05)
            assert thread.is_alive()
    thread.join(10)
    assert taken == [{(MAIN, "a")}]
    assert held(database) == ["a", "b"]
    other.dispose()
