"""The one thread that writes the inbox: whatever was said while it wrote goes together into its next transaction, so
that a burst waits for one write to the disk, and nobody who waits holds anything."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from storage import inbox
from storage.database import writing
from storage.inbox import Key, Said, Settled

log = logging.getLogger(__name__)

KEEP_SECONDS = 2.5
"""For so long at most, what was said waits to be kept: after three seconds Slack no longer listens."""
TOGETHER_SECONDS = 0.05
"""For so long, what is over may wait to be written down with what comes next."""


class NotKeptError(Exception):
    """What was said is not in the database: Slack must not take it for heard."""


@dataclass(frozen=True, slots=True)
class _Kept:
    said: Said
    begin: Callable[[], None]
    future: "asyncio.Future[bool]"
    """Of whoever waits for it, in the event loop."""


@dataclass(frozen=True, slots=True)
class _Released:
    key: Key
    seconds: float
    begun: bool


@dataclass(slots=True)
class _Batch:
    """What one transaction is to write."""

    kept: list[_Kept] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    released: list[_Released] = field(default_factory=list)

    def add(self, each: "_Kept | Settled | _Released") -> None:
        match each:
            case _Kept():
                self.kept.append(each)
            case Settled():
                self.settled.append(each)
            case _Released():
                self.released.append(each)


class Writer:
    """Keeps, settles and releases rows of the inbox, all in the name of one holder."""

    def __init__(self, engine: Engine, holder: str) -> None:
        self._engine, self._holder = engine, holder
        self._queue: SimpleQueue[_Kept | Settled | _Released | None] = SimpleQueue()
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

    def settle(self, settled: Settled) -> None:
        self._queue.put(settled)

    def release(self, key: Key, *, seconds: float, begun: bool) -> None:
        self._queue.put(_Released(key, seconds, begun))

    def _run(self) -> None:
        batch = _Batch()
        while self._gather(batch):
            batch = self._write(batch)
        self._write(batch)

    def _gather(self, batch: _Batch) -> bool:
        """Wait for what is to be written; false at the end."""
        each = self._queue.get()
        until = time.monotonic() + TOGETHER_SECONDS
        while each is not None:
            batch.add(each)
            wait = 0 if batch.kept else until - time.monotonic()
            try:
                each = self._queue.get(timeout=wait) if wait > 0 else self._queue.get_nowait()
            except Empty:
                return True
        return False

    def _write(self, batch: _Batch) -> _Batch:
        """Write it; gives what could not be and is to be tried again with what comes next."""
        new: set[Key] | None = None
        try:
            with writing(self._engine) as connection:
                kept = inbox.put(connection, [each.said for each in batch.kept], self._holder)
                inbox.settle(connection, batch.settled, self._holder)
                for each in batch.released:
                    inbox.release(connection, each.key, self._holder, seconds=each.seconds, begun=each.begun)
            new = kept
        except SQLAlchemyError as error:
            log.error("inbox_unwritten reason=%s rows=%d", type(error).__name__, len(batch.kept))
        for one in batch.kept:
            first = new is not None and one.said.key in new
            if new is not None:
                new.discard(one.said.key)
            with suppress(RuntimeError):  # its event loop has ended: nobody waits any more
                one.future.get_loop().call_soon_threadsafe(_wake, one, new is not None, first)
        return _Batch() if new is not None else _Batch(settled=batch.settled, released=batch.released)


def _wake(kept: _Kept, written: bool, new: bool) -> None:
    """In the event loop: whoever waits acknowledges, then it is begun."""
    if not kept.future.done():
        if written:
            kept.future.set_result(new)
        else:
            kept.future.set_exception(NotKeptError("database"))
    if new:
        asyncio.get_running_loop().call_soon(kept.begin)
