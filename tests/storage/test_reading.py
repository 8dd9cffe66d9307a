"""Rows of any CRM: read strictly, set aside one by one, and drift told from poison."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from storage.connectors.base import DriftError
from storage.connectors.reading import (
    LARGEST,
    Row,
    Secret,
    UnreadableError,
    currency_of,
    day,
    instant,
    minor,
    oddity,
    problem,
    read_rows,
)
from storage.problems import Reason

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "TND", "CLF"])


class Deal(Row):
    id: str
    amount: str | None
    owner: str | None = None
    status: str = Field(alias="state")


def make(row: Deal) -> tuple[str, int | None]:
    return row.id, minor(row.amount, "EUR")


def told(*rows: Any) -> tuple[list[tuple[str, int | None]], list[tuple[Reason | str, str | None, str]]]:
    made, problems = read_rows(rows, Deal, make, "deal")
    return made, [(each.reason, each.field, each.place) for each in problems]


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "amount": "1.5", "state": "open"} | more


def without(number: int, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row(number).items() if name not in names}


def test_rows_are_checked_and_made_and_the_bad_ones_set_aside() -> None:
    made, problems = told(
        row(1), row(2, amount="x"), row(3, amount=[3]), without(4, "state"), row(5, amount=None), "row"
    )
    assert made == [("1", 150), ("5", None)]
    assert problems == [
        (Reason.AMOUNT_UNREADABLE, "amount", "deal 2"),
        (Reason.VALUE_UNREADABLE, "amount", "deal 3"),
        (Reason.VALUE_MISSING, "state", "deal 4"),
        (Reason.VALUE_UNREADABLE, "", "deal ?"),
    ]


def test_of_ten_thousand_one_is_set_aside() -> None:
    rows = [row(number) for number in range(10_000)]
    rows[1234]["amount"] = "beaucoup"
    made, problems = told(*rows)
    assert len(made) == 9_999
    assert problems == [(Reason.AMOUNT_UNREADABLE, "amount", "deal 1234")]


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_a_field_that_no_row_has_is_drift(rows: int) -> None:
    with pytest.raises(DriftError) as caught:
        told(*(without(number, "amount") for number in range(rows)))
    assert (caught.value.object, caught.value.field) == ("deal", "amount")


def test_a_field_that_every_row_tells_in_another_form_is_drift() -> None:
    with pytest.raises(DriftError) as caught:
        told(*(row(number, amount={"value": 3}) for number in range(5)))
    assert caught.value.field == "amount"


def test_two_bad_rows_of_two_may_be_chance() -> None:
    made, problems = told(*(row(number, amount={"value": 3}) for number in range(2)))
    assert (made, len(problems)) == ([], 2)


def test_an_optional_field_that_nobody_tells_is_neither() -> None:
    assert told(row(1)) == ([("1", 150)], [])


def test_no_rows_are_no_drift() -> None:
    assert told() == ([], [])


def test_a_problem_says_where_what_and_how_it_is_found() -> None:
    line = problem({"key": 7}, "lead", Reason.DATE_UNREADABLE, "created", "x" * 500, "key", kept=True)
    assert (line.place, line.ext_id, line.kept) == ("lead 7", "7", True)
    assert dict(line.details) == {"column": "created", "said": "x" * 200, "id": "7"}


@given(st.decimals(-LARGEST, LARGEST, places=4), CURRENCIES)
def test_an_amount_is_the_nearest_number_of_minor_units(amount: Decimal, currency: str) -> None:
    got = minor(str(amount), currency)
    assert got is not None
    assert got == minor(amount, currency)
    unit = Decimal(1).scaleb(-get_currency_precision(currency))
    assert abs(got * unit - amount) * 2 <= unit
    odd = got * unit != amount
    assert oddity(amount, currency) == (
        Reason.AMOUNT_ROUNDED if odd else Reason.AMOUNT_NEGATIVE if amount < 0 else None
    )


@given(st.integers(-(10**12), 10**12), st.integers(0, 2))
def test_cents_survive_being_written_in_any_way(cents: int, zeros: int) -> None:
    assert minor(f"{Decimal(cents).scaleb(-2)}{'0' * zeros}", "EUR") == cents


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_nothing_is_no_amount_and_never_zero(nothing: str | None) -> None:
    assert minor(nothing, "EUR") is None
    assert oddity(nothing, "EUR") is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("beaucoup", Reason.AMOUNT_UNREADABLE),
        ("1,5", Reason.AMOUNT_UNREADABLE),
        ("1_000", Reason.AMOUNT_UNREADABLE),
        ("12 €", Reason.AMOUNT_UNREADABLE),
        (True, Reason.AMOUNT_UNREADABLE),
        ("NaN", Reason.AMOUNT_NOT_FINITE),
        ("sNaN", Reason.AMOUNT_NOT_FINITE),
        ("-Infinity", Reason.AMOUNT_NOT_FINITE),
        (float("inf"), Reason.AMOUNT_NOT_FINITE),
        ("1e13", Reason.AMOUNT_TOO_LARGE),
        ("-1e999999", Reason.AMOUNT_TOO_LARGE),
        ("1E+1000000", Reason.AMOUNT_TOO_LARGE),
    ],
)
def test_what_is_no_amount_is_said(said: Any, reason: Reason) -> None:
    with pytest.raises(UnreadableError) as caught:
        minor(said, "EUR", "value")
    assert (caught.value.reason, caught.value.field) == (reason, "value")


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_unreadable(said: str) -> None:
    try:
        got = minor(said, "EUR")
    except UnreadableError:
        return
    assert got is None or isinstance(got, int)


def test_a_currency_is_one_that_is_known() -> None:
    assert currency_of(" usd ", "EUR") == "USD"
    assert currency_of(None, "EUR") == currency_of("", "EUR") == "EUR"
    with pytest.raises(UnreadableError) as caught:
        currency_of("ZZZ", "EUR")
    assert caught.value.reason == Reason.CURRENCY_UNKNOWN


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("2026-01-05T08:00:00.123Z", datetime(2026, 1, 5, 8, 0, 0, 123000, tzinfo=UTC)),
        ("2026-01-05T08:00:00.000+0000", datetime(2026, 1, 5, 8, tzinfo=UTC)),
        ("2026-01-05 08:00:00", datetime(2026, 1, 5, 8, tzinfo=UTC)),
        ("2026-01-05T08:00:00+02:00", datetime(2026, 1, 5, 8, tzinfo=timezone(timedelta(hours=2)))),
        ("", None),
        (None, None),
    ],
)
def test_moments_are_read_as_crms_write_them(said: str | None, when: datetime | None) -> None:
    assert instant(said, "created") == when


@given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_every_moment_that_is_written_is_read(when: datetime) -> None:
    assert instant(when.isoformat(), "created") == when.astimezone(UTC)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("hier", Reason.DATE_UNREADABLE),
        ("2026-02-31T00:00:00Z", Reason.DATE_UNREADABLE),
        ("0001-01-01T00:00:00Z", Reason.DATE_OUT_OF_RANGE),
        ("9999-12-31T00:00:00Z", Reason.DATE_OUT_OF_RANGE),
    ],
)
def test_what_is_no_moment_is_said(said: str, reason: Reason) -> None:
    for read in (instant, day):
        with pytest.raises(UnreadableError) as caught:
            read(said, "created")
        assert (caught.value.reason, caught.value.field, caught.value.said) == (reason, "created", said)


def test_a_day_is_read_with_or_without_its_time() -> None:
    assert day("2026-09-01", "closed") == day("2026-09-01T23:59:59Z", "closed") == date(2026, 9, 1)
    assert day(None, "closed") is day("", "closed") is None


def test_a_secret_loses_what_was_pasted_around_it_and_is_not_shown() -> None:
    class Options(BaseModel):
        token: Secret

    options = Options(token=" abc\n")  # type: ignore[arg-type]
    assert options.token.get_secret_value() == "abc"
    assert "abc" not in repr(options)
