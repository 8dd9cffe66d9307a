"""When digests are due: wall time in each schedule's own zone, advanced by compare-and-set.

An occurrence is identified by its local date, never by an instant. Instants are computed by one rule: the first of a
doubled hour, and a time inside a gap shifted forward.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import moment
from storage.leases import drop, take_free
from storage.schema import lease, schedule

HELD_SECONDS = 60
"""For how long a schedule that is due belongs to who took it: its digest is computed meanwhile."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A digest that comes again; `owner` is the Slack user whose rights it is computed with. `schema.schedule` says what
    each field means."""

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


_COLUMNS = [schedule.c[name] for name in Schedule.__slots__]


def instant(day: date, at: time, time_zone: str) -> datetime:
    """The moment (UTC) of a wall time: the first of a doubled hour; inside a gap, as much later as the gap is long."""
    return datetime.combine(day, at, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def next_day(after: date, weekday: int) -> date:
    """The first date later than `after` on an ISO weekday (1 = Monday)."""
    return after + timedelta(days=(weekday - after.isoweekday() - 1) % 7 + 1)


def add(
    connection: Connection,
    *,
    workspace_id: str,
    channel_id: str,
    owner: str,
    weekday: int,
    at: time,
    time_zone: str,
    language: str,
    now: datetime,
    dimension: str | None = None,
    key: str | None = None,
    first_on: date | None = None,
) -> Schedule:
    """Remembers a new schedule. Its first occurrence is the next one after `now`, or `first_on`: a date whose wall time
    may lie a little in the past, so that the digest goes out at the next tick (a demonstration, a missed Monday)."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    day = first_on or next_day(today - timedelta(days=1), weekday)
    if first_on is None and instant(day, at, time_zone) <= now:
        day = next_day(day, weekday)
    row = Schedule(
        workspace_id=workspace_id,
        id=uuid.uuid4().hex,
        channel_id=channel_id,
        audience="channel",
        owner=owner,
        cadence="weekly",
        weekday=weekday,
        month_day=1,
        at=at,
        time_zone=time_zone,
        language=language,
        dimension=dimension,
        key=key,
        kpis=None,
        skip_unchanged=False,
        paused_at=None,
        next_on=day,
        next_at=instant(day, at, time_zone),
        version=1,
    )
    values = {name: getattr(row, name) for name in Schedule.__slots__}
    connection.execute(sa.insert(schedule).values(**values, created_by=owner, created_at=now))
    return row


def claim(connection: Connection, now: datetime, holder: str, most: int) -> list[Schedule]:
    """Takes at most so many of the running schedules, of every workspace, whose next occurrence has come; the most
    overdue first. Theirs is the work for `HELD_SECONDS`: other replicas take others meanwhile, and who is slower than
    that still puts no letter twice (`advance`)."""
    held = lease.alias("held")
    due = connection.execute(
        sa.select(*_COLUMNS)
        .where(
            schedule.c.stopped_at.is_(None),
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
    """The schedules of a workspace that are not stopped, the next to come first."""
    rows = connection.execute(
        sa.select(*_COLUMNS)
        .where(schedule.c.workspace_id == workspace_id, schedule.c.stopped_at.is_(None))
        .order_by(schedule.c.next_at, schedule.c.id)
    ).mappings()
    return [Schedule(**row) for row in rows]


def occurrences(row: Schedule, now: datetime) -> list[date]:
    """The local dates that have come due and were not posted, oldest first: one in normal life, more after a stop."""
    days = []
    day = row.next_on
    while instant(day, row.at, row.time_zone) <= now:
        days.append(day)
        day = next_day(day, row.weekday)
    return days


def advance(connection: Connection, row: Schedule, now: datetime) -> bool:
    """Moves to the first occurrence after `now`, held by nobody; false when somebody else has moved it (write nothing
    then)."""
    day = next_day((occurrences(row, now) or [row.next_on])[-1], row.weekday)
    result = connection.execute(
        sa.update(schedule)
        .where(
            schedule.c.workspace_id == row.workspace_id,
            schedule.c.id == row.id,
            schedule.c.version == row.version,
            schedule.c.stopped_at.is_(None),
        )
        .values(next_on=day, next_at=instant(day, row.at, row.time_zone), version=row.version + 1)
    )
    if result.rowcount == 1:
        drop(connection, row.workspace_id, _held(row.id))
    return result.rowcount == 1


def _held(schedule_id: str) -> str:
    return f"digest:{schedule_id}"


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
