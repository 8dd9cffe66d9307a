"""What the outbox gives out: a letter a channel, no faster than Slack allows, by the database's clock."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Engine

from storage import outbox, pace
from storage.database import writing
from storage.schema import letter
from tests.shared_clock import let_pass

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def put(engine: Engine, name: str, channel: str, *, workspace: str = "W1", kind: str = "digest") -> str:
    with writing(engine) as connection:
        return outbox.put(
            connection,
            workspace_id=workspace,
            dedupe=name,
            kind=kind,
            channel_id=channel,
            payload={"text": name, "blocks": []},
            now=NOW,
        )


def claim(engine: Engine, most: int = 10) -> list[outbox.Letter]:
    with writing(engine) as connection:
        return outbox.claim(connection, NOW, most)


def settle(engine: Engine, claimed: outbox.Letter, outcome: outbox.Outcome) -> None:
    with writing(engine) as connection:
        assert outbox.settle(connection, claimed, outcome)


def names(letters: list[outbox.Letter]) -> list[str]:
    return sorted(each.payload["text"] for each in letters)


def test_one_letter_of_a_channel_is_in_flight_and_the_next_follows_a_second_later(database: Engine) -> None:
    for name, channel in (("a", "C1"), ("b", "C1"), ("c", "C2")):
        put(database, name, channel)
    first = claim(database)
    assert sorted(each.channel_id for each in first) == ["C1", "C2"]
    assert claim(database) == []
    for each in first:
        settle(database, each, outbox.sent("1.0"))
    assert claim(database) == []
    let_pass(database, timedelta(seconds=pace.GAP))
    assert [each.channel_id for each in claim(database)] == ["C1"]


def test_the_same_channel_of_another_workspace_does_not_wait(database: Engine) -> None:
    put(database, "a", "C1")
    put(database, "b", "C1", workspace="W2")
    assert names(claim(database)) == ["a", "b"]


def test_alerts_go_first_and_no_more_is_taken_than_is_wanted(database: Engine) -> None:
    for number in range(4):
        put(database, f"digest {number}", f"C{number}")
    put(database, "alert", "C9", kind="alert")
    assert names(claim(database, 1)) == ["alert"]
    assert len(claim(database, 3)) == 3
    assert len(claim(database, 3)) == 1


def test_what_slack_puts_off_delays_its_channel_alone(database: Engine) -> None:
    for name, channel in (("a", "C1"), ("b", "C1"), ("c", "C2"), ("d", "C2")):
        put(database, name, channel)
    one, other = sorted(claim(database), key=lambda each: each.channel_id)
    settle(database, one, outbox.put_off(30, "rate_limited"))
    settle(database, other, outbox.sent("1.0"))
    let_pass(database, timedelta(seconds=2))
    assert [each.channel_id for each in claim(database)] == ["C2"]
    let_pass(database, timedelta(seconds=29))
    assert [each.channel_id for each in claim(database)] == ["C1"]


def test_several_letters_put_off_at_once_slow_their_workspace_down_and_no_other(database: Engine) -> None:
    for number in range(12):
        put(database, f"a{number}", f"C{number}")
    put(database, "b", "C1", workspace="W2")
    for each in claim(database, 6):
        settle(database, each, outbox.put_off(1, "rate_limited"))
    assert names(claim(database)) == ["b"]
    let_pass(database, timedelta(seconds=4))
    assert len(claim(database, 20)) == 12


def test_a_claim_whose_time_is_over_is_looked_up_and_cannot_be_settled_any_more(database: Engine) -> None:
    put(database, "a", "C1")
    (lost,) = claim(database)
    let_pass(database, timedelta(seconds=outbox.LEASE_SECONDS - 1))
    assert claim(database) == []
    let_pass(database, timedelta(seconds=2))
    (found,) = claim(database)
    assert (found.doubtful, found.attempts) == (True, 1)
    with writing(database) as connection:
        assert not outbox.settle(connection, lost, outbox.sent("1.0"))
    settle(database, found, outbox.later(0, "it was not in the channel", channel_rest=0))
    (again,) = claim(database)
    assert (again.doubtful, again.attempts) == (False, 2)


def test_two_replicas_that_claim_at_the_same_time_share_the_letters(database: Engine) -> None:
    for number in range(12):
        put(database, f"a{number}", f"C{number % 6}", workspace=f"W{number // 6}")
    with ThreadPoolExecutor(2) as threads:
        shares = list(threads.map(lambda _: claim(database, 4) + claim(database, 4), range(2)))
    assert all(shares)
    assert names([each for share in shares for each in share]) == sorted(f"a{number}" for number in range(12))
    with writing(database) as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(letter.c.state == "sending")) == 12
