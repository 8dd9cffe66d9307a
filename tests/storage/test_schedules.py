from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from storage import schedules
from storage.database import reading, writing
from tests.shared_clock import let_pass

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a Friday


def add(engine: Engine, **other: object) -> schedules.Schedule:
    values: dict[str, object] = {
        "workspace_id": "W1",
        "channel_id": "C1",
        "owner": "U1",
        "weekday": 1,
        "at": time(9),
        "time_zone": "Europe/Paris",
        "language": "fr",
        "now": NOW,
    }
    with writing(engine) as connection:
        return schedules.add(connection, **(values | other))  # type: ignore[arg-type]


def due(engine: Engine, now: datetime) -> list[str]:
    with writing(engine) as connection:
        return [row.id for row in schedules.claim(connection, now, "me", 10)]


def test_a_schedule_is_due_at_its_wall_time_and_not_before(database: Engine) -> None:
    row = add(database)
    assert (row.next_on, row.next_at) == (date(2026, 11, 23), datetime(2026, 11, 23, 8, tzinfo=UTC))
    assert due(database, row.next_at - timedelta(seconds=1)) == []
    assert due(database, row.next_at) == [row.id]


def test_a_schedule_made_on_its_own_day_waits_for_next_week_only_if_the_hour_is_past(database: Engine) -> None:
    assert add(database, weekday=5, at=time(18)).next_on == date(2026, 11, 20)
    assert add(database, weekday=5, at=time(9)).next_on == date(2026, 11, 27)
    assert add(database, weekday=5, at=time(9), first_on=date(2026, 11, 20)).next_on == date(2026, 11, 20)


def test_only_one_of_two_advances_a_schedule(database: Engine) -> None:
    row = add(database)
    with writing(database) as connection:
        assert schedules.advance(connection, row, row.next_at)
    with writing(database) as connection:
        assert not schedules.advance(connection, row, row.next_at)
    assert due(database, row.next_at) == []
    with reading(database) as connection:
        assert schedules.running(connection, "W1")[0].next_on == date(2026, 11, 30)


def test_after_a_long_stop_the_missed_dates_are_listed_and_the_schedule_moves_past_now(database: Engine) -> None:
    row = add(database)
    late = row.next_at + timedelta(days=15)
    assert schedules.occurrences(row, late) == [date(2026, 11, 23), date(2026, 11, 30), date(2026, 12, 7)]
    with writing(database) as connection:
        assert schedules.advance(connection, row, late)
        assert schedules.running(connection, "W1")[0].next_on == date(2026, 12, 14)


def test_two_replicas_share_what_is_due_and_follow_one_that_died(database: Engine) -> None:
    rows = [add(database, channel_id=f"C{number}") for number in range(5)]
    now = rows[0].next_at
    with writing(database) as connection:
        first = schedules.claim(connection, now, "first", 3)
        second = schedules.claim(connection, now, "second", 3)
    assert len(first) == 3
    assert sorted(row.id for row in first + second) == sorted(row.id for row in rows)
    assert due(database, now + timedelta(hours=1)) == []
    with writing(database) as connection:
        assert schedules.advance(connection, second[0], now)
    let_pass(database, timedelta(seconds=61))
    assert sorted(due(database, now)) == sorted(row.id for row in rows if row.id != second[0].id)


def test_a_stopped_schedule_is_never_due_and_cannot_be_advanced(database: Engine) -> None:
    row = add(database)
    with writing(database) as connection:
        assert schedules.stop(connection, "W1", row.id, NOW)
        assert not schedules.stop(connection, "W1", row.id, NOW)
        assert not schedules.stop(connection, "W2", row.id, NOW)
        assert not schedules.advance(connection, row, row.next_at)
    assert due(database, row.next_at) == []


@pytest.mark.parametrize(
    ("day", "at", "zone", "expected"),
    [
        (date(2026, 10, 25), time(2, 30), "Europe/Paris", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (date(2026, 3, 29), time(2, 30), "Europe/Paris", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (date(2026, 4, 24), time(0), "Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ],
)
def test_a_doubled_hour_comes_once_and_a_gap_is_shifted_forward(
    day: date, at: time, zone: str, expected: datetime
) -> None:
    assert schedules.instant(day, at, zone) == expected


@given(
    st.dates(date(2024, 1, 1), date(2037, 12, 31)),
    st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15)),
    st.sampled_from(["Europe/Paris", "Africa/Cairo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_every_local_date_has_one_instant_on_that_date_and_they_follow_each_other(
    day: date, at: time, zone: str
) -> None:
    moment = schedules.instant(day, at, zone)
    assert moment.astimezone(ZoneInfo(zone)).date() == day
    assert moment < schedules.instant(day + timedelta(days=1), at, zone)


@given(st.dates(date(2024, 1, 1), date(2037, 12, 31)), st.integers(1, 7))
def test_the_next_day_is_the_nearest_later_one_on_its_weekday(after: date, weekday: int) -> None:
    found = schedules.next_day(after, weekday)
    assert found.isoweekday() == weekday
    assert 1 <= (found - after).days <= 7
