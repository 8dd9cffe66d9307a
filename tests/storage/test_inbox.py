"""What Slack said: kept once, held by one, taken up again after a death, forgotten when it is done."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage import inbox, schema
from storage.database import moment_after, reading, writing
from storage.inbox import Said

WORKSPACE = "main"
ME, ANOTHER = "process one", "process two"
ASKED = Said(WORKSPACE, "trigger-1", "command", "sealed words")


def keep(engine: Engine, *said: Said, holder: str = ME) -> set[inbox.Key]:
    with writing(engine) as connection:
        return inbox.put(connection, said, holder)


def take_up(engine: Engine, holder: str = ANOTHER, most: int = 10) -> list[inbox.Claimed]:
    with writing(engine) as connection:
        return inbox.claim(connection, holder, most)


def over(engine: Engine, key: inbox.Key, holder: str = ME, error: str | None = None) -> bool:
    with writing(engine) as connection:
        return inbox.settle(connection, [key], holder, error) == 1


def row(engine: Engine, key: inbox.Key = ASKED.key) -> sa.Row[*tuple[object, ...]]:
    table = schema.inbox
    with reading(engine) as connection:
        return connection.execute(sa.select(table).where(table.c.workspace_id == key[0], table.c.id == key[1])).one()


def pass_time(engine: Engine, by: timedelta) -> None:
    """As if so much time had passed by the database's clock."""
    table, back = schema.inbox, -by.total_seconds()
    with writing(engine) as connection:
        connection.execute(
            sa.update(table).values(
                received_at=moment_after(table.c.received_at, back), lease_until=moment_after(table.c.lease_until, back)
            )
        )


def test_what_is_said_twice_is_new_once(database: Engine) -> None:
    assert keep(database, ASKED) == {ASKED.key}
    assert keep(database, ASKED, holder=ANOTHER) == set()
    assert row(database).token == ME
    other = Said("elsewhere", ASKED.id, "command", "in another workspace")
    assert keep(database, ASKED, other, other) == {other.key}


def test_what_is_done_is_forgotten_and_still_known(database: Engine) -> None:
    keep(database, ASKED)
    assert over(database, ASKED.key)
    assert (row(database).state, row(database).body, row(database).error) == ("done", None, None)
    assert keep(database, ASKED) == set()
    pass_time(database, timedelta(hours=1))
    assert take_up(database) == []


def test_a_row_is_its_holders_until_the_lease_is_over(database: Engine) -> None:
    keep(database, ASKED)
    pass_time(database, timedelta(seconds=inbox.LEASE_SECONDS - 2))
    assert take_up(database) == []
    with writing(database) as connection:
        assert inbox.renew(connection, ME) == 1
    pass_time(database, timedelta(seconds=inbox.LEASE_SECONDS - 2))
    assert take_up(database) == []
    pass_time(database, timedelta(seconds=3))
    [again] = take_up(database)
    assert (again.key, again.kind, again.body, again.attempts) == (ASKED.key, "command", "sealed words", 2)
    assert again.seconds == pytest.approx(2 * inbox.LEASE_SECONDS, abs=5)
    # The first holder has lost it.
    assert not over(database, ASKED.key)
    assert over(database, ASKED.key, ANOTHER)


def test_what_is_given_back_is_free_at_once_or_after_a_while_and_counts_only_where_it_was_begun(
    database: Engine,
) -> None:
    keep(database, ASKED)
    with writing(database) as connection:
        assert inbox.release(connection, ASKED.key, ME)
    [again] = take_up(database)
    assert again.attempts == 1
    with writing(database) as connection:
        assert not inbox.release(connection, ASKED.key, ME)
        assert inbox.release(connection, ASKED.key, ANOTHER, seconds=30, begun=True)
    assert take_up(database) == []
    pass_time(database, timedelta(seconds=31))
    [again] = take_up(database)
    assert again.attempts == 2


def test_the_oldest_come_first_and_no_more_than_wanted(database: Engine) -> None:
    for number in range(3):
        keep(database, Said(WORKSPACE, f"said-{number}", "event", "sealed"))
        pass_time(database, timedelta(minutes=1))
    assert [each.id for each in take_up(database, most=2)] == ["said-0", "said-1"]
    assert [each.id for each in take_up(database, ME)] == ["said-2"]


def test_two_who_look_at_once_take_up_different_rows(database_url: str, database: Engine) -> None:
    if database.dialect.name == "sqlite":
        # One writer at a time: the second looks after the first has committed.
        keep(database, ASKED)
        pass_time(database, timedelta(minutes=1))
        assert [len(take_up(database, ME)), len(take_up(database, ANOTHER))] == [1, 0]
        return
    for number in range(2):
        keep(database, Said(WORKSPACE, f"said-{number}", "event", "sealed"))
    pass_time(database, timedelta(minutes=1))
    with writing(database) as one, writing(database) as two:
        assert [len(inbox.claim(one, ME, 1)), len(inbox.claim(two, ANOTHER, 5))] == [1, 1]


def test_several_are_over_at_once_but_only_those_that_are_held(database: Engine) -> None:
    said = [Said(WORKSPACE, f"said-{number}", "event", "sealed") for number in range(4)]
    keep(database, *said[:3])
    keep(database, said[3], holder=ANOTHER)
    with writing(database) as connection:
        assert inbox.settle(connection, [each.key for each in (*said[:2], said[3])], ME) == 2
        assert inbox.settle(connection, [said[2].key], ME, "given_up") == 1
        assert inbox.settle(connection, [], ME) == 0
    assert [(row(database, each.key).state, row(database, each.key).error) for each in said] == [
        ("done", None),
        ("done", None),
        ("failed", "given_up"),
        ("running", None),
    ]


def test_rows_are_remembered_for_a_week_and_those_that_wait_longer(database: Engine) -> None:
    waits = Said(WORKSPACE, "said-late", "event", "sealed")
    keep(database, ASKED, waits)
    over(database, ASKED.key, error="too_often")
    with reading(database) as connection:
        assert inbox.counts(connection, WORKSPACE) == {"failed": 1, "running": 1}
        assert inbox.counts(connection, "elsewhere") == {}
    pass_time(database, timedelta(days=6))
    with writing(database) as connection:
        assert inbox.prune(connection) == 0
    pass_time(database, timedelta(days=2))
    with writing(database) as connection:
        assert inbox.prune(connection) == 1
        assert inbox.counts(connection, WORKSPACE) == {"running": 1}
