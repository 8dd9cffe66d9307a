"""What keeping the buckets up adds to a sync: 1 % of the deals change, all of the last 60 days, in pages of 1,000.

Both sides write the history and the quarantine; one folds what changed into the buckets within each transaction.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from kpi import buckets
from storage import schema, sync
from storage.connectors.base import Suggestion, Walk
from storage.database import reading
from storage.history import Change
from storage.records import Deal, Page, Position, Problem
from storage.workspaces import SINGLE
from tests.bench.databases import KINDS, remove
from tests.bench.harness import FULL, in_turn, seconds
from tests.bench.locks import PROMISED, Locks, watched
from tests.bench.ratios import Bench, Measure, Ratios
from tests.bench.stock import Company, stocked

DEALS = 1_000_000 if FULL else 100_000
TODAY = date(2026, 11, 19)
NOW = datetime.combine(TODAY, time(9), UTC)
PAGE, RECENT = 1000, timedelta(days=60)
ROUNDS = 5
"""What a person does to a deal, a tenth of the changed ones each: it is new, won, lost; else its amount and stage are
others."""


@dataclass
class Changed:
    """A CRM that tells these deals as changed."""

    deals: Sequence[Deal]
    at: datetime
    source: str = "made"
    spent: int = 0
    walks: Sequence[Walk] = (Walk(object="deal", key="modified"),)

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        for start in range(0, len(self.deals), PAGE):
            some = self.deals[start : start + PAGE]
            last = start + PAGE >= len(self.deals)
            bad = [
                Problem(object="deal", place=f"deal {start + at}", reason="amount_unreadable", ext_id=f"bad {at}")
                for at in range(5)
            ]
            yield Page(
                object="deal",
                records=some,
                problems=bad,
                position=position.done() if last else Position(listing=False, since=self.at, after=some[-1].ext_id),
                last=last,
            )

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        raise NotImplementedError

    def suggestions(self) -> Sequence[Suggestion]:
        return ()


def recent(engine: Engine) -> list[dict[str, Any]]:
    """The deals that were created in the last 60 days."""
    deal = schema.deal
    with reading(engine) as connection:
        found = connection.execute(
            sa.select(deal).where(
                deal.c.workspace_id == SINGLE, deal.c.created_on > TODAY - RECENT, deal.c.deleted_at.is_(None)
            )
        )
        return [dict(row) for row in found.mappings()]


def changed(rows: Sequence[dict[str, Any]], number: int, at: datetime) -> list[Deal]:
    """1 % of the deals as they are after the round of this number."""
    dice = random.Random(number)  # noqa: S311 - the same every time
    return [_after(row, at_, number, at, dice) for at_, row in enumerate(dice.sample(rows, DEALS // 100))]


def _after(row: dict[str, Any], place: int, number: int, at: datetime, dice: random.Random) -> Deal:
    def named(column: str) -> str | None:
        return None if row[column] is None else row[column].removeprefix("made:")

    status, closed, stage = row["status"], row["closed_on"], named("stage_id")
    match place % 10:
        case 1 | 2:
            status, stage = ("won", "s3") if place % 10 == 1 else ("lost", "s4")
            closed = max(row["created_on"], TODAY - timedelta(days=dice.randrange(10)))
        case _ if status == "open":
            stage = f"s{dice.randrange(3)}"
    return Deal(
        ext_id=f"new {number} {place}" if place % 10 == 0 else row["ext_id"],
        name=row["name"],
        status=status,
        raw_status=status,
        customer=named("customer_id"),
        owner=named("owner_id"),
        product=named("product_id"),
        pipeline=named("pipeline_id"),
        stage=stage,
        lead=named("lead_id"),
        segment=row["segment"],
        origin=row["origin"],
        amount_minor=dice.randrange(10_000, 900_000),
        currency="EUR",
        created=row["created_on"],
        closed=closed,
        modified=at,
    )


def fold(connection: Connection, changes: Sequence[Change]) -> None:
    buckets.fold(connection, SINGLE, changes, TODAY)


def with_buckets(engine: Engine, source: Changed) -> None:
    """As the product does: folded within each transaction, and what is left over at the end."""
    sync.load(engine, SINGLE, source, now=source.at, on_page=fold)
    if not buckets.settle(engine, SINGLE, TODAY):
        raise AssertionError("the buckets are not ready after a sync")


def without(engine: Engine, source: Changed) -> None:
    sync.load(engine, SINGLE, source, now=source.at)


def _measure(name: str, company: Company) -> Iterator[Measure]:
    ours, theirs = company.copy(), company.copy()
    rows, numbers = recent(ours), {ours: count(), theirs: count()}

    def side(work: Any, engine: Engine) -> float:
        number = next(numbers[engine])
        at = NOW + timedelta(minutes=number)
        source = Changed(changed(rows, number, at), at)
        return seconds(partial(work, engine, source))

    side(with_buckets, ours)
    side(without, theirs)
    with watched(ours) as locks:
        mine, bare, ratio = in_turn(partial(side, with_buckets, ours), partial(side, without, theirs), rounds=ROUNDS)
    some = DEALS // 100
    yield Measure(f"sync_with_over_without_buckets{name}", _each(mine, some), _each(bare, some), ratio)
    if not name:
        yield _worst(locks)
    remove(ours)
    remove(theirs)


def _each(taken: float, deals: int) -> str:
    return f"{taken / deals * 1e6:,.0f} µs a deal"


def _worst(locks: Locks) -> Measure:
    taken, _ = locks.worst
    return Measure("worst_write_lock_over_50ms", f"{taken * 1e3:.0f} ms", f"{PROMISED * 1e3:.0f} ms", taken / PROMISED)


def bench() -> Iterator[Measure]:
    for kind in KINDS:
        yield from _measure("" if kind == "sqlite" else f"_{kind}", stocked(kind, DEALS, TODAY))


BENCH = Bench(
    (
        Ratios(
            ("sync_with_over_without_buckets", "sync_with_over_without_buckets_postgresql"),
            "A sync of 1 % of 100,000 deals (1,000,000 with `BENCH=full`), all of the last 60 days, in pages of 1,000, "
            "that keeps the buckets, over the same without. History and quarantine on both sides.",
            "a measure or a shape is added, or a fold asks the facts more.",
            most=3,
        ),
        Ratios(
            ("worst_write_lock_over_50ms",),
            "The longest transaction of these syncs with buckets on SQLite, from having the write lock to giving it "
            "back, over 50 ms. Other programs on the machine make it worse.",
            "a transaction does more than a stride of rows.",
            most=1,
        ),
    ),
    bench,
)
