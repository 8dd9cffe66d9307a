"""Virtual time: processes whose tasks run one at a time and take turns wherever the world lets them.

Each task is a thread, but only the one that holds the baton runs; it hands it on when it pauses, to whoever is due
next. So a scenario is the same every time its seed is, and hours pass in milliseconds.
"""

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, ClassVar

START = datetime(2026, 11, 23, 8, tzinfo=UTC)


class Killed(BaseException):
    """What a kill -9 looks like from inside: nothing catches it."""


class Process:
    """One process: it dies with all its tasks, freezes with all of them, and has a clock of its own."""

    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name = world, name
        self.dead = False
        self.frozen_until = self.thawed = float("-inf")
        self.ahead = 0.0
        """Seconds that its clock is ahead of the true time."""
        self.asleep = 0.0
        """Seconds that its monotonic clock did not count: those for which its machine was suspended."""
        self.tasks: list[Task] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.world.now + self.ahead)

    def monotonic(self) -> float:
        return self.world.now - self.asleep

    def freeze(self, seconds: float, *, suspended: bool) -> None:
        self.frozen_until = self.thawed = self.world.now + seconds
        if suspended:
            self.asleep += seconds

    def kill(self) -> None:
        self.dead = True
        for task in self.tasks:
            self.world.wake(task)


class Task:
    """Something that a process does; also what is known of its end, as a `Future` tells it."""

    def __init__(self, process: Process | None) -> None:
        self.process = process
        self.baton = threading.Lock()
        self.baton.acquire()
        self.turn = 0
        """Of its entries among what is to come, only the last counts."""
        self.finished = False
        self.error: BaseException | None = None
        self.awaited_by: list[Task] = []

    def done(self) -> bool:
        return self.finished

    def exception(self) -> BaseException | None:
        return self.error


class World:
    """What is to come, and the true time, which is also the database's and Slack's: seconds since `START`."""

    here: "ClassVar[World | None]" = None
    """The one that is played."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now = 0.0
        self.current = Task(None)
        self._order = count()
        self._coming: list[tuple[float, float, int, Task | Callable[[], None], int]] = []
        self._waiting: list[Task] = []
        self._live: set[Task] = set()

    def spawn(self, process: Process, work: Callable[[], object], delay: float = 0) -> Task:
        task = Task(process)
        process.tasks = [each for each in process.tasks if not each.finished]
        process.tasks.append(task)
        self._live.add(task)
        threading.Thread(target=self._begin, args=(task, work), daemon=True).start()
        self._push(task, delay)
        return task

    def after(self, delay: float, happening: Callable[[], None]) -> None:
        """Something that no process does: it happens at once, when its time has come."""
        heappush(self._coming, (self.now + delay, self.random.random(), next(self._order), happening, 0))

    def pause(self, seconds: float = 0) -> None:
        """Others run meanwhile. Raises `Killed` where the process is dead by then."""
        task = self.current
        self._alive(task)
        self._push(task, seconds)
        self._switch(task)

    def wait_for_lock(self, seconds: float) -> None:
        """Until somebody may have let go of what is waited for, so many seconds at most."""
        self._waiting.append(self.current)
        self.pause(seconds)

    def let_go(self) -> None:
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self.wake(task)

    def wake(self, task: Task) -> None:
        if not task.finished and task is not self.current:
            self._push(task, 0)

    def join(self, tasks: Iterable[Task], seconds: float = float("inf")) -> tuple[set[Task], set[Task]]:
        """(done, not done), as soon as one of them is done, or after so many seconds."""
        wanted, task = set(tasks), self.current
        until = self.now + seconds
        while wanted and not any(each.finished for each in wanted) and self.now < until:
            for each in wanted:
                each.awaited_by.append(task)
            self.pause(min(until - self.now, 3600))
        done = {each for each in wanted if each.finished}
        return done, wanted - done

    def end(self, processes: Iterable[Process]) -> None:
        """Kill everybody, and wait until they are gone."""
        for process in processes:
            process.kill()
        while self._live:
            for task in self._live:
                self.wake(task)
            self.pause()

    def _alive(self, task: Task) -> None:
        if task.process is not None and task.process.dead:
            raise Killed

    def _push(self, task: Task, delay: float) -> None:
        task.turn += 1
        heappush(self._coming, (self.now + delay, self.random.random(), next(self._order), task, task.turn))

    def _switch(self, task: Task) -> None:
        following = self._next()
        if following is not task:
            following.baton.release()
            task.baton.acquire()
        self._alive(task)

    def _next(self) -> Task:
        while True:
            at, _, _, what, turn = heappop(self._coming)
            if isinstance(what, Task):
                if what.finished or what.turn != turn:
                    continue
                process = what.process
                if process is not None and not process.dead and process.frozen_until > at:
                    heappush(self._coming, (process.frozen_until, self.random.random(), next(self._order), what, turn))
                    continue
                self.now = max(self.now, at)
                self.current = what
                return what
            self.now = max(self.now, at)
            what()

    def _begin(self, task: Task, work: Callable[[], object]) -> None:
        task.baton.acquire()
        try:
            work()
        except BaseException as error:
            task.error = error
        task.finished = True
        self._live.discard(task)
        for each in task.awaited_by:
            self.wake(each)
        self._next().baton.release()


class Pool:
    """The threads of one process, in place of a `ThreadPoolExecutor`."""

    def __init__(self, world: World) -> None:
        self._world, self._tasks = world, list[Task]()

    def submit(self, work: Callable[..., object], *given: Any) -> Task:
        process = self._world.current.process
        assert process is not None
        self._tasks.append(self._world.spawn(process, lambda: work(*given)))
        return self._tasks[-1]

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        for task in self._tasks:
            while not task.finished:
                self._world.join([task])


class Stopping:
    """Never set; to wait on it is to pause."""

    def __init__(self, world: World) -> None:
        self._world = world

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        self._world.pause(seconds)
        return False
