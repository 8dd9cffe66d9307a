"""What Koban's rows are made of: items of lists, ids and moments, and three ways to write a date."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from storage.connectors.reading import FIRST_YEAR, LAST_YEAR, Row, UnreadableError, instant
from storage.problems import Reason
from storage.records import When

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = Decimal(10) ** 11
"""From here on a number counts milliseconds, not seconds: the year 5138, or 1973."""
_BEYOND = Decimal(10) ** 15
"""No moment; a whole number of any exponent would take minutes to write out."""


class Value(Row):
    """An item of one of Koban's lists."""

    Guid: str | None = None
    Code: str | None = None
    Extcode: str | None = None
    Label: str | None = None

    @property
    def code(self) -> str | None:
        return self.Guid or self.Code or self.Extcode or None

    @property
    def name(self) -> str:
        return self.Label or self.code or ""


class Base(Row):
    Guid: str
    DCreated: str | None = None
    Created: str | None = None
    DUpdated: str | None = None
    Updated: str | None = None
    Obsolete: bool | None = None

    @property
    def modified(self) -> datetime | None:
        return _instant(self.DUpdated, "DUpdated") or _instant(self.Updated, "Updated")

    @property
    def created(self) -> When | None:
        return when(self.DCreated, "DCreated") or when(self.Created, "Created")


def when(said: str | None, field: str) -> When | None:
    """`/Date(ms)/`, unix seconds, `DD/MM/YYYY` or ISO in UTC; None for null and for what Koban writes instead of it.

    Raises `UnreadableError` for what is no date, or one before 1970 or after 2100.
    """
    text = (said or "").strip()
    if not text or text.startswith(("0001-01-01", "01/01/0001")):
        return None
    if found := re.fullmatch(r"/Date\((-?\d{1,18})(?:[+-]\d{4})?\)/", text):
        milliseconds = int(found[1])
        return _since_epoch(Decimal(milliseconds), field) if milliseconds > 0 else None
    if found := re.fullmatch(r"(\d{2})/(\d{2})/(\d{4})", text):
        return _day(int(found[3]), int(found[2]), int(found[1]), field, text)
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        return instant(text, field)
    if not seconds.is_finite():
        raise UnreadableError(Reason.DATE_UNREADABLE, field, text)
    if seconds <= 0:
        return None
    if seconds > _BEYOND:
        raise UnreadableError(Reason.DATE_OUT_OF_RANGE, field, said)
    return _since_epoch(seconds if seconds >= _MILLISECONDS else seconds * 1000, field)


def _instant(said: str | None, field: str) -> datetime | None:
    told = when(said, field)
    if told is None or isinstance(told, datetime):
        return told
    raise UnreadableError(Reason.DATE_UNREADABLE, field, said)


def _since_epoch(milliseconds: Decimal, field: str) -> datetime:
    try:
        moment = _EPOCH + timedelta(milliseconds=int(milliseconds.to_integral_value()))
    except OverflowError:
        raise UnreadableError(Reason.DATE_OUT_OF_RANGE, field, milliseconds) from None
    if moment.year > LAST_YEAR:
        raise UnreadableError(Reason.DATE_OUT_OF_RANGE, field, milliseconds)
    return moment


def _day(year: int, month: int, day: int, field: str, said: str) -> date:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise UnreadableError(Reason.DATE_OUT_OF_RANGE, field, said)
    try:
        return date(year, month, day)
    except ValueError:
        raise UnreadableError(Reason.DATE_IMPOSSIBLE, field, said) from None
