"""Syncs: every source that is due gets a turn, in threads of their own, and no slow or broken one starves another.

A turn is at most a minute of pages; what is not done by then goes to the back of the queue and on from its position.
The workspace with the fewest turns under way comes first, and sources that failed last time never take all threads.
"""

import logging
from collections import Counter
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Event

import httpx

from bot.conversation import Context
from bot.jobs import Job
from bot.jobs.turn import Turn
from storage import sources
from storage.database import reading
from storage.sources import Due
from storage.vault import Vault

log = logging.getLogger(__name__)

THREADS = 4
MOST_FAILING = 2
"""Of the threads, for sources whose last run failed: a CRM that is down holds a thread for minutes."""


def run(context: Context, stopping: Event, transport: httpx.BaseTransport | None = None) -> None:
    """Give every due source its turn, until none is due."""
    vault = Vault(context.settings.vault_keys)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="sync") as threads:
        under_way: dict[Future[None], Due] = {}
        while not stopping.is_set():
            while len(under_way) < THREADS and (due := next_turn(context, under_way.values())) is not None:
                turn = Turn(context, vault, due, stopping, transport)
                under_way[threads.submit(turn.take)] = due
            if not under_way:
                return
            for done in wait(under_way, timeout=1, return_when=FIRST_COMPLETED).done:
                due = under_way.pop(done)
                if (error := done.exception()) is not None:
                    log.error("turn_failed source=%s", due.source, exc_info=error)
                    return


def next_turn(context: Context, under_way: Collection[Due]) -> Due | None:
    """Whose turn it is, while these have theirs."""
    with reading(context.engine) as connection:
        interval = timedelta(minutes=context.settings.sync_minutes)
        due = sources.due(connection, context.clock.now(), interval)
    running = {(each.workspace_id, each.source) for each in under_way}
    busy = Counter(each.workspace_id for each in under_way)
    failing = sum(each.failures > 0 for each in under_way)
    free = [
        each
        for each in due
        if (each.workspace_id, each.source) not in running and (each.failures == 0 or failing < MOST_FAILING)
    ]
    return min(free, key=lambda each: busy[each.workspace_id], default=None)


JOB = Job("sync", 2, run)
