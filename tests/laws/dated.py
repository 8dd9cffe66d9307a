"""Law `dst`: through every change of clocks, a schedule comes once on each of its local dates, in their order, and at
its own hour: the first of a doubled one, and as much later as the gap is long inside one.

What is expected is read off the clock: the quarters of an hour around a change are gone through one by one, and each is
looked at as the people of the zone see it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Engine

from storage import schedules
from storage.dates import DAILY, MONTHLY, WEEKLY, Rhythm
from storage.schedules import Schedule
from tests.laws.plants import patched

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
HOURS = tuple(time(number // 4, number % 4 * 15) for number in range(96))
ODD = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Nuuk",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Paris",
    "Pacific/Apia",
    "Pacific/Chatham",
)
"""Zones of every odd kind: clocks changed at midnight, by two hours or by half of one, twice a year or four times, and
never; offsets that are no whole hours."""


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def dst_law(_engine: Engine, zone: str, _seed: int) -> int:
    """Every change of clocks of a zone from 2024 to 2037, every quarter of an hour, every rhythm."""
    found = 0
    for moment in changes(zone):
        clock = Clock.around(moment, zone)
        for at in HOURS:
            for rhythm in rhythms(clock.day):
                hold(clock, at, rhythm)
                found += 1
    return found


def changes(zone: str) -> list[datetime]:
    """A moment (UTC) on each day on which clocks are changed; of a zone that never does, one."""
    there = ZoneInfo(zone)
    found, moment = [], FIRST
    before = moment.astimezone(there).utcoffset()
    while moment < LAST:
        after = (moment + DAY).astimezone(there).utcoffset()
        if after != before:
            found.append(moment)
        moment, before = moment + DAY, after
    return found or [FIRST]


def rhythms(day: date) -> tuple[Rhythm, ...]:
    return Rhythm(DAILY), Rhythm(WEEKLY, day.isoweekday()), Rhythm(MONTHLY, 1, min(day.day, 28))


@dataclass(frozen=True)
class Clock:
    """The clocks of a zone for some days around a change: the first moment at which they show a wall time."""

    zone: str
    day: date
    shows: dict[tuple[date, time], datetime]

    @classmethod
    def around(cls, moment: datetime, zone: str) -> "Clock":
        there, shows = ZoneInfo(zone), {}
        moment -= 3 * DAY
        for number in range(7 * 96):
            local = (moment + number * QUARTER).astimezone(there)
            shows.setdefault((local.date(), local.time()), moment + number * QUARTER)
        return cls(zone, (moment + 3 * DAY).astimezone(there).date(), shows)

    def moment(self, day: date, at: time) -> datetime:
        """When they show it; of a time that they leap over, as long after the leap as it is after the last moment
        before it."""
        if (day, at) in self.shows:
            return self.shows[day, at]
        wall = datetime.combine(day, at)
        before = max(shown for shown in self.shows if datetime.combine(*shown) < wall)
        return self.shows[before] + (wall - datetime.combine(*before))


def hold(clock: Clock, at: time, rhythm: Rhythm) -> None:
    """Raises `AssertionError` where a schedule does not come when the clocks say so."""
    first = rhythm.before(clock.day)
    last = rhythm.after(clock.day)
    row = schedule(first, at, clock.zone, rhythm)
    came = schedules.occurrences(row, row.next_at + (last - first + DAY))
    expected = [first]
    while expected[-1] < last:
        expected.append(rhythm.after(expected[-1]))
    assert came[: len(expected)] == expected, f"{rhythm} at {at}: {came} and not {expected}"
    moments = [row.due_at(day) for day in expected]
    assert moments == sorted(set(moments)), f"{rhythm} at {at}: not in order: {moments}"
    for day, moment in zip(expected, moments, strict=True):
        if abs(day - clock.day) <= DAY:
            wanted = clock.moment(day, at)
            assert moment == wanted, f"{at} of {day} is at {moment}, and not at {wanted}"
        else:
            shown = moment.astimezone(ZoneInfo(clock.zone)).replace(tzinfo=None)
            assert shown == datetime.combine(day, at), f"{at} of {day} is when clocks show {shown}"


def schedule(day: date, at: time, zone: str, rhythm: Rhythm) -> Schedule:
    return Schedule(
        workspace_id="W1",
        id="S1",
        channel_id="C1",
        audience="channel",
        owner="U1",
        cadence=rhythm.cadence,
        weekday=rhythm.weekday,
        month_day=rhythm.month_day,
        at=at,
        time_zone=zone,
        language=None,
        dimension=None,
        key=None,
        kpis=None,
        skip_unchanged=False,
        paused_at=None,
        next_on=day,
        next_at=schedules.instant(day, at, zone),
        version=1,
    )


@contextmanager
def the_second_of_a_doubled_hour_counts() -> Iterator[None]:
    def instant(day: date, at: time, time_zone: str) -> datetime:
        return datetime.combine(day, at.replace(fold=1), tzinfo=ZoneInfo(time_zone)).astimezone(UTC)

    with patched(schedules, "instant", instant):
        yield


@contextmanager
def the_next_one_is_so_many_hours_later() -> Iterator[None]:
    """A day is taken for 24 hours."""

    def due_at(row: Schedule, day: date) -> datetime:
        return row.next_at + (day - row.next_on)

    with patched(Schedule, "due_at", due_at):
        yield


@contextmanager
def it_comes_whenever_the_clocks_show_its_hour() -> Iterator[None]:
    """As cron does: twice in a doubled hour, never in a gap."""

    def occurrences(row: Schedule, now: datetime) -> list[date]:
        days, moment = [], row.next_at
        while moment <= now:
            local = moment.astimezone(ZoneInfo(row.time_zone))
            if local.time() == row.at and row.rhythm.after(local.date() - DAY) == local.date():
                days.append(local.date())
            moment += QUARTER
        return days

    with patched(schedules, "occurrences", occurrences):
        yield
