"""Round values for an axis."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.charts.ticks import ticks

VALUES = st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=1000)


@settings(deadline=None)
@given(VALUES, VALUES, st.integers(3, 8))
def test_ticks_are_few_even_and_reach_around_the_values(one: Fraction, two: Fraction, most: int) -> None:
    low, high = min(one, two), max(one, two)
    found = ticks(low, high, most)
    assert 2 <= len(found) <= most
    assert found[0] <= low
    assert found[-1] >= high
    assert len({second - first for first, second in pairwise(found)}) == 1


def test_ticks_are_round() -> None:
    assert ticks(Fraction(0), Fraction(47)) == [0, 20, 40, 60]
    assert ticks(Fraction(0), Fraction(900)) == [0, 250, 500, 750, 1000]
    assert ticks(Fraction(5), Fraction(5)) == [4, 6, 8, 10]
