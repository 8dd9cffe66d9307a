"""One question to the engine, with the usual period, day and scope."""

from datetime import date
from typing import Any

from sqlalchemy import Engine

from kpi.engine import answer
from kpi.period import Grain, Period, containing
from kpi.query import KpiQuery, KpiResult
from kpi.scope import Scope
from storage.database import reading
from tests.kpi.company import WORKSPACE

TODAY = date(2018, 6, 15)
SEPTEMBER = containing(Grain.MONTH, date(2017, 9, 1))
EVERYTHING = Scope(WORKSPACE, everything=True)


def ask(
    database: Engine,
    metric: str,
    how: str,
    period: Period = SEPTEMBER,
    *,
    scope: Scope = EVERYTHING,
    today: date = TODAY,
    **more: Any,
) -> KpiResult:
    with reading(database) as connection:
        return answer(connection, KpiQuery(metric, how, period, scope, today, **more))
