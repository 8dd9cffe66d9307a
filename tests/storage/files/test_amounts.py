from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.connectors.files.amounts import Amount, AmountStyle, decide, read
from storage.connectors.files.cells import Bad
from storage.problems import Reason

GROUPS = {".": ("", ",", " ", "\u00a0", "\u202f", "'", "’"), ",": ("", ".", " ", "\u00a0", "\u202f", "'", "’")}


def write(minor: int, decimal: str, group: str, decimals: int = 2) -> str:
    """An amount of cents as a spreadsheet writes it."""
    whole, cents = divmod(abs(minor), 100)
    text = f"{whole:,}".replace(",", group)
    return ("-" if minor < 0 else "") + text + (f"{decimal}{cents:02d}" if decimals else "")


@given(
    st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=20),
    st.sampled_from([(mark, group) for mark, groups in GROUPS.items() for group in groups]),
    st.sampled_from(["{}", "{} €", "€{}", "{}€", "{} EUR", "EUR {}"]),
)
def test_a_column_of_amounts_reads_back_to_the_cent(minors: list[int], signs: tuple[str, str], currency: str) -> None:
    decimal, group = signs
    cells = [currency.format(write(minor, decimal, group)) for minor in minors]
    style = decide(cells)
    assert style.decimal == decimal
    assert [read(cell, style, "EUR") for cell in cells] == [Amount(minor, "EUR") for minor in minors]


@given(st.floats(-1e9, 1e9).map(lambda number: round(number, 2)))
def test_a_number_typed_by_excel_reads_to_the_cent(number: float) -> None:
    amount = read(number, AmountStyle(None), "EUR")
    assert isinstance(amount, Amount)
    assert amount.minor == int((Decimal(str(number)) * 100).to_integral_value())
    assert not amount.rounded


def test_the_noise_of_a_float_is_not_a_decimal_that_someone_wrote() -> None:
    assert read(0.1 + 0.2, AmountStyle(None), "EUR") == Amount(30, "EUR")


@given(st.text(max_size=30))
def test_no_text_can_break_the_reading_of_amounts(text: str) -> None:
    found = read(text, decide([text]), "EUR")
    assert found is None or isinstance(found, (Amount, Bad))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("NaN", Reason.AMOUNT_NOT_FINITE),
        ("-inf", Reason.AMOUNT_NOT_FINITE),
        ("Infinity", Reason.AMOUNT_NOT_FINITE),
        ("1e999", Reason.AMOUNT_TOO_LARGE),
        ("99999999999999", Reason.AMOUNT_TOO_LARGE),
        ("12 k€", Reason.AMOUNT_UNREADABLE),
        ("10 %", Reason.AMOUNT_UNREADABLE),
        ("12 XXL", Reason.CURRENCY_UNKNOWN),
        ("1,2,3", Reason.AMOUNT_UNREADABLE),
        ("12 34", Reason.AMOUNT_UNREADABLE),
        ("1 2345", Reason.AMOUNT_UNREADABLE),
        ("douze", Reason.AMOUNT_UNREADABLE),
        ("#REF!", Reason.AMOUNT_NOT_FINITE),
    ],
)
def test_what_is_no_amount_says_why(said: str, reason: Reason) -> None:
    assert read(said, AmountStyle("."), "EUR") == Bad(reason, said)


@pytest.mark.parametrize(
    ("said", "style", "minor"),
    [
        ("(1 234,50)", ",", -123_450),
        ("1.234.567", ",", 123_456_700),
        ("-12,5 €", ",", -1_250),
        ("12,5-", ",", -1_250),
        ("\u221212,5", ",", -1_250),
        ("1,5E+06", ",", 150_000_000),
        (",5", ",", 50),
        ("12,", ",", 1_200),
        ("0", ".", 0),
        ("1’234.50", ".", 123_450),
    ],
)
def test_amounts_are_read_as_people_write_them(said: str, style: str, minor: int) -> None:
    assert read(said, AmountStyle(style), "EUR") == Amount(minor, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize(("said", "currency"), [("£5", "GBP"), ("5 CHF", "CHF"), ("US$5", "USD"), ("5 EUR", "EUR")])
def test_a_currency_beside_the_amount_is_its_currency(said: str, currency: str) -> None:
    assert read(said, AmountStyle(None), "EUR") == Amount(500, currency)


def test_a_dollar_sign_is_the_dollar_of_the_workspace() -> None:
    assert read("$5", AmountStyle(None), "CAD") == Amount(500, "CAD")
    assert read("$5", AmountStyle(None), "EUR") == Amount(500, "USD")


def test_a_currency_without_cents_has_none() -> None:
    assert read("1,500", decide(["1,500"]), "JPY") == Amount(1_500, "JPY")


def test_three_digits_after_the_only_sign_are_thousands_where_nothing_says_otherwise() -> None:
    style = decide(["1,234", "2,500", "12"])
    assert (style.decimal, style.unsure) == (".", False)
    assert read("1,234", style, "EUR") == Amount(123_400, "EUR")


def test_a_column_that_can_be_read_both_ways_waits_for_a_person() -> None:
    assert decide(["1.234", "4514"]).unsure
    assert decide(["1.5", "1,5"]).unsure
    assert not decide(["1.234", "4514"], default=",").unsure


def test_a_single_cell_against_the_column_is_set_aside_not_bent() -> None:
    cells = ["1,50", "2,75", "3,10", "4.25"]
    style = decide(cells)
    assert style.decimal == ","
    assert isinstance(read("4.25", style, "EUR"), Bad)


@pytest.mark.parametrize("said", ["", "  ", "-", "n/a", "(vide)", "null"])
def test_an_empty_cell_is_no_amount_and_no_mistake(said: str) -> None:
    assert read(said, AmountStyle(None), "EUR") is None
