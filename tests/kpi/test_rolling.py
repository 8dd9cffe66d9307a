import itertools
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.catalog import kpi
from kpi.formulas import Additive, Rate
from kpi.query import Measured, Point
from kpi.rolling import rolling

START = date(2026, 1, 5)
CLOSED = kpi("win_rate").reading("closed").formula


def days(counts: list[tuple[int, int]]) -> list[Point]:
    return [
        Point(
            START + timedelta(days=at),
            START + timedelta(days=at + 1),
            complete=True,
            measured=Measured(None, Fraction(won), Fraction(won + lost)),
        )
        for at, (won, lost) in enumerate(counts)
    ]


def closed() -> Additive:
    assert isinstance(CLOSED, Rate)
    return CLOSED


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=60),
    st.integers(1, 28),
    st.integers(1, 9),
)
def test_each_point_adds_up_the_days_of_its_window(counts: list[tuple[int, int]], window: int, step: int) -> None:
    if window > len(counts):
        with pytest.raises(ValueError, match="do not fill"):
            rolling(days(counts), closed(), window=window, step=step)
        return
    points = rolling(days(counts), closed(), window=window, step=step)
    assert points[-1].end == START + timedelta(days=len(counts))
    assert [later.end - earlier.end for earlier, later in itertools.pairwise(points)] == [timedelta(days=step)] * (
        len(points) - 1
    )
    for point in points:
        last = (point.end - START).days
        inside = counts[last - window : last]
        assert (point.end - point.start).days == window
        assert point.measured.numerator == sum(won for won, _ in inside)
        assert point.measured.denominator == sum(won + lost for won, lost in inside)


def test_a_window_without_deals_has_no_value() -> None:
    (point,) = rolling(days([(0, 0)] * 7), closed(), window=7, step=7)
    assert point.measured.value is None


def test_money_stays_exact_to_the_cent_over_any_window() -> None:
    revenue = kpi("revenue_won").reading("sum").formula
    assert isinstance(revenue, Additive)
    cents = 2**53 - 1
    point = Point(
        START, START + timedelta(days=1), complete=True, measured=Measured(Fraction(cents), Fraction(cents), None)
    )
    after = Point(
        START + timedelta(days=1),
        START + timedelta(days=2),
        complete=True,
        measured=Measured(Fraction(2), Fraction(2), None),
    )
    (both,) = rolling([point, after], revenue, window=2, step=1)
    assert both.measured.value == cents + 2
