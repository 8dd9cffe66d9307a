"""The rows behind every number, and that they add up to it."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from kpi.behind import Behind, behind
from kpi.catalog import CATALOG
from kpi.period import Period
from kpi.query import KpiQuery
from storage.database import reading
from tests.kpi.asking import EVERYTHING, SEPTEMBER, TODAY, ask
from tests.kpi.company import Company

READINGS = [(kpi.metric, reading.key) for kpi in CATALOG for reading in kpi.readings]


def rows_behind(database: Engine, metric: str, how: str, period: Period = SEPTEMBER, **more: Any) -> Behind:
    limits = {name: more.pop(name) for name in ("limit", "offset") if name in more}
    with reading(database) as connection:
        return behind(connection, KpiQuery(metric, how, period, EVERYTHING, TODAY, **more), **limits)


@pytest.fixture
def shop(database: Engine) -> Engine:
    company = Company()
    anna = company.person("Anna", team=company.team("North"))
    acme, bolt = company.customer("Acme"), company.customer("Bolt")
    company.deal(created="2017-08-01", won="2017-09-02", amount=100, owner=anna, customer=acme)
    company.deal(created="2017-09-01", won="2017-09-05", amount=None, customer=acme)
    company.deal(created="2017-09-03", won="2017-09-07", amount=300, currency="USD", customer=bolt)
    company.deal(created="2017-09-09", won="2017-09-08", amount=400)
    company.deal(created=None, won="2017-09-10", amount=500)
    company.deal(created="2017-09-04", status="won", amount=600)
    company.deal(created="2017-09-11", lost="2017-09-12")
    company.deal(created="2017-09-11", slept="2017-09-13")
    company.deal(created="2017-09-11", won="2017-09-12", amount=800, deleted=True)
    company.deal(created="2017-09-14", amount=900)
    company.lead(created="2017-09-01", qualified=True)
    company.lead(created="2017-09-01", qualified=False)
    company.lead(created="2017-09-01", inbound=False, converted=True)
    company.lead(created=None, converted=True)
    company.save(database)
    return database


def test_each_row_says_whose_it_is_and_why_it_was_left_out(shop: Engine) -> None:
    found = rows_behind(shop, "revenue_won", "sum")
    assert [(row.id, row.counted, row.reason) for row in found.rows] == [
        ("deal:5", True, None),
        ("deal:4", True, None),
        ("deal:1", True, None),
        ("deal:9", False, "deleted"),
        ("deal:3", False, "unconverted"),
        ("deal:2", False, "no_amount"),
        ("deal:6", False, "no_closing_date"),
    ]
    first = found.rows[2]
    assert (first.owner, first.customer, first.amount_minor, first.currency) == ("Anna", "Acme", 100, "EUR")
    assert (first.created_on, first.closed_on, first.status) == (date(2017, 8, 1), date(2017, 9, 2), "won")


@pytest.mark.parametrize(("metric", "how"), READINGS)
def test_the_rows_left_out_are_those_that_the_answer_counts(shop: Engine, metric: str, how: str) -> None:
    answered = ask(shop, metric, how)
    found = rows_behind(shop, metric, how, limit=100)
    left: dict[str, int] = {}
    for row in found.rows:
        if row.reason is not None:
            left[row.reason] = left.get(row.reason, 0) + 1
    assert left == {each.reason: each.count for each in answered.left_out}
    assert found.total == len(found.rows)
    assert len({(row.kind, row.id) for row in found.rows}) == len(found.rows)


def test_pages_follow_each_other(shop: Engine) -> None:
    everything = rows_behind(shop, "win_rate", "flow", limit=100)
    pages = [rows_behind(shop, "win_rate", "flow", limit=3, offset=at) for at in range(0, everything.total, 3)]
    assert [row for page in pages for row in page.rows] == list(everything.rows)
    beyond = rows_behind(shop, "win_rate", "flow", limit=3, offset=1000)
    assert (beyond.rows, beyond.total) == ((), everything.total)


def test_a_deal_in_another_currency_is_shown_with_what_it_is_worth(database: Engine) -> None:
    company = Company()
    company.rate("USD", "0.9", "2017-01-01")
    company.deal(won="2017-09-05", amount=100_00, currency="USD")
    company.deal(won="2017-09-04", amount=50_00, currency="GBP")
    company.save(database)
    found = rows_behind(database, "revenue_won", "sum").rows
    told = [(row.amount_minor, row.currency, row.value_minor, row.reason) for row in found]
    assert told == [(100_00, "USD", 90_00, None), (50_00, "GBP", None, "unconverted")]
