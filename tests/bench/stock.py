"""Companies with their buckets built, one of each size and kind for a whole run: whoever changes one takes a copy."""

import atexit
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import cache

from sqlalchemy import Engine

from kpi import buckets
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


@cache
def stocked(kind: str, deals: int, today: date) -> Company:
    """The company of this kind and size, made where this run has none yet."""
    fresh = _fresh(kind)
    engine = fresh.empty()
    began = time.perf_counter()
    company.load(engine, deals, today)
    loaded = time.perf_counter()
    buckets.ensure(engine)
    if not buckets.settle(engine, SINGLE, today):
        raise AssertionError(f"the buckets of {deals:,} deals did not settle")
    return Company(engine, fresh, deals, loaded - began, time.perf_counter() - loaded)


def forget(kind: str, deals: int, today: date) -> None:
    """Give back the disk of a company that no later bench asks for."""
    remove(stocked(kind, deals, today).engine)
    stocked.cache_clear()


@cache
def _fresh(kind: str) -> Fresh:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(KINDS[kind]())
