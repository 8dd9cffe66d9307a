"""Law `plans`: at any moment of any life the buckets tell what the facts tell, or say that they are not ready."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import count
from random import Random

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from kpi import buckets
from kpi.buckets.tables import bucket_state
from kpi.engine import Answer, explained
from kpi.query import KpiQuery
from kpi.scope import Scope
from storage.database import reading
from storage.history import Change
from tests.crm.lives import Killed, Watch
from tests.crm.truth import Held, differences, local_day
from tests.laws.asked import agree, questions
from tests.laws.houses import House
from tests.laws.synced import live

ALL_ROWS = 1_000


def plans_law(engine: Engine, house: House, seed: int) -> None:
    """One scenario; raises `AssertionError` with what is wrong."""
    random = Random(f"plans {house.name} {seed}")  # noqa: S311 - a life must be lived again from its seed

    def begin(watch: Watch) -> None:
        def on_page(connection: Connection, changes: Sequence[Change]) -> None:
            buckets.fold(connection, watch.workspace_id, changes, _today(watch))

        watch.on_page = on_page

    def look(watch: Watch) -> None:
        _settle(watch, random)
        if random.random() < 0.5:
            _compare(watch, random)

    lived = live(engine, house, seed, deeds=random.choice([8, 12, 20]), prefix="plans", begin=begin, look=look)
    try:
        watch, today = lived.watch, _today(lived.watch)
        assert buckets.settle(engine, lived.workspace_id, today), "never ready"
        answers = _compare(watch, random)
        assert any(each.plan.kind == "buckets" for each in answers), "nothing was answered from the buckets"
        checked = buckets.check(engine, lived.workspace_id, today, sample=ALL_ROWS, seed=seed)
        assert checked.right, f"{checked.wrong_tallies} {checked.wrong_cells}"
        held = Held(engine, lived.workspace_id, lived.crm.source)
        assert not differences(held, lived.truth)
        agree(engine, lived.workspace_id, lived.truth, held, random)
    finally:
        lived.watch.close()


def _today(watch: Watch) -> date:
    today = local_day(watch.crm.now)
    assert today is not None
    return today


def _settle(watch: Watch, random: Random) -> None:
    """As the job does: to the end, or stopped, or killed on the way, or not at all."""
    chance, steps = random.random(), count()
    if chance < 0.2:
        return
    least = random.randint(1, 6) if chance < 0.4 else None
    if chance > 0.85:
        watch.light(random.randint(1, 10))
    try:
        buckets.settle(
            watch.engine, watch.workspace_id, _today(watch), stop=lambda: least is not None and next(steps) >= least
        )
    except Killed:
        watch.told.append("killed while settling")
    finally:
        watch.light(None)


def _compare(watch: Watch, random: Random) -> list[Answer]:
    """Every answer by either plan, from one view of the data."""
    asked = questions(random, _today(watch), Scope(watch.workspace_id, everything=True))
    with reading(watch.engine) as connection:
        # One at a time or all at once: each is one statement.
        together = random.random() < 0.5
        found = explained(connection, asked) if together else [explained(connection, [each])[0] for each in asked]
    with _without_buckets(watch.engine, watch.workspace_id) as connection:
        counted = explained(connection, asked)
    for one, other in zip(found, counted, strict=True):
        assert other.plan.kind == "facts"
        assert one.result == other.result, _told(one.result.query, one)
    return found


@contextmanager
def _without_buckets(engine: Engine, workspace_id: str) -> Iterator[Connection]:
    """A view in which they were never built; nothing of it lasts."""
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(sa.delete(bucket_state).where(bucket_state.c.workspace_id == workspace_id))
        yield connection
        transaction.rollback()


def _told(query: KpiQuery, answer: Answer) -> str:
    grouped = f" by {query.group_by}" if query.group_by else ""
    return f"{query.metric} {query.reading}{grouped} from {query.period.start} to {query.period.end}: {answer.plan}"
