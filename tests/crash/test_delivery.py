"""A kill at every statement, commit and call to Slack, times every way in which Slack can answer."""

import itertools
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from bot.clock import FixedClock
from bot.conversation import Context
from bot.jobs import postman
from bot.outcome import Later, Outcome, Refused, Sent, Unclear
from bot.settings import Settings
from bot.slack import SlackError
from storage import outbox
from storage.database import reading, writing
from storage.schema import lease, letter
from tests.shared_clock import let_pass

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
ANSWERS = ["ok", "lost_reply", "lost_request", "error_after", "rate_limited", "refused"]


class Killed(BaseException):
    """What a kill -9 looks like from inside: nothing catches it."""


class Bomb:
    """Counts every point at which the process could be killed, and kills it at one of them."""

    def __init__(self, at: int | None) -> None:
        self.at, self.passed = at, 0

    def tick(self, *_: Any, **__: Any) -> None:
        self.passed += 1
        if self.passed - 1 == self.at:
            raise Killed


class Channel:
    """Slack, as far as the postman sees it: what is in the channel, whatever the caller was told."""

    def __init__(self, answers: list[str], readable: bool = True) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.answers, self.readable = list(answers), readable
        self.looks_unanswered = 0
        self.bomb = Bomb(None)
        self.posts = 0

    def post(
        self, channel: str, text: str, blocks: Any = (), *, metadata: Any = None, thread_ts: str | None = None
    ) -> Outcome:
        return self._do(lambda ts: self.messages.setdefault(ts, {"ts": ts, "text": text, "metadata": metadata}))

    def update(self, channel: str, ts: str, text: str, blocks: Any = (), *, metadata: Any = None) -> Outcome:
        return self._do(lambda _: self.messages[ts].update(text=text))

    def ask(self, method: str, **arguments: Any) -> dict[str, Any]:
        assert method == "conversations.history"
        assert arguments["include_all_metadata"] is True
        self.bomb.tick()
        if not self.readable:
            raise SlackError(method, Refused("missing_scope"))
        if self.looks_unanswered:
            self.looks_unanswered -= 1
            raise SlackError(method, Unclear("deadline"))
        return {"messages": list(self.messages.values())}

    def _do(self, change: Any) -> Outcome:
        answer = self.answers.pop(0) if self.answers else "ok"
        self.posts += 1
        ts = f"{self.posts}.000"
        self.bomb.tick()
        if answer == "rate_limited":
            return Later(30, "rate_limited")
        if answer == "refused":
            return Refused("msg_too_long")
        if answer != "lost_request":
            change(ts)
        self.bomb.tick()
        if answer == "ok":
            return Sent({"ts": ts})
        return Unclear("http_502" if answer == "error_after" else "deadline")


@contextmanager
def armed(engine: Engine, bomb: Bomb) -> Iterator[None]:
    """Every statement, before and after, and every commit is a point of death."""
    places = ["before_cursor_execute", "after_cursor_execute", "commit"]
    for place in places:
        sa.event.listen(engine, place, bomb.tick)
    try:
        yield
    finally:
        for place in places:
            sa.event.remove(engine, place, bomb.tick)


def every(engine: Engine) -> int:
    """Each place is tried on SQLite; the same code on PostgreSQL, which is slower to come back, at every third."""
    return 1 if engine.dialect.name == "sqlite" else 3


def put(engine: Engine, clock: FixedClock) -> str:
    with writing(engine) as connection:
        connection.execute(sa.delete(letter))
        connection.execute(sa.delete(lease))
        first = outbox.put(
            connection,
            workspace_id="W1",
            dedupe="alert:R1:1:fired",
            kind="alert",
            channel_id="C1",
            payload={"text": "fired", "blocks": []},
            now=clock.now(),
        )
        outbox.put(
            connection,
            workspace_id="W1",
            dedupe="alert:R1:1:recovered",
            kind="alert",
            channel_id="C1",
            payload={"text": "recovered", "blocks": []},
            now=clock.now() + timedelta(seconds=1),
            edits=first,
        )
    return first


def states(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(sa.select(letter.c.state).order_by(letter.c.due_at)).scalars())


def context(engine: Engine, clock: FixedClock, slack: Channel) -> Context:
    return Context(engine=engine, clock=clock, slack=slack, settings=Settings(_env_file=None))  # type: ignore[arg-type,call-arg]


def live(world: Context, clock: FixedClock, ticks: int = 5) -> None:
    """The process as it runs for a while: a tick, time passes, a tick."""
    for _ in range(ticks):
        postman.run(world, Event())
        wait(world, clock, 61)


def wait(world: Context, clock: FixedClock, seconds: int) -> None:
    """Time passes, for the process and for its database."""
    clock.move(timedelta(seconds=seconds))
    let_pass(world.engine, timedelta(seconds=seconds))


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_kill_anywhere_neither_loses_nor_doubles_a_letter(database: Engine, answer: str) -> None:
    # What is refused ends sooner.
    places = 12 if answer == "refused" else 25
    step = every(database)
    assert kill_everywhere(database, [answer, answer], step) > places // step


def kill_everywhere(engine: Engine, answers: list[str], step: int = 1) -> int:
    """A life for each place at which it can end, and one more process after it; how many places there were."""
    for at in itertools.count(step=step):
        clock, slack = FixedClock(NOW), Channel(answers)
        first = put(engine, clock)
        clock.move(timedelta(seconds=5))
        world, bomb = context(engine, clock, slack), Bomb(at)
        slack.bomb = bomb
        with armed(engine, bomb):
            try:
                live(world, clock, ticks=3)
            except Killed as killed:
                traceback.clear_frames(killed.__traceback__)  # a dead process holds no half-read cursor …
            else:
                return at // step
        engine.dispose()  # … and no connection
        slack.bomb = Bomb(None)
        while not set(states(engine)) <= {"sent", "dead", "skipped"}:
            assert clock.now() < NOW + timedelta(minutes=20), at
            live(world, clock, ticks=1)
        found = [(m["text"], m["metadata"]["event_payload"]["id"]) for m in slack.messages.values()]
        ended = states(engine)
        if ended[0] == "dead":
            assert (found, ended[1]) == ([], "skipped"), at
        else:
            assert found == [("recovered" if ended[1] == "sent" else "fired", first)], at
        assert "refused" in answers or ended == ["sent", "sent"], at
    raise AssertionError


def test_a_look_that_slack_does_not_answer_is_taken_again_within_two_minutes(database: Engine) -> None:
    clock, slack = FixedClock(NOW), Channel(["lost_request"])
    slack.looks_unanswered = 1
    put(database, clock)
    live(context(database, clock, slack), clock, ticks=4)
    assert states(database) == ["sent", "sent"]


def test_where_the_channel_cannot_be_read_a_doubtful_letter_stays_unknown_and_is_not_repeated(
    database: Engine,
) -> None:
    clock, slack = FixedClock(NOW), Channel(["lost_reply"], readable=False)
    put(database, clock)
    world = context(database, clock, slack)
    live(world, clock)
    assert states(database) == ["unknown", "pending"]
    assert slack.posts == 1
    slack.readable = True
    wait(world, clock, 600)
    live(world, clock)
    assert states(database) == ["sent", "sent"]
    assert [message["text"] for message in slack.messages.values()] == ["recovered"]


def test_a_refusal_for_good_is_dead_with_its_reason_and_its_edit_is_skipped(database: Engine) -> None:
    clock, slack = FixedClock(NOW), Channel([])
    put(database, clock)
    slack.post = lambda *_, **__: Refused("channel_not_found")  # type: ignore[method-assign]
    live(context(database, clock, slack), clock)
    assert states(database) == ["dead", "skipped"]
    with reading(database) as connection:
        assert connection.scalar(sa.select(letter.c.error).where(letter.c.state == "dead")) == "channel_not_found"


def test_a_shutdown_releases_what_is_claimed_before_a_byte_has_left(database: Engine) -> None:
    clock, slack = FixedClock(NOW), Channel([])
    put(database, clock)
    stopping = Event()
    stopping.set()
    postman.run(context(database, clock, slack), stopping)
    assert slack.posts == 0
    assert states(database) == ["pending", "pending"]
    with reading(database) as connection:
        assert connection.scalar(sa.select(letter.c.attempts).order_by(letter.c.due_at).limit(1)) == 1
    postman.run(context(database, clock, slack), Event())
    assert slack.posts == 1


def test_two_postmen_take_a_letter_once(database: Engine) -> None:
    clock = FixedClock(NOW)
    put(database, clock)
    with writing(database) as connection:
        (mine,) = outbox.claim(connection, NOW, 5)
    with writing(database) as connection:
        assert outbox.claim(connection, NOW, 5) == []
    # A process whose own clock is far ahead takes nothing that is held.
    with writing(database) as connection:
        assert outbox.claim(connection, NOW + timedelta(hours=1), 5) == []
    let_pass(database, timedelta(seconds=61))
    with writing(database) as connection:
        (theirs,) = outbox.claim(connection, NOW, 5)
    assert theirs.doubtful
    with writing(database) as connection:
        assert not outbox.settle(connection, mine, outbox.sent("1.0"))
        assert outbox.settle(connection, theirs, outbox.sent("1.0"))


def test_the_same_occurrence_put_twice_is_one_letter(database: Engine) -> None:
    for text in ("first", "second"):
        with writing(database) as connection:
            outbox.put(
                connection,
                workspace_id="W1",
                dedupe="digest:S1:2026-11-23",
                kind="digest",
                channel_id="C1",
                payload={"text": text, "blocks": []},
                now=NOW,
            )
    with reading(database) as connection:
        rows = connection.execute(sa.select(letter.c.payload)).scalars().all()
    assert len(rows) == 1
    assert "first" in rows[0]
