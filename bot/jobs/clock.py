"""Ticks, and nothing more: APScheduler calls each job every few seconds; what is due is read from the database.

And the watch over them: a job shows that it is alive when a round ends, and whenever it asks, between two pieces of
work, whether to stop. One that shows nothing for three intervals and a minute hangs: `/healthz` says so, and the
database, in which each says now and then that it is done for this process, says it to `vigie doctor`.
"""

import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from threading import Event

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.jobstores.base import JobLookupError  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from bot.conversation import Context
from bot.jobs import Job
from storage import beats
from storage.database import writing
from storage.workspaces import SINGLE

log = logging.getLogger(__name__)

BEAT_SECONDS = 30.0
"""Between two words to the database that a job is alive."""


class Alive(Event):
    """`stopping`, as one job sees it: it remembers when the job last looked at it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self.seen = clock()
        self.told = float("-inf")
        """When the database was last told."""

    def show(self) -> None:
        self.seen = self._clock()

    def is_set(self) -> bool:
        self.show()
        return super().is_set()


def allowed(job: Job) -> float:
    """After so many seconds without a sign of life, a job hangs."""
    return 3 * job.every_seconds + 60


class Ticks:
    """Runs jobs in threads of its own, never twice at once; one that is late is not made up for.

    `clock` gives seconds that never jump.
    """

    def __init__(self, context: Context, jobs: Iterable[Job], clock: Callable[[], float] = time.monotonic) -> None:
        self._context, self._clock = context, clock
        self._jobs = {job: Alive(clock) for job in jobs}
        self._holder = uuid.uuid4().hex
        self._stopping = Event()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(max(1, len(self._jobs)))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """The first tick of every job is at once."""
        # A job that outlasts its interval is skipped once; that is what max_instances is for, not worth a warning.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        for job, alive in self._jobs.items():
            alive.show()
            self._scheduler.add_job(
                self._ticking(job, alive),
                "interval",
                seconds=job.every_seconds,
                next_run_time=datetime.now(UTC),
                id=job.name,
            )
        self._scheduler.start()

    def at_once(self, name: str) -> None:
        """The next tick of this job is now; the others follow from it. Nothing where it does not tick."""
        with contextlib.suppress(JobLookupError):
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def hanging(self) -> list[str]:
        """The names of the jobs that have shown no sign of life for too long."""
        now = self._clock()
        return [job.name for job, alive in self._jobs.items() if now - alive.seen > allowed(job)]

    def stop(self) -> None:
        """Begins nothing new and waits for what has begun: a letter on its way is settled, a claimed one released."""
        self._stopping.set()
        for alive in self._jobs.values():
            alive.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _ticking(self, job: Job, alive: Alive) -> Callable[[], None]:
        def tick() -> None:
            if self._stopping.is_set():
                return
            alive.show()
            try:
                job.run(self._context, alive)
                self._tell(job, alive)
            except Exception:
                # One bad tick must not end the ticking; the work stays due and the next tick finds it.
                log.exception("job_failed job=%s", job.name)
            alive.show()

        return tick

    def _tell(self, job: Job, alive: Alive) -> None:
        """A round went well: let the database know, but not with every tick."""
        if self._clock() - alive.told < BEAT_SECONDS:
            return
        with writing(self._context.engine) as connection:
            beats.beat(connection, SINGLE, job.name, self._holder, BEAT_SECONDS + allowed(job))
        alive.told = self._clock()
