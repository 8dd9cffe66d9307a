"""Dates: is 03/04 in March or in April? The whole column decides, or a person; never a row alone."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from storage.connectors.files.cells import Bad, is_empty
from storage.connectors.files.reading import Cell
from storage.problems import Reason
from storage.records import When

Order = Literal["dmy", "mdy"]
Counting = Literal["serial", "seconds", "milliseconds", "compact"]

FIRST_YEAR, LAST_YEAR = 1970, 2100
"""Beyond these a date is a mistake, or a sentinel."""

_SERIAL_START = date(1899, 12, 30)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january janvier jan janv",
            "february février fevrier feb févr fev fév fevr",
            "march mars mar",
            "april avril apr avr",
            "may mai",
            "june juin jun",
            "july juillet jul juil",
            "august août aout aug aoû",
            "september septembre sep sept",
            "october octobre oct",
            "november novembre nov",
            "december décembre decembre dec déc",
        ),
        start=1,
    )
    for name in names.split()
}
_TIME = (
    r"(?:(?:[T ]|, ?| à )\s*(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
)
_ISO = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _TIME)
_NUMERIC = re.compile(r"(?P<first>\d{1,2})(?P<mark>[-/. ])(?P<second_>\d{1,2})(?P=mark)(?P<year>\d{4}|\d{2})" + _TIME)
_DAY_NAMED = re.compile(
    r"(?:[^\W\d]+\.?,? )?(?P<day>\d{1,2})(?:er|st|nd|rd|th)?[ .-]+(?P<name>[^\W\d]+)\.?[ ,.-]+(?P<year>\d{4}|\d{2})"
    + _TIME
)
_MONTH_NAMED = re.compile(r"(?P<name>[^\W\d]+)\.?[ -]+(?P<day>\d{1,2})(?:st|nd|rd|th)?[ ,-]+(?P<year>\d{4})" + _TIME)
_KOBAN = re.compile(r"/Date\((?P<ms>-?\d+)(?:[+-]\d{4})?\)/")
_KOBAN_NONE = -62135596800000
_YEAR_MONTH = re.compile(r"(?P<year>\d{4})[-/. ](?P<month>\d{1,2})|(?P<month2>\d{1,2})[-/. ](?P<year2>\d{4})")
_NAME_YEAR = re.compile(r"(?P<name>[^\W\d]+)\.?[ -]+(?P<year>\d{4})")


@dataclass(frozen=True, slots=True)
class DateStyle:
    """How a column writes its dates."""

    order: Order | None
    """None: no cell of the column needs it."""
    sample: str | None = None
    """The cell that decided, or one that could be read both ways."""
    unsure: bool = False
    """Some cells can be read both ways, and nothing in the column decides: a person must say."""
    counting: Counting | None = None
    """The column counts days or seconds instead of writing dates."""
    from_column: str | None = None
    """The other column of the same table that decided."""


def decide(cells: Iterable[Cell], default: Order | None = None) -> DateStyle:
    """How this column writes dates; `default` is what a person declared."""
    if default is not None:
        return DateStyle(default)
    votes: dict[Order, int] = {"dmy": 0, "mdy": 0}
    samples: dict[Order, str] = {}
    either: str | None = None
    counted: set[Counting | None] = set()
    for cell in cells:
        if isinstance(cell, str):
            said = cell.strip()
            if is_empty(said):
                continue
            found = _NUMERIC.fullmatch(said)
            if found is None:
                counted.add(_counting(said))
                continue
            counted.add(None)
            first, second = int(found["first"]), int(found["second_"])
            order: Order | None = "dmy" if first > 12 >= second else "mdy" if second > 12 >= first else None
            if order is not None:
                votes[order] += 1
                samples.setdefault(order, said)
            elif first != second:
                either = either or said
        elif isinstance(cell, (int, float)) and not isinstance(cell, bool):
            counted.add("serial")
    counting = counted.pop() if len(counted) == 1 else None
    most: Order = "dmy" if votes["dmy"] >= votes["mdy"] else "mdy"
    least: Order = "mdy" if most == "dmy" else "dmy"
    if votes[most] == 0:
        return DateStyle(None, either, unsure=either is not None, counting=counting)
    # A few cells against many are mistakes, set aside one by one; a real quarrel is for a person.
    if votes[least] * 10 > votes[most]:
        return DateStyle(None, samples[least], unsure=True)
    return DateStyle(most, samples[most])


def settle(styles: Sequence[tuple[str, DateStyle]]) -> list[DateStyle]:
    """Let the columns (header, style) of one table that decide nothing follow those that agree on one order."""
    decided = [(header, style) for header, style in styles if style.order is not None]
    if len({style.order for _, style in decided}) != 1:
        return [style for _, style in styles]
    header, one = decided[0]
    return [
        DateStyle(one.order, style.sample, from_column=header) if style.unsure and style.sample else style
        for _, style in styles
    ]


def read(cell: Cell, style: DateStyle, zone: ZoneInfo) -> When | Bad | None:
    """A local day, an aware moment (a time without a zone is a wall time of `zone`), or None for an empty cell."""
    if isinstance(cell, datetime):
        if not FIRST_YEAR <= cell.year <= LAST_YEAR:
            return Bad(Reason.DATE_OUT_OF_RANGE, str(cell))
        if cell.time() == time():
            return cell.date()
        return cell.replace(tzinfo=zone) if cell.tzinfo is None else cell
    if isinstance(cell, date):
        return _checked(cell, cell.isoformat())
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return _counted(str(int(cell)), "serial", zone) if cell == cell else Bad(Reason.DATE_UNREADABLE, str(cell))
    if not isinstance(cell, str):
        return Bad(Reason.DATE_UNREADABLE, str(cell))
    said = cell.strip().replace("\u00a0", " ").replace("\u202f", " ")
    if is_empty(said) or said.startswith("0000-00-00"):
        return None
    if style.counting is not None:
        return _counted(said, style.counting, zone)
    if koban := _KOBAN.fullmatch(said):
        return None if int(koban["ms"]) == _KOBAN_NONE else _counted(koban["ms"], "milliseconds", zone)
    return _written(said, style, zone)


def read_month(cell: Cell, style: DateStyle, zone: ZoneInfo) -> tuple[date, date] | Bad | None:
    """First and last day of the month that a cell names: `2017-03`, `03/2017`, `mars 2017`, or any day of it."""
    if isinstance(cell, str):
        said = cell.strip()
        found = _YEAR_MONTH.fullmatch(said) or _NAME_YEAR.fullmatch(said)
        if found is not None:
            groups = found.groupdict()
            month = _month(groups.get("month") or groups.get("month2") or groups.get("name") or "")
            year = int(groups.get("year") or groups.get("year2") or 0)
            if month is None or not 1 <= month <= 12:
                return Bad(Reason.DATE_UNREADABLE, said)
            if not FIRST_YEAR <= year <= LAST_YEAR:
                return Bad(Reason.DATE_OUT_OF_RANGE, said)
            return _whole_month(date(year, month, 1))
    when = read(cell, style, zone)
    if when is None or isinstance(when, Bad):
        return when
    return _whole_month(when.astimezone(zone).date() if isinstance(when, datetime) else when)


def _whole_month(day: date) -> tuple[date, date]:
    start = day.replace(day=1)
    return start, (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _written(said: str, style: DateStyle, zone: ZoneInfo) -> When | Bad:
    order = style.order or "dmy"
    for pattern in (_ISO, _NUMERIC, _DAY_NAMED, _MONTH_NAMED):
        found = pattern.fullmatch(said)
        if found is None:
            continue
        groups = found.groupdict()
        if pattern is _NUMERIC:
            day, month = (
                (groups["first"], groups["second_"]) if order == "dmy" else (groups["second_"], groups["first"])
            )
        else:
            day, month = groups["day"], groups.get("month") or groups["name"]
        number = _month(month)
        if number is None:
            break
        year = int(groups["year"])
        if len(groups["year"]) == 2:
            year += 2000 if year < 70 else 1900
        return _build(said, year, number, int(day), groups, zone)
    return Bad(Reason.DATE_UNREADABLE, said)


def _build(said: str, year: int, month: int, day: int, groups: dict[str, str | None], zone: ZoneInfo) -> When | Bad:
    try:
        local = date(year, month, day)
    except ValueError:
        return Bad(Reason.DATE_OUT_OF_RANGE if year == 0 else Reason.DATE_IMPOSSIBLE, said)
    checked = _checked(local, said)
    if isinstance(checked, Bad) or groups["hour"] is None:
        return checked
    hour = int(groups["hour"])
    if half := groups["half"]:
        if not 1 <= hour <= 12:
            return Bad(Reason.DATE_IMPOSSIBLE, said)
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    try:
        wall = datetime(year, month, day, hour, int(groups["minute"] or 0), int(groups["second"] or 0), tzinfo=zone)
    except ValueError:
        return Bad(Reason.DATE_IMPOSSIBLE, said)
    return wall.replace(tzinfo=_zone(groups["zone"])) if groups["zone"] else wall


def _zone(text: str) -> tzinfo:
    if text in {"Z", "UTC", "GMT"}:
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _month(text: str) -> int | None:
    return int(text) if text.isdigit() else _MONTHS.get(text.casefold())


def _checked(day: date, said: str) -> date | Bad:
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else Bad(Reason.DATE_OUT_OF_RANGE, said)


def _counting(said: str) -> Counting | None:
    if not said.isdigit():
        return None
    if len(said) == 5:
        return "serial"
    return {8: "compact", 10: "seconds", 13: "milliseconds"}.get(len(said))  # type: ignore[return-value]


def _counted(said: str, counting: Counting, zone: ZoneInfo) -> When | Bad:
    try:
        number = int(said)
        if counting == "serial":
            return _checked(_SERIAL_START + timedelta(days=number), said)
        if counting == "compact":
            return _checked(date(number // 10_000, number // 100 % 100, number % 100), said)
        moment = datetime.fromtimestamp(number if counting == "seconds" else number / 1000, tz=zone)
    except (ValueError, OverflowError, OSError):
        return Bad(Reason.DATE_IMPOSSIBLE, said)
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else Bad(Reason.DATE_OUT_OF_RANGE, said)
