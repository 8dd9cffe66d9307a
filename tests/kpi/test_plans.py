"""How SQLite goes about an answer: what a row is joined to is looked up, never read from end to end for every row."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from kpi import buckets
from kpi.catalog import CATALOG
from kpi.period import Grain, Period
from storage.database import open_engine, reading
from storage.migrate import upgrade
from tests.kpi.asking import ask
from tests.kpi.company import Company

YEAR = Period(date(2017, 1, 1), date(2018, 1, 1), Grain.YEAR)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'vigie.db'}")
    upgrade(engine)
    buckets.ensure(engine)
    Company().save(engine)
    yield engine
    engine.dispose()


def plan(engine: Engine, metric: str, reading_: str, dimension: str) -> list[str]:
    """What SQLite says it will do, for every statement of an answer."""
    asked: list[tuple[str, Any]] = []

    def remember(*event: Any) -> None:
        asked.append((event[2], event[3]))

    sa.event.listen(engine, "before_cursor_execute", remember)
    try:
        ask(engine, metric, reading_, YEAR, group_by=dimension)
    finally:
        sa.event.remove(engine, "before_cursor_execute", remember)
    with reading(engine) as connection:
        steps = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all() for sql, values in asked]
    return [step.detail for each in steps for step in each]


@pytest.mark.parametrize(
    ("metric", "how", "dimension"),
    [(kpi.metric, how.key, dimension) for kpi in CATALOG for how in kpi.readings for dimension in kpi.dimensions],
)
def test_no_join_reads_a_whole_table_for_every_row(engine: Engine, metric: str, how: str, dimension: str) -> None:
    steps = plan(engine, metric, how, dimension)
    assert steps
    assert [step for step in steps if re.match(r"SCAN .*LEFT-JOIN", step)] == []
