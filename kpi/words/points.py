"""One point of the calendar as people say it: a day, a week, a month, a quarter, a year, with or without its year.

`points(tokens, at)` gives every reading of the words from one place on; which is meant is decided by the whole
question. A point without a year is its most recent start.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from kpi.period import Grain, Period, containing, last, quarter, shift, this
from kpi.words.calendar import MONTHS, ORDINALS, UNITS, WEEKDAYS
from kpi.words.folding import Token

LINKS = {"le", "la", "les", "l", "the", "de", "du", "des", "d", "of", "in", "en", "au", "a", "on", "n"}
"""Small words that may stand inside a date: "le 3 mars", "week 34 of 2017", "au mois de mai"."""

_QUARTER = re.compile(r"[qt]([1-4])")
_WEEK = re.compile(r"[ws](\d{1,2})")
_YEAR = re.compile(r"(?:19|20|21)\d\d")
_DAY = re.compile(r"(\d{1,2})(?:er|st|nd|rd|th|e)?")


@dataclass(frozen=True, slots=True)
class Point:
    """A unit of the calendar; `year` is None when it was not said. `month` and `day` only where the unit needs them."""

    unit: Grain
    year: int | None = None
    number: int | None = None
    """Month, quarter or ISO week."""
    day: int | None = None
    fiscal: bool = False
    """The year is a fiscal one; of no meaning where fiscal years are calendar years."""
    both_years: bool = False
    """A fiscal year said by both its calendar years ("2026/27")."""
    around: bool = False
    """A week said by a day in it ("the week of 21 August")."""

    @property
    def partial(self) -> bool:
        """A day without its month, as in "du 3 au 15 avril"."""
        return self.unit is Grain.DAY and self.number is None


@dataclass(frozen=True, slots=True)
class Almanac:
    """What a point is resolved against."""

    today: date
    fiscal_start_month: int = 1

    def period(self, point: Point, year: int) -> Period:
        """The days of a point in a year. Raises `ValueError` for a day, week or year that does not exist."""
        if point.both_years and self.fiscal_start_month == 1:
            raise ValueError("a fiscal year that is a calendar year has one number")
        number = 1 if point.number is None else point.number
        match point.unit:
            case Grain.DAY:
                start = date(year, number, 1 if point.day is None else point.day)
                return containing(Grain.WEEK if point.around else Grain.DAY, start)
            case Grain.WEEK:
                return containing(Grain.WEEK, date.fromisocalendar(year, number, 1))
            case Grain.MONTH:
                return containing(Grain.MONTH, date(year, number, 1))
            case Grain.QUARTER:
                return quarter(year, number, self.fiscal_start_month)
            case Grain.YEAR:
                start = date(year, self.fiscal_start_month if point.fiscal else 1, 1)
                return Period(start, shift(start, Grain.YEAR, 1), Grain.YEAR)

    def this(self, unit: Grain) -> Period:
        """The unit that today lies in, up to today inclusive."""
        return this(unit, self.today, self.fiscal_start_month)

    def last(self, unit: Grain, count: int = 1) -> Period:
        """The `count` complete units before the current one."""
        return last(unit, self.today, count, self.fiscal_start_month)

    def ago(self, unit: Grain, count: int) -> Period:
        """The whole unit that lies `count` units before the current one."""
        return containing(unit, shift(self.this(unit).start, unit, -count), self.fiscal_start_month)

    def latest(self, point: Point, on_or_before: date) -> Period:
        """The most recent occurrence that starts on or before a day. Raises `ValueError` for a day that never is."""
        if point.year is not None:
            return self.period(point, point.year)
        for year in range(on_or_before.year + 1, on_or_before.year - 9, -1):
            try:
                period = self.period(point, year)
            except ValueError:
                continue
            if period.start <= on_or_before:
                return period
        raise ValueError(f"{point} has no date")

    def first(self, point: Point, on_or_after: date) -> Period:
        """The first occurrence that starts on or after a day; a point with a year, in that year.

        Raises `ValueError` for a day that never is.
        """
        if point.year is not None:
            return self.period(point, point.year)
        for year in range(on_or_after.year - 1, on_or_after.year + 9):
            try:
                period = self.period(point, year)
            except ValueError:
                continue
            if period.start >= on_or_after:
                return period
        raise ValueError(f"{point} has no date")


def points(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Point]]:
    """Every point whose words start at `at`, with the place after its last word."""
    token = tokens[at]
    if token.kind == "date":
        if (point := _written(token.folded)) is not None:
            yield at + 1, point
        return
    if token.kind == "symbol":
        return
    yield from _days(tokens, at)
    for end, point in (*_quarters(tokens, at), *_weeks(tokens, at), *_months(tokens, at)):
        yield end, point
        year_at = over(tokens, end, LINKS)
        fiscal = year_at < len(tokens) and tokens[year_at].folded in {"exercice", "fiscal", "fy"}
        if fiscal:
            year_at = over(tokens, year_at + 1, {"year"})
        if point.year is None and year_at < len(tokens) and _YEAR.fullmatch(tokens[year_at].folded):
            year_end = _second_year(tokens, year_at) if fiscal else year_at + 1
            yield (
                year_end,
                replace(point, year=int(tokens[year_at].folded), fiscal=fiscal, both_years=year_end > year_at + 1),
            )
    yield from _years(tokens, at)


def over(tokens: Sequence[Token], at: int, words: set[str]) -> int:
    """The first place from `at` on that is neither one of these small words nor punctuation."""
    while at < len(tokens) and (tokens[at].folded in words or tokens[at].kind == "mark"):
        at += 1
    return at


def _written(text: str) -> Point | None:
    """2017-12-05, 05/12/2017, 5/12, 2017-12, 12/2017, 2017-q4, q4 2017, 2017-w34, w34 2017."""
    numbers = [int(digits) for digits in re.findall(r"\d+", text)]
    letter = next((character for character in text if character.isalpha()), "")
    if letter:
        year, number = (max(numbers), min(numbers)) if len(numbers) == 2 else (None, None)
        return Point(Grain.QUARTER if letter in "qt" else Grain.WEEK, year, number)
    match numbers:
        case [year, month, day] if year > 999:
            return Point(Grain.DAY, year, month, day)
        case [day, month, year]:
            return Point(Grain.DAY, year, month, day)
        case [year, month] if year > 999:
            return Point(Grain.MONTH, year, month)
        case [month, year] if year > 999:
            return Point(Grain.MONTH, year, month)
        case [day, month]:
            return Point(Grain.DAY, None, month, day)
    return None


def _days(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Point]]:
    """ "3 mars [2017]", "March 3rd[, 2017]", "lundi 3 mars", and the bare "3" of "du 3 au 15 avril"."""
    if tokens[at].folded in WEEKDAYS:
        at = over(tokens, at + 1, LINKS)
    if at >= len(tokens):
        return
    day, month = _day(tokens[at]), MONTHS.get(tokens[at].folded)
    next_at = over(tokens, at + 1, LINKS)
    if day is not None:
        yield at + 1, Point(Grain.DAY, day=day)
        if next_at < len(tokens) and (named := MONTHS.get(tokens[next_at].folded)):
            yield from _with_year(tokens, next_at + 1, Point(Grain.DAY, None, named, day))
    elif month is not None and next_at < len(tokens) and (day := _day(tokens[next_at])) is not None:
        yield from _with_year(tokens, next_at + 1, Point(Grain.DAY, None, month, day))


def _with_year(tokens: Sequence[Token], at: int, point: Point) -> Iterator[tuple[int, Point]]:
    yield at, point
    year_at = over(tokens, at, LINKS)
    if year_at < len(tokens) and _YEAR.fullmatch(tokens[year_at].folded):
        yield year_at + 1, replace(point, year=int(tokens[year_at].folded))


def _day(token: Token) -> int | None:
    found = _DAY.fullmatch(token.folded) if token.kind == "word" else None
    return int(found.group(1)) if found and 1 <= int(found.group(1)) <= 31 else None


def _quarters(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Point]]:
    word = tokens[at].folded
    if found := _QUARTER.fullmatch(word):
        yield at + 1, Point(Grain.QUARTER, number=int(found.group(1)))
    elif word in ORDINALS and at + 1 < len(tokens) and UNITS.get(tokens[at + 1].folded) is Grain.QUARTER:
        yield at + 2, Point(Grain.QUARTER, number=ORDINALS[word])
    elif UNITS.get(word) is Grain.QUARTER and at + 1 < len(tokens) and tokens[at + 1].folded in {"1", "2", "3", "4"}:
        yield at + 2, Point(Grain.QUARTER, number=int(tokens[at + 1].folded))


def _weeks(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Point]]:
    word = tokens[at].folded
    if found := _WEEK.fullmatch(word):
        yield at + 1, Point(Grain.WEEK, number=int(found.group(1)))
    if word not in {"semaine", "week"}:
        return
    next_at = over(tokens, at + 1, LINKS | {"no", "num", "numero", "number", "°"})
    if next_at >= len(tokens):
        return
    follower = tokens[next_at].folded
    if follower.isascii() and follower.isdecimal() and len(follower) < 3:
        yield next_at + 1, Point(Grain.WEEK, number=int(follower))
    for end, point in (*_days(tokens, next_at), *_written_days(tokens, next_at)):
        if not point.partial:
            yield end, replace(point, around=True)


def _written_days(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Point]]:
    if tokens[at].kind == "date" and (point := _written(tokens[at].folded)) and point.unit is Grain.DAY:
        yield at + 1, point


def _months(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Point]]:
    if tokens[at].folded in {"mois", "month"}:
        at = over(tokens, at + 1, LINKS)
    if at < len(tokens) and (month := MONTHS.get(tokens[at].folded)):
        yield at + 1, Point(Grain.MONTH, number=month)


def _years(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, Point]]:
    """ "2017", "année 2017", "exercice 2017/18", "FY 2017", and a year said before its quarter or month."""
    word, fiscal = tokens[at].folded, False
    if word in {"annee", "an", "year", "exercice", "fy", "fiscal"}:
        fiscal = word in {"exercice", "fy", "fiscal"}
        at = over(tokens, at + 1, LINKS | ({"year", "fiscal"} if fiscal else set()))
    if at >= len(tokens) or not _YEAR.fullmatch(tokens[at].folded):
        return
    year = int(tokens[at].folded)
    end = _second_year(tokens, at) if fiscal else at + 1
    yield end, Point(Grain.YEAR, year, fiscal=fiscal, both_years=end > at + 1)
    if at + 1 < len(tokens):
        for end, point in (*_quarters(tokens, at + 1), *_months(tokens, at + 1)):
            yield end, replace(point, year=year)


def _second_year(tokens: Sequence[Token], at: int) -> int:
    """After a year, or after both years of a fiscal one: "2017/18", "2017-2018"."""
    if at + 2 < len(tokens) and tokens[at + 1].text in {"/", "-"}:
        year, second = int(tokens[at].folded), tokens[at + 2].folded
        if second in {str(year + 1), f"{(year + 1) % 100:02}"}:
            return at + 3
    return at + 1
