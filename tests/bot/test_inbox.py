"""What Slack says is on the disk before it is acknowledged: nothing of it is lost, read there, or done twice."""

import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from bot.clock import FixedClock
from bot.inbox import MOST_ATTEMPTS
from bot.jobs import inbox as worker
from bot.outcome import Sent
from bot.playground.payloads import action_payload, command_payload
from bot.playground.person import User, shown
from bot.playground.server import Playground
from bot.playground.world import World
from bot.settings import Settings, read_settings
from bot.views.alert import ACKNOWLEDGE
from bot.views.share import FORM
from storage import inbox, outbox, rules, schema
from storage.database import open_engine, reading, writing
from storage.workspaces import SINGLE
from tests.bot.conftest import Stage, both_databases, serving
from tests.shared_clock import let_pass

ROOT = Path(__file__).parents[2]
DEATH = timedelta(seconds=inbox.LEASE_SECONDS + 1)
CANARY = "revenue October 2026"
Json = dict[str, Any]


def rows(engine: Engine) -> list[sa.Row[*tuple[Any, ...]]]:
    with reading(engine) as connection:
        return list(connection.execute(sa.select(schema.inbox).order_by(schema.inbox.c.received_at)))


def is_over(stage: Stage, count: int = 1) -> None:
    """Wait until so many rows are over."""
    until(lambda: len([row for row in rows(stage.engine) if row.state in {"done", "failed"}]) == count)


def until(fits: Callable[[], bool]) -> None:
    """Look until it is so: the database tells nobody when it changes."""
    for _ in range(1000):
        if fits():
            return
        Event().wait(0.01)
    raise AssertionError("it never was")


def take_up(stage: Stage) -> None:
    worker.run(stage.context, Event())


def greetings(user: User) -> list[Json]:
    return [each for each in user.messages(None) if each.get("user") != user.id]


def signed(playground: Playground, body: bytes, now: datetime, kind: str) -> dict[str, str]:
    stamp = str(int(now.timestamp()))
    secret = playground.signing_secret.encode()
    signature = hmac.new(secret, f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": f"v0={signature}",
        "content-type": f"application/{kind}",
    }


def post(stage: Stage, payload: Json, kind: str = "json") -> int:
    body = (json.dumps(payload) if kind == "json" else urlencode(payload)).encode()
    headers = signed(stage.playground, body, stage.clock.now(), kind)
    return httpx.post(f"{stage.url}/slack/events", content=body, headers=headers, trust_env=False).status_code


def command(stage: Stage, name: str, text: str) -> Json:
    world = stage.playground.world
    person, channel = world.find_user(name), world.find_channel("sales")
    return command_payload(world, f"{stage.playground.url}/hooks", person, channel.id, text)


def said_directly(stage: Stage, name: str, event_id: str = "Ev-1", **more: Any) -> Json:
    """A direct message to Vigie, as the Events API tells of it."""
    world = stage.playground.world
    person = world.find_user(name)
    event = {"type": "message", "channel_type": "im", "user": person.id, "channel": world.open_im(person).id} | more
    return {"type": "event_callback", "team_id": world.team_id, "event_id": event_id, "event": event}


@pytest.fixture
def slack() -> Iterator[Playground]:
    """A playground in real time, as the process that is killed."""
    world = World()
    ada = world.add_user("ada", "Ada Admin", "ada@example.com", locale="en-GB")
    world.add_channel("sales", [ada])
    with Playground(world) as running:
        yield running


@both_databases
@pytest.mark.parametrize("sockets", [True, False])
def test_a_kill_right_after_the_acknowledgement_still_ends_in_an_answer(
    slack: Playground, company_url: str, tmp_path: Path, sockets: bool
) -> None:
    port = _free_port()
    settings = _settings(slack, company_url, sockets)
    if not sockets:
        slack.app_url = f"http://127.0.0.1:{port}"
    # Whoever asks is looked up, which outlasts the process.
    slack.world.faults.add("users.info", "slow", seconds=600)
    running = _serve(slack, settings, port, tmp_path, sockets)
    try:
        slack.as_user("ada").command("/kpi revenue October 2026", "sales")
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait(30)
    slack.world.wait_until(lambda: not slack.line.sockets.count, 10)
    assert slack.world.deliveries[-1].outcome == "ok"
    slack.world.faults.clear()
    engine = open_engine(company_url)
    [row] = rows(engine)
    assert (row.state, row.attempts) == ("running", 1)
    let_pass(engine, DEATH)
    engine.dispose()
    with serving(slack, settings, FixedClock(datetime.now(UTC))) as after:
        take_up(after)
        answer = after.as_user("ada").wait_for("sales", lambda message: message["ephemeral"])
        assert "€11,500.00" in shown(answer)
        is_over(after)
        take_up(after)
        assert [row.state for row in rows(after.engine)] == ["done"]


@pytest.mark.parametrize("sockets", [True, False])
def test_nothing_that_was_said_can_be_read_in_the_database_or_the_log(
    playground: Playground,
    settings: Settings,
    http_settings: Settings,
    clock: FixedClock,
    caplog: pytest.LogCaptureFixture,
    sockets: bool,
) -> None:
    with serving(playground, settings if sockets else http_settings, clock) as stage:
        with writing(stage.engine) as connection:
            connection.execute(sa.update(schema.workspace).values(visibility="own"))
        playground.world.faults.add("users.info", "slow", seconds=0.5)
        stage.as_user("anna").command(f"/kpi {CANARY}", "sales")
        [row] = rows(stage.engine)
        assert row.state == "running"
        assert row.body
        for secret in (CANARY, "October", stage.as_user("anna").id, "hooks"):
            assert secret not in row.body
        assert "anna" not in str(tuple(row))
        is_over(stage)
        [row] = rows(stage.engine)
        assert (row.state, row.body, row.error) == ("done", None, None)
    assert CANARY not in caplog.text
    assert "/hooks/" not in caplog.text


@both_databases
def test_a_command_that_is_played_back_is_acknowledged_and_done_once(http_vigie: Stage) -> None:
    world, asked = http_vigie.playground.world, command(http_vigie, "ada", "/kpi help")
    # At once, and again when it is done.
    assert [post(http_vigie, asked, "x-www-form-urlencoded") for _ in range(2)] == [200, 200]
    is_over(http_vigie)
    assert post(http_vigie, asked, "x-www-form-urlencoded") == 200
    assert post(http_vigie, command(http_vigie, "ada", "/kpi help"), "x-www-form-urlencoded") == 200
    is_over(http_vigie, 2)
    assert len([call for call in world.calls if call.method == "response_url"]) == 2


@both_databases
def test_an_event_that_two_replicas_hear_is_done_once(
    playground: Playground, http_settings: Settings, clock: FixedClock
) -> None:
    with serving(playground, http_settings, clock) as one, serving(playground, http_settings, clock) as two:
        for stage in (one, two, one):
            assert post(stage, said_directly(stage, "anna")) == 200
        is_over(one)
        assert post(one, said_directly(one, "anna", "Ev-2")) == 200
        is_over(one, 2)
        assert len(greetings(one.as_user("anna"))) == 2


@both_databases
def test_two_people_who_click_at_once_on_two_replicas_have_one_effect_and_both_are_told(
    playground: Playground, http_settings: Settings, clock: FixedClock
) -> None:
    world = playground.world
    channel = world.find_channel("sales")
    with serving(playground, http_settings, clock) as one, serving(playground, http_settings, clock) as two:
        people = [one.confirm("anna", "anna"), one.confirm("bruno", "bruno")]
        letter_id = _alert(one, channel.id)
        button: Json = {"type": "button", "action_id": ACKNOWLEDGE, "text": {"type": "plain_text", "text": "Seen"}}
        button["value"] = letter_id
        block = {"type": "actions", "block_id": "b", "elements": [button]}
        posted = one.context.slack.post(channel.id, "An alert", [block])
        assert isinstance(posted, Sent)
        message = world.find_message(channel.id, posted.ts)
        assert message is not None
        hooks = f"{playground.url}/hooks"
        clicks = [action_payload(world, hooks, user.person, message, "b", button, letter_id) for user in people]
        with ThreadPoolExecutor(2) as threads:
            sent = threads.map(
                lambda stage, click: post(stage, {"payload": json.dumps(click)}, "x-www-form-urlencoded"),
                (one, two),
                clicks,
            )
            assert list(sent) == [200, 200]
        is_over(one, 2)
        with reading(one.engine) as connection:
            actions = connection.scalars(sa.select(schema.audit.c.action)).all()
        assert actions.count("alert.acknowledged") == 1
        told = [[each["text"] for each in user.messages("sales") if each["ephemeral"]] for user in people]
        assert [len(each) for each in told] == [1, 1]
        assert told[0] != told[1]


@pytest.mark.parametrize(
    "more",
    [
        {"bot_id": "B0SOMEBOT"},
        {"subtype": "message_changed"},
        {"channel_type": "channel"},
        {"user": None},
        {"type": "reaction_added"},
    ],
)
def test_what_is_none_of_vigies_business_is_acknowledged_and_not_kept(http_vigie: Stage, more: Json) -> None:
    assert post(http_vigie, said_directly(http_vigie, "anna", **more)) == 200
    assert rows(http_vigie.engine) == []


@both_databases
def test_what_cannot_be_kept_is_not_acknowledged_and_slack_may_say_it_again(
    http_vigie: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    def rename(before: str, after: str) -> None:
        with writing(http_vigie.engine) as connection:
            connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")

    rename("inbox", "gone")
    assert post(http_vigie, said_directly(http_vigie, "anna")) == 503
    assert post(http_vigie, command(http_vigie, "anna", f"/kpi {CANARY}"), "x-www-form-urlencoded") == 503
    rename("gone", "inbox")
    assert post(http_vigie, said_directly(http_vigie, "anna")) == 200
    is_over(http_vigie)
    assert len(greetings(http_vigie.as_user("anna"))) == 1
    assert CANARY not in caplog.text


def test_without_the_database_nothing_is_acknowledged_over_socket_mode(vigie: Stage) -> None:
    vigie.playground.line.ack_seconds = 0.5
    with writing(vigie.engine) as connection:
        connection.exec_driver_sql("ALTER TABLE inbox RENAME TO gone")
    vigie.playground.line.ask(vigie.playground.line.send("events_api", said_directly(vigie, "anna")))
    assert vigie.playground.world.deliveries[-1].outcome == "timeout"


def test_a_command_that_is_old_is_answered_by_direct_message_and_says_to_what(
    playground: Playground, http_settings: Settings, clock: FixedClock
) -> None:
    with followed(playground, http_settings, clock, "/kpi revenue October 2026") as stage:
        stage.clock.move(timedelta(minutes=40))
        take_up(stage)
        is_over(stage)
        [answer] = greetings(stage.as_user("ada"))
        assert "You asked earlier: /kpi revenue October 2026" in shown(answer)
        assert "€11,500.00" in shown(answer)


def test_what_ends_the_process_again_and_again_is_given_up_and_said(
    playground: Playground, http_settings: Settings, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    with followed(playground, http_settings, clock, "/kpi revenue October 2026") as stage:
        with writing(stage.engine) as connection:
            connection.execute(sa.update(schema.inbox).values(attempts=MOST_ATTEMPTS))
        stage.clock.move(DEATH)
        take_up(stage)
        is_over(stage)
        [row] = rows(stage.engine)
        assert (row.state, row.error, row.body) == ("failed", "begun_too_often", None)
        said = stage.as_user("ada").wait_for("sales", lambda message: message["ephemeral"])
        assert "Something went wrong" in shown(said)
        assert "error=begun_too_often" in caplog.text


def test_what_was_kept_under_another_token_is_given_up(
    playground: Playground, http_settings: Settings, clock: FixedClock
) -> None:
    with followed(playground, http_settings, clock, "/kpi help") as stage:
        with writing(stage.engine) as connection:
            connection.execute(sa.update(schema.inbox).values(body="gAAAAAB-sealed-with-another-key"))
        stage.clock.move(DEATH)
        take_up(stage)
        is_over(stage)
        [row] = rows(stage.engine)
        assert (row.state, row.error) == ("failed", "unreadable")


@pytest.mark.parametrize("fault", ["rate_limited", "server_error"])
def test_an_answer_that_slack_does_not_take_just_now_is_given_later_and_worked_out_once(
    http_vigie: Stage, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # For as long as Slack says, or a while: here it is over at once.
    monkeypatch.setattr("bot.answering.AGAIN_SECONDS", 0.0)
    monkeypatch.setattr("bot.answering.LONGEST_SECONDS", 0.0)
    faults = http_vigie.playground.world.faults
    faults.add("response_url", fault, times=3, retry_after=30)
    ada = http_vigie.as_user("ada")
    assert post(http_vigie, command(http_vigie, "ada", "/kpi help"), "x-www-form-urlencoded") == 200

    def is_said() -> bool:
        take_up(http_vigie)
        return bool(rows(http_vigie.engine)[0].state == "done")

    until(is_said)
    assert len([each for each in ada.messages("sales") if each["ephemeral"]]) == 1
    assert rows(http_vigie.engine)[0].attempts == 1


def test_a_form_that_is_played_back_is_not_sent_twice(http_vigie: Stage, caplog: pytest.LogCaptureFixture) -> None:
    world = http_vigie.playground.world
    # A form that cannot be read leaves a line in the log each time that it is sent.
    view = {"id": "V1", "type": "modal", "callback_id": FORM, "blocks": [], "state": {"values": {}}}
    sent = {"type": "view_submission", "team": {"id": world.team_id}, "user": {"id": world.find_user("ada").id}}

    def send(trigger_id: str) -> int:
        told = json.dumps(sent | {"view": view, "trigger_id": trigger_id})
        return post(http_vigie, {"payload": told}, "x-www-form-urlencoded")

    assert [send("once"), send("once"), send("twice")] == [200, 200, 200]
    assert len([each for each in caplog.records if each.message.startswith("unexpected_error")]) == 2
    is_over(http_vigie, 2)


def test_a_second_message_of_one_letter_is_deleted(http_vigie: Stage) -> None:
    world, slack = http_vigie.playground.world, http_vigie.context.slack
    channel = world.find_channel("sales")
    with writing(http_vigie.engine) as connection:
        letter_id = outbox.put(
            connection,
            workspace_id=SINGLE,
            dedupe="test:doubled",
            kind="digest",
            channel_id=channel.id,
            payload={"text": "figures", "blocks": []},
            now=http_vigie.clock.now(),
        )
    metadata = {"event_type": "vigie_letter", "event_payload": {"id": letter_id}}
    # The playground says each of them back, as Slack does.
    first, _second = (slack.post(channel.id, "figures", metadata=metadata) for _ in range(2))
    is_over(http_vigie, 2)
    [left] = [each for each in http_vigie.as_user("ada").messages("sales") if each["text"] == "figures"]
    assert left["ts"] == getattr(first, "ts", None)


def test_metadata_that_another_app_wrote_is_no_echo(http_vigie: Stage) -> None:
    event = {
        "type": "message_metadata_posted",
        "user_id": "U0ANOTHER",
        "channel_id": "C1",
        "message_ts": "1.2",
        "metadata": {"event_type": "vigie_letter", "event_payload": {"id": "some letter"}},
    }
    said = {"type": "event_callback", "team_id": http_vigie.playground.world.team_id, "event_id": "Ev-9"}
    assert post(http_vigie, said | {"event": event}) == 200
    assert rows(http_vigie.engine) == []


def _alert(stage: Stage, channel_id: str) -> str:
    """An alert that is open, and the letter that told of it."""
    now = stage.clock.now()
    with writing(stage.engine) as connection:
        letter_id = outbox.put(
            connection,
            workspace_id=SINGLE,
            dedupe="alert:test",
            kind="alert",
            channel_id=channel_id,
            payload={"text": "An alert", "blocks": []},
            now=now,
        )
        rule = rules.add(
            connection,
            workspace_id=SINGLE,
            metric="win_rate",
            reading="closed",
            channel_id=channel_id,
            owner="U0GONE",
            language="en",
            threshold=Decimal(30),
            recovery=Decimal(33),
            direction="below",
            now=now,
        )
        fresh = rules.never_judged(rule, rules.WHOLE, now)
        assert rules.move(connection, fresh, replace(fresh, state="firing", number=1, letter_id=letter_id))
    return letter_id


@contextmanager
def followed(playground: Playground, settings: Settings, clock: FixedClock, text: str) -> Iterator[Stage]:
    """Vigie after one that died as it had begun what ada asked."""
    with serving(playground, settings, clock) as first:
        begun, kept = Event(), first.context.inbox
        assert kept is not None

        def dies(_heard: object) -> None:
            begun.set()
            raise SystemExit

        kept.perform = dies
        assert post(first, command(first, "ada", text), "x-www-form-urlencoded") == 200
        assert begun.wait(10)
    with serving(playground, settings, clock) as stage:
        yield stage


def _settings(slack: Playground, url: str, sockets: bool) -> Settings:
    secret = {"slack_app_token": slack.app_token} if sockets else {"slack_signing_secret": slack.signing_secret}
    return read_settings(
        None,
        slack_bot_token=slack.bot_token,
        slack_api_url=slack.api_url,
        database_url=url,
        admin="ada@example.com",
        **secret,
    )


def _serve(slack: Playground, settings: Settings, port: int, folder: Path, sockets: bool) -> "subprocess.Popen[bytes]":
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN" if sockets else "SLACK_SIGNING_SECRET": slack.app_token if sockets else slack.signing_secret,
        "VIGIE_SLACK_API_URL": slack.api_url,
        "VIGIE_DATABASE_URL": settings.database_url.get_secret_value(),
        "VIGIE_ADMIN": "ada@example.com",
        "VIGIE_PORT": str(port),
    }
    with (folder / "log").open("wb") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "bot", "serve"], env=environment, cwd=folder, stdout=output, stderr=output
        )
    if sockets:
        slack.wait_for_app(30)
    else:
        with httpx.Client(transport=httpx.HTTPTransport(retries=8), trust_env=False) as client:
            assert client.get(f"http://127.0.0.1:{port}/healthz").json() == {"ok": True}
    return running


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
