"""The laws of periods, and the examples that people would check by hand."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi import period as periods
from kpi.period import Grain, Period, buckets, containing, elapsed, last, last_year, previous, quarter, rolling, this

days = st.dates(date(2000, 1, 1), date(2040, 12, 31))
grains = st.sampled_from(list(Grain))
fiscal = st.integers(1, 12)
lengths = st.integers(1, 800)


@given(grains, days, fiscal)
def test_every_day_is_in_exactly_one_unit_and_units_are_adjacent(grain: Grain, day: date, month: int) -> None:
    unit = containing(grain, day, month)
    assert unit.start <= day < unit.end
    assert containing(grain, unit.end, month).start == unit.end
    assert containing(grain, unit.start - timedelta(days=1), month).end == unit.start


@given(days, lengths, grains, fiscal)
def test_buckets_cover_the_period_without_gap_or_overlap(start: date, length: int, grain: Grain, month: int) -> None:
    period = Period(start, start + timedelta(days=length))
    found = buckets(period, grain, month)
    assert (found[0].start, found[-1].end) == (period.start, period.end)
    assert all(before.end == after.start for before, after in pairwise(found))
    assert all(bucket.start < bucket.end for bucket in found)


@given(days, lengths, days)
def test_any_range_is_compared_with_the_same_length_just_before(start: date, length: int, today: date) -> None:
    period = Period(start, start + timedelta(days=length))
    before = previous(period, today)
    assert (before.end, before.days) == (period.start, period.days)


@given(grains, days, fiscal)
def test_a_complete_unit_is_compared_with_the_unit_before(grain: Grain, day: date, month: int) -> None:
    unit = containing(grain, day, month)
    before = previous(unit, unit.end)
    assert before == containing(grain, unit.start - timedelta(days=1), month)


@given(grains.filter(lambda grain: grain is not Grain.YEAR), days, fiscal)
def test_an_unfinished_unit_is_compared_with_as_many_days_of_the_one_before(
    grain: Grain, today: date, month: int
) -> None:
    running = this(grain, today, month)
    before = previous(running, today)
    assert running.end == today + timedelta(days=1)
    assert before.start == containing(grain, running.start - timedelta(days=1), month).start
    assert before.end <= running.start
    assert before.days == min(running.days, (running.start - before.start).days)


@given(days)
def test_a_year_to_date_is_compared_with_the_same_dates(today: date) -> None:
    before = previous(this(Grain.YEAR, today), today)
    assert before.start == date(today.year - 1, 1, 1)
    assert (before.last_day.month, before.last_day.day) == (
        today.month,
        min(today.day, 28 if today.month == 2 else 31),
    ) or (today.day == 28 and today.month == 2)


@given(grains, st.integers(1, 24), days, fiscal)
def test_the_last_units_are_complete_and_end_before_the_current_one(
    grain: Grain, count: int, today: date, month: int
) -> None:
    period = last(grain, today, count, month)
    assert period.end == containing(grain, today, month).start
    assert len(buckets(period, grain, month)) == count
    before = previous(period, today)
    assert before.end == period.start
    assert len(buckets(before, grain, month)) == count


@given(st.sampled_from([Grain.DAY, Grain.WEEK, Grain.YEAR]), st.integers(1, 30), days)
def test_rolling_periods_follow_each_other(grain: Grain, count: int, end: date) -> None:
    period = rolling(grain, count, end)
    assert period.end == end
    assert previous(period, end).end == period.start


@given(grains, days)
def test_last_year_lies_before_and_is_never_empty(grain: Grain, today: date) -> None:
    for period in (this(grain, today), last(grain, today), Period(today, today + timedelta(days=1))):
        before = last_year(period, today)
        assert before.start < before.end <= period.start or grain is Grain.YEAR
        assert abs(before.days - elapsed(period, today)) <= 1


@pytest.mark.parametrize(
    ("period", "today", "start", "end"),
    [
        (this(Grain.MONTH, date(2026, 3, 31)), date(2026, 3, 31), date(2026, 2, 1), date(2026, 3, 1)),
        (this(Grain.MONTH, date(2026, 11, 23)), date(2026, 11, 23), date(2026, 10, 1), date(2026, 10, 24)),
        (quarter(2017, 4), date(2018, 6, 1), date(2017, 7, 1), date(2017, 10, 1)),
        (this(Grain.YEAR, date(2024, 2, 29)), date(2024, 2, 29), date(2023, 1, 1), date(2023, 3, 1)),
        (last(Grain.MONTH, date(2018, 1, 5), 3), date(2018, 1, 5), date(2017, 7, 1), date(2017, 10, 1)),
        (rolling(Grain.YEAR, 1, date(2026, 11, 23)), date(2026, 11, 23), date(2024, 11, 23), date(2025, 11, 23)),
        (rolling(Grain.DAY, 28, date(2026, 11, 23)), date(2026, 11, 23), date(2026, 9, 28), date(2026, 10, 26)),
        (
            periods.since(date(2026, 11, 1), date(2026, 11, 10)),
            date(2026, 11, 10),
            date(2026, 10, 22),
            date(2026, 11, 1),
        ),
    ],
)
def test_what_a_period_is_compared_with(period: Period, today: date, start: date, end: date) -> None:
    before = previous(period, today)
    assert (before.start, before.end) == (start, end)


def test_fiscal_quarters_begin_with_the_fiscal_year() -> None:
    assert quarter(2017, 1, 7) == Period(date(2017, 7, 1), date(2017, 10, 1), Grain.QUARTER)
    assert containing(Grain.QUARTER, date(2018, 2, 3), 7).start == date(2018, 1, 1)
    assert containing(Grain.QUARTER, date(2018, 2, 3), 2).start == date(2018, 2, 1)
    assert periods.fiscal_year(date(2018, 2, 3), 7) == Period(date(2017, 7, 1), date(2018, 7, 1), Grain.YEAR)


def test_the_week_of_last_year_has_the_same_number() -> None:
    week = containing(Grain.WEEK, date(2017, 8, 23))
    assert last_year(week, date(2018, 1, 1)).start.isocalendar()[:2] == (2016, 34)
    assert last_year(containing(Grain.WEEK, date(2020, 12, 31)), date(2021, 6, 1)).start.isocalendar()[:2] == (2019, 52)


def test_a_range_said_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="before"):
        periods.between(date(2017, 2, 1), date(2017, 1, 1))
