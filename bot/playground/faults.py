"""Faults on demand: what a network and Slack's own bad days do, per method and counted."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

KINDS = {
    "lost_reply": "done, then the connection is closed without an answer",
    "lost_request": "the connection is closed before anything is done",
    "rate_limited": "HTTP 429 with Retry-After, nothing done",
    "server_error": "HTTP 500, nothing done",
    "server_error_after": "done, then HTTP 500",
    "error": "HTTP 200 with ok false and the error given, nothing done",
    "slow": "done, but only after the seconds given",
    "unprocessed": "for files.processing: an image block with a new file is refused, as while Slack still works on it",
}


@dataclass(frozen=True, slots=True)
class Fault:
    method: str
    """A Web API method, `response_url`, `upload`, `files.processing`, or `*` for every one."""
    kind: str
    retry_after: int = 1
    seconds: float = 1.0
    error: str = "internal_error"


class Faults:
    """Planned faults, first come, first served. Safe from any thread."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._planned: list[Fault] = []
        self._chooser: Callable[[str], Fault | None] | None = None

    def add(
        self,
        method: str,
        fault: str,
        times: int = 1,
        *,
        retry_after: int = 1,
        seconds: float = 1.0,
        error: str = "internal_error",
    ) -> None:
        """Plan a fault for the next `times` calls of `method`. Raises `ValueError` for a kind not in `KINDS`."""
        if fault not in KINDS:
            raise ValueError(f"no fault is called {fault!r}; there are {', '.join(KINDS)}")
        with self._lock:
            self._planned += [Fault(method, fault, retry_after, seconds, error)] * times

    def choose(self, chooser: Callable[[str], Fault | None] | None) -> None:
        """Ask `chooser(method)` for a fault at every call that has none planned (for random torture)."""
        with self._lock:
            self._chooser = chooser

    def take(self, method: str) -> Fault | None:
        """The fault for this call, used up."""
        with self._lock:
            for index, fault in enumerate(self._planned):
                if fault.method == method or (fault.method == "*" and method != "files.processing"):
                    return self._planned.pop(index)
            return self._chooser(method) if self._chooser else None

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()
            self._chooser = None
