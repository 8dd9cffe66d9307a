"""The buckets: what no sync has settled is settled (after a kill, an upgrade, a day on which teams change), and once a
night a sample is compared with the rows."""

import uuid
from threading import Event

from bot import keeping
from bot.conversation import Context
from bot.jobs import Job
from storage import leases
from storage.database import reading
from storage.workspaces import all_workspaces

NIGHT = range(1, 5)
"""Local hours in which a sample is looked at."""
CHECKED, CHECKED_SECONDS = "buckets checked", 20 * 3600
"""A lease that nobody gives back: once a night, however many replicas there are."""


def run(context: Context, stopping: Event) -> None:
    """Every workspace, one after the other; most ticks find nothing to do."""
    with reading(context.engine) as connection:
        workspaces = all_workspaces(connection)
    for workspace in workspaces:
        if stopping.is_set():
            return
        ready = keeping.settle(context.engine, workspace.id, context.clock, stop=stopping.is_set)
        if ready and context.clock.now().astimezone(workspace.zone).hour in NIGHT and _is_mine(context, workspace.id):
            # What is found wrong, the next tick settles.
            keeping.check(context.engine, workspace.id, context.clock)


def _is_mine(context: Context, workspace_id: str) -> bool:
    """Whether nobody has looked at this workspace tonight; then nobody else will."""
    try:
        leases.take(context.engine, workspace_id, CHECKED, uuid.uuid4().hex, CHECKED_SECONDS)
    except leases.BusyError:
        return False
    return True


JOB = Job("buckets", 10, run)
