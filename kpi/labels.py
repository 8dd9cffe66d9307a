"""Dates, instants and periods as people write them, in French and in English."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from babel import Locale
from babel.dates import format_date, format_time

from kpi.period import Grain, Period


def day(on: date, locale: Locale, *, short: bool = False) -> str:
    """`22 novembre 2026`, `1er mars 2017`; short: `22 nov. 2026`."""
    return _date(on, "d MMM y" if short else "d MMMM y", locale)


def moment(at: datetime, zone: tzinfo, locale: Locale) -> str:
    """An instant as local day and time: `23 nov. 2026 à 10:27`, `23 Nov 2026 at 10:27`."""
    local = at.astimezone(zone)
    word = "à" if locale.language == "fr" else "at"
    return f"{day(local.date(), locale, short=True)} {word} {format_time(local.time(), 'HH:mm', locale=locale)}"


def known_on(at: datetime, locale: Locale) -> tuple[str, str | None]:
    """The local day and time (`08:00`) of an aware moment in its own zone; without a time where it is a day's end."""
    after = (at.astimezone(UTC) + timedelta(microseconds=1)).astimezone(at.tzinfo)
    if after.time() == time():
        return day((after - timedelta(days=1)).date(), locale), None
    return day(at.date(), locale), format_time(at.time(), "HH:mm:ss" if at.second else "HH:mm", locale=locale)


def period_label(period: Period, locale: Locale, fiscal_start_month: int = 1) -> str:
    """What people call the period: `T4 2017`, `décembre 2017`, `semaine 34 (21–27 août 2017)`, `du 3 mars au 15 avril
    2017`, `28 jours jusqu'au 22 nov. 2026`. A unit cut short says its last day: `décembre 2017, jusqu'au 15 déc.`.

    With a fiscal year that starts in another month than January, its quarters and years say so and name both calendar
    years: `T1 de l'exercice 2026/27 (avr.–juin 2026)`. A year from January is a calendar year all the same.
    """
    words = _WORDS[locale.language]
    last = period.last_day
    if period.unit is not None and period.start == _unit_start(period, fiscal_start_month):
        name = _unit_name(period, locale, fiscal_start_month)
        if period.end >= period.whole().end:
            return name
        return words["cut"].format(name=name, day=_date(last, "d MMM", locale))
    if last <= period.start:
        return day(period.start, locale)
    months = _months(period)
    if months and period.start.day == 1:
        return _span(period.start, last, "MMMM y", "MMMM", locale)
    if period.span is Grain.DAY:
        return words["days"].format(count=period.days, day=day(last, locale, short=True))
    if period.span is Grain.WEEK:
        return words["weeks"].format(count=period.days // 7, day=day(last, locale, short=True))
    if period.span is not None and months > 1:
        return words["months"].format(count=months, day=day(last, locale, short=True))
    if period.start.year != last.year:
        first = day(period.start, locale)
    else:
        first = _date(period.start, "d" if period.start.month == last.month else "d MMMM", locale)
    return words["range"].format(first=first, last=day(last, locale))


class Called(StrEnum):
    """What sort of name `period_label` gives: in French each takes another preposition ("au T4", "à la semaine 34")."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    """One month, several in a row, or a calendar year: a bare name."""
    QUARTER = "quarter"
    FISCAL_YEAR = "fiscal_year"
    ROLLING = "rolling"
    """`28 days to …`."""
    RANGE = "range"


def called(period: Period, fiscal_start_month: int = 1) -> Called:
    """The sort of name that `period_label` gives a period."""
    if period.unit is not None and period.start == _unit_start(period, fiscal_start_month):
        fiscal = fiscal_start_month != 1 and period.start.month != 1
        match period.unit:
            case Grain.YEAR:
                return Called.FISCAL_YEAR if fiscal else Called.MONTH
            case Grain.DAY | Grain.WEEK | Grain.MONTH | Grain.QUARTER:
                return Called(period.unit.value)
    if period.last_day <= period.start:
        return Called.DAY
    if _months(period) and period.start.day == 1:
        return Called.MONTH
    counted = period.span in {Grain.DAY, Grain.WEEK} or (period.span is not None and _months(period) > 1)
    return Called.ROLLING if counted else Called.RANGE


def bucket_label(start: date, grain: Grain, locale: Locale, fiscal_start_month: int = 1) -> str:
    """The short name of one bucket of a series, different for each: `S34 2017`, `déc. 2017`, `T4 2017`, `3 mars 2017`.

    Years are calendar years. At most 20 characters in both languages.
    """
    words = _WORDS[locale.language]
    match grain:
        case Grain.DAY:
            return day(start, locale, short=True)
        case Grain.WEEK:
            year, week, _ = start.isocalendar()
            return f"{words['w']}{week} {year}"
        case Grain.MONTH:
            return _date(start, "MMM y", locale)
        case Grain.QUARTER if fiscal_start_month == 1:
            return _date(start, "QQQ y", locale)
        case Grain.QUARTER:
            return f"{words['q']}{_fiscal_quarter(start, fiscal_start_month)} {_fiscal_year(start, fiscal_start_month)}"
        case Grain.YEAR:
            return str(start.year)


_WORDS = {
    "en": {
        "w": "W",
        "q": "Q",
        "week": "week {week} ({span})",
        "quarter": "Q{quarter} of fiscal {year} ({span})",
        "year": "fiscal year {year} ({span})",
        "cut": "{name}, to {day}",
        "months": "{count} months to {day}",
        "weeks": "{count} weeks to {day}",
        "days": "{count} days to {day}",
        "range": "{first} to {last}",
    },
    "fr": {
        "w": "S",
        "q": "T",
        "week": "semaine {week} ({span})",
        "quarter": "T{quarter} de l'exercice {year} ({span})",
        "year": "exercice {year} ({span})",
        "cut": "{name}, jusqu'au {day}",
        "months": "{count} mois jusqu'au {day}",
        "weeks": "{count} semaines jusqu'au {day}",
        "days": "{count} jours jusqu'au {day}",
        "range": "du {first} au {last}",
    },
}


def _unit_name(period: Period, locale: Locale, fiscal_start_month: int) -> str:
    words = _WORDS[locale.language]
    start, last = period.start, period.whole().last_day
    match period.unit:
        case Grain.WEEK:
            return words["week"].format(
                week=start.isocalendar().week, span=_span(start, last, "d MMM y", "d MMM", locale)
            )
        case Grain.MONTH:
            return _date(start, "MMMM y", locale)
        case Grain.YEAR if start.month == 1:
            return _date(start, "y", locale)
        case Grain.QUARTER | Grain.YEAR if fiscal_start_month != 1:
            return words[period.unit.value].format(
                quarter=_fiscal_quarter(start, fiscal_start_month),
                year=_fiscal_year(start, fiscal_start_month),
                span=_span(start, last, "MMM y", "MMM", locale),
            )
        case Grain.QUARTER:
            return _date(start, "QQQ y", locale)
        case _:
            return day(start, locale)


def _unit_start(period: Period, fiscal_start_month: int) -> date | None:
    """The first day of the unit that the period is, or is the beginning of."""
    start = period.start
    match period.unit:
        case Grain.WEEK:
            return start - timedelta(days=start.weekday())
        case Grain.MONTH:
            return start.replace(day=1)
        case Grain.QUARTER:
            return start.replace(day=1) if (start.month - fiscal_start_month) % 3 == 0 else None
        case Grain.YEAR:
            return start.replace(day=1) if start.month in (1, fiscal_start_month) else None
        case _:
            return start


def _months(period: Period) -> int:
    """The whole months of a period that ends on the day of the month on which it starts; 0 for any other."""
    if period.start.day != period.end.day:
        return 0
    return 12 * (period.end.year - period.start.year) + period.end.month - period.start.month


def _fiscal_quarter(start: date, first_month: int) -> int:
    return (start.month - first_month) % 12 // 3 + 1


def _fiscal_year(start: date, first_month: int) -> str:
    """Both calendar years of the fiscal year in which a day lies: `2026/27`."""
    year = start.year if start.month >= first_month else start.year - 1
    return f"{year}/{(year + 1) % 100:02}"


def _span(first: date, last: date, full: str, short: str, locale: Locale) -> str:
    """Two dates with an en dash, saying only once what they share: `21–27 août 2017`, `août–octobre 2017`."""
    if first.year != last.year:
        opening = _date(first, full, locale)
    elif first.month == last.month:
        opening = _date(first, "d", locale) if "d" in full else ""
    else:
        opening = _date(first, short, locale)
    spaced = " " if " " in opening else ""
    return f"{opening}{spaced}–{spaced}{_date(last, full, locale)}" if opening else _date(last, full, locale)


def _date(on: date, pattern: str, locale: Locale) -> str:
    """A date by a CLDR pattern; the first day of a French month is `1er`, which CLDR does not know."""
    if locale.language == "fr" and on.day == 1 and pattern.startswith("d"):
        return "1er" + format_date(on, f"'@'{pattern}", locale=locale).removeprefix("@1")
    return format_date(on, pattern, locale=locale)
