"""A figure that was told to people: its question in words that last, and whether a later answer is another.

A figure moves for two reasons. It may ripen: a cohort's deals are won later, an open deal changes its amount. That is
what time does, it was said when the figure was told, and it is no correction. Or its past is edited: a deal that was
counted as won is lost after all, its closing date or amount is another, a win of that time is entered late. Only
figures that cannot ripen are held to what they said (`settled`): they look at days that were over, and at nothing that
may become known of a row by itself later. So whatever moves them, when the same question is asked with the same
`today`, is an edit of the past.
"""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from kpi.catalog import kpi
from kpi.formulas import Mean, Rate, Stock, Total
from kpi.measures import converted_by_now, is_open, not_converted, won_by_now
from kpi.period import Grain, Period
from kpi.query import Filter, KpiQuery, KpiResult, Unit
from kpi.scope import Scope

POINTS = Fraction(1)
"""A rate is another when it differs by more than one percent point,"""
SHARE = Fraction(5, 100)
"""any other figure when it differs by more than 5 % of what was told; a count, besides, by one at least."""

_RIPENING = {won_by_now, converted_by_now, not_converted, is_open}

Json = Mapping[str, Any]


def settled(metric: str, reading: str) -> bool:
    """Whether only an edit of the past moves this figure once its days are over."""
    match kpi(metric).reading(reading).formula:
        case Rate() | Mean() | Total() as formula:
            return not any(measure.test in _RIPENING for measure in formula.measures)
        case Stock():
            return False
        case _:
            return True


def figure_of(query: KpiQuery) -> str:
    return f"{query.metric}:{query.reading}"


def question_of(query: KpiQuery) -> Json:
    """The question as JSON; the period compared with is not asked for again."""
    period, scope = query.period, query.scope
    return {
        "metric": query.metric,
        "reading": query.reading,
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
        "unit": period.unit,
        "span": period.span,
        "today": query.today.isoformat(),
        "filters": [[each.dimension, each.key, each.name] for each in query.filters],
        "everything": scope.everything,
        "people": sorted(scope.people),
        "teams": sorted(scope.teams),
    }


def query_of(workspace_id: str, question: Json) -> KpiQuery:
    """The question that was told, to be asked again: as of the same day, by the same rights."""
    units = {name: None if question[name] is None else Grain(question[name]) for name in ("unit", "span")}
    return KpiQuery(
        metric=question["metric"],
        reading=question["reading"],
        period=Period(date.fromisoformat(question["start"]), date.fromisoformat(question["end"]), **units),
        scope=Scope(
            workspace_id,
            everything=question["everything"],
            people=frozenset(question["people"]),
            teams=frozenset(question["teams"]),
        ),
        today=date.fromisoformat(question["today"]),
        comparison=None,
        filters=tuple(Filter(*each) for each in question["filters"]),
    )


def told(result: KpiResult) -> Json:
    """The figure as JSON, exactly."""
    measured = result.measured
    numbers = {"value": measured.value, "numerator": measured.numerator, "denominator": measured.denominator}
    return {name: None if number is None else str(number) for name, number in numbers.items()} | {
        "unit": result.unit.value,
        "currency": result.currency,
    }


def value_of(said: Json) -> Fraction | None:
    return None if said["value"] is None else Fraction(said["value"])


def is_another(said: Json, now: Json) -> bool:
    """Whether a figure differs from what was said of it by more than its tolerance.

    A value that there is no more, or only now, is another; so is one in another currency.
    """
    before, after = value_of(said), value_of(now)
    if before is None or after is None or said["currency"] != now["currency"]:
        return (before, said["currency"]) != (after, now["currency"])
    if said["unit"] == Unit.PERCENT:
        return abs(after - before) > POINTS
    if said["unit"] == Unit.COUNT and abs(after - before) < 1:
        return False
    return abs(after - before) > SHARE * abs(before)
