"""Local dates and their instants: which dates a digest comes on, and the one moment that a wall time of a date is.

A date is never posted by an instant that happens to fall on it, but the instant is made from the date. So nothing is
doubled or lost where clocks are changed: the first of a doubled hour counts, and a time inside a gap is as much later
as the gap is long.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAILY, WEEKLY, MONTHLY = "daily", "weekly", "monthly"

LAST_MONTH_DAY = 28
"""Every month has this day."""


def instant(day: date, at: time, time_zone: str) -> datetime:
    """The moment (UTC) of a wall time: the first of a doubled hour; inside a gap, as much later as the gap is long."""
    return datetime.combine(day, at, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def local_day(moment: datetime, time_zone: str) -> date:
    """The date that calendars of this zone show at a moment (aware)."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The dates of a schedule: every one of them follows from any other. `weekday` (ISO, 1 = Monday) counts for weekly
    ones only, `month_day` (1 to 28) for monthly ones. Raises `ValueError` for what is no rhythm."""

    cadence: str
    weekday: int = 1
    month_day: int = 1

    def __post_init__(self) -> None:
        known = self.cadence in {DAILY, WEEKLY, MONTHLY}
        if not known or not 1 <= self.weekday <= 7 or not 1 <= self.month_day <= LAST_MONTH_DAY:
            raise ValueError(f"no rhythm: {self}")

    def after(self, day: date) -> date:
        """The first of its dates that is later than `day`."""
        if self.cadence == DAILY:
            return day + timedelta(days=1)
        if self.cadence == WEEKLY:
            return day + timedelta(days=(self.weekday - day.isoweekday() - 1) % 7 + 1)
        if day.day < self.month_day:
            return day.replace(day=self.month_day)
        return (day.replace(day=1) + timedelta(days=31)).replace(day=self.month_day)

    def before(self, day: date) -> date:
        """The last of its dates that is earlier than `day`."""
        if self.cadence == DAILY:
            return day - timedelta(days=1)
        if self.cadence == WEEKLY:
            return day - timedelta(days=(day.isoweekday() - self.weekday - 1) % 7 + 1)
        if day.day > self.month_day:
            return day.replace(day=self.month_day)
        return (day.replace(day=1) - timedelta(days=1)).replace(day=self.month_day)

    def to_come(self, moment: datetime, at: time, time_zone: str, *, from_day: date | None = None) -> date:
        """The first of its dates whose wall time lies after a moment, and that is not before `from_day`."""
        day = self.after(max(from_day or date.min, local_day(moment, time_zone)) - timedelta(days=1))
        while instant(day, at, time_zone) <= moment:
            day = self.after(day)
        return day
