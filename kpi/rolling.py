"""A rolling window's value, step by step: what a digest judges over 28 days, as it was at the end of each past week."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeGuard

from kpi.formulas import Additive, Cell, Formula, Mean, Rate, Total
from kpi.query import Point


def adds_up(formula: Formula) -> TypeGuard[Additive]:
    """Whether numerators and denominators of days give those of a longer time."""
    return isinstance(formula, Mean | Total) or (isinstance(formula, Rate) and formula.sample is None)


def rolling(days: Sequence[Point], formula: Additive, *, window: int, step: int) -> tuple[Point, ...]:
    """The value over the `window` days that end with the last of `days`, and `step` days earlier, and so on back.

    `days` is a series by day without gaps, oldest first; or one by week, with `window` and `step` in weeks. Each point
    holds the half-open range it was counted over; the oldest is the first whose whole window is covered. Raises
    `ValueError` for fewer days than one window.
    """
    if len(days) < window:
        raise ValueError(f"{len(days)} days do not fill a window of {window}")
    numerators = _sums((point.measured.numerator for point in days), window)
    denominators = _sums((point.measured.denominator for point in days), window)
    ends = range(len(days) - 1, window - 2, -step)
    points = []
    for at in reversed(ends):
        end = days[at].end
        measured = formula.measured(_cell(formula, numerators[at], denominators[at]))
        points.append(Point(days[at - window + 1].start, end, complete=True, measured=measured))
    return tuple(points)


def _sums(numbers: Iterable[Fraction | None], window: int) -> list[int]:
    """For each day, the sum over the window that ends with it (over all days before, where there are fewer)."""
    import pandas as pd

    # Integers throughout: pandas' own rolling sum works in floats, the difference of two running sums stays exact.
    sums = pd.Series([int(number or 0) for number in numbers], dtype="int64").cumsum()
    return (sums - sums.shift(window, fill_value=0)).tolist()


def _cell(formula: Additive, numerator: int, denominator: int) -> Cell:
    if isinstance(formula, Total):
        return {formula.measure.key: numerator}
    return {formula.numerator.key: numerator, formula.denominator.key: denominator}
