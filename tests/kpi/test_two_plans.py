"""The buckets and the facts give the same answers, to the last note; and the questions that matter use the buckets."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from kpi import buckets
from kpi.buckets.tables import bucket_state
from kpi.catalog import CATALOG
from kpi.engine import explained
from kpi.period import Grain, Period, containing, last, rolling, until_today
from kpi.query import Comparison, Filter, KpiQuery
from kpi.scope import Scope
from storage.database import reading, writing
from tests.kpi.company import Company
from tests.kpi.test_against_naive import companies, days

READINGS = [(kpi, how) for kpi in CATALOG for how in kpi.readings]
KEYS = {
    "rep": ("person:1", "person:2", "gone", None),
    "team": ("team:1", "team:2", "team:3", None),
    "segment": ("B2B", "B2C", None),
    "source": ("B2B", "B2C", None),
    "customer": ("customer:1", None),
    "product": ("product:1", None),
    "pipeline": ("pipeline:1", None),
    "region": ("Lyon", None),
    "stage": ("stage:1", None),
}


@st.composite
def periods(draw: Callable[..., Any], today: date) -> Period:
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return rolling(Grain.MONTH, 12, draw(days))
    if kind == 1:
        start = draw(days)
        return Period(start, start + timedelta(days=draw(st.integers(1, 500))))
    if kind == 2:
        return last(draw(st.sampled_from(list(Grain))), today, draw(st.integers(1, 5)))
    return until_today(containing(draw(st.sampled_from(list(Grain))), draw(days)), today)


@st.composite
def queries(draw: Callable[..., Any], company: Company, today: date) -> list[KpiQuery]:
    """One question for every reading."""
    found = []
    for kpi, how in READINGS:
        everything = draw(st.integers(0, 2)) > 0 or "rep" not in kpi.dimensions
        people = (
            frozenset() if everything else draw(st.frozensets(st.sampled_from(["person:1", "person:2"]), max_size=2))
        )
        teams = frozenset() if everything else draw(st.sampled_from([frozenset(), frozenset({"team:1", "team:2"})]))
        if not everything and not people | teams:
            people = frozenset({"person:3"})
        chosen = draw(st.lists(st.sampled_from(kpi.dimensions), max_size=2, unique=True))
        if not everything:
            chosen = [each for each in chosen if each not in {"rep", "team"}]
        filters = tuple(Filter(each, key := draw(st.sampled_from(KEYS[each])), str(key)) for each in chosen)
        period = draw(periods(today))
        grain = draw(st.sampled_from([None, *Grain]))
        if grain is Grain.DAY and period.days > 60:
            grain = Grain.WEEK
        found.append(
            KpiQuery(
                kpi.metric,
                how.key,
                period,
                Scope(company.workspace_id, everything, people, teams, datetime(2018, 1, 1, tzinfo=UTC)),
                today,
                comparison=draw(st.sampled_from([None, *Comparison])),
                group_by=draw(st.sampled_from([None, *kpi.dimensions])),
                grain=grain,
                filters=filters,
            )
        )
    return found


@settings(
    deadline=None,
    max_examples=4,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(company=companies(), today=days, data=st.data())
def test_both_plans_give_the_same_answer_to_the_last_note(
    database: Engine, company: Company, today: date, data: st.DataObject
) -> None:
    if data.draw(st.booleans()):
        for name in ("deal", "lead", "contract"):
            company.synced(name, datetime.combine(data.draw(days), datetime.min.time(), UTC))
    company.save(database)
    assert buckets.settle(database, company.workspace_id, today)
    asked = data.draw(queries(company, today))
    with reading(database) as connection:
        looked_up = [each for query in asked for each in explained(connection, [query])]
        together = explained(connection, asked)
    without_buckets(database)
    with reading(database) as connection:
        counted = [each for query in asked for each in explained(connection, [query])]
    assert {each.plan.kind for each in counted} == {"facts"}
    for one, at_once, other in zip(looked_up, together, counted, strict=True):
        assert one.result == other.result, (one.plan, one.result.query)
        assert at_once == one


def without_buckets(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(sa.delete(bucket_state))
