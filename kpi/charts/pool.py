"""Where pictures are drawn: in processes of their own, so that a drawing can be stopped and cannot stop anything."""

import contextlib
import multiprocessing
import os
import weakref
from collections import OrderedDict
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as TooLate
from functools import cache
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from kpi.charts.chart import Chart, Kind, Mark

if TYPE_CHECKING:
    from pebble import ProcessPool

SECONDS = 10.0
"""A drawing takes a twentieth of a second; one that takes this long is stuck."""
PATIENCE = 20.0
"""Seconds to wait for a picture in all, in the queue and being drawn; a pool that takes this long is begun anew."""
MEMORY = 512 * 1024**2
"""Bytes that one worker may take on top of what its libraries reserve; a drawing takes about a twentieth."""
DRAWINGS = 500
"""A worker is replaced after this many, so that nothing can leak for long."""
GIVES_WAY = 5
"""How much nicer than the rest of Vigie a worker is to the processors."""
ATTEMPTS = 2
KEPT = 64
"""Pictures that are remembered, some 80 KB each: those of one digest run that are asked for again and again."""
_ROOMS = ("bars", "line", "panels", "draw")
_PRELOADED = ["matplotlib.backends.backend_agg", "PIL.PngImagePlugin", *(f"kpi.charts.{room}" for room in _ROOMS)]


class NotDrawn(Exception):  # noqa: N818 - the number is still told, without its picture
    """The picture could not be made: too slow, too large, or the drawing itself failed."""


class Pool:
    """Draws charts in `workers` processes, started when the first chart comes and replaced when they die.

    The last pictures are remembered by all that is on them: who asks for the same chart, later or while it is being
    drawn, gets the same picture. Safe to share between threads. `close` it, or leave it to the end of the program.
    """

    def __init__(self, workers: int = 2, *, seconds: float = SECONDS, patience: float = PATIENCE) -> None:
        self._workers = workers
        self._seconds = seconds
        self._patience = patience
        self._lock = Lock()
        self._drawn: OrderedDict[Chart, Future[bytes]] = OrderedDict()
        self._pool: ProcessPool | None = None
        self._end: weakref.finalize[..., Pool] | None = None

    def render(self, chart: Chart) -> bytes:
        """The chart as PNG. NotDrawn after ten seconds, on a fault of the drawing, or when its process dies twice."""
        with self._lock:
            drawing = self._drawn.get(chart)
            if known := drawing is not None:
                self._drawn.move_to_end(chart)
            else:
                drawing = self._drawn[chart] = Future()
                while len(self._drawn) > KEPT:
                    self._drawn.popitem(last=False)
        if not known:
            try:
                drawing.set_result(self._fresh(chart))
            except BaseException as error:
                with self._lock:
                    self._drawn.pop(chart, None)
                drawing.set_exception(error)
        return drawing.result()

    def warm(self) -> None:
        """Have the workers started in a while, in a thread of its own: something will be drawn soon."""

        def start() -> None:
            # What is wrong is said when a chart is drawn.
            with contextlib.suppress(Exception):
                _ = self._started().active

        Thread(target=start, name="charts", daemon=True).start()

    def close(self) -> None:
        """Stop the workers, and whatever they are drawing."""
        with self._lock:
            self._stop()
            self._drawn.clear()

    def _fresh(self, chart: Chart) -> bytes:
        from concurrent.futures.process import BrokenProcessPool

        from pebble import ProcessExpired

        for _ in range(ATTEMPTS):
            pool = self._started()
            drawing = pool.schedule(_draw, args=(chart,), timeout=self._seconds)
            try:
                drawn: bytes = drawing.result(self._patience)
            except (ProcessExpired, BrokenProcessPool, CancelledError):
                continue
            except TooLate as error:
                if not drawing.done():
                    # Its worker has not even told that it began.
                    self._give_up(pool)
                raise NotDrawn(f"the chart took longer than {self._seconds:g} s") from error
            except Exception as error:
                raise NotDrawn(f"the chart could not be drawn: {type(error).__name__}") from error
            return drawn
        raise NotDrawn("the process that draws died")

    def _started(self) -> "ProcessPool":
        with self._lock:
            if self._pool is None or not self._pool.active:
                from pebble import ProcessPool

                self._stop()
                context = multiprocessing.get_context("forkserver")
                context.set_forkserver_preload(_PRELOADED)
                self._pool = ProcessPool(self._workers, max_tasks=DRAWINGS, initializer=_ready, context=context)
                self._end = weakref.finalize(self, _end, self._pool)
            return self._pool

    def _give_up(self, pool: "ProcessPool") -> None:
        """Stop a pool that hangs, unless somebody else has done so."""
        with self._lock:
            if self._pool is pool:
                self._stop()

    def _stop(self) -> None:
        if self._end is not None:
            self._end()
        self._pool = self._end = None


def render(chart: Chart) -> bytes:
    """The chart as PNG, drawn in the pool that the whole program shares. Raises what `Pool.render` raises."""
    return _shared().render(chart)


def warm() -> None:
    """Have the shared pool started, without waiting for it."""
    _shared().warm()


def close() -> None:
    """Stop the shared pool; the next `render` starts it again. The end of the program does so by itself."""
    _shared().close()


@cache
def _shared() -> Pool:
    return Pool()


def _end(pool: Any) -> None:
    pool.stop()
    pool.join()


def _ready() -> None:
    """Bound the memory of this worker, and draw something: what is loaded at the first drawing is loaded here.

    Where the processors are busy, drawing gives way to whoever answers.
    """
    _bound()
    os.nice(GIVES_WAY)
    _draw(Chart(Kind.LINE, "Vigie", "2026", (Mark("1", 1.0, "1 %"), Mark("2", 2.0, "2 %"))))


def _bound() -> None:
    """Where the system tells how much memory this process has already (Linux).

    Numerical libraries reserve address space for every core, so the bound cannot be a fixed number.
    """
    import resource
    from pathlib import Path

    with contextlib.suppress(OSError, ValueError):
        reserved = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (reserved + MEMORY, reserved + MEMORY))


def _draw(chart: Chart) -> bytes:
    from kpi.charts.draw import draw

    return draw(chart)
