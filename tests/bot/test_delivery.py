"""Letters and what Slack makes of them, as people see it: told once, looked for first, brought back, echoed."""

from datetime import timedelta
from threading import Event
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa

from bot.jobs import postman
from bot.jobs.posting import metadata_of
from bot.playground.person import User, shown
from storage import outbox
from storage.database import reading, writing
from storage.schema import letter
from storage.workspaces import SINGLE
from tests.bot.conftest import Stage, both_databases


def put(stage: Stage, name: str, where: str = "sales", **more: Any) -> str:
    with writing(stage.engine) as connection:
        return outbox.put(
            connection,
            workspace_id=SINGLE,
            dedupe=name,
            kind=more.pop("kind", "digest"),
            channel_id=place(stage, where),
            payload={"text": name, "blocks": []},
            now=stage.clock.now(),
            **more,
        )


def place(stage: Stage, where: str) -> str:
    return where if where.startswith("U") else stage.playground.world.find_channel(where).id


def post(stage: Stage, rounds: int = 1) -> None:
    for _ in range(rounds):
        postman.run(stage.context, Event())
        stage.clock.move(timedelta(seconds=2))


def row(stage: Stage, letter_id: str) -> tuple[str, str | None]:
    with reading(stage.engine) as connection:
        found = connection.execute(sa.select(letter.c.state, letter.c.error).where(letter.c.id == letter_id)).one()
        return found.state, found.error


def said(user: User, where: str | None = None) -> list[str]:
    return [shown(message) for message in user.messages(where)]


def without_echo(stage: Stage) -> None:
    stage.playground.world.metadata_subscriptions = set()


def leave(stage: Stage, where: str) -> None:
    """Somebody removes the bot."""
    world = stage.playground.world
    world.find_channel(where).members.remove(world.bot_user)


@both_databases
def test_whoever_owns_letters_that_slack_refuses_is_told_once_and_brings_them_back(vigie: Stage) -> None:
    anna = vigie.confirm("anna", "anna")
    leave(vigie, "sales")
    first, second = put(vigie, "first", owner=anna.id), put(vigie, "second", owner=anna.id)
    put(vigie, "elsewhere", "visitors")
    post(vigie, 4)
    assert [row(vigie, each) for each in (first, second)] == [("dead", "not_in_channel")] * 2
    assert said(anna, "visitors") == ["elsewhere"], "everything else goes on"
    (told,) = anna.messages()
    assert "I could not post a message in" in shown(told)
    assert "/invite @Vigie" in shown(told)
    channel = place(vigie, "sales")
    assert f"<#{channel}>" in told["text"]
    anna.command("/kpi retry", "visitors")
    anna.wait_for("visitors", lambda message: "I am not in this channel" in shown(message))
    assert row(vigie, first)[0] == "dead", "nothing can be posted there still"
    anna.invite_bot("sales")
    anna.click(told, "letters.retry")
    anna.wait_for(None, lambda message: "2 messages are on their way again." in shown(message))
    post(vigie, 6)
    assert sorted(text for text in said(anna, "sales") if text in {"first", "second"}) == ["first", "second"]
    leave(vigie, "sales")
    put(vigie, "third", owner=anna.id)
    post(vigie, 3)
    again = [text for text in said(anna) if "I could not post a message in" in text]
    assert len(again) == 2, "it is another time"


def test_a_letter_that_had_been_posted_after_all_is_not_posted_again(vigie: Stage) -> None:
    without_echo(vigie)
    ada = vigie.confirm("ada", None, "admin")
    found = put(vigie, "first")
    post(vigie)
    with writing(vigie.engine) as connection:
        connection.execute(sa.update(letter).values(state="dead", error="not_in_channel", ts=None))
    ada.command("/kpi renvoyer #sales", "sales")
    ada.wait_for("sales", lambda message: "1 message is on its way again." in shown(message))
    post(vigie, 3)
    assert row(vigie, found) == ("sent", None)
    assert said(ada, "sales").count("first") == 1


def test_only_what_is_theirs_comes_back_to_somebody(vigie: Stage) -> None:
    bruno = vigie.confirm("bruno", "bruno")
    dead = put(vigie, "first", owner=vigie.as_user("anna").id)
    vigie.playground.world.faults.add("chat.postMessage", "error", error="is_archived")
    post(vigie)
    bruno.command("/kpi retry", "visitors")
    bruno.wait_for("visitors", lambda message: "refused no message of yours" in shown(message))
    assert row(vigie, dead) == ("dead", "is_archived")


def test_administrators_are_told_where_the_owner_cannot_be_reached(vigie: Stage) -> None:
    ada, anna = vigie.confirm("ada", None, "admin"), vigie.as_user("anna")
    leave(vigie, "sales")
    put(vigie, "first", owner=anna.id)
    world = vigie.playground.world
    world.faults.add("chat.postMessage", "error", error="not_in_channel")
    world.faults.add("chat.postMessage", "error", error="user_not_found")
    post(vigie, 4)
    (told,) = said(ada)
    assert "I could not write to" in told
    assert "This person cannot be written to any more." in told


def test_an_alert_that_could_be_posted_too_late_only_is_left_out_and_its_owner_told(vigie: Stage) -> None:
    chloe = vigie.confirm("chloe", "chloe")
    late = put(vigie, "alert", kind="alert", owner=chloe.id)
    vigie.clock.move(timedelta(hours=2, minutes=1))
    post(vigie, 2)
    assert row(vigie, late) == ("skipped", "late")
    (told,) = said(chloe)
    assert "Elle n'a pas pu être publiée dans les deux heures" in told
    assert said(chloe, "sales") == []


def test_an_answer_in_a_thread_that_is_in_doubt_is_looked_for_in_the_thread(vigie: Stage) -> None:
    without_echo(vigie)
    first = put(vigie, "digest")
    note = put(vigie, "note", thread=first)
    post(vigie)
    vigie.playground.world.faults.add("chat.postMessage", "lost_reply")
    post(vigie, 2)
    assert row(vigie, note)[0] == "unknown"
    vigie.clock.move(timedelta(minutes=1))
    post(vigie)
    assert row(vigie, note) == ("sent", None)
    anna = vigie.as_user("anna")
    (parent,) = [message for message in anna.messages("sales") if message["text"] == "digest"]
    replies = [message["text"] for message in anna.messages("sales", parent["ts"])]
    assert replies.count("note") == 1


@pytest.mark.parametrize("fault", ["lost_reply", "lost_request"])
def test_a_direct_message_in_doubt_is_looked_for_where_it_stands_and_edited_there(vigie: Stage, fault: str) -> None:
    without_echo(vigie)
    anna = vigie.as_user("anna")
    vigie.playground.world.faults.add("chat.postMessage", fault)
    first = put(vigie, "hello", anna.id)
    post(vigie)
    put(vigie, "hello again", anna.id, edits=first)
    assert row(vigie, first)[0] == "unknown"
    vigie.clock.move(timedelta(minutes=1))
    post(vigie, 4)
    assert said(anna) == ["hello again"]


@both_databases
def test_the_echo_settles_a_letter_whose_answer_was_lost(vigie: Stage) -> None:
    vigie.playground.world.faults.add("chat.postMessage", "lost_reply")
    found = put(vigie, "first")
    post(vigie)
    vigie.playground.world.wait_until(lambda: row(vigie, found)[0] == "sent" or None)
    assert said(vigie.as_user("anna"), "sales") == ["first"]


def test_a_second_message_of_a_letter_is_deleted_when_slack_says_it_back(vigie: Stage) -> None:
    found = put(vigie, "first")
    post(vigie)
    anna = vigie.as_user("anna")
    vigie.context.slack.post(place(vigie, "sales"), "first", metadata=metadata_of(found))
    vigie.playground.world.wait_until(lambda: len(said(anna, "sales")) == 1 or None)
    assert row(vigie, found) == ("sent", None)


def test_a_frozen_process_that_posts_late_takes_its_second_message_away(vigie: Stage) -> None:
    without_echo(vigie)
    put(vigie, "first")
    now = vigie.clock.now()
    with writing(vigie.engine) as connection:
        (frozen,) = outbox.claim(connection, now, 1)
    vigie.clock.move(timedelta(seconds=61))
    post(vigie, 3)
    postman.deliver(vigie.context, frozen, Event(), claimed=monotonic())
    assert said(vigie.as_user("anna"), "sales") == ["first"]


def test_a_refused_token_stops_everything_and_burns_nothing(vigie: Stage) -> None:
    world = vigie.playground.world
    letters = [put(vigie, "first"), put(vigie, "second", "visitors")]
    world.revoked = True
    for _ in range(5):
        post(vigie)
        vigie.clock.move(timedelta(minutes=1))
    assert {row(vigie, each)[0] for each in letters} == {"pending"}
    assert "account_inactive" in {row(vigie, each)[1] for each in letters}
    world.revoked = False
    vigie.clock.move(timedelta(minutes=1))
    post(vigie, 3)
    anna = vigie.as_user("anna")
    assert said(anna, "sales") + said(anna, "visitors") == ["first", "second"]


def test_status_names_channels_in_doubt_and_refused_to_those_who_may_know(vigie: Stage) -> None:
    without_echo(vigie)
    ada, anna = vigie.confirm("ada", None, "admin"), vigie.confirm("anna", "anna")
    world = vigie.playground.world
    put(vigie, "first", owner=ada.id)
    world.faults.add("chat.postMessage", "error", error="restricted_action_read_only_channel")
    post(vigie)
    put(vigie, "doubted", "partners", owner=ada.id)
    world.faults.add("chat.postMessage", "lost_reply")
    world.scopes.discard("channels:history")
    post(vigie, 1)
    vigie.clock.move(timedelta(minutes=1))
    post(vigie, 2)
    world.scopes.add("channels:history")
    put(vigie, "tomorrow", due_at=vigie.clock.now() + timedelta(days=1))
    for user in (ada, anna):
        user.command("/kpi status", "visitors")
    told = shown(ada.wait_for("visitors", lambda message: "The state of the data" in shown(message)))
    assert "Messages waiting: 0; in doubt: 1; refused by Slack: 1. 1 is for later." in told
    assert "1 message refused. I am not allowed to post in this channel." in told
    assert "1 message in doubt. I cannot read the channel (missing_scope)" in told
    other = shown(anna.wait_for("visitors", lambda message: "The state of the data" in shown(message)))
    assert "in doubt: 1; refused by Slack: 1." in other
    assert "not allowed to post" not in other
