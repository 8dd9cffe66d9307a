"""Ranges of days as few cells: the codes of the buckets that add up to them."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from kpi.buckets.shapes import LETTERS
from kpi.period import Grain, add_months

FIRST_YEAR = LETTERS[Grain.YEAR]
"""Less than the code of any year; the codes of years are in their order."""
AFTER_YEARS = chr(ord(FIRST_YEAR) + 1)
"""More than the code of any year."""


@lru_cache(maxsize=4096)
def covering(start: date, end: date, *, weeks: bool = True) -> tuple[str, ...]:
    """The codes of the fewest buckets that cover [start, end), in the order of days; none where it is empty.

    Without `weeks`, of days, months and years only: customers have no cells of weeks.
    """
    if end <= start:
        return ()
    plain = _days(start, end, weeks)
    first, last = _month_from(start), end.replace(day=1)
    if first >= last:
        return plain
    by_months = (*_days(start, first, weeks), *_months(first, last), *_days(last, end, weeks))
    return min(by_months, plain, key=len)


def _month_from(day: date) -> date:
    return day if day.day == 1 else add_months(day.replace(day=1), 1)


def _months(start: date, end: date) -> Sequence[str]:
    """Of ranges from the first of a month to the first of another."""
    found = []
    while start < end:
        following = date(start.year + 1, 1, 1) if start.month == 1 and start.year < date.max.year else end
        if start.month == 1 and following <= end:
            found.append(f"{LETTERS[Grain.YEAR]}{start.isoformat()}")
            start = following
        else:
            found.append(f"{LETTERS[Grain.MONTH]}{start.isoformat()}")
            start = add_months(start, 1)
    return found


def _days(start: date, end: date, weeks: bool) -> tuple[str, ...]:
    found = []
    while start < end:
        if weeks and start.weekday() == 0 and (end - start).days >= 7:
            found.append(f"{LETTERS[Grain.WEEK]}{start.isoformat()}")
            start += timedelta(days=7)
        else:
            found.append(f"{LETTERS[Grain.DAY]}{start.isoformat()}")
            start += timedelta(days=1)
    return tuple(found)


def year_of(end: date) -> str:
    """The code of the year that a day lies in."""
    return f"{LETTERS[Grain.YEAR]}{end.year:04}-01-01"
