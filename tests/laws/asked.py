"""The nine KPIs and their kin, asked of Vigie and worked out naively over the CRM's truth."""

from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine

from kpi import period as periods
from kpi.catalog import CATALOG
from kpi.engine import answer
from kpi.period import Grain, Period
from kpi.query import Comparison, KpiQuery
from kpi.scope import Scope
from storage.database import reading
from tests.crm.truth import Held, Told, Truth, local_day
from tests.kpi.company import Company
from tests.kpi.naive import Naive
from tests.kpi.test_against_naive import check

UNTOLD = {"team", "region"}
"""Dimensions that the fakes' CRMs do not have."""


def office(workspace_id: str, *, currency: str = "EUR") -> Company:
    """The workspace, with the spend that no CRM tells."""
    company = Company(workspace_id, currency=currency)
    company.spend(3_000_01, "2026-01-01", "2026-03-31")
    company.spend(900_00, "2026-02-01", "2026-02-28", kind="sales", origin="Web")
    return company


def questions(random: Random, today: date, scope: Scope) -> list[KpiQuery]:
    """Each KPI in one of its readings, over some period, grouped and drawn some way."""
    asked = []
    for declared in CATALOG:
        how = random.choice(declared.readings)
        dimensions = [None, *(each for each in declared.dimensions if each not in UNTOLD)]
        group_by, comparison = random.choice(dimensions), random.choice([None, *Comparison])
        # Stages are not compared: what was open before is counted in the stage that it reached since.
        more: dict[str, Any] = {
            "group_by": group_by,
            "grain": random.choice([None, None, Grain.WEEK, Grain.MONTH]),
            "comparison": None if group_by == "stage" else comparison,
        }
        asked.append(KpiQuery(declared.metric, how.key, _period(random, today), scope, today, **more))
    return asked


def _period(random: Random, today: date) -> Period:
    chosen = random.randrange(4)
    if chosen == 0:
        return Period(date(2026, 1, 1), today + timedelta(days=1))
    if chosen == 1:
        return periods.until_today(periods.this(Grain.QUARTER, today), today)
    if chosen == 2:
        start = date(2026, 1, 1) + timedelta(days=random.randrange(60))
        return Period(start, start + timedelta(days=random.randint(1, 60)))
    return periods.until_today(periods.this(Grain.MONTH, today), today)


def agree(engine: Engine, workspace_id: str, truth: Truth, held: Held, random: Random) -> None:
    """Every answer is what the definitions say of the CRM's own rows; raises `AssertionError`."""
    today = local_day(truth.crm.now)
    assert today is not None
    told = Told(workspace_id, truth, held, "EUR")
    told.rows.setdefault("spend", []).extend(office(workspace_id).rows["spend"])
    naive = Naive(told, today)
    scope = Scope(workspace_id, everything=True)
    with reading(engine) as connection:
        for query in questions(random, today, scope):
            check(answer(connection, query), naive, lambda _keys: True)
