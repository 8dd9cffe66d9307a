"""How a question is answered, from the buckets or from the facts: the one place where the plan is chosen."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sqlalchemy import Connection

from kpi import acquisition, facts, lifetime, median, retention, stock
from kpi.ask import Ask, Counted
from kpi.buckets import additive, lives, pipeline
from kpi.buckets.lookup import Lookup
from kpi.buckets.routes import Why
from kpi.declaration import Kpi, Reading
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
from kpi.known import first_day, tells_qualified
from kpi.measures import BY_FIRST_SEEN, LEADS, Measure
from kpi.populations import Population


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question is answered; `reason` is why it is asked of the facts."""

    kind: Literal["buckets", "facts"]
    reason: Why | None = None


def choose(ask: Ask, found: Kpi, reading: Reading) -> Lookup | Why:
    """The lookup in the buckets that answers a question, or why there is none.

    Chosen from the question alone: whether the buckets are ready is read together with the numbers.
    """
    if ask.query.as_known is not None:
        return Why.AS_KNOWN
    match reading.formula:
        case Rate() | Mean() | Total() as formula:
            return additive.lookup(ask, *_measures(formula, beside_of(found, reading)))
        case Median():
            return Why.MEDIAN
        case Stock() as formula:
            return pipeline.lookup(ask, formula)
        case Retention():
            return lives.retention(ask)
        case Lifetime():
            return lives.lifetime(ask)
        case Acquisition():
            return acquisition.lookup(ask)


def count(connection: Connection, ask: Ask, found: Kpi, reading: Reading) -> Counted:
    """The cells of a reading and of those shown beside it, from the facts."""
    counted = _count(connection, ask, reading.formula, beside_of(found, reading))
    if not any(counted.now.values()):
        counted.first_day = first_day(connection, ask.workspace_id, reading.formula)
    if counted.now.get(LEADS.key):
        counted.tells_qualified = tells_qualified(connection, ask.workspace_id)
    return counted


def _count(connection: Connection, ask: Ask, formula: Formula, beside: tuple[Formula, ...]) -> Counted:
    match formula:
        case Rate() | Mean() | Total():
            return facts.count(connection, ask, *_measures(formula, beside))
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


def beside_of(found: Kpi, reading: Reading) -> tuple[Formula, ...]:
    return tuple([found.reading(key).formula for key in reading.beside])


@lru_cache(maxsize=256)
def _measures(formula: Additive, beside: tuple[Formula, ...]) -> tuple[tuple[Measure, ...], tuple[Population, ...]]:
    """What is added up, and the populations whose left-out rows are told."""
    told = tuple(dict.fromkeys(measure.population for measure in formula.measures))
    others = [measure for each in beside if isinstance(each, Rate | Mean | Total) for measure in each.measures]
    first_seen = [BY_FIRST_SEEN[population] for population in told if population in BY_FIRST_SEEN]
    return tuple(dict.fromkeys([*formula.measures, *others, *first_seen])), told
