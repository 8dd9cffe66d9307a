"""What every CRM's rows need: checked against a model, read strictly, and set aside one by one where they cannot be.

A row is checked by a pydantic model that holds the fields Vigie rests on, then made into records. A field that the
model requires and that no row of a page has is drift, not poison: the CRM has changed, and the object waits.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision, list_currencies
from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError

from storage.connectors.base import DriftError
from storage.problems import Reason
from storage.records import Problem

LARGEST = Decimal(10) ** 12
"""In major units; sums must stay inside 64 bits."""
FIRST_YEAR, LAST_YEAR = 1970, 2100
"""Beyond these a date is a mistake, or a sentinel."""
_DATE = len("2026-09-01")
_FEW = 3
"""Fewer bad rows than these may be chance; a page on which every row has the same bad field is not."""

Secret = Annotated[SecretStr, AfterValidator(lambda secret: SecretStr(secret.get_secret_value().strip()))]
"""A secret as people paste it, without the spaces and line ends around it."""


class Row(BaseModel):
    """A row as the CRM tells it: fields without a default must be told (null may be allowed), others are ignored."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


M = TypeVar("M", bound=BaseModel)
R = TypeVar("R")


class UnreadableError(Exception):
    """This row is set aside; the page goes on."""

    def __init__(self, reason: Reason, field: str, said: object = "") -> None:
        super().__init__(f"{field}: {reason}")
        self.reason, self.field, self.said = reason, field, str(said)


def read_rows(
    rows: Sequence[Any], model: type[M], make: Callable[[M], R], object_: str, id_: str = "id"
) -> tuple[list[R], list[Problem]]:
    """Every row checked and made, and a problem for each that could not be.

    `make` may raise `UnreadableError`. `id_` is the CRM's name of the field that identifies a row. Raises `DriftError`
    for a required field that every row lacks, or that every row of several has in a form nobody knows.
    """
    made: list[R] = []
    problems: list[Problem] = []
    lacking: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for row in rows:
        try:
            made.append(make(model.model_validate(row)))
        except ValidationError as error:
            faults = {".".join(map(str, fault["loc"])): fault["type"] for fault in error.errors(include_input=False)}
            lacking.update(name for name, kind in faults.items() if kind == "missing")
            wrong.update(name for name, kind in faults.items() if kind != "missing")
            name, kind = next(iter(faults.items()))
            reason = Reason.VALUE_MISSING if kind == "missing" else Reason.VALUE_UNREADABLE
            problems.append(problem(row, object_, reason, name, _at(row, name), id_))
        except UnreadableError as error:
            problems.append(problem(row, object_, error.reason, error.field, error.said, id_))
    for name, count in [*lacking.items(), *(found for found in wrong.items() if found[1] >= _FEW)]:
        if count == len(rows):
            raise DriftError(object_, name)
    return made, problems


def problem(
    row: Any, object_: str, reason: Reason, field: str, said: object = "", id_: str = "id", *, kept: bool = False
) -> Problem:
    """A row that is set aside, or kept with a flag; its place is `deal 123`, as a person would search for it."""
    found = row.get(id_) if isinstance(row, Mapping) else getattr(row, id_, None)
    ext_id = str(found) if isinstance(found, (str, int)) and not isinstance(found, bool) else None
    told = str(said)[:200]
    return Problem(
        object=object_,
        place=f"{object_} {ext_id or '?'}",
        reason=reason,
        field=field,
        ext_id=ext_id,
        details={"column": field, "said": told, "id": ext_id or "?"},
        payload={field: told},
        kept=kept,
    )


def minor(amount: str | int | Decimal | float | None, currency: str, field: str = "amount") -> int | None:
    """An amount in minor units of `currency`, through Decimal, half to even; None for null and the empty text.

    Raises `UnreadableError` for what is no amount.

    >>> minor("5000.00", "EUR"), minor("3000", "JPY"), minor(Decimal("19.99"), "EUR"), minor("", "EUR")
    (500000, 3000, 1999, None)
    """
    if isinstance(amount, bool):
        raise UnreadableError(Reason.AMOUNT_UNREADABLE, field, amount)
    said = "" if amount is None else str(amount).strip()
    if not said:
        return None
    try:
        # Python reads 1_000; no CRM writes it.
        value = Decimal(said.replace("_", "?"))
    except InvalidOperation:
        raise UnreadableError(Reason.AMOUNT_UNREADABLE, field, said) from None
    if not value.is_finite():
        raise UnreadableError(Reason.AMOUNT_NOT_FINITE, field, said)
    # `abs` would round to the context first, and 1E+1000000 overflows it.
    if value.copy_abs() > LARGEST:
        raise UnreadableError(Reason.AMOUNT_TOO_LARGE, field, said)
    return int(value.scaleb(get_currency_precision(currency)).to_integral_value())


def oddity(amount: str | int | Decimal | float | None, currency: str) -> Reason | None:
    """Why an amount that `minor` has read is kept with a flag; None for most."""
    if amount is None or not str(amount).strip():
        return None
    value = Decimal(str(amount).strip()).scaleb(get_currency_precision(currency))
    if value != value.to_integral_value():
        return Reason.AMOUNT_ROUNDED
    return Reason.AMOUNT_NEGATIVE if value < 0 else None


def currency_of(code: str | None, default: str, field: str = "currency") -> str:
    """The ISO code that a row names, in capitals; `default` where it names none. Raises `UnreadableError`."""
    said = (code or "").strip().upper()
    if not said:
        return default
    if said not in list_currencies():
        raise UnreadableError(Reason.CURRENCY_UNKNOWN, field, said)
    return said


def instant(said: str | None, field: str) -> datetime | None:
    """An aware moment, in UTC where the text names no zone; None for null and the empty text.

    Raises `UnreadableError` for what is no date, or one before 1970 or after 2100.
    """
    if not said:
        return None
    try:
        when = datetime.fromisoformat(said.strip())
    except ValueError:
        raise UnreadableError(Reason.DATE_UNREADABLE, field, said) from None
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise UnreadableError(Reason.DATE_OUT_OF_RANGE, field, said)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def day(said: str | None, field: str) -> date | None:
    """A local day written `2026-09-01`, by itself or before a time; None for null and the empty text.

    Raises `UnreadableError` as `instant` does.
    """
    if not said:
        return None
    try:
        when = date.fromisoformat(said.strip()[:10])
    except ValueError:
        raise UnreadableError(Reason.DATE_UNREADABLE, field, said) from None
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        raise UnreadableError(Reason.DATE_OUT_OF_RANGE, field, said)
    return when


def local_day(said: str | None, zone: ZoneInfo, field: str) -> date | None:
    """The day of a bare date, which is local already, or of a moment in the zone; else as `day` and `instant`."""
    text = (said or "").strip()
    if len(text) <= _DATE:
        return day(text, field)
    when = instant(text, field)
    return None if when is None else when.astimezone(zone).date()


def _at(row: Any, path: str) -> object:
    """What the row says at `properties.amount`; empty where it says nothing."""
    for name in path.split("."):
        if not isinstance(row, Mapping) or name not in row:
            return ""
        row = row[name]
    return row
