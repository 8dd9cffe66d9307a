import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from storage import leases, schema
from storage.database import moment, reading, writing
from storage.leases import BusyError, LostError
from storage.sync import load
from storage.workspaces import SINGLE
from tests.storage.sources import NOW, Told, load_all, one_page, rows
from tests.storage.test_sync import deal


def expire(engine: Engine) -> None:
    """Let the time of every lease be up, as if its holder had died long ago."""
    with writing(engine) as connection:
        connection.execute(schema.lease.update().values(until=moment(-1)))


def test_the_database_tells_the_time_to_the_second_and_adds_to_it(database: Engine) -> None:
    with reading(database) as connection:
        told = sa.type_coerce(moment(0), schema.Instant())
        later = sa.type_coerce(moment(90), schema.Instant())
        now, then = connection.execute(sa.select(told, later)).one()
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=5)
    assert timedelta(seconds=89) < then - now < timedelta(seconds=91)


def test_one_of_two_holds_a_lease_and_the_other_is_told_until_when(database: Engine) -> None:
    leases.take(database, SINGLE, "sync:x", "one", 60)
    with pytest.raises(BusyError) as busy:
        leases.take(database, SINGLE, "sync:x", "two", 60)
    assert busy.value.until == rows(database, schema.lease)[0]["until"]
    leases.take(database, SINGLE, "sync:y", "two", 60)
    leases.take(database, "elsewhere", "sync:x", "two", 60)


def test_a_lease_whose_time_is_up_goes_to_the_next_and_the_first_finds_out(database: Engine) -> None:
    leases.take(database, SINGLE, "sync:x", "one", 60)
    expire(database)
    leases.take(database, SINGLE, "sync:x", "two", 60)
    with pytest.raises(LostError), writing(database) as connection:
        leases.renew(connection, SINGLE, "sync:x", "one")
    with pytest.raises(LostError), writing(database) as connection:
        leases.release(connection, SINGLE, "sync:x", "one")
    with writing(database) as connection:
        leases.renew(connection, SINGLE, "sync:x", "two")


def test_a_lease_that_nobody_took_is_renewed_although_its_time_is_up(database: Engine) -> None:
    leases.take(database, SINGLE, "sync:x", "one", 60)
    expire(database)
    with writing(database) as connection:
        leases.renew(connection, SINGLE, "sync:x", "one", 60)
    with pytest.raises(BusyError):
        leases.take(database, SINGLE, "sync:x", "two", 60)


def test_a_released_lease_is_free(database: Engine) -> None:
    leases.take(database, SINGLE, "sync:x", "one", 60)
    with writing(database) as connection:
        leases.release(connection, SINGLE, "sync:x", "one")
    leases.take(database, SINGLE, "sync:x", "two", 60)


def test_of_many_who_want_it_at_once_one_gets_it(database: Engine) -> None:
    together = threading.Barrier(6)

    def want(number: int) -> bool:
        together.wait(timeout=20)
        try:
            leases.take(database, SINGLE, "sync:x", str(number), 60)
        except BusyError:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(want, range(6))) == 1


def test_a_second_sync_of_a_source_is_turned_away_while_the_first_is_under_way(database: Engine) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        assert go_on.wait(timeout=30)

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(load_all, database, Told(one_page(deal()).told, between=wait))
        assert reached.wait(timeout=30)
        with pytest.raises(BusyError):
            load(database, SINGLE, one_page(deal("D2")), now=NOW)
        assert load(database, SINGLE, Told(one_page(deal()).told, source="other"), now=NOW).total.new == 1
        go_on.set()
        assert first.result(timeout=30).total.new == 1
    assert load(database, SINGLE, one_page(deal("D2")), now=NOW).total.new == 1
    assert rows(database, schema.lease) == []


def test_a_run_that_was_overtaken_writes_nothing_more(database: Engine) -> None:
    def overtaken() -> None:
        expire(database)
        load(database, SINGLE, one_page(deal("D2", amount_minor=2)), now=NOW + timedelta(minutes=1))

    with pytest.raises(LostError):
        load_all(database, Told(one_page(deal("D1")).told, between=overtaken))
    assert [row["ext_id"] for row in rows(database, schema.deal)] == ["D2"]
    killed, second = sorted(rows(database, schema.run), key=lambda run: run["started_at"])
    assert (killed["outcome"], killed["error"]) == ("failed", "killed")
    assert (second["outcome"], second["error"]) == ("ok", None)


def test_a_page_that_fails_gives_the_lease_back(database: Engine) -> None:
    def refuse(_connection: Connection, _changes: object) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        load_all(database, one_page(deal()), on_page=refuse)
    assert load_all(database, one_page(deal())).total.new == 1


def test_what_is_told_of_a_page_is_told_while_the_lease_is_held(database: Engine) -> None:
    held: list[int] = []

    def look(connection: Connection, _changes: object) -> None:
        valid = schema.lease.c.until > moment(0)
        held.append(connection.execute(sa.select(sa.func.count()).where(valid)).scalar_one())

    load_all(database, one_page(deal()), on_page=look)
    assert held == [1]
