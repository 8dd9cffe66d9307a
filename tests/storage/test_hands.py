"""Alerts taken in hand by several people at once: one of them has done it, and the others learn that they have not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from storage import rules
from storage.database import reading, writing
from storage.rules import Episode

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MANY = 6


def fire(engine: Engine, state: str = "firing") -> None:
    """Two groups that share one letter."""
    with writing(engine) as connection:
        for key in ("lyon", "paris"):
            new = Episode("w", "r", key, state, NOW, 0, 1, NOW, {"value": "10"}, None, "letter", 0)
            assert rules.move(connection, new, new)


def at_once(engine: Engine, act: Callable[[Connection, str], list[Episode]]) -> list[str]:
    """Who of `MANY` people had an effect."""

    def one(user: str) -> str | None:
        with writing(engine) as connection:
            moved = act(connection, user)
        assert len(moved) in {0, 2}, "both groups, or none"
        return user if moved else None

    with ThreadPoolExecutor(MANY) as pool:
        return [user for user in pool.map(one, [f"U{at}" for at in range(MANY)]) if user is not None]


def now(engine: Engine) -> list[Episode]:
    with reading(engine) as connection:
        return rules.of_letter(connection, "w", "letter")


def test_of_those_who_acknowledge_at_once_one_has(database: Engine) -> None:
    fire(database)
    (first,) = at_once(database, lambda connection, user: rules.acknowledge(connection, "w", "letter", user, NOW))
    assert {each.acked_by for each in now(database)} == {first}


def test_of_those_who_assign_at_once_what_they_saw_with_nobody_one_has(database: Engine) -> None:
    fire(database)
    (first,) = at_once(database, lambda connection, user: rules.assign(connection, "w", "letter", user, seen=None))
    assert {each.assigned_to for each in now(database)} == {first}
    with writing(database) as connection:
        assert rules.assign(connection, "w", "letter", "U9", seen=None) == []
        assert len(rules.assign(connection, "w", "letter", "U9", seen=first)) == 2


def test_of_those_who_snooze_at_once_what_they_saw_awake_one_has(database: Engine) -> None:
    fire(database)

    def until(user: str) -> datetime:
        return NOW + timedelta(days=1 + int(user[1:]))

    (first,) = at_once(
        database, lambda connection, user: rules.snooze(connection, "w", "letter", until(user), seen=None)
    )
    assert {each.snoozed_until for each in now(database)} == {until(first)}
    with writing(database) as connection:
        later = NOW + timedelta(days=30)
        assert rules.snooze(connection, "w", "letter", later, seen=NOW) == []
        assert len(rules.snooze(connection, "w", "letter", later, seen=until(first))) == 2


def test_what_is_over_is_not_taken_in_hand(database: Engine) -> None:
    fire(database, "ok")
    with writing(database) as connection:
        assert rules.acknowledge(connection, "w", "letter", "U1", NOW) == []
        assert rules.assign(connection, "w", "letter", "U1") == []
        assert rules.snooze(connection, "w", "letter", NOW + timedelta(days=1)) == []
