"""From a rule to its question and threshold, and from its answer to what is watched and where to look first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import Connection

from kpi.catalog import kpi
from kpi.engine import answer
from kpi.findings import in_unit, shortfall
from kpi.judged import judged_period
from kpi.query import Filter, Group, KpiQuery, KpiResult, Measured
from kpi.scope import Scope
from kpi.threshold import Direction, Threshold
from kpi.vocabulary import read_vocabulary
from storage.rules import WHOLE, Rule

NONE = "(none)"
"""The group key of rows that have no value of the dimension."""

UNCOUNTED = {("ltv", "mean"), ("upsell_rate", "revenue")}
"""Readings whose denominator is no number of deals or customers: it says nothing of the sample."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One number that a rule looks at: `filters` narrow its question to it."""

    key: str
    measured: Measured
    filters: tuple[Filter, ...]


def filter_of(
    connection: Connection, scope: Scope, today: date, dimension: str | None, key: str | None
) -> tuple[Filter, ...]:
    """What a schedule or rule is narrowed to, with the name it has today; a name that is gone is its key."""
    if dimension is None:
        return ()
    names = read_vocabulary(connection, scope, today=today).names
    found = (name.name for name in names if name.dimension == dimension and name.key == key)
    return (Filter(dimension, key, next(found, key or NONE)),)


def question(connection: Connection, rule: Rule, scope: Scope, today: date) -> KpiQuery:
    """The rule's KPI over its judged window, by group when each value of a dimension is watched."""
    declared = kpi(rule.metric)
    return KpiQuery(
        metric=rule.metric,
        reading=rule.reading,
        period=judged_period(connection, declared, scope.workspace_id, today),
        scope=scope,
        today=today,
        group_by=rule.each,
        filters=filter_of(connection, scope, today, rule.dimension, rule.key),
    )


def threshold_of(rule: Rule, result: KpiResult) -> Threshold:
    """The rule's threshold in the unit of the result's values (minor units for money)."""
    return Threshold(
        bound=_decimal(in_unit(rule.threshold, result)),
        recovery=_decimal(in_unit(rule.recovery, result)),
        direction=Direction(rule.direction),
        min_sample=0 if (rule.metric, rule.reading) in UNCOUNTED else rule.min_sample,
        hold=rule.hold,
    )


def recommended_bound(query: KpiQuery) -> Decimal | None:
    """The recommended value for a KPI narrowed like this, or None."""
    segment = next((each.key for each in query.filters if each.dimension == "segment"), None)
    advised = kpi(query.metric).advised(query.reading, segment)
    return None if advised is None else advised.low


def watched(rule: Rule, result: KpiResult) -> Iterator[Watched]:
    """The one number of a rule, or one per group."""
    if rule.each is None:
        yield Watched(WHOLE, result.measured, result.query.filters)
        return
    for group in result.groups:
        narrowed = Filter(rule.each, group.key, group.name or NONE)
        yield Watched(group.key or NONE, group.measured, (*result.query.filters, narrowed))


def where_to_look(connection: Connection, rule: Rule, query: KpiQuery) -> tuple[str, Group] | None:
    """The group farthest on the bad side of the threshold, weighted by its size: (dimension, group), or None.

    Teams, where the rule does not name one already; else sources. Never reps: an alert is read by a whole channel.
    """
    narrowed = {each.dimension for each in query.filters}
    offered = [dimension for dimension in ("team", "source", "product") if dimension in kpi(rule.metric).dimensions]
    dimension = next(
        (each for each in offered if each not in narrowed and not (each == "team" and "rep" in narrowed)), None
    )
    if dimension is None:
        return None
    result = answer(connection, replace(query, group_by=dimension, comparison=None))
    bound = in_unit(rule.threshold, result)
    below = rule.direction == Direction.BELOW
    worst = max(result.groups, key=lambda group: shortfall(group.measured, bound, below=below), default=None)
    if worst is None or len(result.groups) < 2 or shortfall(worst.measured, bound, below=below) <= 0:
        return None
    return dimension, worst


def _decimal(exact: Fraction) -> Decimal:
    return Decimal(exact.numerator) / Decimal(exact.denominator)
