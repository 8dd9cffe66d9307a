"""A kill at every statement while a digest or an alert is planned: its letter is put with its cause, or not yet."""

import itertools
import traceback
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from bot.clock import FixedClock
from bot.conversation import Context
from bot.editions import Edition
from bot.jobs import alert_letters, alerts, digests
from bot.settings import Settings
from bot.slack import SlackUser
from bot.views.digest import Written
from storage import rules, schedules
from storage.database import reading, writing
from storage.people import link
from storage.schema import episode, letter, rule, schedule
from storage.sync import load
from storage.workspaces import SINGLE, ensure_workspace
from tests.bot.company import Company
from tests.crash.test_delivery import Bomb, Killed, armed, every
from tests.shared_clock import let_pass

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


class Everybody:
    """A Slack in which everybody is there."""

    def user(self, user_id: str) -> SlackUser:
        return SlackUser(user_id, "T1", user_id, None, "en-GB", None, member=True)


@pytest.fixture
def world(database: Engine) -> Context:
    """The small company, loaded; its admin is linked."""
    ensure_workspace(database, now=NOW, time_zone="Europe/Paris", currency="EUR", language="en")
    load(database, SINGLE, Company(), now=NOW)
    with writing(database) as connection:
        link(
            connection,
            workspace_id=SINGLE,
            slack_user_id="U1",
            person_id=None,
            actor="U1",
            now=NOW,
            role="admin",
        )
    clock = FixedClock(NOW)
    return Context(engine=database, clock=clock, slack=Everybody(), settings=Settings(_env_file=None))  # type: ignore[arg-type,call-arg]


def begin(engine: Engine) -> None:
    """A schedule that is due, a rule that is bad, and nothing said yet."""
    with writing(engine) as connection:
        for table in (letter, episode, rule, schedule):
            connection.execute(sa.delete(table))
        schedules.add(
            connection,
            workspace_id=SINGLE,
            channel_id="C1",
            owner="U1",
            weekday=1,
            at=time(10),
            time_zone="Europe/Paris",
            language="en",
            now=NOW,
            first_on=NOW.date(),
        )
        rules.add(
            connection,
            workspace_id=SINGLE,
            metric="win_rate",
            reading="closed",
            channel_id="C1",
            owner="U1",
            language="en",
            threshold=Decimal(90),
            recovery=Decimal(90),
            direction="below",
            now=NOW,
            hold=1,
        )


def test_a_kill_anywhere_leaves_the_letter_and_its_cause_together(
    world: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a digest says is computed before the transaction that this test is about.
    monkeypatch.setattr(digests, "_written", lambda *_: Edition(Written({"text": "x", "blocks": []}, None), (), None))
    for at in itertools.count(step=every(world.engine)):
        begin(world.engine)
        bomb = Bomb(at)
        with armed(world.engine, bomb):
            try:
                for job in (digests.JOB, alerts.JOB):
                    job.run(world, Event())
            except Killed as killed:
                traceback.clear_frames(killed.__traceback__)  # a dead process holds no half-read cursor …
            else:
                assert at > 30, "the bomb was meant to find many places"
                break
        world.engine.dispose()  # … and no connection
        let_pass(world.engine, timedelta(seconds=61))
        for job in (digests.JOB, alerts.JOB, digests.JOB, alerts.JOB):
            job.run(world, Event())
        with reading(world.engine) as connection:
            kinds = connection.execute(sa.select(letter.c.kind).order_by(letter.c.kind)).scalars().all()
            (standing,) = rules.episodes(connection, SINGLE)
            (row,) = schedules.running(connection, SINGLE)
        assert kinds == ["alert", "digest"], at
        assert (standing.state, standing.number) == ("firing", 1), at
        assert row.next_on == NOW.date() + timedelta(days=7), at


def test_two_replicas_that_plan_the_same_put_it_once(world: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second has computed everything before the first commits."""
    begin(world.engine)
    with writing(world.engine) as connection:
        (due,) = schedules.claim(connection, NOW, "one", 5)
        (watched,) = rules.running(connection, SINGLE)
    waiting = alerts.plan

    def overtaken(connection: Connection, *args: Any) -> alert_letters.Plan:
        planned = waiting(connection, *args)
        monkeypatch.setattr(alerts, "plan", waiting)
        alerts.judge_rule(world, watched, NOW)
        return planned

    monkeypatch.setattr(alerts, "plan", overtaken)
    alerts.judge_rule(world, watched, NOW)
    digests.plan(world, due, NOW, {})
    digests.plan(world, due, NOW, {})
    with reading(world.engine) as connection:
        kinds = connection.execute(sa.select(letter.c.kind).order_by(letter.c.kind)).scalars().all()
    assert kinds == ["alert", "digest"]
