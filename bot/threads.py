"""The bounded pool in which answers run. Jobs have threads of their own, so that slow syncs starve no answer."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")

ANSWERS = 8
"""Answers under way at once, those that wait for Slack included."""
FORMS = 2
"""Forms looked at at once: Slack waits for them."""
COMPUTING = 2
"""Answers that compute at once: each of them keeps the event loop, which acknowledges, waiting for the interpreter."""
WAITING = 100
"""Answers accepted but not yet delivered; beyond that, they wait in the inbox."""
DRAIN_SECONDS = 20.0

_seat = threading.local()
"""`taken`: the semaphore that this thread holds while it computes."""


class Threads:
    """The answers' threads, with a limit to what waits, and a way to be drained. `submit` never blocks."""

    def __init__(self) -> None:
        self.answers = ThreadPoolExecutor(ANSWERS, thread_name_prefix="answer")
        self._forms = ThreadPoolExecutor(FORMS, thread_name_prefix="form")
        self._seats = threading.Semaphore(COMPUTING)
        self._room = threading.BoundedSemaphore(WAITING)
        self._under_way: set[Future[None]] = set()
        self._closed = False

    def submit(self, work: Callable[[], None]) -> bool:
        """Have `work` done by the answers' pool; false when there is no room, or Vigie is stopping."""
        if self._closed or not self._room.acquire(blocking=False):
            log.warning("busy waiting=%d", len(self._under_way))
            return False
        future = self.answers.submit(_guarded, lambda: self._seated(work))
        self._under_way.add(future)
        future.add_done_callback(self._finished)
        return True

    async def awaited(self, work: Callable[[], T]) -> T:
        """What `work` gives, before any answer that waits: for forms, whose acknowledgement says what is wrong."""
        return await asyncio.get_running_loop().run_in_executor(self._forms, work)

    def drain(self, seconds: float = DRAIN_SECONDS) -> bool:
        """Take nothing new and wait for what was accepted; false when some of it was not done in time."""
        self._closed = True
        undone = wait(list(self._under_way), timeout=seconds).not_done
        self.answers.shutdown(wait=not undone, cancel_futures=True)
        self._forms.shutdown(wait=False)
        if undone:
            log.error("drained undone=%d", len(undone))
        return not undone

    def _seated(self, work: Callable[[], T]) -> T:
        with self._seats:
            _seat.taken = self._seats
            return work()

    def _finished(self, future: Future[None]) -> None:
        self._under_way.discard(future)
        self._room.release()


@contextmanager
def unseated() -> Iterator[None]:
    """Around a wait for somebody else, such as Slack: another answer computes meanwhile. Elsewhere it does nothing."""
    seats: threading.Semaphore | None = getattr(_seat, "taken", None)
    if seats is None:
        yield
        return
    seats.release()
    try:
        yield
    finally:
        seats.acquire()


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        log.exception("work_failed")
