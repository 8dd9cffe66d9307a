"""Exact values as people write them: money, rates, days and counts, in French and in English; dates and periods (of
`kpi.labels`) can be had from here too.

Values are the exact fractions of `kpi.query` (minor units, percent points, days, counts) and are rounded half up, away
from zero, only here. `None` in gives `None` out: whoever shows it says "no data". Spaces inside a number never break a
line, and negative numbers carry a true minus sign (U+2212).
"""

from decimal import Decimal
from fractions import Fraction

from babel import Locale
from babel.numbers import (
    format_compact_currency,
    format_compact_decimal,
    format_currency,
    format_decimal,
    get_currency_precision,
)
from babel.units import format_unit

from kpi.labels import bucket_label as bucket_label
from kpi.labels import day as day
from kpi.labels import moment as moment
from kpi.labels import period_label as period_label
from kpi.query import Measured, Unit

NARROW_SPACE = "\u202f"
MINUS = "\u2212"


def rounded(number: Fraction, digits: int) -> Decimal:
    """`number` with exactly `digits` decimals (negative: to tens, hundreds…), halves away from zero; never -0."""
    scaled = abs(number) * Fraction(10) ** digits
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    sign = 1 if number < 0 and whole else 0
    return Decimal((sign, tuple(int(digit) for digit in str(whole)), -digits))


def minor_digits(currency: str) -> int:
    """The decimals of a currency by CLDR: 2 for EUR, 0 for JPY, 3 for KWD, 2 for one that it does not know."""
    return get_currency_precision(currency)


def major(minor: Fraction, currency: str) -> Fraction:
    """Minor units as units of the currency: 123456 EUR is 1234.56; 500 JPY is 500."""
    return minor / Fraction(10 ** minor_digits(currency))


def money(minor: Fraction | None, currency: str, locale: Locale, *, compact: bool = False) -> str | None:
    """`1 234,56 €`, `€1,234.56`; compact: `1,2 M €`, `€1.2M`, and whole units below ten thousand."""
    if minor is None:
        return None
    amount = major(minor, currency)
    if not compact:
        return _signed(format_currency(rounded(amount, minor_digits(currency)), currency, locale=locale))
    whole = rounded(amount, 0)
    if whole.copy_abs() < 10_000:
        pattern = locale.currency_formats["standard"].pattern.replace("0.00", "0")
        return _signed(format_currency(whole, currency, pattern, locale=locale, currency_digits=False))
    short, digits = _shortened(amount)
    return _signed(format_compact_currency(short, currency, locale=locale, fraction_digits=digits))


def percent(points: Fraction | None, locale: Locale, *, digits: int = 1) -> str | None:
    """Percent points as a rate: `40,0 %`, `40.0%`."""
    if points is None:
        return None
    return _decimal(points, locale, digits) + (f"{NARROW_SPACE}%" if locale.language == "fr" else "%")


def points_change(points: Fraction | None, locale: Locale) -> str | None:
    """A difference between two rates: `+3,2 pts`, `−1.0 pts`; in French `+0,3 pt`, singular below two."""
    if points is None:
        return None
    shown = rounded(points, 1)
    unit = "pt" if locale.language == "fr" and abs(shown) < 2 else "pts"
    return f"{_plus(shown)}{_decimal(points, locale, 1)}\u00a0{unit}"


def days(length: Fraction | None, locale: Locale, *, compact: bool = False) -> str | None:
    """`51,8 jours`, `51.8 days`; compact: `50 j`, `50 days`, with a decimal only where there is one."""
    if length is None:
        return None
    if compact:
        short = rounded(length, 0 if length.denominator == 1 else 1)
        return _signed(format_unit(short, "duration-day", "short", locale=locale)).replace(" ", "\u00a0")
    return _signed(format_unit(rounded(length, 1), "duration-day", format="#,##0.0", locale=locale)).replace(
        " ", "\u00a0"
    )


def count(number: Fraction | int | None, locale: Locale, *, compact: bool = False) -> str | None:
    """`6 300`, `6,300`; compact: `6,3 k`, `6.3K`. A count with a fraction (an average) keeps one decimal."""
    if number is None:
        return None
    number = Fraction(number)
    if compact:
        short, digits = _shortened(number)
        return _signed(format_compact_decimal(short, locale=locale, fraction_digits=digits))
    return _decimal(number, locale, 0 if number.denominator == 1 else 1)


def value(measured: Measured, unit: Unit, currency: str, locale: Locale, *, compact: bool = False) -> str | None:
    """A measured value in its unit; money is in minor units of `currency`. None when there is no data."""
    return amount(measured.value, unit, currency, locale, compact=compact)


def amount(number: Fraction | None, unit: Unit, currency: str, locale: Locale, *, compact: bool = False) -> str | None:
    """A bare number in its unit, as `value` does (a target, an interval's end, an axis tick)."""
    match unit:
        case Unit.MONEY:
            return money(number, currency, locale, compact=compact)
        case Unit.PERCENT:
            whole = compact and number is not None and number.denominator == 1
            return percent(number, locale, digits=0 if whole else 1)
        case Unit.DAYS:
            return days(number, locale, compact=compact)
        case Unit.COUNT:
            return count(number, locale, compact=compact)


def change(now: Fraction | None, before: Fraction | None, unit: Unit, currency: str, locale: Locale) -> str | None:
    """How far `now` is from `before`, signed: points for rates, days for days, else percent of `before`.

    Money and counts with nothing, or less than nothing, before have no meaningful percentage: the difference itself is
    given. None when either is missing.
    """
    if now is None or before is None:
        return None
    difference = now - before
    if unit is Unit.PERCENT:
        return points_change(difference, locale)
    if unit is Unit.DAYS:
        return f"{_plus(rounded(difference, 1))}{days(difference, locale)}"
    if before > 0:
        relative = difference / before * 100
        return f"{_plus(rounded(relative, 1))}{percent(relative, locale)}"
    return f"{_plus(difference)}{amount(difference, unit, currency, locale)}"


def _decimal(number: Fraction, locale: Locale, digits: int) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return _signed(format_decimal(rounded(number, digits), format=pattern, locale=locale))


def _shortened(number: Fraction) -> tuple[Decimal, int]:
    """The number rounded half up to one decimal of its thousands, millions…, and the decimals to show."""
    if rounded(number, 0).copy_abs() < 1000:
        return rounded(number, 0), 0
    power = max(3, 3 * ((len(str(int(abs(number)))) - 1) // 3))
    short = rounded(number, 1 - power)
    return Decimal(int(short)), 1


def _plus(number: Decimal | Fraction) -> str:
    return "+" if number > 0 else ""


def _signed(text: str) -> str:
    return text.replace("-", MINUS)
