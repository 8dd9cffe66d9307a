"""Every question of the mission asked in each way, in turn: Vigie by its buckets and by the facts, the bare driver,
pandas. Before anything is timed, all of them must have come to the same numbers.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import Engine

from kpi import engine as engines
from kpi.buckets.tables import bucket_state
from kpi.query import KpiResult
from storage.database import reading, writing
from tests.bench import frames
from tests.bench.databases import remove
from tests.bench.mission import Question, answered, questions
from tests.bench.stock import Company

NAMES = tuple(question.name for question in questions())
WITHIN_MS = 1.0
"""An answer so near to the driver's counts as 1."""
_PAIRS, _SECONDS = 60, 1.5


@dataclass
class Times:
    """Milliseconds by question."""

    buckets: dict[str, float] = field(default_factory=dict)
    driver: dict[str, float] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    beside_facts: dict[str, float] = field(default_factory=dict)
    """Of the buckets, measured in turn with the facts."""
    frames: dict[str, float] = field(default_factory=dict)

    def over_driver(self, name: str) -> float:
        mine, bare = self.buckets[name], self.driver[name]
        return 1.0 if mine - bare <= WITHIN_MS else mine / bare

    def over_buckets(self, name: str) -> float:
        return self.facts[name] / self.beside_facts[name]


def measured(company: Company, in_frames: Set[str]) -> Times:
    """Every question; with pandas only those named."""
    times, by_facts = Times(), company.copy()
    with writing(by_facts) as connection:
        connection.execute(sa.update(bucket_state).values(state="building"))
    # As `vigie serve` does: what is loaded for good is not looked through again.
    gc.collect()
    gc.freeze()
    with _driver(company.engine) as raw:
        for question in questions():
            name = question.name
            _same(company.engine, by_facts, raw, question)
            ours = partial(_ask, company.engine, question)
            times.buckets[name], times.driver[name] = _pair(ours, partial(_fetch, raw, question))
            times.beside_facts[name], times.facts[name] = _pair(ours, partial(_ask, by_facts, question))
            if name in in_frames:
                began = time.perf_counter()
                value = frames.ANSWERS[name](raw)
                times.frames[name] = (time.perf_counter() - began) * 1000
                exact = ours(0)[0].measured.value
                if name not in frames.ROUGH and abs(float(exact or 0) - value) > 1e-6 * max(1.0, value):
                    raise AssertionError(f"pandas says {value} for {name}, Vigie {exact}")
    remove(by_facts)
    return times


def _ask(engine: Engine, question: Question, at: int) -> Sequence[KpiResult]:
    """As the app asks: a connection of the pool, a transaction, one question or several."""
    queries = question.variants[at % len(question.variants)][0]
    with reading(engine) as connection:
        if len(queries) == 1:
            return [engines.answer(connection, queries[0])]
        return engines.answers(connection, queries)


def _fetch(raw: Any, question: Question, at: int) -> Sequence[tuple[Any, ...]]:
    found = question.variants[at % len(question.variants)][1]
    cursor = raw.cursor()
    cursor.execute(found.spelled("postgresql" if isinstance(raw, psycopg.Connection) else "sqlite"), found.given)
    rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _same(by_buckets: Engine, by_facts: Engine, raw: Any, question: Question) -> None:
    mine = _ask(by_buckets, question, 0)
    if mine != _ask(by_facts, question, 0):
        raise AssertionError(f"buckets and facts differ on {question.name}")
    bare = list(question.told(_fetch(raw, question, 0)))
    if bare != answered(mine):
        raise AssertionError(f"the lookup of {question.name} comes to {bare}, Vigie to {answered(mine)}")


def _pair(ours: Callable[[int], object], theirs: Callable[[int], object]) -> tuple[float, float]:
    """Milliseconds of each, in turn: lower quartiles, on which other work of the machine tells less than on medians.

    The first pair only warms up.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    ours(0), theirs(0)
    until = time.perf_counter() + _SECONDS
    for at in range(_PAIRS):
        for side, work in enumerate((ours, theirs)):
            began = time.perf_counter()
            work(at)
            taken[side].append((time.perf_counter() - began) * 1000)
        if at >= 2 and time.perf_counter() > until:
            break
    first, second = (statistics.quantiles(each, n=4)[0] for each in taken)
    return first, second


@contextmanager
def _driver(engine: Engine) -> Iterator[Any]:
    """A connection of the driver itself, as its own manual opens it."""
    if engine.dialect.name == "sqlite":
        import sqlite3

        raw: Any = sqlite3.connect(str(engine.url.database), isolation_level=None)
    else:
        address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        raw = psycopg.connect(address, autocommit=True)
    try:
        yield raw
    finally:
        raw.close()
