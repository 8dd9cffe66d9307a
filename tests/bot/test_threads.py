"""The answers' threads: few compute at once, and none that waits for Slack keeps another from computing."""

from collections.abc import Iterator
from threading import Barrier, Event, Lock
from typing import Any

import pytest

from bot.outcome import Sent
from bot.slack import Slack
from bot.threads import ANSWERS, COMPUTING, Threads

PATIENCE = 20.0


@pytest.fixture
def threads() -> Iterator[Threads]:
    running = Threads()
    yield running
    assert running.drain(PATIENCE)


@pytest.fixture
def slack() -> Iterator[Slack]:
    slack = Slack("xoxb-test", "http://127.0.0.1:1/")
    yield slack
    slack.close()


def test_as_many_answers_compute_at_once_as_there_are_seats_and_no_more(threads: Threads) -> None:
    together, lock, here, most = Barrier(COMPUTING), Lock(), set[int](), set[int]()

    def compute(number: int) -> None:
        with lock:
            here.add(number)
            most.add(len(here))
        together.wait(PATIENCE)
        with lock:
            here.discard(number)

    for number in range(COMPUTING * ANSWERS):
        assert threads.submit(lambda number=number: compute(number))  # type: ignore[misc]
    assert threads.drain(PATIENCE)
    assert max(most) == COMPUTING
    assert not here


def test_answers_that_wait_for_slack_keep_no_other_from_being_worked_out(
    threads: Threads, slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, outcomes = Event(), list[Any]()

    def silent(method: str, **_: Any) -> dict[str, Any]:
        return {"ok": answered.wait(PATIENCE)}

    monkeypatch.setattr(slack.client, "api_call", silent)
    for _ in range(ANSWERS - 1):
        threads.submit(lambda: outcomes.append(slack.call("chat.postMessage")))
    threads.submit(answered.set)
    assert answered.wait(PATIENCE / 4)
    assert threads.drain(PATIENCE)
    assert outcomes == [Sent({"ok": True})] * (ANSWERS - 1)


def test_an_answer_that_fails_gives_its_seat_back(threads: Threads, caplog: pytest.LogCaptureFixture) -> None:
    done = Event()
    for _ in range(COMPUTING * 2):
        threads.submit(lambda: 1 // 0)  # type: ignore[arg-type]
    threads.submit(done.set)
    assert threads.drain(PATIENCE)
    assert done.is_set()
    assert [each.message for each in caplog.records] == ["work_failed"] * COMPUTING * 2
