"""The buckets: what no sync has settled is settled (after a kill, an upgrade, a day on which teams change)."""

from threading import Event

from bot import keeping
from bot.conversation import Context
from bot.jobs import Job
from storage.database import reading
from storage.workspaces import all_workspaces


def run(context: Context, stopping: Event) -> None:
    """Every workspace, one after the other; most ticks find nothing to do."""
    with reading(context.engine) as connection:
        workspaces = all_workspaces(connection)
    for workspace in workspaces:
        if stopping.is_set():
            return
        keeping.settle(context.engine, workspace.id, context.clock, stop=stopping.is_set)


JOB = Job("buckets", 10, run)
