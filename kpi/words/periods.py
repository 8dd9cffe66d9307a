"""The periods people say, in French and English: "last quarter", "12 derniers mois", "du 3 mars au 15 avril".

`periods(tokens, at, almanac)` gives every reading of the words from one place on. A period that today falls in runs to
today inclusive; its unit stays, so that whoever compares or labels it knows what it is the beginning of.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from kpi.period import Grain, Period, rolling, since, until_today
from kpi.words.calendar import LAST, NUMBERS, ROLLING, RUNNING, THIS, UNITS, WEEKDAYS
from kpi.words.errors import BadPeriodError, Wrong
from kpi.words.folding import Token
from kpi.words.points import LINKS, Almanac, Point, over, points

Said = Period | BadPeriodError
"""A period, or what is wrong with it: raised only if these words turn out to be the ones that count."""

_ARTICLES = {"le", "la", "les", "l", "the"}
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
    for end, period in _relative(tokens, at, almanac):
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


def _number(token: Token) -> int | None:
    if token.folded.isascii() and token.folded.isdecimal() and len(token.folded) <= 4 and int(token.folded) > 0:
        return int(token.folded)
    return NUMBERS.get(token.folded)


def _relative(tokens: Sequence[Token], at: int, almanac: Almanac) -> Iterator[tuple[int, Period]]:
    words = [token.folded for token in tokens[at : at + 8]]
    match words:
        case ["today", *_]:
            yield at + 1, almanac.this(Grain.DAY)
        case ["aujourd", "'" | "’", "hui", *_]:
            yield at + 3, almanac.this(Grain.DAY)
        case ["yesterday" | "hier", *_]:
            yield at + 1, almanac.last(Grain.DAY)
        case ["mtd", *_]:
            yield at + 1, almanac.this(Grain.MONTH)
        case ["qtd", *_]:
            yield at + 1, almanac.this(Grain.QUARTER)
        case ["ytd", *_]:
            yield at + 1, almanac.this(Grain.YEAR)
        case [("cumul" | "cumule"), unit, *_] if unit in _CUMULATED:
            yield at + 2, almanac.this(_CUMULATED[unit])
    plain = _plain(tokens, at)
    places, said = [place for place, _ in plain], [word for _, word in plain]
    match said:
        case [unit, "to", "date", *_] if unit in UNITS:
            yield places[2] + 1, almanac.this(UNITS[unit])
        case [this, unit, "to", "date", *_] if this in THIS and unit in UNITS:
            yield places[3] + 1, almanac.this(UNITS[unit])
        case [this, unit, "ci", *_] if this in THIS and unit in UNITS:
            yield places[2] + 1, almanac.this(UNITS[unit])
        case [this, unit, *_] if this in THIS and unit in UNITS:
            yield places[1] + 1, almanac.this(UNITS[unit])
        case [unit, "en", running_word, *_] if unit in UNITS and running_word in RUNNING:
            yield places[2] + 1, almanac.this(UNITS[unit])
        case [unit, running_word, *_] if unit in UNITS and running_word in RUNNING:
            yield places[1] + 1, almanac.this(UNITS[unit])
    match said:
        case [last, unit, *_] if last in LAST and unit in UNITS and not unit.endswith("s"):
            yield places[1] + 1, almanac.last(UNITS[unit])
        case [last, "mois", *_] if last in LAST:
            yield places[1] + 1, almanac.last(Grain.MONTH)
        case [unit, last, *_] if last in LAST and unit in UNITS and (not unit.endswith("s") or unit == "mois"):
            yield places[1] + 1, almanac.last(UNITS[unit])
    yield from _counted(tokens, places, said, almanac)
    yield from _ago(tokens, places, said, almanac)


_CUMULATED = {
    "mensuel": Grain.MONTH, "mensuelle": Grain.MONTH, "trimestriel": Grain.QUARTER, "annuel": Grain.YEAR,
}  # fmt: skip


def _plain(tokens: Sequence[Token], at: int) -> list[tuple[int, str]]:
    """The next few words and their places, without punctuation and leading articles."""
    found = [(place, token.folded) for place, token in enumerate(tokens[at : at + 9], at) if token.kind != "mark"]
    return found[1:] if found and found[0][1] in _ARTICLES else found


def _counted(
    tokens: Sequence[Token], places: list[int], said: list[str], almanac: Almanac
) -> Iterator[tuple[int, Period]]:
    """ "last 30 days", "30 derniers jours", "rolling 12 months", "28 jours jusqu'au 22 nov. 2026"."""
    numbers = [_number(tokens[place]) for place in places]
    for order in (("last", "n", "unit"), ("n", "last", "unit"), ("n", "unit", "last"), ("n", "unit")):
        if len(said) < len(order):
            continue
        word = dict(zip(order, said, strict=False))
        count = numbers[order.index("n")]
        unit = UNITS.get(word["unit"])
        if count is None or unit is None:
            continue
        after = places[len(order) - 1] + 1
        try:
            if word.get("last") in LAST:
                yield after, almanac.last(unit, count)
            elif word.get("last") in ROLLING:
                yield after, rolling(unit, count, almanac.today)
            elif "last" not in word:
                for end, day in _ending(tokens, after, almanac):
                    yield end, rolling(unit, count, day)
        except (ValueError, OverflowError):
            continue


def _ago(tokens: Sequence[Token], places: list[int], said: list[str], almanac: Almanac) -> Iterator[tuple[int, Period]]:
    """ "2 months ago", "il y a 2 mois": the whole unit of the calendar so long before this one."""
    match said:
        case [_, unit, "ago", *_]:
            at, last = 0, 2
        case ["il", "y", "a", _, unit, *_]:
            at, last = 3, 4
        case _:
            return
    count = _number(tokens[places[at]])
    if count is not None and unit in UNITS:
        with contextlib.suppress(ValueError, OverflowError):
            yield places[last] + 1, almanac.ago(UNITS[unit], count)


def _ending(tokens: Sequence[Token], at: int, almanac: Almanac) -> Iterator[tuple[int, date]]:
    """After "28 days": "to 22 Nov 2026", "jusqu'au 22 nov. 2026", "ended yesterday"; the day after that one."""
    at = over(tokens, at, set())
    if at >= len(tokens) or tokens[at].folded not in {"to", "jusqu", "ending", "ended", "until", "finissant"}:
        return
    start = over(tokens, at + 1, LINKS | {"to"})
    if start >= len(tokens):
        return
    for end, point in points(tokens, start):
        if point.unit is Grain.DAY and not point.partial and not point.around:
            yield end, almanac.latest(point, almanac.today).end
    for end, period in _relative(tokens, start, almanac):
        if period.unit is Grain.DAY:
            yield end, period.end


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
            yield end, since(begun.start, almanac.today)


def _starts(tokens: Sequence[Token], at: int, almanac: Almanac) -> Iterator[tuple[int, Said]]:
    """The units a "since" may name: points, weekdays, "last month"."""
    for end, point in points(tokens, at):
        if not point.partial:
            yield end, _said(tokens, at, end, almanac, point)
    yield from _relative(tokens, at, almanac)
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
        for end, period in _relative(tokens, second_at, almanac):
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
