"""Syncs to be killed, each in a process of its own: `run` is what that process does."""

import os
import signal
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from storage.database import open_engine
from storage.records import Customer, Deal, Gone, Page, Passage, Position, Problem
from storage.sync import Report
from tests.storage.sources import NOW, Told, load_all

CUSTOMERS = [Customer(ext_id=f"C{number}", name=f"C{number}") for number in range(3)]


def deals(*left_out: int, **more: object) -> list[Deal]:
    return [
        Deal(**{"ext_id": f"D{number}", "name": "D", "status": "open", "customer": "C0", "amount_minor": number} | more)  # type: ignore[arg-type]
        for number in range(12)
        if number not in left_out
    ]


def pages(told: list[Deal], *, listing: bool, size: int = 4) -> list[Page]:
    bad = Problem(object="deal", place="deal X", reason="amount_unreadable", ext_id="X")
    starts = range(0, len(told), size)
    return [
        Page(
            object="deal",
            records=told[start : start + size],
            passages=[Passage(deal=each.ext_id, stage="S", at=NOW) for each in told[start : start + size]],
            problems=[bad] if start == 0 else [],
            position=Position(listing=listing, token=str(start), since=None if listing else NOW, after=str(start)),
            listing=listing,
            last=start == starts[-1],
        )
        for start in starts
    ]


def first_load(_engine: Engine) -> Told:
    return Told([Page(object="customer", records=CUSTOMERS, listing=True, last=True), *pages(deals(), listing=True)])


def relisting(_engine: Engine) -> Told:
    """Two deals are no more."""
    return Told(pages(deals(3, 7), listing=True))


def changes(_engine: Engine) -> Told:
    """Amounts change, a deal goes, a customer is taken over."""
    merged = Gone(object="customer", ext_id="C0", merged_into="C1")
    first, *rest = pages(deals(1, currency="EUR", amount_minor=7), listing=False)
    over = Page(object="customer", records=(), gone=[merged, Gone(object="deal", ext_id="D1")], last=True)
    return Told([over, first, *rest])


SCENARIOS: dict[str, tuple[Callable[[Engine], Told], bool]] = {
    "first load": (first_load, False),
    "listing": (relisting, True),
    "changes": (changes, False),
}
"""Name to the source, and whether everything is listed."""


BEGUN = 4
"""Transactions after which the first page is in: the workspace, the lease, the run, the page."""


def sync(engine: Engine, name: str, *, after: int = 0) -> Report:
    """`after` a run that died so late that a listing was under way, nobody asks for it again."""
    source, full = SCENARIOS[name]
    return load_all(engine, source(engine), full=full and after < BEGUN)


def run(url: str, name: str, number: int) -> None:
    """Sync, and die by SIGKILL just before the transaction of this number (0 = the first) is committed."""
    engine = open_engine(url)
    committed = 0

    @sa.event.listens_for(engine, "commit")
    def _die(connection: Connection) -> None:
        nonlocal committed
        if connection.get_execution_options().get("vigie_writing"):
            if committed == number:
                os.kill(os.getpid(), signal.SIGKILL)
            committed += 1

    sync(engine, name)
    engine.dispose()
