"""The one thread that writes the inbox: whatever was said while it wrote goes together into its next statement, so that
a burst waits for one write to the disk, and nobody who waits holds anything."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue

from sqlalchemy import Connection, Engine

from storage import inbox
from storage.database import Straight
from storage.inbox import Key, Said

log = logging.getLogger(__name__)

KEEP_SECONDS = 2.5
"""For so long at most, what was said waits to be kept: after three seconds Slack no longer listens."""
TOGETHER_SECONDS = 0.05
"""For so long, what is over waits to be written down with what else is."""
AGAIN_SECONDS = 1.0
"""After so long, what could not be written down is tried again."""


class NotKeptError(Exception):
    """What was said is not in the database: Slack must not take it for heard."""


@dataclass(frozen=True, slots=True)
class _Kept:
    said: Said
    begin: Callable[[], None]
    future: "asyncio.Future[bool]"
    """Of whoever waits for it, in the event loop."""


@dataclass(frozen=True, slots=True)
class _Settled:
    key: Key
    error: str | None


@dataclass(frozen=True, slots=True)
class _Released:
    key: Key
    seconds: float
    begun: bool


_Over = _Settled | _Released


class Writer:
    """Keeps, settles and releases rows of the inbox, all in the name of one holder."""

    def __init__(self, engine: Engine, holder: str) -> None:
        self._engine, self._holder = engine, holder
        self._queue: SimpleQueue[_Kept | _Over | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, and end."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    async def keep(self, said: Said, begin: Callable[[], None]) -> bool:
        """Keep what was said; false where it was said before. Once this returns, it is on the disk.

        What is new is begun: `begin` is called in this event loop, once whoever waits here has gone on. Raises
        `NotKeptError`.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.put(_Kept(said, begin, future))
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                return await future
        except TimeoutError:
            # Where it is kept after all, it is run; should Slack say it again, it is there already.
            raise NotKeptError("timeout") from None

    def settle(self, key: Key, error: str | None = None) -> None:
        self._queue.put(_Settled(key, error))

    def release(self, key: Key, *, seconds: float, begun: bool) -> None:
        self._queue.put(_Released(key, seconds, begun))

    def _run(self) -> None:
        straight = Straight(self._engine)
        over: list[_Over] = []
        due, running = 0.0, True
        while running:
            said, kept = self._next(due - time.monotonic() if over else None), list[_Kept]()
            due = due if over else time.monotonic() + TOGETHER_SECONDS
            for each in said:
                if isinstance(each, _Kept):
                    kept.append(each)
                elif each is not None:
                    over.append(each)
            running = None not in said
            # Whoever waits for an acknowledgement comes before what is over.
            self._keep(straight, kept)
            if over and (not running or time.monotonic() >= due):
                over, due = self._end(straight, over), time.monotonic() + AGAIN_SECONDS
        straight.close()

    def _next(self, seconds: float | None) -> list[_Kept | _Over | None]:
        """Everything that is there, as soon as there is anything; nothing after so many seconds."""
        found: list[_Kept | _Over | None] = []
        with suppress(Empty):
            found.append(self._queue.get(timeout=seconds if seconds is None else max(seconds, 0)))
            while True:
                found.append(self._queue.get_nowait())
        return found

    def _keep(self, straight: Straight, kept: list[_Kept]) -> None:
        if not kept:
            return
        new: set[Key] | None = None
        try:
            said = [each.said for each in kept]
            new = straight.run(lambda connection: inbox.put(connection, said, self._holder))
        except Exception as error:
            # Whatever it is: who waits is told, and the thread goes on.
            log.error("inbox_unwritten reason=%s rows=%d", type(error).__name__, len(kept))
        for each in kept:
            first = new is not None and each.said.key in new
            if new is not None:
                new.discard(each.said.key)
            with suppress(RuntimeError):  # its event loop has ended: nobody waits any more
                each.future.get_loop().call_soon_threadsafe(_wake, each, new is not None, first)

    def _end(self, straight: Straight, over: list[_Over]) -> list[_Over]:
        """Write down what is over, what went well in one statement; gives what could not be, and is to be tried
        again."""
        done = [each.key for each in over if isinstance(each, _Settled) and each.error is None]
        left = list(over)
        try:
            straight.run(lambda connection: inbox.settle(connection, done, self._holder))
            left = [each for each in over if each.key not in done]
            for each in list(left):
                straight.run(partial(self._end_one, each))
                left.remove(each)
        except Exception as error:
            log.error("inbox_unwritten reason=%s over=%d", type(error).__name__, len(left))
        return left

    def _end_one(self, over: _Over, connection: Connection) -> None:
        if isinstance(over, _Settled):
            inbox.settle(connection, [over.key], self._holder, over.error)
        else:
            inbox.release(connection, over.key, self._holder, seconds=over.seconds, begun=over.begun)


def _wake(kept: _Kept, written: bool, new: bool) -> None:
    """In the event loop: whoever waits acknowledges, then it is begun."""
    if not kept.future.done():
        if written:
            kept.future.set_result(new)
        else:
            kept.future.set_exception(NotKeptError("database"))
    if new:
        asyncio.get_running_loop().call_soon(kept.begin)
