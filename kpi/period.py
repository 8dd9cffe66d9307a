"""Periods: half-open ranges of local calendar days, with the words a person used for them, and their algebra.

Nothing here reads a clock: `today` is always given. An unfinished period runs to today inclusive, so its `end` is
tomorrow.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

ONE_DAY = timedelta(days=1)


class Grain(StrEnum):
    DAY = "day"
    WEEK = "week"
    """ISO weeks."""
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


MONTHS = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` (included) to `end` (excluded).

    `unit` is the calendar unit when the period is one (so that its label can say "T4 2017"), or the beginning of one
    when `end` comes before the unit's end; else None.
    """

    start: date
    end: date
    unit: Grain | None = None
    span: Grain | None = None
    """The unit of which the period is several ("last 3 months", "12 months that ended yesterday"): the period before
    is as many of them. None for anything else."""

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last_day(self) -> date:
        return self.end - ONE_DAY

    def whole(self) -> "Period":
        """The complete unit of which this is (the beginning of) one; itself when it has no unit."""
        return self if self.unit is None else replace(self, end=shift(self.start, self.unit, 1))


def shift(day: date, grain: Grain, count: int) -> date:
    """The day `count` units later (earlier if negative); the last day of a month that is too short for it."""
    if grain is Grain.DAY:
        return day + timedelta(days=count)
    if grain is Grain.WEEK:
        return day + timedelta(days=7 * count)
    return add_months(day, MONTHS[grain] * count)


def add_months(day: date, months: int) -> date:
    """The same day some months later, or the last day of that month where it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    following = date(first.year + month // 11, (month + 1) % 12 + 1, 1)
    return first + timedelta(days=min(day.day, (following - first).days) - 1)


def containing(grain: Grain, day: date, fiscal_start_month: int = 1) -> Period:
    """The complete unit in which a day lies. Quarters follow the fiscal year; weeks are ISO, years calendar years."""
    start = first_of(grain, day, fiscal_start_month)
    return Period(start, shift(start, grain, 1), grain)


def first_of(grain: Grain, day: date, fiscal_start_month: int = 1) -> date:
    """The first day of the unit in which a day lies: also of the last units of the calendar, whose end is no day."""
    if grain is Grain.DAY:
        return day
    if grain is Grain.WEEK:
        return day - timedelta(days=day.weekday())
    if grain is Grain.MONTH:
        return day.replace(day=1)
    if grain is Grain.QUARTER:
        return add_months(day.replace(day=1), -((day.month - fiscal_start_month) % 3))
    return date(day.year, 1, 1)


def fiscal_year(day: date, fiscal_start_month: int) -> Period:
    """The complete fiscal year in which a day lies; it is named by the calendar year in which it starts."""
    start = add_months(day.replace(day=1), -((day.month - fiscal_start_month) % 12))
    return Period(start, shift(start, Grain.YEAR, 1), Grain.YEAR)


def quarter(year: int, number: int, fiscal_start_month: int = 1) -> Period:
    """Quarter 1 to 4 of the (fiscal) year that starts in `year`."""
    start = add_months(date(year, fiscal_start_month, 1), 3 * (number - 1))
    return Period(start, shift(start, Grain.QUARTER, 1), Grain.QUARTER)


def until_today(period: Period, today: date) -> Period:
    """The period, cut after today when it is not over; unchanged when it is over or has not begun."""
    return replace(period, end=today + ONE_DAY) if period.start <= today < period.end else period


def this(grain: Grain, today: date, fiscal_start_month: int = 1) -> Period:
    """The unit that today lies in, up to today inclusive ("month to date")."""
    return until_today(containing(grain, today, fiscal_start_month), today)


def last(grain: Grain, today: date, count: int = 1, fiscal_start_month: int = 1) -> Period:
    """The `count` complete units before the current one."""
    end = containing(grain, today, fiscal_start_month).start
    start = shift(end, grain, -count)
    return Period(start, end, grain) if count == 1 else Period(start, end, span=grain)


def since(start: date, today: date) -> Period:
    """From a day to today, both included."""
    return Period(start, today + ONE_DAY)


def between(start: date, last_day: date) -> Period:
    """From a day to another, both included. Raises `ValueError` when they are reversed."""
    if last_day < start:
        raise ValueError(f"{last_day} is before {start}")
    return Period(start, last_day + ONE_DAY)


def rolling(grain: Grain, count: int, end: date) -> Period:
    """The `count` units of days that end just before `end`: the 28 days that ended yesterday when `end` is today."""
    return Period(shift(end, grain, -count), end, span=grain)


def unfinished(period: Period, today: date) -> bool:
    """Whether more of the period is to come: its last day is today or later, or its unit is cut by today."""
    return period.end > today or (period.unit is not None and period.whole().end > today)


def elapsed(period: Period, today: date) -> int:
    """How many days of the period have begun, today included."""
    return max(0, (min(period.end, today + ONE_DAY) - period.start).days)


@lru_cache(maxsize=1024)
def previous(period: Period, today: date) -> Period:
    """What the period is compared with: the unit before, or as many elapsed days of it when the unit is not over.

    An unfinished year is compared with the same dates of the year before. A period that is no unit is compared with
    the same length just before.
    """
    if period.unit is not None:
        begins = shift(period.start, period.unit, -1)
        if not (unfinished(period, today) or period.end < period.whole().end):
            return Period(begins, period.start, period.unit)
        if period.unit is Grain.YEAR:
            return Period(begins, _a_year_before(until_today(period, today).last_day) + ONE_DAY, Grain.YEAR)
        days = min(elapsed(period, today) or period.days, period.days)
        return Period(begins, min(begins + timedelta(days=days), period.start), period.unit)
    if period.span in MONTHS:
        count = _units(period)
        return Period(shift(period.end, period.span, -2 * count), period.start, span=period.span)
    return Period(period.start - timedelta(days=period.days), period.start, span=period.span)


def last_year(period: Period, today: date) -> Period:
    """The same period a year before: the same ISO week of it, or the same dates, as far as they have elapsed."""
    cut = until_today(period, today)
    if period.unit is Grain.WEEK:
        begins = _same_week(period.start)
        return Period(begins, begins + timedelta(days=cut.days), Grain.WEEK)
    begins = add_months(cut.start, -12)
    ends = add_months(cut.end, -12) if cut.end.day == 1 else _a_year_before(cut.last_day) + ONE_DAY
    return Period(begins, max(ends, begins + ONE_DAY), period.unit, period.span)


@lru_cache(maxsize=512)
def buckets(period: Period, grain: Grain, fiscal_start_month: int = 1) -> tuple[Period, ...]:
    """The units of a grain that the period touches, in order, the first and last cut where the period cuts them."""
    found = []
    day = period.start
    while day < period.end:
        unit = containing(grain, day, fiscal_start_month)
        found.append(Period(day, min(unit.end, period.end), grain))
        day = unit.end
    return tuple(found)


def _a_year_before(day: date) -> date:
    return add_months(day, -12)


def _same_week(monday: date) -> date:
    year, week, _ = monday.isocalendar()
    try:
        return date.fromisocalendar(year - 1, week, 1)
    except ValueError:
        return date.fromisocalendar(year - 1, 52, 1)


def _units(period: Period) -> int:
    months = (period.end.year - period.start.year) * 12 + period.end.month - period.start.month
    return max(1, round(months / MONTHS[period.span or Grain.MONTH]))
