"""Amounts: which sign separates the decimals is decided from the whole column, then every cell is read strictly."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from babel.numbers import get_currency_precision, list_currencies

from storage.connectors.files.cells import Bad, is_empty, is_failed
from storage.connectors.files.reading import Cell
from storage.problems import Reason

Mark = Literal[".", ","]

_SPACES = "\u0020\u00a0\u202f\u2009\t"
_SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "zł": "PLN",
    "Fr.": "CHF",
    "US$": "USD",
    "CA$": "CAD",
    "A$": "AUD",
}
_DOLLARS = {"USD", "CAD", "AUD", "NZD", "SGD", "HKD"}
_LARGEST = Decimal(10) ** 12
"""In major units; sums must stay inside 64 bits."""
_LARGEST_EXPONENT = 15


_AMOUNT = re.compile(
    r"(?P<s1>[+-]?)\s*(?P<c1>[^\d\s.,'’+-]*\.?)\s*(?P<s2>[+-]?)\s*"
    r"(?P<core>\d[\d\s.,'’]*(?:[eE][+-]?\d+)?|[.,]\d+)\s*(?P<s3>-?)\s*(?P<c2>[^\d\s.,'’+-]*\.?)"
)
_WHOLE = {
    decimal: re.compile(rf"\d*|\d{{1,3}}(?:([{_SPACES}'’]|{re.escape(grouping)})\d{{3}}(?:\1\d{{3}})*)")
    for decimal, grouping in ((".", ","), (",", "."))
}
"""Digits in one piece, or in groups of three after one and the same sign."""


@dataclass(frozen=True, slots=True)
class AmountStyle:
    """How a column writes its amounts."""

    decimal: Mark | None
    """None: nothing in the column says it, and no cell needs it (whole numbers, numbers typed by Excel)."""
    sample: str | None = None
    """The cell that decided, or one that could be read both ways."""
    unsure: bool = False
    """`1.234` may be 1234 or 1.234, and nothing in the column decides: a person must say."""


@dataclass(frozen=True, slots=True)
class Amount:
    minor: int
    """In minor units of `currency`."""
    currency: str
    rounded: bool = False


def decide(cells: Iterable[Cell], default: Mark | None = None) -> AmountStyle:
    """Which sign separates decimals in this column; `default` is what a person declared."""
    if default is not None:
        return AmountStyle(default)
    votes: dict[Mark, int] = {".": 0, ",": 0}
    samples: dict[Mark, str] = {}
    both: str | None = None
    ungrouped = False
    for cell in cells:
        if not isinstance(cell, str) or not (core := _core(cell)[0]):
            continue
        vote = _vote(core)
        if vote == "?":
            both = both or cell.strip()
        elif vote is not None:
            votes[vote] += 1
            samples.setdefault(vote, cell.strip())
        elif core.isdigit() and len(core) > 3:
            ungrouped = True
    if votes["."] == votes[","] == 0:
        if both is None:
            return AmountStyle(None)
        # Three digits after the only sign are thousands, unless the column writes other thousands without a sign.
        thousands: Mark = "," if "," in both else "."
        return AmountStyle("." if thousands == "," else ",", both, unsure=ungrouped)
    if votes["."] == votes[","]:
        return AmountStyle(None, samples["."], unsure=True)
    best: Mark = "." if votes["."] > votes[","] else ","
    return AmountStyle(best, samples[best])


def read(cell: Cell, style: AmountStyle, currency: str) -> Amount | Bad | None:
    """The amount in minor units; None for an empty cell. `currency` holds unless the cell names another."""
    if isinstance(cell, bool):
        return Bad(Reason.AMOUNT_UNREADABLE, str(cell))
    if isinstance(cell, (int, float)):
        # The shortest decimal that is this float: 0.1 + 0.2 typed by Excel is 0.3 to the cent.
        return _finish(Decimal(repr(cell)), currency, str(cell))
    if not isinstance(cell, str):
        return Bad(Reason.AMOUNT_UNREADABLE, str(cell))
    said = cell.strip()
    if re.fullmatch(r"[+-]?(nan|inf|infinity)", said, re.IGNORECASE):
        return Bad(Reason.AMOUNT_NOT_FINITE, said)
    if is_empty(said):
        return None
    if is_failed(said):
        return Bad(Reason.AMOUNT_NOT_FINITE, said)
    core, named, negative = _core(said)
    if not core:
        return Bad(Reason.AMOUNT_UNREADABLE, said)
    currency = _currency(named, currency)
    if currency == "":
        # "12 k€" and "10 %" are no amounts; "12 XXL" is one of a currency that nobody knows.
        coded = re.fullmatch(r"[A-Z]{3}", named)
        return Bad(Reason.CURRENCY_UNKNOWN if coded else Reason.AMOUNT_UNREADABLE, said)
    value = _number(core, style.decimal or ".")
    if value is None:
        return Bad(Reason.AMOUNT_UNREADABLE, said)
    return _finish(-value if negative else value, currency, said)


def currency_code(text: str) -> str | None:
    """The ISO code that a cell or a header names (`EUR`, `€`, `euros`), or None."""
    said = text.strip()
    if said.upper() in list_currencies():
        return said.upper()
    words = {"euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD", "$": "USD", "us dollar": "USD"}
    return _SIGNS.get(said) or words.get(said.casefold())


def _core(cell: str) -> tuple[str, str, bool]:
    """The digits and their signs, the currency named beside them, and whether the amount is negative."""
    text = re.sub(r"\s*\bH\.?T\.?$", "", cell.strip(), flags=re.IGNORECASE)
    negative = False
    if text.startswith("(") and text.endswith(")"):
        negative, text = True, text[1:-1]
    text = text.replace("\u2212", "-")
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return "", text, negative
    signs = found["s1"] + found["s2"] + found["s3"]
    return found["core"].strip(), found["c1"] or found["c2"], negative or "-" in signs


def _vote(core: str) -> Mark | Literal["?"] | None:
    """Which sign is certainly the decimal one in this cell; `?` when it may be either; None when it does not say."""
    text = re.split("[eE]", core)[0]
    spaced = any(c in text for c in _SPACES + "'’")
    dots, commas = text.count("."), text.count(",")
    if dots and commas:
        return "." if text.rfind(".") > text.rfind(",") else ","
    if dots + commas == 0:
        return None
    mark: Mark = "." if dots else ","
    other: Mark = "," if dots else "."
    if dots + commas > 1:
        return other
    before, after = text.split(mark)
    if len(after) != 3 or spaced or len(before) > 3 or before.strip("0") == "":
        return mark
    return "?"


def _number(core: str, decimal: Mark) -> Decimal | None:
    mantissa, *exponent = re.split("[eE]", core)
    whole, *fraction = mantissa.split(decimal)
    if len(fraction) > 1 or (fraction and not re.fullmatch(r"\d*", fraction[0])):
        return None
    if not _WHOLE[decimal].fullmatch(whole):
        return None
    digits = re.sub(r"\D", "", whole)
    if not digits and not (fraction and fraction[0]):
        return None
    value = Decimal(f"{digits or '0'}.{(fraction or ['0'])[0] or '0'}")
    if not exponent:
        return value
    power = int(exponent[0])
    return value.scaleb(power) if abs(power) <= _LARGEST_EXPONENT else Decimal("Infinity") if power > 0 else None


def _currency(named: str, default: str) -> str:
    """The currency of a cell; empty for a word that names none."""
    if not named:
        return default
    if named == "$" and default in _DOLLARS:
        return default
    return currency_code(named) or currency_code(named.rstrip(".")) or ""


def _finish(value: Decimal, currency: str, said: str) -> Amount | Bad:
    if value.is_nan() or (value.is_infinite() and not re.search("[eE]", said)):
        return Bad(Reason.AMOUNT_NOT_FINITE, said)
    if abs(value) > _LARGEST:
        return Bad(Reason.AMOUNT_TOO_LARGE, said)
    minor = value.scaleb(get_currency_precision(currency))
    whole = minor.to_integral_value()
    # A float's own noise (1054.4999999999998) is not a decimal that someone wrote.
    return Amount(int(whole), currency, rounded=abs(minor - whole) > Decimal("0.0001"))


def read_rate(cell: Cell) -> Decimal | Bad | None:
    """An exchange rate: above 0, and without thousands, so that either sign separates its decimals."""
    said = str(cell).strip()
    if is_empty(said):
        return None
    try:
        rate = Decimal(said.replace(",", "."))
    except InvalidOperation:
        return Bad(Reason.AMOUNT_UNREADABLE, said)
    if not rate.is_finite():
        return Bad(Reason.AMOUNT_NOT_FINITE, said)
    return rate if 0 < rate < _LARGEST else Bad(Reason.AMOUNT_UNREADABLE, said)
