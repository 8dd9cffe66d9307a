"""Win rate, average deal, revenue and cycle, on companies small enough to count by hand."""

from datetime import date
from fractions import Fraction

import pytest
from sqlalchemy import Engine

from kpi.period import Grain, Period
from tests.kpi.asking import ask
from tests.kpi.company import Company


@pytest.fixture
def september(database: Engine) -> Engine:
    """Fifteen deals created in September: six won, four lost, one asleep, four open."""
    company = Company()
    for number in range(6):
        company.deal(created=f"2017-09-{number + 1:02}", won=f"2017-10-{number + 1:02}", amount=(number + 1) * 100)
    for number in range(4):
        company.deal(created=f"2017-09-{number + 10:02}", lost=f"2017-09-{number + 11:02}", amount=0)
    company.deal(created="2017-09-20", slept="2017-09-30")
    for number in range(4):
        company.deal(created=f"2017-09-{number + 21:02}")
    company.deal(created="2017-08-31", won="2017-09-01", amount=700)
    company.deal(created="2017-10-01", won="2017-10-01", amount=300)
    company.deal(created=None, won="2017-09-02", amount=None)
    company.deal(created="2017-09-03", won="2017-09-04", amount=900, deleted=True)
    company.save(database)
    return database


def test_fifteen_created_in_september_and_six_of_them_won_make_40_percent(september: Engine) -> None:
    result = ask(september, "win_rate", "cohort")
    assert (result.measured.value, result.measured.numerator, result.measured.denominator) == (40, 6, 15)


def test_the_cohort_says_how_many_are_still_open(september: Engine) -> None:
    result = ask(september, "win_rate", "cohort")
    assert {note.code: dict(note.values) for note in result.notes}["still_open"] == {"count": 4}


def test_the_closed_reading_stands_beside_the_cohort(september: Engine) -> None:
    (beside,) = ask(september, "win_rate", "cohort").beside
    assert beside.reading == "closed"
    assert (beside.measured.numerator, beside.measured.denominator) == (2, 6)
    assert beside.measured.value == Fraction(100 * 2, 6)


def test_deleted_and_undated_deals_are_left_out_and_counted(september: Engine) -> None:
    left = {each.reason: each.count for each in ask(september, "win_rate", "cohort").left_out}
    assert left == {"deleted": 1, "no_creation_date": 1}
    left = {each.reason: each.count for each in ask(september, "win_rate", "closed").left_out}
    assert left == {"deleted": 1, "dormant": 1}


def test_average_deal_leaves_out_a_missing_amount(september: Engine) -> None:
    result = ask(september, "average_deal", "mean")
    assert (result.measured.value, result.measured.denominator) == (700, 1)
    assert {each.reason: each.count for each in result.left_out} == {"deleted": 1, "no_amount": 1}


def test_a_series_and_groups_come_with_the_total(september: Engine) -> None:
    quarter = Period(date(2017, 8, 1), date(2017, 11, 1))
    result = ask(september, "deals_created", "count", quarter, grain=Grain.MONTH, group_by="rep")
    assert [point.measured.value for point in result.series] == [1, 15, 1]
    assert [(group.key, group.measured.value) for group in result.groups] == [(None, 17)]
    assert result.measured.value == 17


def test_groups_of_one_name_and_value_stand_in_the_order_of_their_keys(database: Engine) -> None:
    company = Company()
    twins = [company.person("Nord", team=company.team("Nord")) for _ in range(4)]
    for owner in reversed(twins):
        company.deal(created="2017-09-01", won="2017-09-02", owner=owner)
    company.save(database)
    keys = [group.key for group in ask(database, "win_rate", "cohort", group_by="rep").groups]
    assert keys == sorted(twins)


def test_the_median_cycle_is_the_mean_of_the_two_middle_ones(database: Engine) -> None:
    company = Company()
    for days in (0, 3, 8, 20):
        company.deal(created="2017-09-01", won=date(2017, 9, 1 + days))
    company.save(database)
    result = ask(database, "sales_cycle", "median", grain=Grain.WEEK, group_by="team")
    assert result.measured.value == Fraction(11, 2)
    assert [point.measured.value for point in result.series] == [0, Fraction(11, 2), None, 20, None]
    assert result.groups[0].measured.value == Fraction(11, 2)
    assert ask(database, "sales_cycle", "mean").measured.value == Fraction(31, 4)
