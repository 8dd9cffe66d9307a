"""Digests that come again: their dates are local dates, and each is done once, by compare-and-set.

An occurrence is identified by its local date, never by an instant, and dates are done in their order. So a schedule may
change its hour or its zone while a date is pending: that date stays the next one, at its new instant, or at once where
that has passed.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import moment
from storage.dates import WEEKLY, Rhythm, instant
from storage.leases import drop, take_free
from storage.schema import lease, schedule

HELD_SECONDS = 60
"""For how long a schedule that is due belongs to who took it: its digest is computed meanwhile."""

CHANNEL, PERSON, MANAGERS = "channel", "person", "managers"
"""Audiences; `schema.schedule` says who reads."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A digest that comes again; `owner` is the Slack user whose rights it is computed with. `schema.schedule` says
    what each field means."""

    workspace_id: str
    id: str
    channel_id: str
    audience: str
    owner: str
    cadence: str
    weekday: int
    month_day: int
    at: time
    time_zone: str
    language: str | None
    dimension: str | None
    key: str | None
    kpis: str | None
    skip_unchanged: bool
    paused_at: datetime | None
    next_on: date
    next_at: datetime
    version: int

    @property
    def rhythm(self) -> Rhythm:
        return Rhythm(self.cadence, self.weekday, self.month_day)

    def due_at(self, day: date) -> datetime:
        """When one of its dates that are still to be done is due."""
        # A date whose hour had passed when the schedule was moved is due since then.
        return self.next_at if day == self.next_on else instant(day, self.at, self.time_zone)


_COLUMNS = [schedule.c[name] for name in Schedule.__slots__]
_SAYS = tuple(name for name in Schedule.__slots__ if name not in {"id", "paused_at", "next_on", "next_at", "version"})


def made(
    *,
    workspace_id: str,
    channel_id: str,
    owner: str,
    at: time,
    time_zone: str,
    language: str | None,
    now: datetime,
    weekday: int = 1,
    month_day: int = 1,
    cadence: str = WEEKLY,
    audience: str = CHANNEL,
    dimension: str | None = None,
    key: str | None = None,
    kpis: str | None = None,
    skip_unchanged: bool = False,
    first_on: date | None = None,
) -> Schedule:
    """A schedule that nobody remembers yet. Its first occurrence is the next one after `now`, or `first_on`: a date
    whose wall time may lie a little in the past, so that the digest goes out at the next tick (a demonstration, a
    missed Monday). Raises `ValueError` for a weekday or day of the month that there is not."""
    day = first_on or Rhythm(cadence, weekday, month_day).to_come(now, at, time_zone)
    return Schedule(
        workspace_id=workspace_id,
        id=uuid.uuid4().hex,
        channel_id=channel_id,
        audience=audience,
        owner=owner,
        cadence=cadence,
        weekday=weekday,
        month_day=month_day,
        at=at,
        time_zone=time_zone,
        language=language,
        dimension=dimension,
        key=key,
        kpis=kpis,
        skip_unchanged=skip_unchanged,
        paused_at=None,
        next_on=day,
        next_at=instant(day, at, time_zone),
        version=1,
    )


def remember(connection: Connection, row: Schedule, now: datetime) -> None:
    values = {name: getattr(row, name) for name in Schedule.__slots__}
    connection.execute(sa.insert(schedule).values(**values, created_by=row.owner, created_at=now))


def add(connection: Connection, *, now: datetime, **values: Any) -> Schedule:
    """Remembers a schedule `made` of these values."""
    row = made(now=now, **values)
    remember(connection, row, now)
    return row


def same(row: Schedule, other: Schedule) -> bool:
    """Whether two schedules say the same to the same readers at the same time."""
    return all(getattr(row, name) == getattr(other, name) for name in _SAYS)


def claim(connection: Connection, now: datetime, holder: str, most: int) -> list[Schedule]:
    """Takes at most so many of the running schedules, of every workspace, whose next occurrence has come; the most
    overdue first. Theirs is the work for `HELD_SECONDS`: other replicas take others meanwhile, and who is slower than
    that still puts no letter twice (`advance`)."""
    held = lease.alias("held")
    due = connection.execute(
        sa.select(*_COLUMNS)
        .where(
            schedule.c.stopped_at.is_(None),
            schedule.c.paused_at.is_(None),
            schedule.c.next_at <= now,
            ~sa.exists().where(
                held.c.workspace_id == schedule.c.workspace_id,
                held.c.name == sa.literal("digest:") + schedule.c.id,
                held.c.until > moment(0),
            ),
        )
        .order_by(schedule.c.next_at, schedule.c.id)
        .limit(most)
        .with_for_update(of=schedule, skip_locked=True)
    ).mappings()
    rows = {(row["workspace_id"], _held(row["id"])): Schedule(**row) for row in due}
    taken = take_free(connection, rows, holder, HELD_SECONDS)
    return [row for key, row in rows.items() if key in taken]


def running(connection: Connection, workspace_id: str) -> list[Schedule]:
    """The schedules of a workspace that are not stopped, paused ones included, the next to come first."""
    rows = connection.execute(
        sa.select(*_COLUMNS)
        .where(schedule.c.workspace_id == workspace_id, schedule.c.stopped_at.is_(None))
        .order_by(schedule.c.next_at, schedule.c.id)
    ).mappings()
    return [Schedule(**row) for row in rows]


def occurrences(row: Schedule, now: datetime) -> list[date]:
    """The local dates that have come due and are not done, oldest first: one in normal life, more after a stop."""
    days = []
    day = row.next_on
    while row.due_at(day) <= now:
        days.append(day)
        day = row.rhythm.after(day)
    return days


def advance(connection: Connection, row: Schedule, done: date) -> bool:
    """Every date up to `done` is done: moves to the one after it, held by nobody. False when somebody else has moved or
    changed the schedule (write nothing then)."""
    day = row.rhythm.after(done)
    moved = _set(connection, row, next_on=day, next_at=instant(day, row.at, row.time_zone))
    if moved:
        drop(connection, row.workspace_id, _held(row.id))
    return moved


def moved(
    row: Schedule,
    now: datetime,
    *,
    at: time | None = None,
    time_zone: str | None = None,
    rhythm: Rhythm | None = None,
) -> Schedule:
    """A schedule with another hour, zone or rhythm.

    With another hour or zone the pending date stays the pending one: it is due at its new instant, or at once where
    that has passed. With another rhythm it is the first date of the new one that is later than every date done, and
    still to come. Either way no date is done twice, and none that was pending in the same rhythm is left out.
    """
    at, time_zone, rhythm = at or row.at, time_zone or row.time_zone, rhythm or row.rhythm
    day = row.next_on
    if rhythm != row.rhythm:
        day = rhythm.to_come(now, at, time_zone, from_day=rhythm.after(row.rhythm.before(row.next_on)))
    return replace(
        row,
        at=at,
        time_zone=time_zone,
        cadence=rhythm.cadence,
        weekday=rhythm.weekday,
        month_day=rhythm.month_day,
        next_on=day,
        # What was late already is as late as it was.
        next_at=max(instant(day, at, time_zone), min(now, row.next_at)),
    )


def move(connection: Connection, row: Schedule, new: Schedule) -> bool:
    """Writes down a schedule that was `moved`; false when somebody else was quicker."""
    names = ("at", "time_zone", "cadence", "weekday", "month_day", "next_on", "next_at")
    return _set(connection, row, **{name: getattr(new, name) for name in names})


def pause(connection: Connection, row: Schedule, now: datetime) -> bool:
    """Nothing of it is due until it is resumed; false when somebody else was quicker."""
    return _set(connection, row, paused_at=now)


def resume(connection: Connection, row: Schedule, now: datetime) -> bool:
    """Goes on with the first date that is still to come, so that what was paused does not arrive in a burst: dates that
    passed meanwhile were not wanted, and are neither posted nor recorded. False when somebody else was quicker."""
    day = row.rhythm.to_come(now, row.at, row.time_zone, from_day=row.next_on)
    return _set(connection, row, paused_at=None, next_on=day, next_at=instant(day, row.at, row.time_zone))


def hand_over(
    connection: Connection,
    row: Schedule,
    owner: str,
    *,
    dimension: str | None,
    key: str | None,
    paused_at: datetime | None = None,
) -> bool:
    """Computed with another's rights from now on, narrowed like this; false when somebody else was quicker."""
    return _set(connection, row, owner=owner, dimension=dimension, key=key, paused_at=paused_at)


def stop(connection: Connection, workspace_id: str, schedule_id: str, now: datetime) -> bool:
    """Stops a schedule; false when it does not exist or was stopped before."""
    result = connection.execute(
        sa.update(schedule)
        .where(
            schedule.c.workspace_id == workspace_id,
            schedule.c.id == schedule_id,
            schedule.c.stopped_at.is_(None),
        )
        .values(stopped_at=now, version=schedule.c.version + 1)
    )
    return result.rowcount == 1


def _set(connection: Connection, row: Schedule, **values: Any) -> bool:
    """Where the schedule is still as it was read; false where it is not."""
    result = connection.execute(
        sa.update(schedule)
        .where(
            schedule.c.workspace_id == row.workspace_id,
            schedule.c.id == row.id,
            schedule.c.version == row.version,
            schedule.c.stopped_at.is_(None),
        )
        .values(**values, version=row.version + 1)
    )
    return result.rowcount == 1


def _held(schedule_id: str) -> str:
    return f"digest:{schedule_id}"
