"""Whatever happens to the rows, folding leaves each tally what the facts say, and each cell what they add up to."""

from datetime import date, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from kpi import buckets
from kpi.buckets import state
from storage.database import reading, writing
from tests.kpi.buckets.lives import Life
from tests.kpi.buckets.mended import assert_mended
from tests.kpi.companies import companies
from tests.kpi.company import Company

TODAY = date(2018, 6, 1)
SOME = settings(max_examples=4, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


@SOME
@given(company=companies(), seed=st.integers(0, 2**32))
def test_folding_page_by_page_keeps_every_sum(database: Engine, company: Company, seed: int) -> None:
    company.save(database)
    life, today = Life(company.workspace_id, seed), TODAY
    assert buckets.settle(database, company.workspace_id, today)
    for number in range(6):
        today += timedelta(days=number % 2)
        with writing(database) as connection:
            buckets.fold(connection, company.workspace_id, life.page(connection, today), today)
        with reading(database) as connection:
            holds = state.read(connection, company.workspace_id).holds(today)
        assert holds or buckets.settle(database, company.workspace_id, today)
    assert_mended(database, company.workspace_id, today)
