"""Where pictures are drawn: in processes of their own, so that a drawing can be stopped and cannot stop anything."""

import multiprocessing
import weakref
from concurrent.futures import TimeoutError as TooLate
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from kpi.charts.chart import Chart

if TYPE_CHECKING:
    from pebble import ProcessPool

SECONDS = 10.0
"""A drawing takes a fifth of a second; one that takes this long is stuck."""
MEMORY = 1024**3
"""Bytes that one worker may take on top of what its libraries reserve; a drawing takes about a twentieth."""
DRAWINGS = 500
"""A worker is replaced after this many, so that nothing can leak for long."""
ATTEMPTS = 2


class NotDrawn(Exception):  # noqa: N818 - the number is still told, without its picture
    """The picture could not be made: too slow, too large, or the drawing itself failed."""


class Pool:
    """Draws charts in `workers` processes, started when the first chart comes and replaced when they die.

    Safe to share between threads. `close` it, or leave it to the end of the program.
    """

    def __init__(self, workers: int = 2, *, seconds: float = SECONDS) -> None:
        self._workers = workers
        self._seconds = seconds
        self._lock = Lock()
        self._pool: ProcessPool | None = None
        self._end: weakref.finalize[..., Pool] | None = None

    def render(self, chart: Chart) -> bytes:
        """The chart as PNG. NotDrawn after ten seconds, on a fault of the drawing, or when its process dies twice."""
        from concurrent.futures.process import BrokenProcessPool

        from pebble import ProcessExpired

        for _ in range(ATTEMPTS):
            try:
                drawn: bytes = self._started().schedule(_draw, args=(chart,), timeout=self._seconds).result()
            except (ProcessExpired, BrokenProcessPool):
                continue
            except TooLate as error:
                raise NotDrawn(f"the chart took longer than {self._seconds:g} s") from error
            except Exception as error:
                raise NotDrawn(f"the chart could not be drawn: {type(error).__name__}") from error
            return drawn
        raise NotDrawn("the process that draws died")

    def close(self) -> None:
        """Stop the workers, and whatever they are drawing."""
        with self._lock:
            if self._end is not None:
                self._end()
            self._pool = self._end = None

    def _started(self) -> "ProcessPool":
        with self._lock:
            if self._pool is None or not self._pool.active:
                from pebble import ProcessPool

                if self._end is not None:
                    self._end()
                context = multiprocessing.get_context("forkserver")
                context.set_forkserver_preload(
                    ["kpi.charts.draw", "matplotlib.backends.backend_agg", "PIL.PngImagePlugin"]
                )
                self._pool = ProcessPool(self._workers, max_tasks=DRAWINGS, initializer=_bound, context=context)
                self._end = weakref.finalize(self, _stop, self._pool)
            return self._pool


def render(chart: Chart) -> bytes:
    """The chart as PNG, drawn in the pool that the whole program shares. Raises what `Pool.render` raises."""
    return _shared().render(chart)


def close() -> None:
    """Stop the shared pool; the next `render` starts it again. The end of the program does so by itself."""
    _shared().close()


@cache
def _shared() -> Pool:
    return Pool()


def _stop(pool: Any) -> None:
    pool.stop()
    pool.join()


def _bound() -> None:
    """Bound the memory of this worker, where the system tells how much it has already (Linux).

    Numerical libraries reserve address space for every core, so the bound cannot be a fixed number.
    """
    import contextlib
    import resource
    from pathlib import Path

    with contextlib.suppress(OSError, ValueError):
        reserved = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (reserved + MEMORY, reserved + MEMORY))


def _draw(chart: Chart) -> bytes:
    from kpi.charts.draw import draw

    return draw(chart)
