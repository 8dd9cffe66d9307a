"""Any history of two postmen, freezes, deaths and bad answers ends with each letter in its channel exactly once."""

from collections import Counter
from dataclasses import dataclass
from threading import Event

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from bot.clock import FixedClock
from bot.jobs import posting, postman, seeking
from bot.outcome import Outcome
from storage import outbox
from storage.database import writing
from storage.outbox import Letter
from tests.crash.test_delivery import ANSWERS, NOW, Channel, context, put, states, wait

CLEAR_OR_NOT = [each for each in ANSWERS if each != "refused"]

STEPS = st.one_of(
    st.tuples(st.just("claim"), st.sampled_from("AB")),
    st.tuples(st.just("settle"), st.sampled_from("AB")),
    st.tuples(st.just("die"), st.sampled_from("AB")),
    st.tuples(st.just("wait"), st.sampled_from([1, 44, 59, 62, 700])),
)


@dataclass
class Postman:
    """One process: what it holds, and what Slack told it. It may stop for any time after the call, never before."""

    held: Letter | None = None
    outcome: Outcome | None = None
    looked: outbox.Outcome | None = None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, max_size=40), st.lists(st.sampled_from(CLEAR_OR_NOT), max_size=10), st.booleans())
def test_every_history_ends_with_each_letter_there_once(
    database: Engine, steps: list[tuple[str, str | int]], answers: list[str], readable_at_first: bool
) -> None:
    clock, slack = FixedClock(NOW), Channel(answers, readable=readable_at_first)
    first = put(database, clock)
    world = context(database, clock, slack)
    wait(world, clock, 5)
    postmen = {"A": Postman(), "B": Postman()}
    for step, who in steps:
        if step == "wait":
            wait(world, clock, int(who))
            continue
        one = postmen[str(who)]
        if step == "die":
            postmen[str(who)] = Postman()
        elif step == "claim" and one.held is None:
            with writing(database) as connection:
                one.held = next(iter(outbox.claim(connection, clock.now(), 1)), None)
            # A claim and its call are one breath: a longer one gives the letter back (LATEST_START_SECONDS).
            _call(world, one)
        elif step == "settle" and one.held is not None:
            _settle(database, world, one)
            postmen[str(who)] = Postman()
        assert len(slack.messages) <= 1
    slack.readable = True
    for _ in range(14):
        wait(world, clock, 61)
        postman.run(world, Event())
    assert states(database) == ["sent", "sent"]
    ids = Counter(message["metadata"]["event_payload"]["id"] for message in slack.messages.values())
    assert ids == {first: 1}
    assert [message["text"] for message in slack.messages.values()] == ["recovered"]


def _call(world: postman.Context, one: Postman) -> None:
    if one.held is None:
        return
    if one.held.doubtful:
        one.looked = seeking.look(world, one.held)
    elif one.held.edits is None or one.held.edits_ts is not None:
        one.outcome = posting.call(world, one.held, ())


def _settle(engine: Engine, world: postman.Context, one: Postman) -> None:
    assert one.held is not None
    outcome = one.looked
    if one.outcome is not None:
        outcome = posting.settlement(one.held, one.outcome)
    if outcome is not None:
        with writing(engine) as connection:
            outbox.settle(connection, one.held, outcome)
