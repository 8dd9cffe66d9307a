"""Formulas over measures: what makes a value of what was added up. No data is None, never 0."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from kpi.measures import Measure
from kpi.populations import Population
from kpi.query import Measured

Cell = Mapping[str, int]
"""Measure key to what was added up."""

FEW = 12
"""A rate on fewer is marked."""
Z95 = 1.959963984540054


def wilson(numerator: int, denominator: int, z: float = Z95) -> tuple[float, float] | None:
    """The interval of a proportion, of 95 % unless said otherwise, in percent points; None without a denominator."""
    if denominator <= 0:
        return None
    n, share, z2 = denominator, numerator / denominator, z * z
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At 0 and at n the bounds are exact; rounding would leave a speck.
    low = 0.0 if numerator <= 0 else 100 * (centre - half)
    return low, 100.0 if numerator >= denominator else 100 * (centre + half)


def rate(numerator: int, denominator: int, *, subset: bool, sample: int | None = None) -> Measured:
    """A rate in percent points. `sample`: how many rows the denominator stands for, when it is not a count."""
    few = 0 < (denominator if sample is None else sample) < FEW
    value = Fraction(100 * numerator, denominator) if denominator > 0 else None
    interval = wilson(numerator, denominator) if subset else None
    return Measured(value, Fraction(numerator), Fraction(denominator), interval, few and value is not None)


@dataclass(frozen=True, slots=True)
class Rate:
    """Numerator over denominator, in percent. `subset`: every row of the numerator is one of the denominator."""

    numerator: Measure
    denominator: Measure
    subset: bool
    sample: Measure | None = None
    """Counts the rows of a denominator that is an amount."""
    told: tuple[Measure, ...] = ()
    """Added up for the notes."""

    @property
    def measures(self) -> tuple[Measure, ...]:
        sample = () if self.sample is None else (self.sample,)
        return (self.numerator, self.denominator, *sample, *self.told)

    def measured(self, cell: Cell) -> Measured:
        sample = None if self.sample is None else cell[self.sample.key]
        return rate(cell[self.numerator.key], cell[self.denominator.key], subset=self.subset, sample=sample)


@dataclass(frozen=True, slots=True)
class Mean:
    """Numerator over denominator, in the numerator's unit."""

    numerator: Measure
    denominator: Measure

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.numerator, self.denominator)

    def measured(self, cell: Cell) -> Measured:
        numerator, denominator = cell[self.numerator.key], cell[self.denominator.key]
        value = Fraction(numerator, denominator) if denominator else None
        return Measured(value, Fraction(numerator), Fraction(denominator))


@dataclass(frozen=True, slots=True)
class Total:
    """One measure as it is."""

    measure: Measure

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.measure,)

    def measured(self, cell: Cell) -> Measured:
        value = Fraction(cell[self.measure.key])
        return Measured(value, value, None)


@dataclass(frozen=True, slots=True)
class Median:
    """The middle number of days of the counted rows (mean of the two middle ones)."""

    population: Population

    def measured(self, cell: Cell) -> Measured:
        """`twice`: the sum of the two middle values; `rows`: how many there are."""
        if not cell["rows"]:
            return Measured(None, None, Fraction(0))
        return Measured(Fraction(cell["twice"], 2), None, Fraction(cell["rows"]))


@dataclass(frozen=True, slots=True)
class Stock:
    """What is open at the end of the period's last day: the amount, or the number."""

    key: str

    def measured(self, cell: Cell) -> Measured:
        value = Fraction(cell[self.key])
        return Measured(value, value, None)


@dataclass(frozen=True, slots=True)
class Retention:
    """Customers kept, in percent; see `kpi.retention` for the cells."""

    strict: bool

    def measured(self, cell: Cell) -> Measured:
        kept = cell["kept"] if self.strict else cell["at_end"] - cell["new"]
        return rate(kept, cell["at_start"], subset=self.strict)


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Spend over new customers; see `kpi.acquisition` for the cells. No new customer: no value."""

    def measured(self, cell: Cell) -> Measured:
        spend, customers = cell["spend"], cell["new"]
        return Measured(Fraction(spend, customers) if customers else None, Fraction(spend), Fraction(customers))


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Mean amount x purchases per buyer / share lost; see `kpi.lifetime` for the cells."""

    def measured(self, cell: Cell) -> Measured:
        yearly = yearly_value(cell)
        if yearly is None:
            return Measured(None, None, None)
        lost = share_lost(cell)
        if lost:
            return Measured(yearly / lost, yearly, lost)
        years = mean_years(cell)
        return Measured(None if years is None else yearly * years, yearly, None)


def yearly_value(cell: Cell) -> Fraction | None:
    """Mean amount of a sale x sales per buyer in the 12 months, in minor units."""
    if not cell["with_amount"] or not cell["buyers"]:
        return None
    return Fraction(cell["amount"], cell["with_amount"]) * Fraction(cell["sales"], cell["buyers"])


def share_lost(cell: Cell) -> Fraction | None:
    """1 - strict retention of the 12 months; None when unknown (nobody was active at the start), 0 when all stayed."""
    return Fraction(cell["at_start"] - cell["kept"], cell["at_start"]) if cell["at_start"] else None


def mean_years(cell: Cell) -> Fraction | None:
    """Mean years (of 365.25 days) since the first purchase of the customers active at the end."""
    return Fraction(cell["tenure_days"] * 4, cell["at_end"] * 1461) if cell["at_end"] else None


Additive = Rate | Mean | Total
Formula = Additive | Median | Stock | Retention | Acquisition | Lifetime
