"""When a figure that was told is another now."""

from fractions import Fraction

import pytest

from kpi.catalog import CATALOG
from kpi.query import KpiResult, Unit
from kpi.told import is_another, query_of, question_of, settled, told
from tests.kpi.test_findings import count, result, win_rate


def won(numerator: int, denominator: int) -> KpiResult:
    return win_rate((numerator, denominator), (1, 2))


def money(value: int) -> KpiResult:
    return result("revenue_won", Unit.MONEY, count(value))


def leads(value: int) -> KpiResult:
    return result("leads", Unit.COUNT, count(value))


@pytest.mark.parametrize(
    ("before", "after", "another"),
    [
        (won(30, 100), won(31, 100), False),
        (won(30, 100), won(32, 100), True),
        (won(30, 100), won(28, 100), True),
        (money(100_000), money(105_000), False),
        (money(100_000), money(105_001), True),
        (money(100_000), money(94_999), True),
        (money(0), money(1), True),
        (leads(10), leads(11), True),
        (leads(100), leads(105), False),
        (leads(100), leads(106), True),
    ],
)
def test_a_figure_is_another_past_its_tolerance(before: KpiResult, after: KpiResult, another: bool) -> None:
    assert is_another(told(before), told(after)) is another


def test_a_value_that_there_is_no_more_is_another_and_none_stays_none() -> None:
    some, none = told(money(100)), {**told(money(100)), "value": None}
    assert is_another(some, none)
    assert is_another(none, some)
    assert not is_another(none, none)


def test_another_currency_is_another_figure() -> None:
    assert is_another(told(money(100)), {**told(money(100)), "currency": "USD"})


def test_a_question_comes_back_from_json_as_it_was() -> None:
    query = money(1).query
    again = query_of(query.scope.workspace_id, question_of(query))
    assert (again.metric, again.reading, again.period, again.today) == (
        query.metric,
        query.reading,
        query.period,
        query.today,
    )
    assert (again.scope, again.filters) == (query.scope, query.filters)


def test_what_ripens_by_itself_is_not_held_to_what_it_said() -> None:
    ripening = {(one.metric, each.key) for one in CATALOG for each in one.readings if not settled(one.metric, each.key)}
    assert {("win_rate", "cohort"), ("lead_conversion", "cohort")} <= ripening
    assert {metric for metric, _ in ripening} == {"win_rate", "lead_conversion", "open_pipeline"}
    assert all(
        settled(one.metric, one.judged) for one in CATALOG if one.metric not in {"lead_conversion", "open_pipeline"}
    )


def test_figures_are_kept_exactly() -> None:
    assert Fraction(str(told(won(1, 3))["value"])) == Fraction(100, 3)
