"""How a judged number came to be what it is: its value at the end of each of the last weeks or months."""

from dataclasses import replace

from sqlalchemy import Connection

from kpi.catalog import kpi
from kpi.engine import answer
from kpi.formulas import Formula
from kpi.judged import TWENTY_EIGHT
from kpi.period import Grain, Period, last, shift
from kpi.query import KpiQuery, KpiResult
from kpi.refusals import RefusedError
from kpi.rolling import adds_up, rolling

POINTS = 12
WEEK = 7


def trend(connection: Connection, query: KpiQuery) -> KpiResult | None:
    """The query's number over time, as a series whose last point is today's; None for a KPI that has none.

    A sum, mean or rate judged over 28 days is shown as it stood each week, each point over its own 28 days: the last
    one is the number itself. What does not add up over days (a median, retention) is shown by complete week or month.
    """
    try:
        return trend_of(query, answer(connection, trend_query(query)))
    except RefusedError:
        return None


def trend_query(query: KpiQuery) -> KpiQuery:
    """What is asked for a trend; `trend_of` makes sense of its answer."""
    alone = replace(query, comparison=None, group_by=None)
    if query.period.days == TWENTY_EIGHT and adds_up(_formula(query)):
        start = shift(query.period.start, Grain.DAY, -WEEK * (POINTS - 1))
        # From a Monday on, the windows are whole weeks: a seventh of the points.
        grain = Grain.WEEK if start.weekday() == 0 else Grain.DAY
        return replace(alone, period=Period(start, query.period.end), grain=grain)
    grain = Grain.WEEK if query.period.days <= TWENTY_EIGHT else Grain.MONTH
    return replace(alone, period=last(grain, query.today, POINTS), grain=grain)


def trend_of(query: KpiQuery, found: KpiResult) -> KpiResult:
    """The trend of a query, from the answer to `trend_query`."""
    formula = _formula(query)
    if query.period.days != TWENTY_EIGHT or not adds_up(formula):
        return found
    days = WEEK if found.query.grain is Grain.WEEK else 1
    series = rolling(found.series, formula, window=TWENTY_EIGHT // days, step=WEEK // days)
    return replace(found, query=replace(found.query, grain=Grain.WEEK), series=series, window=TWENTY_EIGHT)


def _formula(query: KpiQuery) -> Formula:
    return kpi(query.metric).reading(query.reading).formula
