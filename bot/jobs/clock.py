"""Ticks, and nothing more: APScheduler calls each job every few seconds; what is due is read from the database."""

import contextlib
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from threading import Event

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.jobstores.base import JobLookupError  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]

from bot.conversation import Context
from bot.jobs import Job

log = logging.getLogger(__name__)


class Ticks:
    """Runs jobs in threads of its own, never twice at once; one that is late is not made up for."""

    def __init__(self, context: Context, jobs: Iterable[Job]) -> None:
        self._context = context
        self._jobs = tuple(jobs)
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
        for job in self._jobs:
            self._scheduler.add_job(
                self._ticking(job), "interval", seconds=job.every_seconds, next_run_time=datetime.now(UTC), id=job.name
            )
        self._scheduler.start()

    def at_once(self, name: str) -> None:
        """The next tick of this job is now; the others follow from it. Nothing where it does not tick."""
        with contextlib.suppress(JobLookupError):
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def stop(self) -> None:
        """Begins nothing new and waits for what has begun: a letter on its way is settled, a claimed one released."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _ticking(self, job: Job) -> Callable[[], None]:
        def tick() -> None:
            if self._stopping.is_set():
                return
            try:
                job.run(self._context, self._stopping)
            except Exception:
                # One bad tick must not end the ticking; the work stays due and the next tick finds it.
                log.exception("job_failed job=%s", job.name)

        return tick
