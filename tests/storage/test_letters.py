"""What may become of a letter: doubted, held, put in a thread, taken back, echoed, brought back from the dead."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from storage import outbox, pace
from storage.database import reading, writing
from storage.schema import letter
from tests.shared_clock import let_pass

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def put(engine: Engine, name: str, channel: str = "C1", *, now: datetime = NOW, **more: Any) -> str:
    with writing(engine) as connection:
        return outbox.put(
            connection,
            workspace_id="W1",
            dedupe=name,
            kind=more.pop("kind", "digest"),
            channel_id=channel,
            payload={"text": name, "blocks": []},
            now=now,
            **more,
        )


def claim(engine: Engine, now: datetime = NOW) -> list[outbox.Letter]:
    with writing(engine) as connection:
        return outbox.claim(connection, now, 10)


def take(engine: Engine, now: datetime = NOW) -> outbox.Letter:
    """The one letter that may leave, once its channel has rested."""
    let_pass(engine, timedelta(seconds=pace.GAP))
    (taken,) = claim(engine, now)
    return taken


def settle(engine: Engine, claimed: outbox.Letter, outcome: outbox.Outcome) -> bool:
    with writing(engine) as connection:
        return outbox.settle(connection, claimed, outcome)


def heard(engine: Engine, letter_id: str, ts: str, channel: str = "C1") -> str | None:
    with writing(engine) as connection:
        return outbox.heard(connection, "W1", letter_id, channel, ts)


def row(engine: Engine, letter_id: str) -> tuple[str, str | None, str | None]:
    columns = (letter.c.state, letter.c.ts, letter.c.error)
    with reading(engine) as connection:
        return tuple(connection.execute(sa.select(*columns).where(letter.c.id == letter_id)).one())  # type: ignore[return-value]


def kill(engine: Engine, reason: str = "not_in_channel", now: datetime = NOW) -> str:
    taken = take(engine, now)
    assert settle(engine, taken, outbox.dead(reason))
    return taken.id


def test_what_is_put_more_than_five_minutes_late_is_looked_for_first(database: Engine) -> None:
    put(database, "fresh", "C1", due_at=NOW - timedelta(minutes=5))
    put(database, "late", "C2", due_at=NOW - timedelta(minutes=5, seconds=1))
    (fresh,) = claim(database)
    assert (fresh.payload["text"], fresh.doubtful) == ("fresh", False)
    # Whoever forgot it may have posted it a moment ago: Slack's record is trusted after a while only.
    let_pass(database, timedelta(seconds=outbox.LOOK_AFTER_SECONDS + 1))
    looked = [each for each in claim(database) if each.doubtful]
    assert sorted(each.payload["text"] for each in looked) == ["late"]
    assert looked[0].attempts == 0


def test_what_was_skipped_is_not_doubted(database: Engine) -> None:
    skipped = put(database, "old", due_at=NOW - timedelta(days=2), state="skipped", error="late")
    assert row(database, skipped) == ("skipped", None, "late")


def test_a_letter_for_later_waits_for_its_moment(database: Engine) -> None:
    put(database, "morning", due_at=NOW + timedelta(hours=9))
    assert claim(database) == []
    assert claim(database, NOW + timedelta(hours=8, minutes=59)) == []
    (taken,) = claim(database, NOW + timedelta(hours=9))
    assert (taken.doubtful, taken.late) == (False, False)


@pytest.mark.parametrize(("kind", "hours"), [("alert", 2), ("digest", 24)])
def test_a_message_is_too_late_after_its_catch_up_time(database: Engine, kind: str, hours: int) -> None:
    put(database, "a", "C1", kind=kind)
    put(database, "notice", "C2", kind="notice")
    after = NOW + timedelta(hours=hours)
    assert [each.late for each in claim(database, after)] == [False, False]
    let_pass(database, timedelta(seconds=61))
    looked = claim(database, after + timedelta(seconds=1))
    assert [each.late for each in looked] == [False, False], "what may be there is looked for, however late"
    for each in looked:
        settle(database, each, outbox.later(0, "it was not in the channel", channel_rest=0))
    late = {each.payload["text"]: each.late for each in claim(database, after + timedelta(seconds=1))}
    assert late == {"a": True, "notice": False}


def test_an_edit_is_never_too_late(database: Engine) -> None:
    first = put(database, "fired", kind="alert")
    settle(database, take(database), outbox.sent("1.0"))
    put(database, "over", kind="alert", edits=first)
    assert not take(database, NOW + timedelta(days=3)).late


def test_an_answer_in_a_thread_waits_for_its_message_and_goes_under_it(database: Engine) -> None:
    first = put(database, "digest")
    put(database, "note", thread=first, now=NOW - timedelta(minutes=1))
    taken = take(database)
    assert (taken.payload["text"], taken.thread_ts) == ("digest", None)
    settle(database, taken, outbox.sent("17.000100"))
    note = take(database)
    assert (note.payload["text"], note.thread, note.thread_ts, note.edits_ts) == ("note", first, "17.000100", None)
    assert note.unposted is None


@pytest.mark.parametrize("follows", ["thread", "edits"])
def test_what_follows_a_message_that_is_not_there_knows_why(database: Engine, follows: str) -> None:
    first = put(database, "first")
    put(database, "second", **{follows: first})
    kill(database, "is_archived")
    second = take(database)
    assert second.unposted == "unposted: is_archived"
    third = put(database, "third", "C1", thread=second.id)
    settle(database, second, outbox.skipped(second.unposted))
    last = take(database)
    assert (last.id, last.unposted) == (third, "unposted: is_archived")


def test_what_follows_a_message_that_nobody_knows_does_not_wait_for_ever(database: Engine) -> None:
    put(database, "note", thread="gone")
    assert take(database).unposted == "unposted: "


def test_a_letter_that_has_not_begun_to_leave_is_taken_back(database: Engine) -> None:
    waiting, leaving = put(database, "waiting", "C1"), put(database, "leaving", "C2")
    held = put(database, "held", "C3", due_at=NOW + timedelta(hours=1))
    doubted = put(database, "doubted", "C4", due_at=NOW - timedelta(hours=1))

    def withdraw(letter_id: str) -> bool:
        with writing(database) as connection:
            return outbox.withdraw(connection, "W1", letter_id, "recovered")

    assert withdraw(waiting)
    assert withdraw(held)
    assert not withdraw(waiting), "once"
    assert not withdraw(doubted), "it may be in the channel"
    (taken,) = claim(database)
    assert taken.id == leaving
    assert not withdraw(leaving)
    assert row(database, waiting) == ("skipped", None, "recovered")


@pytest.mark.parametrize("state", ["pending", "sending", "unknown", "dead", "skipped"])
def test_the_echo_settles_a_letter_whatever_it_was(database: Engine, state: str) -> None:
    put(database, "a")
    taken = take(database)
    with writing(database) as connection:
        connection.execute(sa.update(letter).values(state=state, error="deadline"))
    assert heard(database, taken.id, "17.000100") is None
    assert row(database, taken.id) == ("sent", "17.000100", None)
    assert heard(database, taken.id, "17.000100") is None, "said again"
    assert not settle(database, taken, outbox.doubtful(45, "deadline")), "it is settled"
    assert row(database, taken.id) == ("sent", "17.000100", None)


def test_of_two_messages_the_one_that_has_no_receipt_is_to_be_deleted_until_it_is(database: Engine) -> None:
    first = put(database, "a")
    settle(database, take(database), outbox.sent("999999999.000100"))
    for other in ("1000000000.000001", "999999999.000099"):
        assert heard(database, first, other) == other
        assert heard(database, first, other) == other, "deleting it may have failed"
    # By this one it has perhaps been edited and answered.
    assert row(database, first)[1] == "999999999.000100"
    assert heard(database, first, "999999999.000100") is None


def test_edits_are_made_in_the_order_in_which_they_were_put_whatever_the_clocks_said(database: Engine) -> None:
    first = put(database, "a")
    settle(database, take(database), outbox.sent("17.1"))
    put(database, "by a clock that is ahead", edits=first, now=NOW)
    put(database, "later", edits=first, now=NOW - timedelta(hours=1))
    for expected in ("by a clock that is ahead", "later"):
        edit = take(database)
        assert edit.payload["text"] == expected
        settle(database, edit, outbox.sent("17.1"))


@pytest.mark.parametrize("later_is", ["sent", "under way"])
def test_an_edit_made_after_its_claim_was_lost_has_the_last_edit_made_again(database: Engine, later_is: str) -> None:
    first = put(database, "a")
    settle(database, take(database), outbox.sent("17.1"))
    put(database, "old", edits=first)
    frozen = take(database)
    let_pass(database, timedelta(seconds=outbox.LEASE_SECONDS + 1))
    settle(database, take(database), outbox.sent("17.1"))
    put(database, "new", edits=first)
    new = take(database)
    if later_is == "sent":
        settle(database, new, outbox.sent("17.1"))
    assert not settle(database, frozen, outbox.sent("17.1"))
    with writing(database) as connection:
        outbox.edit_again(connection, frozen)
    let_pass(database, timedelta(seconds=outbox.LEASE_SECONDS + 1))
    again = take(database)
    assert again.payload["text"] == "new"
    assert settle(database, again, outbox.sent("17.1"))
    assert not settle(database, new, outbox.sent("17.1"))


def test_an_echo_from_elsewhere_or_of_an_unknown_letter_changes_nothing(database: Engine) -> None:
    first, direct = put(database, "a"), put(database, "b", "U1")
    assert heard(database, first, "17.1", "C2") is None
    assert heard(database, "unknown", "17.1") is None
    assert row(database, first)[0] == "pending"
    assert heard(database, direct, "17.1", "D1") is None
    assert row(database, direct)[0] == "sent", "a person's letter stands in the direct message with them"


def test_where_slack_takes_nothing_every_letter_of_the_workspace_waits_unharmed(database: Engine) -> None:
    for number in range(3):
        put(database, f"a{number}", f"C{number}")
    with writing(database) as connection:
        outbox.put(
            connection, workspace_id="W2", dedupe="b", kind="digest", channel_id="C0", payload={"text": "b"}, now=NOW
        )
    for each in [each for each in claim(database) if each.workspace_id == "W1"]:
        assert settle(database, each, outbox.stopped(60, "token_revoked"))
    let_pass(database, timedelta(seconds=59))
    assert claim(database) == []
    let_pass(database, timedelta(seconds=2))
    again = [each for each in claim(database) if each.workspace_id == "W1"]
    assert [(each.attempts, each.doubtful) for each in again] == [(1, False)] * 3, "three refusals are waited for once"


def test_the_dead_letters_of_a_channel_come_back_to_be_looked_for(database: Engine) -> None:
    for name, channel, owner in (("a", "C1", "U1"), ("b", "C1", "U2"), ("c", "C2", "U1")):
        put(database, name, channel, owner=owner)
    let_pass(database, timedelta(seconds=1))
    for _ in range(2):
        for each in claim(database):
            settle(database, each, outbox.dead("not_in_channel"))
        let_pass(database, timedelta(seconds=2))
    with writing(database) as connection:
        assert outbox.revive(connection, "W1", "C1", NOW, "U1") == outbox.Revived(1, 0)
        assert outbox.revive(connection, "W1", "C1", NOW) == outbox.Revived(1, 0)
        assert outbox.revive(connection, "W1", "C1", NOW) == outbox.Revived(0, 0)
    assert take(database).doubtful


def test_what_is_too_old_is_not_brought_back(database: Engine) -> None:
    put(database, "alert", kind="alert")
    dead = kill(database)
    with writing(database) as connection:
        assert outbox.revive(connection, "W1", "C1", NOW + timedelta(hours=3)) == outbox.Revived(0, 1)
    assert row(database, dead) == ("skipped", None, "late")


def test_what_followed_a_dead_letter_comes_back_with_it(database: Engine) -> None:
    first = put(database, "first")
    note = put(database, "note", thread=first)
    kill(database)
    taken = take(database)
    settle(database, taken, outbox.skipped(taken.unposted or ""))
    with writing(database) as connection:
        outbox.revive(connection, "W1", "C1", NOW)
    settle(database, take(database), outbox.sent("17.1"))
    again = take(database)
    assert (again.id, again.thread_ts, again.unposted) == (note, "17.1", None)


def test_a_dead_edit_that_a_later_one_has_overtaken_stays_away(database: Engine) -> None:
    first = put(database, "first")
    settle(database, take(database), outbox.sent("17.1"))
    old = put(database, "old", edits=first, now=NOW)
    kill(database, "edit_window_closed")
    put(database, "new", edits=first, now=NOW + timedelta(seconds=1))
    settle(database, take(database, NOW + timedelta(seconds=1)), outbox.sent("17.1"))
    with writing(database) as connection:
        outbox.revive(connection, "W1", "C1", NOW)
    assert row(database, old)[0] == "skipped"


def test_lots_say_what_is_not_delivered_by_channel_and_reason(database: Engine) -> None:
    put(database, "a", "C1", owner="U1")
    put(database, "b", "C1", owner="U1", now=NOW - timedelta(minutes=1))
    put(database, "c", "C2", due_at=NOW + timedelta(hours=1))
    put(database, "d", "C3", state="skipped", error="late")
    put(database, "e", "C4", state="skipped", error="late", now=NOW - timedelta(days=9))
    settle(database, take(database), outbox.dead("is_archived"))
    with reading(database) as connection:
        found = outbox.lots(connection, "W1", NOW, skipped_since=NOW - timedelta(days=7))
        mine = outbox.lots(connection, "W1", NOW, skipped_since=NOW, owner="U1")
    assert sorted((lot.channel_id, lot.state, lot.error, lot.letters) for lot in found) == [
        ("C1", "dead", "is_archived", 1),
        ("C1", "pending", None, 1),
        ("C2", "held", None, 1),
        ("C3", "skipped", "late", 1),
    ]
    assert {lot.channel_id for lot in mine} == {"C1"}
    assert found[0].due_at == NOW - timedelta(minutes=1)


def test_after_a_restore_what_was_due_is_looked_for_and_what_is_for_later_waits(database: Engine) -> None:
    due, later = put(database, "due", "C1"), put(database, "later", "C2", due_at=NOW + timedelta(hours=1))
    with writing(database) as connection:
        outbox.doubt(connection, "W1", NOW)
    assert (row(database, due)[0], row(database, later)[0]) == ("unknown", "pending")
    assert [each.payload["text"] for each in claim(database)] == ["due"]
