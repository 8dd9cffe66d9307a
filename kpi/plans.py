"""How a formula's cells are counted: the one place where the plan is chosen."""

from collections.abc import Sequence

from sqlalchemy import Connection

from kpi import acquisition, facts, lifetime, median, retention, stock
from kpi.ask import Ask, Counted
from kpi.formulas import (
    Acquisition,
    Additive,
    Formula,
    Lifetime,
    Mean,
    Median,
    Rate,
    Retention,
    Stock,
    Total,
)
from kpi.measures import BY_FIRST_SEEN


def count(connection: Connection, ask: Ask, formula: Formula, beside: Sequence[Formula]) -> Counted:
    """The cells of a formula and of those shown beside it."""
    match formula:
        case Rate() | Mean() | Total():
            return _additive(connection, ask, formula, beside)
        case Median():
            return median.count(connection, ask, formula.population)
        case Stock():
            return stock.count(connection, ask, formula)
        case Retention():
            return retention.count(connection, ask)
        case Lifetime():
            return lifetime.count(connection, ask)
        case Acquisition():
            return acquisition.count(connection, ask)


def _additive(connection: Connection, ask: Ask, formula: Additive, beside: Sequence[Formula]) -> Counted:
    told = tuple(dict.fromkeys(measure.population for measure in formula.measures))
    others = [measure for each in beside if isinstance(each, Rate | Mean | Total) for measure in each.measures]
    first_seen = [BY_FIRST_SEEN[population] for population in told if population in BY_FIRST_SEEN]
    measures = tuple(dict.fromkeys([*formula.measures, *others, *first_seen]))
    return facts.count(connection, ask, measures, told)
