"""A job that hangs is missed: by /healthz in its process, by the database elsewhere."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import httpx
import pytest

from bot.clock import FixedClock
from bot.conversation import Context
from bot.jobs import Job, jobs
from bot.jobs.clock import BEAT_SECONDS, Ticks, allowed
from bot.settings import read_settings
from storage import beats
from storage.database import reading
from storage.workspaces import SINGLE
from tests.bot.company import NOW
from tests.bot.conftest import Stage
from tests.shared_clock import let_pass


class Rounds:
    """A job whose rounds a test lets begin, look at the time, and end."""

    def __init__(self) -> None:
        self.begun, self.go_on = Event(), Event()
        self.looked: Any = None

    def __call__(self, _context: Context, stopping: Event) -> None:
        self.looked = stopping
        self.begun.set()
        self.go_on.wait(10)


class Monotonic:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def rounds() -> Rounds:
    return Rounds()


@pytest.fixture
def clock_of_ticks() -> Monotonic:
    return Monotonic()


@pytest.fixture
def ticks(database: Any, rounds: Rounds, clock_of_ticks: Monotonic) -> Iterator[Ticks]:
    settings = read_settings(None)
    context = Context(engine=database, clock=FixedClock(NOW), slack=None, settings=settings)  # type: ignore[arg-type]
    made = Ticks(context, [Job("slow", 5, rounds)], clock_of_ticks)
    yield made
    rounds.go_on.set()
    made.stop()


def test_a_job_that_hangs_is_named_after_three_intervals_and_a_minute(
    ticks: Ticks, rounds: Rounds, clock_of_ticks: Monotonic
) -> None:
    ticks.start()
    assert rounds.begun.wait(10)
    clock_of_ticks.now += 75
    assert ticks.hanging() == []
    clock_of_ticks.now += 1
    assert ticks.hanging() == ["slow"]


def test_long_work_that_looks_whether_to_stop_does_not_hang(
    ticks: Ticks, rounds: Rounds, clock_of_ticks: Monotonic
) -> None:
    ticks.start()
    assert rounds.begun.wait(10)
    for _ in range(4):
        clock_of_ticks.now += 70
        assert not rounds.looked.is_set()
        assert ticks.hanging() == []


def test_a_round_that_ended_well_is_known_to_whoever_shares_the_database(
    database: Any, ticks: Ticks, rounds: Rounds
) -> None:
    with reading(database) as connection:
        assert beats.alive(connection, SINGLE) == {}
    rounds.go_on.set()
    ticks.start()
    assert rounds.begun.wait(10)
    ticks.stop()
    with reading(database) as connection:
        assert beats.alive(connection, SINGLE) == {"slow": True}
    let_pass(database, timedelta(seconds=BEAT_SECONDS + 75 + 1))
    with reading(database) as connection:
        assert beats.alive(connection, SINGLE) == {"slow": False}


def test_every_job_of_vigie_has_time_for_its_slowest_letter() -> None:
    assert min(allowed(job) for job in jobs()) > 60


def test_healthz_says_which_job_hangs(vigie: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert httpx.get(f"{vigie.url}/healthz", trust_env=False).status_code == 200
    monkeypatch.setattr(Ticks, "hanging", lambda _: ["postman"])
    answer = httpx.get(f"{vigie.url}/healthz", trust_env=False)
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "hanging": ["postman"]})
