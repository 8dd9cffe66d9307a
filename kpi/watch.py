"""From a rule to its questions and threshold, and from their answers to what is watched and where to look first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import Connection

from kpi.catalog import kpi
from kpi.declaration import Window
from kpi.engine import answer, answers
from kpi.findings import in_unit, shortfall
from kpi.formulas import Total, wilson
from kpi.judged import TWENTY_EIGHT, conversion_days, judged_period
from kpi.period import Grain, Period, rolling
from kpi.query import Filter, Group, KpiQuery, KpiResult, Measured, Unit
from kpi.scope import Scope
from kpi.threshold import Direction, Threshold, Z, poisson
from kpi.vocabulary import read_vocabulary
from storage.rules import WHOLE, Rule

NONE = "(none)"
"""The group key of rows that have no value of the dimension."""

UNCOUNTED = {("ltv", "mean"), ("upsell_rate", "revenue")}
"""Readings whose denominator is no number of deals or customers: it says nothing of the sample."""

_NOTHING = Measured(None, None, None)


@dataclass(frozen=True, slots=True)
class Watched:
    """One number that a rule looks at: `filters` narrow its question to it. `before`: its own last windows, the latest
    first, where the rule holds it against them."""

    key: str
    measured: Measured
    filters: tuple[Filter, ...]
    before: tuple[Measured, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a rule sees on one local day: over the window that ends with the day before."""

    day: date
    result: KpiResult
    numbers: tuple[Watched, ...]


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
    """The rule's KPI over its window as seen today, by group when each value of a dimension is watched."""
    (period,) = windows(connection, rule, [today])
    return KpiQuery(
        metric=rule.metric,
        reading=rule.reading,
        period=period,
        scope=scope,
        today=today,
        group_by=rule.each,
        filters=filter_of(connection, scope, today, rule.dimension, rule.key),
    )


def windows(connection: Connection, rule: Rule, days: Sequence[date]) -> list[Period]:
    """For each local day, the window that ends with the day before: the rule's own length, else the KPI's."""
    declared = kpi(rule.metric)
    matured = declared.judged_window is Window.MATURED_28_DAYS
    if not matured and rule.window_days is None:
        return [judged_period(connection, declared, rule.workspace_id, day) for day in days]
    ripe = timedelta(days=(conversion_days(connection, rule.workspace_id) or 0) if matured else 0)
    return [rolling(Grain.DAY, rule.window_days or TWENTY_EIGHT, day - ripe) for day in days]


def earlier(rule: Rule, window: Period) -> list[Period]:
    """The windows of the same length that a number is held against, the latest first; none for a level."""
    length = timedelta(days=window.days)
    return [Period(window.start - at * length, window.end - at * length) for at in range(1, (rule.against or 0) + 1)]


def look(connection: Connection, rule: Rule, scope: Scope, today: date, days: Sequence[date]) -> list[Seen]:
    """What the rule sees on each of these local days, on what is known now; asked all at once.

    `today` is the workspace's local day, on which the questions are asked. Raises what `answers` raises.
    """
    asked = question(connection, rule, scope, today)
    ends = windows(connection, rule, days)
    queries = [replace(asked, period=window, comparison=None) for end in ends for window in (end, *earlier(rule, end))]
    found = answers(connection, queries)
    each = 1 + (rule.against or 0)
    return [
        Seen(day, found[at * each], watched(rule, found[at * each], found[at * each + 1 : (at + 1) * each]))
        for at, day in enumerate(days)
    ]


def watched(rule: Rule, result: KpiResult, before: Sequence[KpiResult] = ()) -> tuple[Watched, ...]:
    """The one number of a rule, or one per group; with what it was in earlier windows, where these were asked for."""
    if rule.each is None:
        filters = result.query.filters
        return (Watched(WHOLE, result.measured, filters, tuple(each.measured for each in before)),)
    then = [{group.key: group.measured for group in each.groups} for each in before]
    return tuple(
        Watched(
            group.key or NONE,
            group.measured,
            (*result.query.filters, Filter(rule.each, group.key, group.name or NONE)),
            tuple(groups.get(group.key, _NOTHING) for groups in then),
        )
        for group in result.groups
    )


def threshold_of(rule: Rule, result: KpiResult, before: Sequence[Measured] = ()) -> Threshold | None:
    """The rule's threshold in the unit of the result's values (minor units for money).

    Of a rule against its own last windows: so far from their mean; None where one of them has no value, or all of them
    together too small a sample.
    """
    counted, least = _counted(rule, result), _least(rule)
    direction = Direction(rule.direction)
    if rule.against is None:
        bound, recovery = in_unit(rule.threshold, result), in_unit(rule.recovery, result)
        return Threshold(bound, recovery, direction, least, rule.hold, counted)
    mean = usual_of(before, counted=counted, least=least)
    if mean is None or mean.value is None:
        return None
    sign = -1 if direction is Direction.BELOW else 1
    shares = [1 + sign * Fraction(percent) / 100 for percent in (rule.threshold, rule.recovery)]
    bound, recovery = (mean.value * share for share in shares)
    end = None if mean.interval is None else mean.interval[0 if direction is Direction.BELOW else 1]
    margin = 0.0 if end is None else abs(float(mean.value) - end) * float(shares[0])
    return Threshold(bound, recovery, direction, least, rule.hold, counted, margin)


def usual(rule: Rule, result: KpiResult, before: Sequence[Measured]) -> Fraction | None:
    """What a number is held against, where that is its own past; in the unit of the result's values."""
    if rule.against is None:
        return None
    mean = usual_of(before, counted=_counted(rule, result), least=_least(rule))
    return None if mean is None else mean.value


def _counted(rule: Rule, result: KpiResult) -> bool:
    return result.unit is Unit.COUNT and isinstance(kpi(rule.metric).reading(rule.reading).formula, Total)


def _least(rule: Rule) -> int:
    return 0 if (rule.metric, rule.reading) in UNCOUNTED else rule.min_sample


def usual_of(before: Sequence[Measured], *, counted: bool, least: int) -> Measured | None:
    """The mean of a number's own last windows: of rates and means, weighted by how much each rests on; with where it
    lies by its own data, as far as that can be said."""
    values = [each.value for each in before]
    if not values or any(value is None for value in values):
        return None
    known = [value for value in values if value is not None]
    weights = [each.denominator for each in before if each.denominator is not None]
    if len(weights) < len(before):
        mean = sum(known, Fraction(0)) / len(known)
        if not counted:
            return Measured(mean, None, None)
        low, high = poisson(int(sum(known)))
        return Measured(mean, mean, None, (low / len(known), high / len(known)))
    if not sum(weights) or sum(weights) < least:
        return None
    whole = sum(weights, Fraction(0))
    mean = sum((value * weight for value, weight in zip(known, weights, strict=True)), Fraction(0)) / whole
    if any(each.interval is None or each.numerator is None for each in before):
        return Measured(mean, None, whole)
    numerator = sum((each.numerator or Fraction(0) for each in before), Fraction(0))
    return Measured(mean, numerator, whole, wilson(int(numerator), int(whole), Z))


def recommended_bound(query: KpiQuery) -> Decimal | None:
    """The recommended value for a KPI narrowed like this, or None."""
    segment = next((each.key for each in query.filters if each.dimension == "segment"), None)
    advised = kpi(query.metric).advised(query.reading, segment)
    return None if advised is None else advised.low


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
