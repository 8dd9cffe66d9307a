"""What one row adds to the buckets, column by column: the expressions of the facts plan, for a row and not summed.

Derived from the catalog: every measure of an additive formula, the rows that each population leaves out by reason,
those without a day on its axis, those whose creation is the first sight of them, and what is open. Two measures that
come to the same expression share a column.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects import sqlite

from kpi.catalog import CATALOG
from kpi.formulas import Mean, Rate, Total
from kpi.measures import BY_FIRST_SEEN, Measure, first_seen
from kpi.populations import SALES_OF_CUSTOMERS, Population, is_deleted, is_unconverted
from kpi.reasons import Reason
from kpi.rows import Condition, DealRows, LeadRows, Rows

Table = Literal["deal", "lead"]
STOCK = "stock"
"""The axis of what is open: added on the day of creation, taken away on the day of closing."""

TELLS_QUALIFIED = "tells_qualified"
"""Leads, deleted ones as well, of which the source says that they are, or are not, qualified or inbound."""

_ONE: ColumnElement[int] = sa.literal_column("1", sa.Integer)
_ZERO: ColumnElement[int] = sa.literal_column("0", sa.Integer)


@dataclass(frozen=True, slots=True)
class Added:
    """One column: what a row adds to the bucket of its day on `axis`."""

    name: str
    axis: str
    each: Callable[[Rows], ColumnElement[int]]
    wide: bool = False
    """An amount, or days: not only 0 or 1."""


@lru_cache(maxsize=2)
def added(table: Table) -> tuple[Added, ...]:
    """The columns of a table's tallies and buckets."""
    return tuple(dict.fromkeys(_shared(table).values()))


def column_of(measure: Measure) -> str:
    """The name of the column that holds a measure. Raises `KeyError` for one that no KPI of the catalog adds up."""
    return _shared(measure.population.table)[measure.key].name


def left_out_of(population: Population) -> dict[Reason, str]:
    """For each reason, the name of the column that counts the dated rows that a population leaves out for it."""
    shared = _shared(population.table)
    return {reason: shared[f"out_{population.key}_{reason}"].name for reason, _ in population.left_out}


def undated_of(population: Population) -> str:
    """The name of the column that counts, in the bucket `shapes.UNDATED`, the rows without a day on the axis."""
    return _shared(population.table)[f"undated_{population.key}"].name


@lru_cache(maxsize=2)
def _shared(table: Table) -> dict[str, Added]:
    """By the name that each would have alone, the column that it has."""
    rows = DealRows("", date.min) if table == "deal" else LeadRows("")
    first: dict[tuple[str, str], Added] = {}
    return {each.name: first.setdefault((each.axis, said(each, rows)), each) for each in _all(table)}


def said(column: Added, rows: Rows) -> str:
    """The expression of a column, in words that two equal ones have in common."""
    compiled = column.each(rows).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    return str(compiled)


def _all(table: Table) -> Iterator[Added]:
    formulas = [reading.formula for kpi in CATALOG for reading in kpi.readings]
    told = [measure for formula in formulas if isinstance(formula, Rate | Mean | Total) for measure in formula.measures]
    measures = [each for each in dict.fromkeys(told) if each.population.table == table]
    populations = list(dict.fromkeys(measure.population for measure in measures))
    if table == "deal":
        populations.append(SALES_OF_CUSTOMERS)
    measures += [BY_FIRST_SEEN[each] for each in populations if each in BY_FIRST_SEEN]
    for measure in measures:
        yield Added(measure.key, measure.population.axis, measure.each, measure.amount is not None)
    for population in populations:
        for reason, _ in population.left_out:
            yield Added(f"out_{population.key}_{reason}", population.axis, _left_out(population, reason))
        yield Added(f"undated_{population.key}", population.axis, _one(population.without_day))
    if table == "deal":
        yield from _open()
    else:
        yield Added(TELLS_QUALIFIED, populations[0].axis, _one(_tells_qualified))


def _tells_qualified(rows: Rows) -> Condition:
    said = (rows.c.qualified, rows.c.qualified_on, rows.c.inbound)
    return sa.or_(*(column.is_not(None) for column in said))


def _left_out(population: Population, reason: Reason) -> Callable[[Rows], ColumnElement[int]]:
    def condition(rows: Rows) -> Condition:
        passed: list[Condition] = []
        for each, test in population.left_out:
            if each == reason:
                return sa.and_(population.holds(rows), *passed, test(rows))
            passed.append(sa.not_(test(rows)))
        raise KeyError(reason)

    return _one(condition)


def _one(condition: Callable[[Rows], Condition]) -> Callable[[Rows], ColumnElement[int]]:
    return lambda rows: sa.case((condition(rows), _ONE), else_=_ZERO)


def _open() -> Iterator[Added]:
    """What is, or on some day was, open: as `kpi.stock` counts it."""

    def ever(*tests: Callable[[Rows], Condition]) -> Callable[[Rows], Condition]:
        return lambda rows: sa.and_(_ever_open(rows), *(test(rows) for test in tests))

    def valued(rows: Rows) -> Condition:
        return sa.and_(rows.c.amount_minor.is_not(None), rows.c.value_minor.is_not(None))

    def no_amount(rows: Rows) -> Condition:
        return rows.c.amount_minor.is_(None)

    def there(rows: Rows) -> Condition:
        return sa.not_(is_deleted(rows))

    def amount(rows: Rows) -> ColumnElement[int]:
        return sa.case((ever(there, valued)(rows), rows.c.value_minor), else_=_ZERO)

    counts = {
        "open_count": (there,),
        "open_first_seen": (there, first_seen),
        "open_amount_first_seen": (there, valued, first_seen),
        "open_deleted": (is_deleted,),
        "open_no_amount": (there, no_amount),
        "open_unconverted": (there, is_unconverted),
    }
    yield Added("open_amount", STOCK, amount, wide=True)
    for name, tests in counts.items():
        yield Added(name, STOCK, _one(ever(*tests)))


def _ever_open(rows: Rows) -> Condition:
    """Open now; or closed on a known day, not before the known day of its creation."""
    return sa.or_(is_waiting(rows), rows.c.created_on <= rows.c.closed_on)


def is_waiting(rows: Rows) -> Condition:
    """Not closed: it is not taken away on any day."""
    return rows.c.status == "open"
