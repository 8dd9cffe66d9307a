from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from storage import schedules
from storage.database import reading, writing
from storage.dates import Rhythm, instant
from storage.schema import schedule as table
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
        assert schedules.advance(connection, row, row.next_on)
    with writing(database) as connection:
        assert not schedules.advance(connection, row, row.next_on)
    assert due(database, row.next_at) == []
    with reading(database) as connection:
        assert schedules.running(connection, "W1")[0].next_on == date(2026, 11, 30)


def test_after_a_long_stop_the_missed_dates_are_listed_and_the_schedule_moves_past_now(database: Engine) -> None:
    row = add(database)
    late = row.next_at + timedelta(days=15)
    assert schedules.occurrences(row, late) == [date(2026, 11, 23), date(2026, 11, 30), date(2026, 12, 7)]
    with writing(database) as connection:
        assert schedules.advance(connection, row, date(2026, 12, 7))
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
        assert schedules.advance(connection, second[0], second[0].next_on)
    let_pass(database, timedelta(seconds=61))
    assert sorted(due(database, now)) == sorted(row.id for row in rows if row.id != second[0].id)


def test_a_stopped_schedule_is_never_due_and_cannot_be_advanced(database: Engine) -> None:
    row = add(database)
    with writing(database) as connection:
        assert schedules.stop(connection, "W1", row.id, NOW)
        assert not schedules.stop(connection, "W1", row.id, NOW)
        assert not schedules.stop(connection, "W2", row.id, NOW)
        assert not schedules.advance(connection, row, row.next_on)
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
    assert instant(day, at, zone) == expected


@given(
    st.dates(date(2024, 1, 1), date(2037, 12, 31)),
    st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15)),
    st.sampled_from(["Europe/Paris", "Africa/Cairo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_every_local_date_has_one_instant_on_that_date_and_they_follow_each_other(
    day: date, at: time, zone: str
) -> None:
    moment = instant(day, at, zone)
    assert moment.astimezone(ZoneInfo(zone)).date() == day
    assert moment < instant(day + timedelta(days=1), at, zone)


RHYTHMS = st.builds(Rhythm, st.sampled_from(["daily", "weekly", "monthly"]), st.integers(1, 7), st.integers(1, 28))
DAYS = st.dates(date(2024, 1, 1), date(2037, 12, 31))
QUARTERS = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
ZONES = st.sampled_from(
    ["Europe/Paris", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Pacific/Apia", "Asia/Tokyo", "America/New_York"]
)


@given(DAYS, RHYTHMS)
def test_the_dates_of_a_rhythm_are_those_of_its_kind_and_none_lies_between_two(day: date, rhythm: Rhythm) -> None:
    following = rhythm.after(day)
    between = [day + timedelta(days=number) for number in range(1, (following - day).days)]
    kinds: dict[str, Callable[[date], bool]] = {
        "daily": lambda _: True,
        "weekly": lambda each: each.isoweekday() == rhythm.weekday,
        "monthly": lambda each: each.day == rhythm.month_day,
    }
    wanted = kinds[rhythm.cadence]
    assert wanted(following)
    assert not any(wanted(each) for each in between)
    assert rhythm.after(rhythm.before(following)) == following


@pytest.mark.parametrize("wrong", [("hourly", 1, 1), ("weekly", 8, 1), ("monthly", 1, 29), ("monthly", 1, 0)])
def test_what_is_no_rhythm_is_refused(wrong: tuple[str, int, int]) -> None:
    with pytest.raises(ValueError, match="no rhythm"):
        Rhythm(*wrong)


SCHEDULE = schedules.Schedule(
    workspace_id="W1",
    id="S1",
    channel_id="C1",
    audience="channel",
    owner="U1",
    cadence="weekly",
    weekday=1,
    month_day=1,
    at=time(9),
    time_zone="UTC",
    language=None,
    dimension=None,
    key=None,
    kpis=None,
    skip_unchanged=False,
    paused_at=None,
    next_on=date.min,
    next_at=NOW,
    version=1,
)


@given(DAYS, RHYTHMS, st.lists(st.tuples(st.integers(0, 50 * 60), QUARTERS, ZONES), max_size=8))
def test_whatever_its_hour_and_zone_become_no_date_is_done_twice_and_none_is_left_out(
    day: date, rhythm: Rhythm, moves: list[tuple[int, time, str]]
) -> None:
    """Zones on both sides of the date line; somebody looks once an hour, and changes it now and then."""
    first = rhythm.after(day)
    now = instant(first, SCHEDULE.at, "UTC") - timedelta(hours=30)
    row = schedule_at(first, rhythm)
    done: list[date] = []
    for minutes, at, zone in [*moves, (60 * 24 * 3, time(9), "UTC")]:
        until = now + timedelta(minutes=minutes)
        while now < until:
            now = min(now + timedelta(hours=1), until)
            due = schedules.occurrences(row, now)
            done += due
            if due:
                following = rhythm.after(due[-1])
                row = replace(row, next_on=following, next_at=row.due_at(following))
        row = schedules.moved(row, now, at=at, time_zone=zone)
    expected = [first]
    while len(expected) < len(done):
        expected.append(rhythm.after(expected[-1]))
    assert done == expected[: len(done)]


@given(DAYS, RHYTHMS, RHYTHMS, QUARTERS, ZONES)
def test_with_another_rhythm_it_goes_on_with_a_date_that_is_to_come_and_was_not_done(
    day: date, before: Rhythm, after: Rhythm, at: time, zone: str
) -> None:
    now = instant(day, time(12), "UTC")
    row = schedule_at(before.to_come(now, SCHEDULE.at, "UTC"), before)
    new = schedules.moved(row, now, at=at, time_zone=zone, rhythm=after)
    assert new.next_at > now or after == before
    assert new.next_on > before.before(row.next_on)
    assert after.after(after.before(new.next_on)) == new.next_on


def schedule_at(day: date, rhythm: Rhythm) -> schedules.Schedule:
    return replace(
        SCHEDULE,
        cadence=rhythm.cadence,
        weekday=rhythm.weekday,
        month_day=rhythm.month_day,
        next_on=day,
        next_at=instant(day, SCHEDULE.at, "UTC"),
    )


def test_a_schedule_that_is_moved_east_of_its_hour_is_due_at_once_and_keeps_its_date(database: Engine) -> None:
    row = add(database, cadence="daily")
    now = row.next_at - timedelta(hours=1)
    new = schedules.moved(row, now, time_zone="Pacific/Auckland")
    with writing(database) as connection:
        assert schedules.move(connection, row, new)
        assert not schedules.move(connection, row, new)
    assert (new.next_on, new.next_at) == (row.next_on, now)
    assert due(database, now) == [row.id]


def test_a_paused_schedule_is_never_due_and_resumes_without_a_burst(database: Engine) -> None:
    row = add(database, cadence="daily")
    with writing(database) as connection:
        assert schedules.pause(connection, row, NOW)
        (paused,) = schedules.running(connection, "W1")
    later = row.next_at + timedelta(days=5, hours=3)
    assert paused.paused_at == NOW
    assert due(database, later) == []
    with writing(database) as connection:
        assert schedules.resume(connection, paused, later)
        (resumed,) = schedules.running(connection, "W1")
    assert (resumed.paused_at, resumed.next_on) == (None, row.next_on + timedelta(days=6))
    assert due(database, later) == []


def test_a_schedule_that_was_changed_meanwhile_is_not_advanced(database: Engine) -> None:
    row = add(database)
    with writing(database) as connection:
        assert schedules.hand_over(connection, row, "U2", dimension="team", key="t1")
        assert not schedules.advance(connection, row, row.next_on)
        assert connection.scalar(sa.select(table.c.owner)) == "U2"
