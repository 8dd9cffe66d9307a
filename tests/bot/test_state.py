"""A question carried by a button."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.state import StaleStateError, decode, encode
from kpi.period import Grain, Period
from kpi.query import Comparison, Filter, KpiQuery
from kpi.scope import Scope

TODAY = date(2026, 11, 23)
BOSS = Scope("main", everything=True)
REP = Scope("main", people=frozenset({"files:7"}))
QUERY = KpiQuery(
    "win_rate",
    "cohort",
    Period(date(2026, 10, 1), date(2026, 11, 1), Grain.MONTH),
    BOSS,
    TODAY,
    comparison=Comparison.LAST_YEAR,
    group_by="team",
    grain=Grain.WEEK,
    filters=(Filter("segment", "B2B", "B2B"), Filter("source", None, "(none)")),
)


def test_a_question_comes_back_as_it_was_with_the_scope_of_who_clicks() -> None:
    value = encode(QUERY)
    assert value is not None
    assert len(value) < 300
    assert decode(value, REP, TODAY) == replace(QUERY, scope=REP)
    assert "files:7" not in value


def test_a_question_too_long_for_a_button_gives_no_button() -> None:
    assert encode(replace(QUERY, filters=(Filter("segment", "x" * 2500, "x"),))) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "null",
        "[]",
        "{}",
        "not json",
        '{"m":"win_rate"}',
        '{"m":"win_rate","r":"cohort","a":"2026-13-01","b":"2026-11-01"}',
        '{"m":"win_rate","r":"cohort","a":"2026-11-01","b":"2026-10-01"}',
        '{"m":"win_rate","r":"nope","a":"2026-10-01","b":"2026-11-01"}',
        '{"m":"nope","r":"cohort","a":"2026-10-01","b":"2026-11-01"}',
        '{"m":"win_rate","r":"cohort","a":"2026-10-01","b":"2026-11-01","g":"salary"}',
        '{"m":"win_rate","r":"cohort","a":"2026-10-01","b":"2026-11-01","f":[{"d":"workspace_id","k":"x","n":"x"}]}',
        '{"m":"win_rate","r":"cohort","a":"2026-10-01","b":"2026-11-01","scope":{"everything":true}}',
        '{"v":2,"m":"win_rate","r":"cohort","a":"2026-10-01","b":"2026-11-01"}',
        '{"m":"win_rate","r":"cohort","a":"0001-01-01","b":"9999-01-01"}',
    ],
)
def test_what_vigie_did_not_put_there_is_refused(value: str) -> None:
    with pytest.raises(StaleStateError):
        decode(value, BOSS, TODAY)


@given(st.text(max_size=200))
def test_any_text_is_a_question_or_refused(value: str) -> None:
    with pytest.raises(StaleStateError):
        decode(value, BOSS, TODAY)
