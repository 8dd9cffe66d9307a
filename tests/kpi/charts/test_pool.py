"""Drawing in processes of their own: what goes wrong there stays there."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from kpi.charts.chart import Chart, Kind, Level, Mark
from kpi.charts.pool import KEPT, MEMORY, PATIENCE, NotDrawn, Pool


class Deadly(Chart):
    """Ends the process that reads it."""

    def __reduce__(self) -> tuple[object, ...]:  # type: ignore[override]
        return os._exit, (1,)


class Endless(Chart):
    """Keeps the process that reads it busy until it is killed."""

    def __reduce__(self) -> tuple[object, ...]:  # type: ignore[override]
        return time.sleep, (600,)


CHART = Chart(Kind.LINE, "Fine", marks=(Mark("a", 1.0, "1"), Mark("b", 2.0, "2")), ticks=(Level(0.0, "0"),))
LONG = Chart(Kind.LINE, "Long", notes=("a note",) * 100_000)
"""Takes a dozen seconds."""
PNG = b"\x89PNG"


def pid_of_a_worker(pool: Pool) -> int:
    pid: int = pool._started().schedule(os.getpid).result()  # noqa: SLF001
    return pid


def is_over(process: int) -> bool:
    """Whether the process of a pidfd ends within ten seconds."""
    ended, _, _ = select.select([process], [], [], 10)
    os.close(process)
    return bool(ended)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(workers=1)
    yield pool
    pool.close()


def test_threads_share_the_pool(pool: Pool) -> None:
    charts = [replace(CHART, title=f"Fine {number}") for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        pictures = list(threads.map(pool.render, charts))
    assert len(set(pictures)) == 4
    assert all(picture.startswith(PNG) for picture in pictures)


def test_a_chart_that_is_the_same_to_the_letter_is_drawn_once_and_another_is_not(pool: Pool) -> None:
    drawn = replace(CHART, title="Once")
    again, other = replace(CHART, title="Once"), replace(drawn, target=Level(1.0, "target"))
    with ThreadPoolExecutor(3) as threads:
        first, second, third = threads.map(pool.render, [drawn, again, other])
    assert first is second
    assert first != third


def test_only_the_last_pictures_are_remembered(pool: Pool) -> None:
    first = pool.render(CHART)
    assert pool.render(replace(CHART)) is first
    pool._drawn |= {Chart(Kind.LINE, str(number)): pool._drawn[CHART] for number in range(KEPT)}  # noqa: SLF001
    pool.render(replace(CHART, subtitle="one more"))
    again = pool.render(CHART)
    assert again == first
    assert again is not first


def test_a_worker_killed_from_outside_is_replaced(pool: Pool) -> None:
    killed = pid_of_a_worker(pool)
    os.kill(killed, signal.SIGKILL)
    assert pool.render(replace(CHART, title="After it")).startswith(PNG)
    assert pid_of_a_worker(pool) != killed


def test_a_worker_that_dies_costs_its_chart_only(pool: Pool) -> None:
    with pytest.raises(NotDrawn, match="died"):
        pool.render(Deadly(Kind.LINE, "Deadly"))
    assert pool.render(CHART).startswith(PNG)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells a process how much it has")
def test_a_worker_that_wants_too_much_memory_is_refused_it(pool: Pool) -> None:
    task = pool._started().schedule(bytearray, args=(4 * MEMORY,))  # noqa: SLF001
    with pytest.raises(MemoryError):
        task.result()
    assert pool.render(CHART).startswith(PNG)


def test_a_fault_of_the_drawing_is_told_without_its_text_and_not_remembered(pool: Pool) -> None:
    broken = Chart(Kind.LINE, "Broken", marks=(Mark("secret name", "no number"),))  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(NotDrawn, match=r"^the chart could not be drawn: \w+$"):
            pool.render(broken)


def test_a_drawing_that_takes_too_long_is_killed_and_the_next_one_arrives() -> None:
    impatient = Pool(workers=1, seconds=0.3)
    try:
        stuck = os.pidfd_open(pid_of_a_worker(impatient))
        with pytest.raises(NotDrawn, match=r"longer than 0\.3 s"):
            impatient.render(LONG)
        assert impatient.render(CHART).startswith(PNG)
        assert is_over(stuck)
    finally:
        impatient.close()


def test_a_worker_that_never_begins_is_given_up_and_the_next_chart_arrives() -> None:
    impatient = Pool(workers=1, patience=0.3)
    try:
        stuck = os.pidfd_open(pid_of_a_worker(impatient))
        with pytest.raises(NotDrawn, match="longer than"):
            impatient.render(Endless(Kind.LINE, "Endless"))
        impatient._patience = PATIENCE  # noqa: SLF001
        assert impatient.render(CHART).startswith(PNG)
        assert is_over(stuck)
    finally:
        impatient.close()


def test_nothing_is_started_before_a_chart_comes_and_nothing_is_left_at_the_end() -> None:
    code = """
import os
from kpi.charts import pool
from kpi.charts.chart import Chart, Kind

def family(pid):
    with open("/proc/%s/task/%s/children" % (pid, pid)) as told:
        return [pid, *(each for child in told.read().split() for each in family(child))]

assert len(family(os.getpid())) == 1
pool.render(Chart(Kind.LINE, "One"))
print(*family(os.getpid())[1:], flush=True)
input()
"""
    program = [sys.executable, "-c", code]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603
        assert running.stdout is not None
        started = [int(pid) for pid in running.stdout.readline().split()]
        assert len(started) >= 3
        ends = [os.pidfd_open(pid) for pid in started]
        running.communicate("end\n")
    assert all(is_over(end) for end in ends)


def test_a_closed_pool_starts_again_when_asked() -> None:
    pool = Pool(workers=1)
    pool.close()
    try:
        assert pool.render(CHART).startswith(PNG)
    finally:
        pool.close()
        pool.close()
