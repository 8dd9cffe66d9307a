"""The periods people say, in French and English: "last quarter", "12 derniers mois", "du 3 mars au 15 avril".

`periods(tokens, at, almanac)` gives every reading of the words from one place on. A period that today falls in runs to
today inclusive; its unit stays, so that whoever compares or labels it knows what it is the beginning of.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from kpi.period import Grain, Period, since, until_today
from kpi.words.calendar import RUNNING, THIS, UNITS, WEEKDAYS
from kpi.words.errors import BadPeriodError, Wrong
from kpi.words.folding import Token
from kpi.words.points import LINKS, Almanac, Point, over, points
from kpi.words.relative import relative

Said = Period | BadPeriodError
"""A period, or what is wrong with it: raised only if these words turn out to be the ones that count."""

_SINCE = {"since", "depuis", "starting"}
_TO = {"to", "au", "a", "until", "till", "through", "jusqu", "et", "and"}
_DASHES = {"-", "–", "—"}


def periods(tokens: Sequence[Token], at: int, almanac: Almanac) -> Iterator[tuple[int, Said]]:
    """Every period whose words start at `at`, with the place after its last word."""
    if tokens[at].kind == "symbol":
        return
    if tokens[at].kind == "mark":
        return
    for end, point in points(tokens, at):
        if not point.partial:
            yield end, _said(tokens, at, end, almanac, point)
            yield from _cut(tokens, end, point, almanac)
    for end, period in relative(tokens, at, almanac):
        yield end, period
    yield from _since(tokens, at, almanac)
    yield from _ranges(tokens, at, almanac)


def _text(tokens: Sequence[Token], at: int, end: int) -> str:
    return " ".join(token.text for token in tokens[at:end])


def _said(tokens: Sequence[Token], at: int, end: int, almanac: Almanac, point: Point) -> Said:
    text = _text(tokens, at, end)
    try:
        return until_today(almanac.latest(point, almanac.today), almanac.today)
    except (ValueError, OverflowError):
        return BadPeriodError(text, Wrong.NO_SUCH_DATE)


def _cut(tokens: Sequence[Token], end: int, point: Point, almanac: Almanac) -> Iterator[tuple[int, Said]]:
    """A unit cut short: "novembre 2026, jusqu'au 23 nov."; and "semaine 34 (21–27 août 2017)", which says its year."""
    start = over(tokens, end, set())
    if start >= len(tokens):
        return
    if point.unit in {Grain.WEEK, Grain.QUARTER, Grain.YEAR} and any(token.text == "(" for token in tokens[end:start]):
        for stop, span in _ranges(tokens, start, almanac):
            if isinstance(span, Period):
                yield from _spanned(tokens, stop, point, span, almanac)
    if point.unit is not Grain.DAY:
        try:
            whole = almanac.latest(point, almanac.today)
        except (ValueError, OverflowError):
            return
        yield from _until(tokens, end, whole, almanac)


def _spanned(
    tokens: Sequence[Token], stop: int, point: Point, span: Period, almanac: Almanac
) -> Iterator[tuple[int, Said]]:
    """A unit followed by its days in brackets: the days say which one, if they are the unit's."""
    for year in (span.start.year, span.start.year - 1, span.start.year + 1):
        try:
            whole = almanac.period(replace(point, year=point.year or year), point.year or year)
        except (ValueError, OverflowError):
            continue
        running = until_today(whole, almanac.today)
        if whole.start == span.start and span.end in {whole.end, running.end}:
            yield stop, running
            # The last day of a unit cut short may follow the brackets.
            yield from _until(tokens, stop, whole, almanac)
            return


def _until(tokens: Sequence[Token], at: int, whole: Period, almanac: Almanac) -> Iterator[tuple[int, Said]]:
    """After a unit: "to 23 Nov", "jusqu'au 23 nov.", a day of that unit."""
    start = over(tokens, at, set())
    if start >= len(tokens) or tokens[start].folded not in {"to", "jusqu", "until"}:
        return
    day_at = over(tokens, start + 1, LINKS)
    for stop, day in points(tokens, day_at) if day_at < len(tokens) else ():
        if day.unit is not Grain.DAY or day.partial:
            continue
        try:
            last = almanac.first(day, whole.start)
        except (ValueError, OverflowError):
            yield stop, BadPeriodError(_text(tokens, at, stop), Wrong.NO_SUCH_DATE)
            continue
        if whole.start < last.end <= whole.end:
            yield stop, until_today(replace(whole, end=last.end), almanac.today)


def _since(tokens: Sequence[Token], at: int, almanac: Almanac) -> Iterator[tuple[int, Said]]:
    """ "since January", "depuis le 1er janvier", "depuis le début du mois", "à partir de mars"."""
    word = tokens[at].folded
    if word == "a" and at + 2 < len(tokens) and tokens[at + 1].folded == "partir":
        start = over(tokens, at + 2, LINKS)
    elif word in _SINCE or word == "from":
        start = over(tokens, at + 1, LINKS | ({"from"} if word == "starting" else set()))
    else:
        return
    if start < len(tokens) and tokens[start].folded in {"debut", "beginning", "start"}:
        start = over(tokens, start + 1, LINKS | {"this"} | THIS)
        if start < len(tokens) and tokens[start].folded in UNITS and word != "from":
            stop = start + 1
            if stop < len(tokens) and tokens[stop].folded == "en" and stop + 1 < len(tokens):
                stop += 2 if tokens[stop + 1].folded in RUNNING else 0
            yield stop, almanac.this(UNITS[tokens[start].folded])
    if start >= len(tokens):
        return
    for end, begun in _starts(tokens, start, almanac):
        text = _text(tokens, at, end)
        if word == "from":
            yield end, BadPeriodError(text, Wrong.FROM_WITHOUT_TO)
        elif isinstance(begun, BadPeriodError):
            yield end, begun
        else:
            late = begun.start > almanac.today
            yield (
                end,
                BadPeriodError(_text(tokens, at, end), Wrong.TO_COME) if late else since(begun.start, almanac.today),
            )


def _starts(tokens: Sequence[Token], at: int, almanac: Almanac) -> Iterator[tuple[int, Said]]:
    """The units a "since" may name: points, weekdays, "last month"."""
    for end, point in points(tokens, at):
        if not point.partial:
            yield end, _said(tokens, at, end, almanac, point)
    yield from relative(tokens, at, almanac)
    if (weekday := WEEKDAYS.get(tokens[at].folded)) is not None:
        day = almanac.today - timedelta(days=(almanac.today.weekday() - weekday) % 7)
        yield at + 1, Period(day, day + timedelta(days=1), Grain.DAY)


def _ranges(tokens: Sequence[Token], at: int, almanac: Almanac) -> Iterator[tuple[int, Said]]:
    """ "from X to Y", "du X au Y", "de X à Y", "entre X et Y", "X – Y", "depuis X jusqu'à Y"; Y is included."""
    opening = tokens[at].folded
    opened = opening in {"from", "du", "de", "d", "entre", "between", "since", "depuis"}
    start = over(tokens, at + 1, LINKS) if opened else at
    if start >= len(tokens):
        return
    for middle, first in points(tokens, start):
        link = middle
        while link < len(tokens) and tokens[link].text in {".", ",", ")"}:
            link += 1
        if link >= len(tokens) or not (tokens[link].folded in _TO or tokens[link].text in _DASHES | {"→"}):
            continue
        if tokens[link].folded in {"et", "and"} and opening not in {"entre", "between"}:
            continue
        second_at = over(tokens, link + 1, LINKS | {"to"})
        if second_at >= len(tokens):
            continue
        for end, last in points(tokens, second_at):
            if not last.partial:
                yield end, _between(_text(tokens, at, end), first, last, almanac)
        for end, period in relative(tokens, second_at, almanac):
            yield end, _between(_text(tokens, at, end), first, period, almanac)


def _between(text: str, first: Point, last: Point | Period, almanac: Almanac) -> Said:
    try:
        if isinstance(last, Period):
            closing = last
        elif last.year is None and first.year is not None and not first.partial:
            closing = almanac.first(last, almanac.period(first, first.year).start)
        else:
            closing = almanac.latest(last, almanac.today)
        if first.partial:
            month = last.number if isinstance(last, Point) and last.unit is Grain.DAY else closing.start.month
            first = replace(first, number=month, year=closing.start.year)
        opening = almanac.latest(first, closing.start)
    except (ValueError, OverflowError):
        return BadPeriodError(text, Wrong.NO_SUCH_DATE)
    if opening.start >= closing.end:
        return BadPeriodError(text, Wrong.BACKWARDS)
    return until_today(Period(opening.start, closing.end), almanac.today)
