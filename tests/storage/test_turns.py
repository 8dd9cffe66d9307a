"""Who writes next to SQLite: nobody is turned away while others are short, and everybody once somebody is long."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage.database import open_engine, turns, writing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vigie.sqlite3"


@pytest.fixture
def two(path: Path) -> tuple[Engine, Engine]:
    """As two processes have the same database open."""
    return open_engine(f"sqlite:///{path}"), open_engine(f"sqlite:///{path}")


def add(engine: Engine, *, again: bool = False) -> None:
    with writing(engine, again=again) as connection:
        read = connection.exec_driver_sql("SELECT max(n) FROM t").scalar_one()
        connection.exec_driver_sql("INSERT INTO t VALUES (?)", (read + 1,))


def test_those_who_write_at_once_all_get_their_turn(two: tuple[Engine, Engine]) -> None:
    with writing(two[0]) as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO t VALUES (0)")
    with ThreadPoolExecutor(6) as threads:
        done = [threads.submit(add, two[number % 2], again=number % 3 == 0) for number in range(60)]
        assert all(each.exception() is None for each in done)
    with two[0].connect() as connection:
        assert connection.exec_driver_sql("SELECT max(n) FROM t").scalar_one() == 60
    for engine in two:
        engine.dispose()


@pytest.mark.parametrize("other", [0, 1])
def test_whoever_waits_too_long_is_told_that_the_database_is_busy(
    two: tuple[Engine, Engine], monkeypatch: pytest.MonkeyPatch, other: int
) -> None:
    monkeypatch.setattr(turns, "SECONDS", 0.02)
    begun, over = Event(), Event()

    def hold() -> None:
        with writing(two[0]):
            begun.set()
            assert over.wait(30)

    with ThreadPoolExecutor(1) as thread:
        held = thread.submit(hold)
        assert begun.wait(30)
        with pytest.raises(sa.exc.OperationalError, match="locked"), writing(two[other]):
            pass
        over.set()
        held.result()
    with writing(two[other]):
        pass
    for engine in two:
        engine.dispose()
