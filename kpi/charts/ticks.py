"""Round values for an axis, exact, so that their texts say just where they stand."""

from fractions import Fraction
from math import floor, log10


def ticks(low: Fraction, high: Fraction, most: int = 5) -> list[Fraction]:
    """At most `most` evenly spaced round values (1, 2, 2.5 or 5 times a power of ten apart) that reach from at or below
    `low` to at or above `high`."""
    if high <= low:
        high = low + (abs(low) or 1)
    power = Fraction(10) ** (floor(log10(float(high - low))) - 1)
    while True:
        for factor in (Fraction(1), Fraction(2), Fraction(5, 2), Fraction(5)):
            step = power * factor
            first, last = low // step, -(-high // step)
            if last - first < most:
                return [step * index for index in range(first, last + 1)]
        power *= 10
