"""Who keeps the buckets up: each page of a sync folds what it changed, and what is then left is settled in short steps.

Numbers are exact throughout: until the buckets are ready, answers come from the rows themselves, and take longer.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date

from sqlalchemy import Connection, Engine

from bot.clock import Clock
from kpi import buckets
from kpi.buckets import state
from storage import leases
from storage.database import reading, writing
from storage.history import Change
from storage.sync import OnPage
from storage.workspaces import Workspace, read_workspace

log = logging.getLogger(__name__)

SAMPLE = 500
"""Rows of each kind that a check looks at."""
LEASE = "buckets"
"""One settles, others need not: it would be done twice."""

Progress = Callable[[str, int], None]
"""Called after each step with what it was about and how many rows it wrote."""


def keeper(engine: Engine, workspace_id: str, clock: Clock) -> OnPage:
    """What a sync calls within each transaction that changes rows."""
    workspace = _workspace(engine, workspace_id)

    def fold(connection: Connection, changes: Sequence[Change]) -> None:
        buckets.fold(connection, workspace_id, changes, _today(workspace, clock))

    return fold


def are_ready(engine: Engine, workspace_id: str, clock: Clock) -> bool:
    """Whether answers seen from today come from the buckets."""
    with reading(engine) as connection:
        workspace = read_workspace(connection, workspace_id)
        return state.read(connection, workspace_id).holds(_today(workspace, clock))


def settle(
    engine: Engine,
    workspace_id: str,
    clock: Clock,
    *,
    stop: Callable[[], bool] | None = None,
    progress: Progress | None = None,
) -> bool:
    """Do what is left until the buckets are ready; False where it was stopped, or somebody else is at it."""
    if are_ready(engine, workspace_id, clock):
        return True
    holder = uuid.uuid4().hex
    try:
        leases.take(engine, workspace_id, LEASE, holder)
    except leases.BusyError:
        return False
    try:
        with leases.kept(engine, workspace_id, LEASE, holder):
            today = _today(_workspace(engine, workspace_id), clock)
            return buckets.settle(engine, workspace_id, today, stop=stop, progress=progress)
    finally:
        with suppress(leases.LostError), writing(engine) as connection:
            leases.release(connection, workspace_id, LEASE, holder)


def check(engine: Engine, workspace_id: str, clock: Clock) -> buckets.Checked:
    """Compare a sample with the rows, another one each day, and say in the log what was found: ids and counts, never a
    figure. What was wrong waits to be settled, and the rows answer until then."""
    today = _today(_workspace(engine, workspace_id), clock)
    checked = buckets.check(engine, workspace_id, today, sample=SAMPLE, seed=today.toordinal())
    buckets.sweep(engine, workspace_id)
    if checked.right:
        log.info("buckets_checked workspace=%s tallies=%d cells=%d", workspace_id, checked.tallies, checked.cells)
    else:
        ids, cells = dict(checked.wrong_tallies), dict(checked.wrong_cells)
        log.error("buckets_repaired workspace=%s tallies=%s cells=%s", workspace_id, ids, cells)
    return checked


def _workspace(engine: Engine, workspace_id: str) -> Workspace:
    with reading(engine) as connection:
        return read_workspace(connection, workspace_id)


def _today(workspace: Workspace, clock: Clock) -> date:
    return clock.now().astimezone(workspace.zone).date()
