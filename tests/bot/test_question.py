"""A question shown back in words is understood as the same question again, in both languages."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.i18n import language
from bot.views.help import EXAMPLES
from bot.views.question import describe
from kpi import period as periods
from kpi.catalog import CATALOG, kpi
from kpi.period import Grain, Period
from kpi.query import DIMENSIONS, Comparison, Filter, KpiQuery
from kpi.words import understand
from tests.kpi.words.conftest import NAMES, SCOPE, TODAY, VOCABULARY

DAYS = st.dates(date(2015, 1, 1), TODAY)
FILTERS = st.sampled_from([Filter(name.dimension, name.key, name.name) for name in NAMES]) | st.sampled_from(
    [Filter(dimension, None, "(none)") for dimension in DIMENSIONS]
)


@st.composite
def asked_periods(draw: st.DrawFn, fiscal: int) -> Period:
    grain = draw(st.sampled_from(Grain))
    match draw(st.sampled_from(["unit", "this", "last", "since", "between", "rolling", "fiscal"])):
        case "unit":
            return periods.until_today(periods.containing(grain, draw(DAYS), fiscal), TODAY)
        case "this":
            return periods.this(grain, TODAY, fiscal)
        case "last":
            return periods.last(grain, TODAY, draw(st.integers(1, 6)), fiscal)
        case "since":
            return periods.since(draw(DAYS), TODAY)
        case "rolling":
            return periods.rolling(draw(st.sampled_from([Grain.DAY, Grain.MONTH])), draw(st.integers(2, 40)), TODAY)
        case "fiscal":
            return periods.until_today(periods.fiscal_year(draw(DAYS), fiscal), TODAY)
        case _:
            start = draw(DAYS)
            return periods.between(start, min(TODAY, start + timedelta(days=draw(st.integers(0, 500)))))


@st.composite
def queries(draw: st.DrawFn) -> tuple[KpiQuery, int]:
    fiscal = draw(st.sampled_from([1, 1, 2, 4, 7, 12]))
    declared = draw(st.sampled_from(CATALOG))
    chosen = draw(st.lists(FILTERS, max_size=2, unique_by=lambda each: each.dimension))
    return (
        KpiQuery(
            metric=declared.metric,
            reading=draw(st.sampled_from([reading.key for reading in declared.readings])),
            period=draw(asked_periods(fiscal)),
            scope=SCOPE,
            today=TODAY,
            comparison=draw(st.sampled_from([*Comparison, None])),
            group_by=draw(st.none() | st.sampled_from(DIMENSIONS)),
            grain=draw(st.none() | st.sampled_from(Grain)),
            filters=tuple(sorted(chosen, key=lambda each: (each.dimension, each.key or ""))),
        ),
        fiscal,
    )


@pytest.mark.parametrize("code", ["en", "fr"])
@given(asked=queries())
@settings(max_examples=60, deadline=None)
def test_what_is_shown_back_is_understood_as_the_same_question(code: str, asked: tuple[KpiQuery, int]) -> None:
    query, fiscal = asked
    shown = describe(query, language(code), fiscal)
    again = understand(shown, VOCABULARY, today=TODAY, scope=SCOPE, fiscal_start_month=fiscal)
    # A range of days that happens to be a month is shown, and read again, as that month: the days are what must hold.
    assert (again.period.start, again.period.end) == (query.period.start, query.period.end), shown
    parts = ("metric", "reading", "comparison", "group_by", "grain", "filters")
    assert [getattr(again, part) for part in parts] == [getattr(query, part) for part in parts], shown


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("en", "Win rate (by closing date), Q4 2017, by team, by week, team Paris, vs last year"),
        (
            "fr",
            "Taux de transformation (par date de clôture), T4 2017, par équipe, par semaine, équipe Paris, "
            "vs l'an dernier",
        ),
    ],
)
def test_a_question_shown_back(code: str, shown: str) -> None:
    query = understand(
        "win rate closed T4 2017 par équipe weekly for Paris vs last year", VOCABULARY, today=TODAY, scope=SCOPE
    )
    assert describe(query, language(code)) == shown


@pytest.mark.parametrize("code", ["en", "fr"])
@pytest.mark.parametrize("declared", CATALOG, ids=lambda declared: declared.metric)
def test_the_name_of_every_kpi_is_one_of_its_words(code: str, declared: object) -> None:
    metric = getattr(declared, "metric", "")
    said = language(code)._(kpi(metric).name)
    assert understand(said, VOCABULARY, today=TODAY, scope=SCOPE).metric == metric


@pytest.mark.parametrize("question", [example for examples in EXAMPLES.values() for example in examples])
def test_every_example_of_the_help_is_understood(question: str) -> None:
    assert understand(question, VOCABULARY, today=TODAY, scope=SCOPE)
