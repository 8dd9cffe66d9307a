"""A rolling window's value, step by step: what a digest judges over 28 days, as it was at the end of each past week."""

from collections.abc import Sequence
from datetime import timedelta

from kpi.formulas import Additive, Cell, Total
from kpi.query import Point


def rolling(days: Sequence[Point], formula: Additive, *, window: int, step: int) -> tuple[Point, ...]:
    """The value over the `window` days that end with the last of `days`, and `step` days earlier, and so on back.

    `days` is a series by day without gaps, oldest first. Each point holds the half-open range it was counted over; the
    oldest is the first whose whole window is covered. Raises `ValueError` for fewer days than one window.
    """
    import pandas as pd

    if len(days) < window:
        raise ValueError(f"{len(days)} days do not fill a window of {window}")
    # Integers throughout: pandas' own rolling sum works in floats, the difference of two running sums stays exact.
    counted = pd.DataFrame(
        {
            "numerator": [int(point.measured.numerator or 0) for point in days],
            "denominator": [int(point.measured.denominator or 0) for point in days],
        },
        index=pd.RangeIndex(len(days)),
        dtype="int64",
    )
    sums = counted.cumsum().sub(counted.cumsum().shift(window, fill_value=0))
    ends = range(len(days) - 1, window - 2, -step)
    points = []
    for at in reversed(ends):
        numerator, denominator = sums.iloc[at].tolist()
        end = days[at].end
        measured = formula.measured(_cell(formula, numerator, denominator))
        points.append(Point(end - timedelta(days=window), end, complete=True, measured=measured))
    return tuple(points)


def _cell(formula: Additive, numerator: int, denominator: int) -> Cell:
    if isinstance(formula, Total):
        return {formula.measure.key: numerator}
    return {formula.numerator.key: numerator, formula.denominator.key: denominator}
