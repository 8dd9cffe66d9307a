"""Dates and periods as people write them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.format import bucket_label, day, moment, period_label
from kpi.period import Grain, Period, buckets, rolling

FR, EN = Locale("fr", "FR"), Locale("en", "GB")
DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("period", "french", "english"),
    [
        (Period(date(2017, 10, 1), date(2018, 1, 1), Grain.QUARTER), "T4 2017", "Q4 2017"),
        (Period(date(2017, 12, 1), date(2018, 1, 1), Grain.MONTH), "décembre 2017", "December 2017"),
        (Period(date(2017, 1, 1), date(2018, 1, 1), Grain.YEAR), "2017", "2017"),
        (
            Period(date(2017, 8, 21), date(2017, 8, 28), Grain.WEEK),
            "semaine 34 (21–27 août 2017)",
            "week 34 (21–27 Aug 2017)",
        ),
        (
            Period(date(2018, 12, 31), date(2019, 1, 7), Grain.WEEK),
            "semaine 1 (31 déc. 2018 – 6 janv. 2019)",
            "week 1 (31 Dec 2018 – 6 Jan 2019)",
        ),
        (Period(date(2017, 3, 3), date(2017, 4, 16)), "du 3 mars au 15 avril 2017", "3 March to 15 April 2017"),
        (Period(date(2017, 3, 1), date(2017, 3, 16)), "du 1er au 15 mars 2017", "1 to 15 March 2017"),
        (
            Period(date(2016, 3, 1), date(2017, 3, 16)),
            "du 1er mars 2016 au 15 mars 2017",
            "1 March 2016 to 15 March 2017",
        ),
        (rolling(Grain.DAY, 28, date(2026, 11, 23)), "28 jours jusqu'au 22 nov. 2026", "28 days to 22 Nov 2026"),
        (rolling(Grain.MONTH, 12, date(2026, 11, 23)), "12 mois jusqu'au 22 nov. 2026", "12 months to 22 Nov 2026"),
        (Period(date(2017, 8, 1), date(2017, 11, 1), span=Grain.MONTH), "août–octobre 2017", "August–October 2017"),
        (Period(date(2017, 8, 1), date(2017, 8, 2), Grain.DAY), "1er août 2017", "1 August 2017"),
        (
            Period(date(2017, 12, 1), date(2017, 12, 16), Grain.MONTH),
            "décembre 2017, jusqu'au 15 déc.",
            "December 2017, to 15 Dec",
        ),
    ],
)
def test_a_period_is_called_as_people_call_it(period: Period, french: str, english: str) -> None:
    assert period_label(period, FR) == french
    assert period_label(period, EN) == english


def test_a_fiscal_quarter_says_that_it_is_one_and_which_months_it_is() -> None:
    quarter = Period(date(2026, 4, 1), date(2026, 7, 1), Grain.QUARTER)
    assert period_label(quarter, FR, 4) == "T1 de l'exercice 2026/27 (avr.–juin 2026)"
    assert period_label(quarter, EN, 4) == "Q1 of fiscal 2026/27 (Apr–Jun 2026)"
    assert period_label(quarter, EN) == "Q2 2026"


def test_a_calendar_year_stays_one_beside_a_fiscal_year() -> None:
    assert period_label(Period(date(2026, 1, 1), date(2027, 1, 1), Grain.YEAR), FR, 4) == "2026"
    fiscal = Period(date(2026, 4, 1), date(2027, 4, 1), Grain.YEAR)
    assert period_label(fiscal, FR, 4) == "exercice 2026/27 (avr. 2026 – mars 2027)"


@settings(deadline=None)
@given(DAYS, st.integers(1, 800), st.sampled_from(Grain), st.sampled_from([FR, EN]), st.integers(1, 12))
def test_buckets_of_a_series_have_different_labels_that_fit(
    start: date, days: int, grain: Grain, locale: Locale, fiscal: int
) -> None:
    period = Period(start, date.fromordinal(start.toordinal() + days))
    labels = [bucket_label(bucket.start, grain, locale, fiscal) for bucket in buckets(period, grain, fiscal)]
    assert len(set(labels)) == len(labels)
    assert all(len(label) <= 20 for label in labels)


@settings(deadline=None)
@given(DAYS, st.integers(1, 800), st.sampled_from([FR, EN]), st.integers(1, 12))
def test_a_plain_range_names_its_last_day_or_month(start: date, days: int, locale: Locale, fiscal: int) -> None:
    period = Period(start, date.fromordinal(start.toordinal() + days))
    label = period_label(period, locale, fiscal)
    assert str(period.last_day.year) in label
    assert label == label.strip()


def test_an_instant_is_told_in_the_readers_zone() -> None:
    at = datetime(2026, 11, 23, 23, 27, tzinfo=UTC)
    assert moment(at, ZoneInfo("Europe/Paris"), FR) == "24 nov. 2026 à 00:27"
    assert moment(at, ZoneInfo("America/New_York"), EN) == "23 Nov 2026 at 18:27"


def test_the_first_of_a_french_month_is_an_ordinal() -> None:
    assert day(date(2017, 3, 1), FR) == "1er mars 2017"
    assert day(date(2017, 3, 11), FR, short=True) == "11 mars 2017"
