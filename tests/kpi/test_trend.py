"""The line under a judged number ends at that number."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from kpi.catalog import CATALOG, kpi
from kpi.engine import answer
from kpi.judged import judged_period
from kpi.query import KpiQuery
from kpi.scope import Scope
from kpi.trend import trend
from storage.database import reading
from tests.kpi.company import WORKSPACE, Company

TODAY = date(2026, 9, 30)
ADDITIVE = ("win_rate", "average_deal", "revenue_won", "leads", "deals_created", "sales_cycle")


@pytest.fixture
def company(database: Engine) -> Company:
    company = Company()
    for ago in range(1, 140, 3):
        day = TODAY - timedelta(days=ago)
        won, lost = (day, None) if ago % 2 else (None, day)
        company.deal(created=day - timedelta(days=5), won=won, lost=lost, amount=100 * ago)
        company.lead(created=day)
    return company.save(database)


MONDAY = date(2026, 9, 28)
"""The windows that end before it are whole weeks."""


def judged(engine: Engine, metric: str, today: date = TODAY) -> KpiQuery:
    declared = kpi(metric)
    with reading(engine) as connection:
        period = judged_period(connection, declared, WORKSPACE, today)
    return KpiQuery(metric, declared.judged, period, Scope(WORKSPACE, everything=True), today)


@pytest.mark.parametrize("metric", ADDITIVE)
def test_the_last_point_is_the_number_itself(database: Engine, company: Company, metric: str) -> None:
    query = judged(database, metric)
    with reading(database) as connection:
        number, led = answer(connection, query), trend(connection, query)
    assert led is not None
    assert led.window == 28
    assert len(led.series) == 12
    assert led.series[-1].measured == number.measured
    assert (led.series[-1].start, led.series[-1].end) == (query.period.start, query.period.end)


@pytest.mark.parametrize("today", [TODAY, MONDAY])
def test_each_point_is_what_would_have_been_answered_that_week(database: Engine, company: Company, today: date) -> None:
    query = judged(database, "revenue_won", today)
    with reading(database) as connection:
        led = trend(connection, query)
        assert led is not None
        assert (led.window, len(led.series), led.series[-1].end) == (28, 12, today)
        for point in led.series:
            period = replace(query.period, start=point.start, end=point.end)
            assert answer(connection, replace(query, period=period)).measured == point.measured


@pytest.mark.parametrize("metric", [declared.metric for declared in CATALOG if declared.metric not in ADDITIVE])
def test_what_does_not_add_up_over_days_is_shown_by_week_or_month(
    database: Engine, company: Company, metric: str
) -> None:
    with reading(database) as connection:
        led = trend(connection, judged(database, metric))
    assert led is None or led.window in {None, 28}
    assert led is None or len(led.series) == 12
