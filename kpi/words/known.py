"""The moment at which the data was known, as people say it: "as known on 1 September", "tel que connu hier à 8h30".

A day means its end: everything that was known by then.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from kpi.period import Grain
from kpi.words.errors import BadPeriodError, Wrong
from kpi.words.folding import Token
from kpi.words.phrases import Phrases
from kpi.words.points import LINKS, Almanac, over, points
from kpi.words.relative import relative

_KNOWN: Phrases[None] = Phrases()
_KNOWN.add_all(
    ("as known on", "as it was known on", "as was known on", "as known at", "known on", "tel que connu le",
     "telle que connue le", "tels que connus le", "telles que connues le", "connu le", "connue le"),
    None,
)  # fmt: skip
_CLOCK = re.compile(r"(\d{1,2})h(\d{2})?")


def end_of(day: date, zone: tzinfo) -> datetime:
    """The last instant of a local day."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return (midnight.astimezone(UTC) - timedelta(microseconds=1)).astimezone(zone)


def moment_of(text: str, zone: tzinfo) -> datetime | None:
    """`2026-09-01` (the end of that local day) or `2026-09-01T08:00` (local, or with its own offset); else None."""
    try:
        return end_of(date.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        pass
    try:
        said = datetime.fromisoformat(text)
        local = said.replace(tzinfo=zone) if said.tzinfo is None else said
        return local.astimezone(UTC).astimezone(zone)
    except (ValueError, OverflowError):
        return None


def known(
    tokens: Sequence[Token], at: int, almanac: Almanac, zone: tzinfo
) -> Iterator[tuple[int, datetime | BadPeriodError]]:
    """Every such moment whose words start at `at`, with the place after its last word."""
    for place, _ in _KNOWN.find(tokens, at):
        start = over(tokens, place, LINKS)
        if start >= len(tokens):
            continue
        for end, day in _days(tokens, start, almanac):
            text = " ".join(token.text for token in tokens[at:end])
            if day is None or day > almanac.today:
                yield end, BadPeriodError(text, Wrong.TO_COME if day else Wrong.NO_SUCH_DATE)
                continue
            yield end, end_of(day, zone)
            for stop, clock in _clock(tokens, end):
                yield stop, datetime.combine(day, clock, zone)


def _days(tokens: Sequence[Token], at: int, almanac: Almanac) -> Iterator[tuple[int, date | None]]:
    for end, point in points(tokens, at):
        if point.unit is Grain.DAY and not point.partial and not point.around:
            try:
                yield end, almanac.latest(point, almanac.today).start
            except (ValueError, OverflowError):
                yield end, None
    for end, period in relative(tokens, at, almanac):
        if period.unit is Grain.DAY and period.days == 1:
            yield end, period.start


def _clock(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, time]]:
    """After a day: "at 08:00", "à 8h30", "08:00:30"."""
    start = at
    while start < len(tokens) and tokens[start].folded in {"at", "a", ","}:
        start += 1
    if start >= len(tokens):
        return
    if found := _CLOCK.fullmatch(tokens[start].folded):
        yield from _time(start + 1, [found.group(1), found.group(2) or "0"])
    parts = [tokens[start].folded]
    place = start + 1
    while place + 1 < len(tokens) and tokens[place].text == ":" and len(parts) < 3:
        parts.append(tokens[place + 1].folded)
        place += 2
        yield from _time(place, parts)


def _time(end: int, parts: Sequence[str]) -> Iterator[tuple[int, time]]:
    if all(part.isascii() and part.isdecimal() and len(part) < 3 for part in parts):
        hour, minute, *second = (int(part) for part in parts)
        if hour < 24 and minute < 60 and sum(second) < 60:
            yield end, time(hour, minute, sum(second))
