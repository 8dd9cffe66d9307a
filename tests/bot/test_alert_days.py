"""What the alert job puts in the outbox, day after day: one message per evaluation, quiet at night, never noise."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from threading import Barrier, Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from bot.clock import FixedClock
from bot.conversation import Context
from bot.jobs import alerts, reminders
from bot.settings import Settings
from storage import records, rules
from storage.database import reading, writing
from storage.people import link
from storage.rules import Episode, Rule
from storage.schema import letter, team
from storage.sync import load
from storage.workspaces import SINGLE, ensure_workspace
from tests.bot.company import NOW, Company

DAY = timedelta(days=1)
BAD = {"anna": 4, "chloe": 4}
GOOD = {"anna": 20, "chloe": 20}

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What no database does otherwise."""


class Teams(Company):
    """So many deals of each team closed on one day, of which some are won; and whatever else there is."""

    def __init__(self, closed: int, won: dict[str, int], on: date, more: tuple[records.Deal, ...] = ()) -> None:
        super().__init__()
        self._closed, self._won, self._on, self._more = closed, won, on, more

    def _deals(self) -> Iterator[records.Deal]:
        yield from self._more
        for owner, won in self._won.items():
            for number in range(self._closed):
                yield sold(f"{owner}-{number}", owner, self._on, won=number < won)


def sold(ext_id: str, owner: str, on: date, *, won: bool) -> records.Deal:
    return records.Deal(
        ext_id=ext_id,
        name=ext_id,
        status="won" if won else "lost",
        customer="c0",
        owner=owner,
        amount_minor=10_000,
        created=date(2026, 1, 5),
        closed=on,
    )


@dataclass(frozen=True)
class Put:
    """A letter of the outbox."""

    id: str
    edits: str | None
    thread: str | None
    text: str
    due_at: datetime
    state: str


@dataclass
class Life:
    """Days that pass, each with data and a look at it."""

    context: Context
    clock: FixedClock

    @property
    def engine(self) -> Engine:
        return self.context.engine

    def data(self, won: dict[str, int], closed: int = 40, on: date = date(2026, 11, 18)) -> None:
        load(self.engine, SINGLE, Teams(closed, won, on), now=self.clock.now())

    def look(self) -> None:
        for job in (alerts.JOB, reminders.JOB):
            job.run(self.context, Event())

    def day(self, won: dict[str, int]) -> None:
        self.clock.move(DAY)
        self.data(won)
        self.look()

    def hours(self, count: float, *, won: dict[str, int] | None = None) -> None:
        self.clock.move(timedelta(hours=count))
        self.data(won or BAD)
        self.look()

    def rule(self, **other: Any) -> Rule:
        values: dict[str, Any] = {
            "metric": "win_rate",
            "reading": "closed",
            "channel_id": "C1",
            "owner": "U1",
            "language": "en",
            "threshold": Decimal(25),
            "recovery": Decimal(30),
            "direction": "below",
            "time_zone": "Europe/Paris",
        }
        with writing(self.engine) as connection:
            return rules.add(connection, workspace_id=SINGLE, now=self.clock.now(), **(values | other))

    def episodes(self) -> dict[str, Episode]:
        with reading(self.engine) as connection:
            return {each.group_key: each for each in rules.episodes(connection, SINGLE)}

    def letters(self) -> list[Put]:
        with reading(self.engine) as connection:
            told = sa.select(letter).where(letter.c.kind == "alert").order_by(letter.c.created_at, letter.c.id)
            return [
                Put(row.id, row.edits, row.thread, json.loads(row.payload)["text"], row.due_at, row.state)
                for row in connection.execute(told)
            ]

    def messages(self) -> list[Put]:
        return [each for each in self.letters() if each.edits is None and each.thread is None]

    def notes(self) -> list[str]:
        return [each.text for each in self.letters() if each.thread is not None]

    def posted(self) -> None:
        """All that is put has reached its channel."""
        with writing(self.engine) as connection:
            connection.execute(sa.update(letter).values(state="sent", ts="1.0"))


@pytest.fixture
def life(database: Engine) -> Life:
    ensure_workspace(database, now=NOW, time_zone="Europe/Paris", currency="EUR", language="en")
    with writing(database) as connection:
        for user in ("U1", "U2"):
            link(connection, workspace_id=SINGLE, slack_user_id=user, person_id=None, actor="U1", now=NOW, role="admin")
    clock = FixedClock(NOW)
    context = Context(engine=database, clock=clock, slack=None, settings=Settings(_env_file=None))  # type: ignore[arg-type,call-arg]
    there = Life(context, clock)
    there.data(BAD)
    return there


def test_groups_that_fire_together_share_a_message_and_each_ends_in_it(life: Life) -> None:
    life.rule(each="team")
    life.look()
    (message,) = life.messages()
    assert "2 are concerned." in message.text
    assert {each.letter_id for each in life.episodes().values()} == {message.id}
    life.posted()
    for _ in range(3):
        life.day({"anna": 20, "chloe": 4})
    edit = next(each for each in life.letters() if each.edits == message.id)
    assert "1 is concerned. 1 has recovered." in edit.text
    for _ in range(3):
        life.day(GOOD)
    assert len(life.messages()) == 1
    assert sum(each.text.startswith("Recovered: ") for each in life.letters() if each.edits) == 1
    assert len(life.notes()) == 2
    assert {each.state for each in life.episodes().values()} == {"ok"}


@on_sqlite
def test_quiet_hours_hold_the_message_and_not_the_judgement(life: Life) -> None:
    life.rule(quiet_from=time(9), quiet_to=time(8))  # it is 10:30 in Paris
    life.look()
    (message,) = life.messages()
    assert message.due_at == datetime(2026, 11, 24, 7, tzinfo=UTC)
    assert life.episodes()[""].state == "firing"


@on_sqlite
def test_what_is_over_before_it_may_leave_is_taken_back(life: Life) -> None:
    life.rule(quiet_from=time(9), quiet_to=time(8))
    life.look()
    life.hours(1, won=GOOD)
    assert [each.state for each in life.letters()] == ["skipped"]
    assert life.episodes()[""].state == "ok"


def test_more_than_six_alerts_an_hour_become_one_message_that_counts_the_rest(life: Life) -> None:
    for number in range(1, 10):
        life.rule(min_sample=number)
    life.look()
    messages = life.messages()
    assert len(messages) == 7
    (rest,) = [each for each in messages if each.text.startswith("1 more alert is open")]
    assert {each.text[0] for each in life.letters() if each.edits == rest.id} == {"2", "3"}
    life.clock.move(timedelta(hours=1))
    life.rule()
    life.look()
    assert len(life.messages()) == 8, "an hour later it is told by itself again"


def test_reminders_come_until_somebody_acknowledges(life: Life) -> None:
    life.rule(remind_hours=2)
    life.look()
    (message,) = life.messages()
    for _ in range(5):
        life.hours(1)
        life.look()
    assert len(life.notes()) == 2
    assert all("Still bad" in note for note in life.notes())
    with writing(life.engine) as connection:
        (moved,) = rules.acknowledge(connection, SINGLE, message.id, "U2", life.clock.now())
        assert rules.acknowledge(connection, SINGLE, message.id, "U1", life.clock.now()) == []
    assert (moved.acked_by, moved.remind_at) == ("U2", None)
    for _ in range(5):
        life.hours(1)
    assert len(life.notes()) == 2


@on_sqlite
def test_a_reminder_mentions_who_it_was_assigned_to_and_waits_for_the_end_of_the_quiet_hours(life: Life) -> None:
    life.rule(remind_hours=2, quiet_from=time(12), quiet_to=time(14))
    life.look()
    with writing(life.engine) as connection:
        assert rules.assign(connection, SINGLE, life.messages()[0].id, "U2")
        assert rules.assign(connection, SINGLE, life.messages()[0].id, "U2") == []
    life.hours(2)  # 12:30 in Paris
    assert life.notes() == []
    assert life.episodes()[""].remind_at == datetime(2026, 11, 23, 13, tzinfo=UTC)
    life.hours(1)
    life.hours(0.5)
    assert "<@U2>" in life.notes()[0]


@on_sqlite
def test_nothing_is_said_in_a_snooze_and_once_at_its_end(life: Life) -> None:
    life.rule(remind_hours=2)
    life.look()
    (message,) = life.messages()
    with writing(life.engine) as connection:
        rules.acknowledge(connection, SINGLE, message.id, "U1", life.clock.now())
        until = life.clock.now() + 2 * DAY + timedelta(hours=1)
        assert rules.snooze(connection, SINGLE, message.id, until)
        assert rules.snooze(connection, SINGLE, message.id, until) == []
    for _ in range(2):
        life.day(BAD)
    assert life.notes() == []
    for _ in range(3):
        life.hours(1)
    (note,) = life.notes()
    assert note.startswith("The snooze is over and it is still bad")


@on_sqlite
def test_a_recovery_in_a_snooze_is_shown_and_not_said(life: Life) -> None:
    life.rule()
    life.look()
    (message,) = life.messages()
    life.posted()
    with writing(life.engine) as connection:
        rules.snooze(connection, SINGLE, message.id, life.clock.now() + 9 * DAY)
    for _ in range(3):
        life.day(GOOD)
    assert "Recovered" in next(each for each in life.letters() if each.edits == message.id).text
    assert life.notes() == []


@on_sqlite
def test_a_paused_rule_says_nothing_and_goes_on_where_it_was(life: Life) -> None:
    row = life.rule(remind_hours=1)
    life.look()
    life.posted()
    with writing(life.engine) as connection:
        assert rules.pause(connection, SINGLE, row.id, life.clock.now())
        assert not rules.pause(connection, SINGLE, row.id, life.clock.now())
    for _ in range(5):
        life.day(GOOD)
    standing = life.episodes()[""]
    assert (standing.state, standing.beneath, len(life.letters())) == ("paused", "firing", 1)
    with writing(life.engine) as connection:
        assert rules.resume(connection, SINGLE, row.id, life.clock.now())
    life.look()
    assert life.episodes()[""].state == "ok", "the days in between were judged in their order"
    assert "Back at 30% or more." in life.notes()[0]


def test_a_stopped_rule_leaves_no_open_alert_and_no_reminder(life: Life) -> None:
    row = life.rule(remind_hours=1, each="team")
    life.look()
    life.posted()
    with writing(life.engine) as connection:
        rules.stop(connection, SINGLE, row.id, life.clock.now())
    for _ in range(4):
        life.hours(1)
    assert {each.state for each in life.episodes().values()} == {"ok"}
    assert len(life.notes()) == 2
    assert all("The rule was stopped: nobody watches this any more." in note for note in life.notes())


@on_sqlite
def test_a_team_that_is_gone_closes_its_alert(life: Life) -> None:
    life.rule(each="team")
    life.look()
    life.posted()
    life.clock.move(30 * DAY)
    life.data({"anna": 4}, on=date(2026, 12, 18))
    with writing(life.engine) as connection:
        gone = team.c.id == "sample:lyon"
        connection.execute(sa.update(team).where(gone).values(deleted_at=life.clock.now()))
    life.look()
    states = {key: each.state for key, each in life.episodes().items()}
    assert states == {"sample:lyon": "ok", "sample:paris": "firing"}
    assert "What it watched is no longer in the CRM." in life.notes()[-1]


@on_sqlite
def test_a_rule_whose_owner_is_gone_is_handed_to_an_administrator_who_is_told(life: Life) -> None:
    row = life.rule(owner="U9")
    life.look()
    life.look()
    with reading(life.engine) as connection:
        there = rules.read(connection, SINGLE, row.id)
        told = connection.execute(sa.select(letter.c.channel_id).where(letter.c.kind == "notice")).scalars().all()
    assert there is not None
    assert (there.owner, told, len(life.messages())) == ("U1", ["U1"], 1)


@on_sqlite
def test_a_fall_against_its_own_past_fires_and_a_smaller_one_does_not(life: Life) -> None:
    past = tuple(
        sold(f"past-{window}-{number}", "anna", date(2026, 11, 5) - window * 28 * DAY, won=number < 50)
        for window in range(1, 4)
        for number in range(100)
    )
    load(life.engine, SINGLE, Teams(40, {"anna": 8, "chloe": 8}, date(2026, 11, 18), past), now=life.clock.now())
    life.rule(against=3, threshold=Decimal(20), recovery=Decimal(10))
    life.rule(against=3, threshold=Decimal(55), recovery=Decimal(50))
    life.look()
    (message,) = life.messages()
    assert "down by more than 20" in message.text
    assert "Usual: 50%" in message.text


def test_replicas_that_look_at_the_same_time_post_what_one_would(life: Life) -> None:
    for _ in range(3):
        life.rule(each="team")
    for won in (BAD, GOOD):
        life.clock.move(timedelta(hours=1))
        life.data(won)
        start = Barrier(3)

        def replica(start: Barrier = start) -> None:
            start.wait()
            for _ in range(2):
                alerts.JOB.run(life.context, Event())

        threads = [Thread(target=replica) for _ in range(3)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    life.look()
    assert len(life.messages()) == 3
    assert {each.number for each in life.episodes().values()} == {1}
    assert {each.state for each in life.episodes().values()} == {"ok"}


@on_sqlite
def test_one_of_two_deals_lost_is_silence(life: Life) -> None:
    life.clock.move(40 * DAY)
    life.rule(each="team")
    for _ in range(5):
        life.clock.move(DAY)
        life.data({"anna": 1, "chloe": 0}, 2, life.clock.now().date() - DAY)
        life.look()
    assert {each.state for each in life.episodes().values()} == {"no_data"}
    assert life.letters() == []
