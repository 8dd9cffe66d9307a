"""When a message may be posted: outside quiet hours, and not on weekends or public holidays where a rule says so."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from storage.dates import instant
from storage.rules import Rule

if TYPE_CHECKING:
    from holidays import HolidayBase

MORNING = time(8)
"""When a day begins after a weekend or holiday, for a rule without quiet hours that end in the morning."""


def leaves_at(rule: Rule, now: datetime) -> datetime:
    """The first moment (UTC), not before `now`, at which the rule's channel may be written to."""
    moment, zone = now.astimezone(UTC), ZoneInfo(rule.time_zone)
    while True:
        local = moment.astimezone(zone)
        if rule.holidays is not None and is_off(rule.holidays, local.date()):
            moment = instant(local.date() + timedelta(days=1), _morning(rule), rule.time_zone)
        elif (end := _end_of_quiet(rule, local)) is not None:
            moment = end
        else:
            return moment


def is_off(country: str, day: date) -> bool:
    """A Saturday, Sunday or public holiday of an ISO country. Raises `NotImplementedError` for one that is unknown."""
    return day.isoweekday() > 5 or day in _calendar(country)


@lru_cache(maxsize=16)
def _calendar(country: str) -> "HolidayBase":
    import holidays  # takes its time, and few rules ask for it

    return holidays.country_holidays(country)


def _morning(rule: Rule) -> time:
    """When the quiet hours of a night end, else `MORNING`."""
    if rule.quiet_from is not None and rule.quiet_to is not None and rule.quiet_from > rule.quiet_to:
        return rule.quiet_to
    return MORNING


def _end_of_quiet(rule: Rule, local: datetime) -> datetime | None:
    """When the quiet hours end that hold at this local moment; None where none do."""
    if rule.quiet_from is None or rule.quiet_to is None or rule.quiet_from == rule.quiet_to:
        return None
    clock, day = local.time(), local.date()
    if rule.quiet_from < rule.quiet_to:
        quiet, until = rule.quiet_from <= clock < rule.quiet_to, day
    else:
        quiet = clock >= rule.quiet_from or clock < rule.quiet_to
        until = day + timedelta(days=1) if clock >= rule.quiet_from else day
    # In a doubled hour the wall says for the second time that it is quiet: the end is then past, and does not count.
    end = instant(until, rule.quiet_to, rule.time_zone)
    return end if quiet and end > local.astimezone(UTC) else None
