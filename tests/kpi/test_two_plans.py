"""The buckets and the facts give the same answers, to the last note; and the questions that matter use the buckets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from kpi import buckets
from kpi.buckets.routes import Why
from kpi.buckets.tables import bucket_state
from kpi.catalog import CATALOG
from kpi.digest import read_digest
from kpi.engine import answers, explained
from kpi.judged import conversion_days
from kpi.period import Grain, Period, containing, last, rolling, until_today
from kpi.query import Comparison, Filter, KpiQuery
from kpi.scope import Scope
from kpi.vocabulary import read_vocabulary
from storage.database import counting, reading, writing
from tests.kpi.company import WORKSPACE, Company
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
    max_examples=3,
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


TODAY = date(2018, 6, 15)
MONTH = last(Grain.MONTH, TODAY)
YEAR = last(Grain.MONTH, TODAY, 12)
EVERYTHING = Scope(WORKSPACE, everything=True)
MANAGER = Scope(WORKSPACE, people=frozenset({"person:1"}), teams=frozenset({"team:1", "team:2"}))
REP = Scope(WORKSPACE, people=frozenset({"person:1"}))
ONE_TEAM = (Filter("team", "team:1", "Sales"),)
ONE_REP = (Filter("rep", "person:2", "Bo"),)
MISSION: list[tuple[str, str, Period, Scope, dict[str, Any]]] = [
    ("win_rate", "cohort", MONTH, EVERYTHING, {}),
    ("win_rate", "cohort", MONTH, EVERYTHING, {"filters": ONE_REP}),
    ("win_rate", "closed", MONTH, EVERYTHING, {"filters": ONE_TEAM, "group_by": "rep"}),
    ("win_rate", "closed", MONTH, EVERYTHING, {"filters": ONE_TEAM, "group_by": "segment"}),
    ("win_rate", "closed", MONTH, EVERYTHING, {"group_by": "region"}),
    ("win_rate", "flow", MONTH, EVERYTHING, {"group_by": "team"}),
    ("revenue_won", "sum", YEAR, EVERYTHING, {"grain": Grain.MONTH}),
    ("revenue_won", "sum", YEAR, EVERYTHING, {"grain": Grain.QUARTER, "group_by": "product"}),
    ("average_deal", "mean", MONTH, MANAGER, {"group_by": "rep"}),
    ("sales_cycle", "mean", MONTH, REP, {"grain": Grain.WEEK}),
    ("deals_created", "count", MONTH, REP, {"group_by": "team"}),
    ("upsell_rate", "count", YEAR, EVERYTHING, {"group_by": "source"}),
    ("leads", "count", MONTH, EVERYTHING, {"group_by": "source", "grain": Grain.DAY}),
    ("lead_conversion", "cohort", MONTH, MANAGER, {"group_by": "rep"}),
    ("open_pipeline", "sum", MONTH, EVERYTHING, {"group_by": "stage"}),
    ("open_pipeline", "count", YEAR, MANAGER, {"grain": Grain.MONTH}),
    ("retention", "strict", rolling(Grain.MONTH, 12, TODAY), EVERYTHING, {"group_by": "segment"}),
    ("retention", "literal", rolling(Grain.MONTH, 12, TODAY), MANAGER, {}),
    ("ltv", "mean", YEAR, EVERYTHING, {"grain": Grain.MONTH}),
    ("cac", "mean", MONTH, EVERYTHING, {"group_by": "source", "grain": Grain.WEEK}),
]


@pytest.fixture
def company(database: Engine) -> Company:
    """Two teams, deals and leads of every month, and buckets that are ready."""
    company = Company()
    sales = company.team("Sales")
    north = company.team("North", parent=sales)
    anna, bo = company.person("Anna", team=sales, region="Lyon"), company.person("Bo", team=north)
    buyers = [company.customer("Sun", segment="B2B", origin="Ads"), company.customer("Moon")]
    for at in range(60):
        created, won = TODAY - timedelta(days=7 * at), TODAY - timedelta(days=7 * at - 20)
        who, buyer = (anna, bo)[at % 2], buyers[at % 3 % 2]
        lead = company.lead(created=created, owner=who, customer=buyer)
        company.deal(
            created=created,
            won=won if at > 3 and at % 4 else None,
            amount=100 * at,
            owner=who,
            customer=buyer,
            lead=lead,
        )
    company.deal(created="2018-05-02", won="2018-05-10", amount=500, owner=bo, customer=company.customer("New"))
    company.spend(1000_00, "2018-05-01", "2018-05-31", origin="Ads")
    company.save(database)
    assert buckets.settle(database, WORKSPACE, TODAY)
    return company


def test_the_questions_of_every_day_are_one_statement_on_the_buckets(database: Engine, company: Company) -> None:
    asked = [KpiQuery(metric, how, period, scope, TODAY, **more) for metric, how, period, scope, more in MISSION]
    with reading(database) as connection:
        for query in asked:
            with counting(connection) as statements:
                (found,) = explained(connection, [query])
            assert (found.plan.kind, len(statements)) == ("buckets", 1), (query, found.plan.reason)
            assert any(each.measured.value is not None for each in (found.result, *found.result.groups)), query
        with counting(connection) as statements:
            answers(connection, [query for query in asked if query.scope is EVERYTHING])
        assert len(statements) == 1


def test_a_digest_with_trends_and_groups_is_two_statements(database: Engine, company: Company) -> None:
    with reading(database) as connection, counting(connection) as statements:
        looked_up = read_digest(connection, EVERYTHING, TODAY, ONE_TEAM)
    assert len(statements) == 2
    assert looked_up.trends
    assert looked_up.by_rep is not None
    without_buckets(database)
    with reading(database) as connection:
        assert read_digest(connection, EVERYTHING, TODAY, ONE_TEAM) == looked_up


def test_seen_from_a_day_with_other_teams_the_facts_are_asked(database: Engine) -> None:
    company = Company()
    first, second = company.team("First"), company.team("Second")
    anna = company.person("Anna")
    company.member(anna, first, ends="2018-07-01")
    company.member(anna, second, starts="2018-07-01")
    company.deal(created="2018-06-01", owner=anna)
    company.save(database)
    assert buckets.settle(database, WORKSPACE, TODAY)
    query = KpiQuery("open_pipeline", "count", MONTH, EVERYTHING, TODAY, group_by="team")
    july = replace(query, period=containing(Grain.MONTH, date(2018, 7, 1)), today=date(2018, 7, 2))
    june = replace(query, period=containing(Grain.MONTH, TODAY))
    with reading(database) as connection:
        before, after = explained(connection, [june, july])
    assert (before.plan.kind, after.plan.reason) == ("buckets", Why.ANOTHER_DAY)
    assert [group.name for group in before.result.groups] == ["First"]
    assert [group.name for group in after.result.groups] == ["Second"]


def test_names_and_conversion_times_are_those_of_the_facts(database: Engine, company: Company) -> None:
    with reading(database) as connection:
        names, days_ = (
            read_vocabulary(connection, EVERYTHING, today=TODAY).names,
            conversion_days(connection, WORKSPACE),
        )
    without_buckets(database)
    with reading(database) as connection:
        assert read_vocabulary(connection, EVERYTHING, today=TODAY).names == names
        assert conversion_days(connection, WORKSPACE) == days_ == 20
