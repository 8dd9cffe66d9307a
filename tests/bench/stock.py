"""Companies with their buckets built, one of each size and kind for a whole run: whoever changes one takes a copy."""

import atexit
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import cache

from sqlalchemy import Engine

from kpi import buckets
from storage.database import open_engine
from storage.workspaces import SINGLE
from tests.bench import company
from tests.bench.databases import KINDS, Fresh, remove


@dataclass(frozen=True, slots=True)
class Company:
    """A database with a company in it."""

    engine: Engine
    fresh: Fresh
    deals: int
    load_seconds: float
    """Of its rows, in bulk."""
    build_seconds: float
    """Of its buckets."""

    def copy(self) -> Engine:
        """On a copy of it: give it to `databases.remove` when done."""
        return self.fresh.copy(self.engine)


def stocked(kind: str, deals: int, today: date) -> Company:
    """The company of this kind and size, made where this run has none yet."""
    return _made(deals, today)[kind]


def forget(deals: int, today: date) -> None:
    """Give back the disk of companies that no later bench asks for."""
    for each in _made(deals, today).values():
        remove(each.engine)
    _made.cache_clear()


@cache
def _made(deals: int, today: date) -> dict[str, Company]:
    """Both kinds at once, each by a process of its own: a bench has two cores, and they are most of its time."""
    kinds = {kind: _fresh(kind) for kind in KINDS}
    engines = {kind: fresh.empty() for kind, fresh in kinds.items()}
    with ProcessPoolExecutor(len(kinds), multiprocessing.get_context("spawn")) as pool:
        making = {
            kind: pool.submit(_fill, engine.url.render_as_string(hide_password=False), deals, today)
            for kind, engine in engines.items()
        }
        return {kind: Company(engines[kind], kinds[kind], deals, *made.result()) for kind, made in making.items()}


def _fill(address: str, deals: int, today: date) -> tuple[float, float]:
    """The seconds of the rows and of the buckets."""
    engine = open_engine(address)
    began = time.perf_counter()
    company.load(engine, deals, today)
    loaded = time.perf_counter()
    buckets.ensure(engine)
    if not buckets.settle(engine, SINGLE, today):
        raise AssertionError(f"the buckets of {deals:,} deals did not settle")
    done = time.perf_counter()
    engine.dispose()
    return loaded - began, done - loaded


@cache
def _fresh(kind: str) -> Fresh:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(KINDS[kind]())
