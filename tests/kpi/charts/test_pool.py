"""Drawing in processes of their own: what goes wrong there stays there."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kpi.charts.chart import Chart, Kind, Level, Mark
from kpi.charts.pool import MEMORY, NotDrawn, Pool


class Deadly(Chart):
    """Ends the process that reads it."""

    def __reduce__(self) -> tuple[object, ...]:  # type: ignore[override]
        return os._exit, (1,)


CHART = Chart(Kind.LINE, "Fine", marks=(Mark("a", 1.0, "1"), Mark("b", 2.0, "2")), ticks=(Level(0.0, "0"),))


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(workers=1)
    yield pool
    pool.close()


def test_threads_share_the_pool(pool: Pool) -> None:
    with ThreadPoolExecutor(4) as threads:
        pictures = list(threads.map(pool.render, [CHART] * 6))
    assert len(set(pictures)) == 1
    assert pictures[0].startswith(b"\x89PNG")


def test_a_worker_that_dies_costs_its_chart_only(pool: Pool) -> None:
    with pytest.raises(NotDrawn, match="died"):
        pool.render(Deadly(Kind.LINE, "Deadly"))
    assert pool.render(CHART).startswith(b"\x89PNG")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells a process how much it has")
def test_a_worker_that_wants_too_much_memory_is_refused_it(pool: Pool) -> None:
    task = pool._started().schedule(bytearray, args=(4 * MEMORY,))  # noqa: SLF001
    with pytest.raises(MemoryError):
        task.result()
    assert pool.render(CHART).startswith(b"\x89PNG")


def test_a_fault_of_the_drawing_is_told_without_its_text(pool: Pool) -> None:
    broken = Chart(Kind.LINE, "Broken", marks=(Mark("secret name", "no number"),))  # type: ignore[arg-type]
    with pytest.raises(NotDrawn, match=r"^the chart could not be drawn: \w+$"):
        pool.render(broken)


def test_a_stuck_drawing_is_given_up() -> None:
    impatient = Pool(workers=1, seconds=0.001)
    try:
        with pytest.raises(NotDrawn, match="longer than"):
            impatient.render(CHART)
    finally:
        impatient.close()


def test_a_closed_pool_starts_again_when_asked() -> None:
    pool = Pool(workers=1)
    pool.close()
    try:
        assert pool.render(CHART) == pool.render(CHART)
    finally:
        pool.close()
        pool.close()
