"""Money, rates, days and counts as people write them."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from babel import Locale
from babel.numbers import parse_decimal
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi import format as written
from kpi.query import Measured, Unit

FR, EN = Locale("fr", "FR"), Locale("en", "GB")
LOCALES = st.sampled_from([FR, EN])
NUMBERS = st.fractions(min_value=-(10**15), max_value=10**15, max_denominator=10**6)


def half_up(number: Fraction, digits: int) -> Decimal:
    """The same rounding by another road: long decimals, then the decimal module."""
    exact = number * 10**digits
    whole = int(abs(exact) + Fraction(1, 2))
    return (Decimal(whole) * (-1 if number < 0 else 1)).scaleb(-digits)


def read_back(text: str, locale: Locale) -> Decimal:
    digits = "".join(char for char in text if char.isdigit() or char in ",.\u202f−").strip("\u202f")
    return parse_decimal(digits.replace("−", "-"), locale=locale)


@settings(deadline=None)
@given(NUMBERS, LOCALES)
def test_a_rate_reads_back_as_its_half_up_rounding(points: Fraction, locale: Locale) -> None:
    text = written.percent(points, locale)
    assert text is not None
    assert read_back(text, locale) == half_up(points, 1)


@settings(deadline=None)
@given(st.integers(-(10**15), 10**15), st.sampled_from(["EUR", "JPY", "KWD", "USD"]), LOCALES)
def test_money_in_minor_units_reads_back_to_the_last_unit(minor: int, currency: str, locale: Locale) -> None:
    text = written.money(Fraction(minor), currency, locale)
    assert text is not None
    assert read_back(text, locale) == Decimal(minor).scaleb(-written.minor_digits(currency))


@settings(deadline=None)
@given(NUMBERS, LOCALES)
def test_days_read_back_as_their_half_up_rounding(length: Fraction, locale: Locale) -> None:
    text = written.days(length, locale)
    assert text is not None
    assert read_back(text, locale) == half_up(length, 1)


@settings(deadline=None)
@given(NUMBERS, st.integers(-6, 6))
def test_rounding_is_half_up_and_never_minus_zero(number: Fraction, digits: int) -> None:
    result = written.rounded(number, digits)
    assert abs(Fraction(result) - number) <= Fraction(1, 2) * Fraction(10) ** -digits
    assert not (result == 0 and result.is_signed())
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    if digits >= 0 and Fraction(exact) == number:
        assert result == exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


@settings(deadline=None)
@given(st.integers(0, 10**17), LOCALES)
def test_short_money_is_within_half_of_its_last_digit(minor: int, locale: Locale) -> None:
    text = written.money(Fraction(minor), "EUR", locale, compact=True)
    assert text is not None
    sizes = {"k": 3, "K": 3, "M": 6, "Md": 9, "B": 9, "Bn": 12, "T": 12}
    power = next((sizes[part] for part in ("Md", "Bn", "k", "K", "M", "B", "T") if part in text), 0)
    shown = Fraction(read_back(text, locale)) * 10**power
    step = Fraction(10) ** (power - 1) if power else Fraction(1)
    assert abs(shown - Fraction(minor, 100)) <= step / 2


@pytest.mark.parametrize(
    ("value", "unit", "french", "english"),
    [
        (Fraction(123456), Unit.MONEY, "1\u202f234,56\u00a0€", "€1,234.56"),
        (Fraction(-123456), Unit.MONEY, "−1\u202f234,56\u00a0€", "−€1,234.56"),
        (Fraction(40), Unit.PERCENT, "40,0\u202f%", "40.0%"),
        (Fraction(10266, 100), Unit.PERCENT, "102,7\u202f%", "102.7%"),
        (Fraction(1225, 100), Unit.PERCENT, "12,3\u202f%", "12.3%"),
        (Fraction(518, 10), Unit.DAYS, "51,8\u00a0jours", "51.8\u00a0days"),
        (Fraction(1), Unit.DAYS, "1,0\u00a0jour", "1.0\u00a0days"),
        (Fraction(6300), Unit.COUNT, "6\u202f300", "6,300"),
    ],
)
def test_a_value_is_written_as_its_readers_write_it(value: Fraction, unit: Unit, french: str, english: str) -> None:
    measured = Measured(value, None, None)
    assert written.value(measured, unit, "EUR", FR) == french
    assert written.value(measured, unit, "EUR", EN) == english


@pytest.mark.parametrize(
    ("currency", "text"),
    [("JPY", "123\u202f456"), ("KWD", "123,456"), ("EUR", "1\u202f234,56"), ("XXX", "1\u202f234,56")],
)
def test_each_currency_has_its_own_minor_units(currency: str, text: str) -> None:
    shown = written.money(Fraction(123456), currency, FR)
    assert shown is not None
    assert shown.startswith(f"{text}\u00a0")


@pytest.mark.parametrize(
    ("minor", "french", "english"),
    [
        (125_000_000, "1,3\u00a0M\u00a0€", "€1.3M"),
        (99_999_500, "1\u00a0M\u00a0€", "€1M"),
        (999_950, "10\u00a0k\u00a0€", "€10K"),
        (496_730, "4\u202f967\u00a0€", "€4,967"),
        (-496_730, "−4\u202f967\u00a0€", "−€4,967"),
        (12_345, "123\u00a0€", "€123"),
        (0, "0\u00a0€", "€0"),
    ],
)
def test_short_money_rounds_before_it_chooses_its_unit(minor: int, french: str, english: str) -> None:
    assert written.money(Fraction(minor), "EUR", FR, compact=True) == french
    assert written.money(Fraction(minor), "EUR", EN, compact=True) == english


@pytest.mark.parametrize(
    ("now", "before", "unit", "french", "english"),
    [
        (40, Fraction(368, 10), Unit.PERCENT, "+3,2\u00a0pts", "+3.2\u00a0pts"),
        (30, 31, Unit.PERCENT, "−1,0\u00a0pt", "−1.0\u00a0pts"),
        (30, 30, Unit.PERCENT, "0,0\u00a0pt", "0.0\u00a0pts"),
        (10, 7, Unit.DAYS, "+3,0\u00a0jours", "+3.0\u00a0days"),
        (300, 400, Unit.MONEY, "−25,0\u202f%", "−25.0%"),
        (300, 0, Unit.MONEY, "+3,00\u00a0€", "+€3.00"),
        (5, -5, Unit.COUNT, "+10", "+10"),
    ],
)
def test_a_change_is_in_points_days_or_percent(
    now: int, before: Fraction | int, unit: Unit, french: str, english: str
) -> None:
    assert written.change(Fraction(now), Fraction(before), unit, "EUR", FR) == french
    assert written.change(Fraction(now), Fraction(before), unit, "EUR", EN) == english


@pytest.mark.parametrize("unit", list(Unit))
def test_no_data_is_never_written_as_a_number(unit: Unit) -> None:
    assert written.value(Measured(None, Fraction(0), Fraction(0)), unit, "EUR", FR) is None
    assert written.change(None, Fraction(1), unit, "EUR", FR) is None
    assert written.change(Fraction(1), None, unit, "EUR", FR) is None
