"""The page engine: every source goes through here, a page at a time, a transaction a page.

One run at a time of each source (a lease on the database's clock, renewed with every page). Each walk goes on where the
last page that was written left it: a kill at any point costs one page. What a complete listing does not tell is gone,
unless too much would be; then the object waits, as it does when the source no longer tells what Vigie rests on. While
the connector reads, no transaction is open.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, Engine

from storage import hints as hints_room
from storage.connectors.base import AbsentError, Connector, DriftError, Hint
from storage.connectors.http import BudgetError
from storage.history import Change
from storage.leases import BusyError, LostError
from storage.reports import Counts, Month, Report
from storage.running import OnPage, Run
from storage.troubles import Code, Trouble

__all__ = ["BusyError", "Change", "Counts", "LostError", "Month", "OnPage", "Progress", "Report", "load", "reread"]

Progress = Callable[[str, int], None]
"""Called after each page with its object and how many rows it settled."""

_REREAD = 100
"""Rows that are read again in one page."""


def load(
    engine: Engine,
    workspace_id: str,
    connector: Connector,
    *,
    now: datetime,
    clock: Callable[[], datetime] | None = None,
    full: bool = False,
    accepts_deletes: bool = False,
    on_page: OnPage | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> Report:
    """Bring what is stored to what the source says; `now` is the aware moment at which the run begins.

    `clock` tells the moment written beside what each transaction changes; without one, `now` is. `full` lists
    everything and compares; else each object is listed once, and then its changes are read. `accepts_deletes`: a person
    has said that what a listing lacks is gone, however much it is. `stop` is asked between pages: True ends the run, to
    go on later. Loading the same content again writes nothing but the run and the moment of completeness.

    Raises `BusyError` where another run of the source is under way, `LostError` where another took over because this
    one was too slow. What else the connector or the database raises passes through, after the run is marked as failed;
    pages already loaded stay.
    """
    run = Run(
        engine,
        workspace_id,
        connector,
        now=now,
        clock=clock or (lambda: now),
        full=full,
        accepts_deletes=accepts_deletes,
        on_page=on_page,
    )
    with _running(run):
        try:
            finished = all(_walk(run, connector, number, progress, stop) for number in range(len(connector.walks)))
        except BudgetError as spent:
            run.report.resume_at, finished = spent.until, False
        if not finished:
            run.report.outcome = "partial"
        run.report.suggestions = tuple(connector.suggestions())
    return run.report


def reread(
    engine: Engine,
    workspace_id: str,
    connector: Connector,
    hints: Sequence[Hint],
    *,
    now: datetime,
    clock: Callable[[], datetime] | None = None,
    on_page: OnPage | None = None,
) -> Report:
    """Read these rows again by id, and note that the hints are settled. Raises what `load` raises.

    Out of budget, or where an object waits, the hints that are left stay as they are.
    """
    run = Run(
        engine,
        workspace_id,
        connector,
        now=now,
        clock=clock or (lambda: now),
        full=False,
        accepts_deletes=False,
        on_page=on_page,
    )
    with _running(run):
        try:
            for object_, some in groupby(sorted(hints, key=lambda hint: hint.object), key=lambda hint: hint.object):
                _settle(run, connector, object_, list(some))
        except BudgetError as spent:
            run.report.resume_at, run.report.outcome = spent.until, "partial"
    return run.report


def _walk(
    run: Run,
    connector: Connector,
    number: int,
    progress: Progress | None,
    stop: Callable[[], bool] | None,
) -> bool:
    """Read one object from where it stands; False = stopped before its end."""
    if stop is not None and stop():
        return False
    walk = connector.walks[number]
    if not walk.wanted:
        run.leave_out(walk.object)
        return True
    position = run.start(walk)
    try:
        for page in connector.pages(walk, position):
            counts = run.settle(page, walk)
            if progress is not None:
                progress(page.object, counts.seen + counts.quarantined)
            over = page.last and page.object == walk.object
            if not over and stop is not None and stop():
                return False
    except AbsentError as absent:
        run.miss(walk.object, absent.name)
    except DriftError as drift:
        run.hold(walk.object, Trouble(drift.object, Code.DRIFT, {"field": drift.field}))
    return True


def _settle(run: Run, connector: Connector, object_: str, hints: Sequence[Hint]) -> None:
    ids = list(dict.fromkeys(hint.ext_id for hint in hints))
    for start in range(0, len(ids), _REREAD):
        some = ids[start : start + _REREAD]
        events = [hint.event_id for hint in hints if hint.ext_id in set(some)]
        try:
            page = connector.reread(object_, some)
        except DriftError as drift:
            run.hold(object_, Trouble(drift.object, Code.DRIFT, {"field": drift.field}))
            return

        def settled(connection: Connection, events: Sequence[str] = events) -> None:
            hints_room.settle(connection, run.workspace_id, run.source, events, run.now)

        run.settle(page, None, also=settled)


@contextmanager
def _running(run: Run) -> Iterator[None]:
    try:
        with run.lease():
            run.begin()
            yield
            run.end()
    except LostError:
        raise
    except BaseException as failure:
        run.fail(type(failure).__name__)
        raise
