"""The engine against the naive computation, for every KPI and reading, on companies that hypothesis makes up."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from kpi import period as periods
from kpi.catalog import CATALOG
from kpi.engine import answer
from kpi.period import Grain, Period
from kpi.query import Comparison, Filter, KpiQuery, Measured
from kpi.scope import Scope
from storage.database import reading
from tests.kpi.companies import companies, days, texts
from tests.kpi.company import Company
from tests.kpi.naive import Naive, Row, Value

READINGS = [(kpi, how) for kpi in CATALOG for how in kpi.readings]
TOLD = {"win_rate", "sales_cycle", "average_deal", "revenue_won", "deals_created", "upsell_rate"}


@st.composite
def questions(draw: Callable[..., Any]) -> dict[str, Any]:
    today = draw(days)
    period = draw(
        st.one_of(
            st.builds(lambda grain, day: periods.containing(grain, day), st.sampled_from(list(Grain)), days),
            st.builds(lambda grain: periods.this(grain, today), st.sampled_from(list(Grain))),
            st.builds(lambda day, length: Period(day, day + timedelta(days=length)), days, st.integers(1, 200)),
        )
    )
    return {
        "period": periods.until_today(period, today),
        "today": today,
        "comparison": draw(st.sampled_from([None, *Comparison])),
    }


def parts(measured: Measured) -> Value:
    return measured.value, measured.numerator, measured.denominator


COMPANY = {"company": companies(), "question": questions(), "data": st.data()}


@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(**COMPANY)
def test_every_number_is_what_the_definitions_say(
    database: Engine, company: Company, question: dict[str, Any], data: st.DataObject
) -> None:
    compare(database, company, question, data)


@pytest.mark.torture
@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(**COMPANY)
def test_every_number_of_many_companies_is_what_the_definitions_say(
    database: Engine, company: Company, question: dict[str, Any], data: st.DataObject
) -> None:
    compare(database, company, question, data)


def compare(database: Engine, company: Company, question: dict[str, Any], data: st.DataObject) -> None:
    company.save(database)
    naive = Naive(company, question["today"])
    grain = data.draw(st.sampled_from([None, None, *Grain]))
    if grain is Grain.DAY and question["period"].days > 60:
        grain = Grain.WEEK
    narrowed_to = data.draw(st.sampled_from([None, "team", "rep", "segment", "source"]))
    scope = data.draw(scopes(company))
    with reading(database) as connection:
        for declared, how in READINGS:
            group_by = data.draw(st.sampled_from([None, *declared.dimensions]))
            filters = ()
            if narrowed_to in declared.dimensions and scope.everything:
                filters = (data.draw(filters_on(company, narrowed_to)),)
            if "rep" not in declared.dimensions and not scope.everything:
                continue
            query = KpiQuery(
                declared.metric, how.key, scope=scope, group_by=group_by, grain=grain, filters=filters, **question
            )
            check(answer(connection, query), naive, visible(company, scope, filters))


@st.composite
def scopes(draw: Callable[..., Any], company: Company) -> Scope:
    if draw(st.integers(0, 2)):
        return Scope(company.workspace_id, everything=True)
    people = draw(st.sets(st.sampled_from(["person:1", "person:2"]), min_size=1))
    teams = draw(st.sampled_from([frozenset(), frozenset({"team:3"}), frozenset({"team:1", "team:2"})]))
    return Scope(company.workspace_id, people=frozenset(people), teams=teams)


@st.composite
def filters_on(draw: Callable[..., Any], company: Company, dimension: str) -> Filter:
    if dimension in {"team", "rep"}:
        table = "team" if dimension == "team" else "person"
        key = draw(st.sampled_from([None, *(row["id"] for row in company.rows[table])]))
    else:
        key = draw(texts)
    return Filter(dimension, key, str(key))


def visible(company: Company, scope: Scope, filters: tuple[Filter, ...]) -> Callable[[Row], bool]:
    below = {"team:1": {"team:1", "team:2"}}

    def keep(keys: Row) -> bool:
        for each in filters:
            wanted = below.get(each.key or "", {each.key}) if each.dimension == "team" else {each.key}
            if keys[each.dimension] not in wanted:
                return False
        return scope.everything or keys["rep"] in scope.people or keys["team"] in scope.teams

    return keep


def check(result: Any, naive: Naive, keep: Callable[[Row], bool]) -> None:
    query = result.query
    metric, how, period = query.metric, query.reading, query.period

    def value(start: date, end: date, keep: Callable[[Row], bool], before: date | None = None) -> Value:
        return naive.value(metric, how, start, end, keep, before=before)

    expected = value(period.start, period.end, keep)
    if not any(note.code == "before_data" for note in result.notes):
        assert parts(result.measured) == expected, (metric, how)
    before = result.previous.period if result.previous else None
    known = None
    if before is not None:
        known = before.end + timedelta(days=max(0, (query.today - period.last_day).days))
        assert parts(result.previous.measured) == value(before.start, before.end, keep, known), (metric, how, "before")
    for point in result.series:
        assert parts(point.measured) == value(point.start, point.end, keep), (metric, how, point.start)
    if query.grain is not None:
        assert [point.start for point in result.series][:1] == [period.start]
        assert result.series[-1].end == period.end
    for group in result.groups:

        def mine(keys: Row, key: str | None = group.key) -> bool:
            return keep(keys) and keys[query.group_by] == key

        assert parts(group.measured) == value(period.start, period.end, mine), (metric, how, query.group_by, group.key)
        if before is not None and query.group_by != "stage":
            assert parts(group.previous) == value(before.start, before.end, mine, known), (metric, how, group.key)
    adds_up = metric not in {"retention", "ltv", "cac", "lead_conversion"} and how not in {"median", "flow"}
    if query.group_by and adds_up:
        counted = [group.measured.denominator or group.measured.numerator for group in result.groups]
        assert sum(counted) == (expected[2] if expected[2] is not None else expected[1]), (metric, how)
    if metric in TOLD and how != "flow":
        told = {left.reason: left.count for left in result.left_out}
        assert told == naive.left_out(metric, how, period.start, period.end, keep), (metric, how)
