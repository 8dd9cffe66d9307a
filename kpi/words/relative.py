"""Periods said from today: "last quarter", "12 derniers mois", "2 months ago", "28 jours glissants"."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date

from kpi.period import Grain, Period, rolling
from kpi.words.calendar import LAST, NUMBERS, ROLLING, RUNNING, THIS, UNITS
from kpi.words.folding import Token
from kpi.words.points import LINKS, Almanac, over, points

_ARTICLES = {"le", "la", "les", "l", "the"}


def _number(token: Token) -> int | None:
    if token.folded.isascii() and token.folded.isdecimal() and len(token.folded) <= 4 and int(token.folded) > 0:
        return int(token.folded)
    return NUMBERS.get(token.folded)


def relative(tokens: Sequence[Token], at: int, almanac: Almanac) -> Iterator[tuple[int, Period]]:
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
    for end, period in relative(tokens, start, almanac):
        if period.unit is Grain.DAY:
            yield end, period.end
