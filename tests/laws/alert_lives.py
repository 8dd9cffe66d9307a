"""A rule's life through the product's own jobs and database: data that comes, comes late or is corrected, people who
acknowledge, snooze and pause, days on which nobody looks. What was said of it is read from the outbox."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Event

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from bot.clock import FixedClock
from bot.conversation import Context
from bot.jobs import alerts, judging, reminders
from bot.settings import Settings
from kpi.formulas import rate
from kpi.query import KpiQuery, KpiResult, Unit
from kpi.scope import Scope
from kpi.watch import Seen, Watched, question
from storage import rules
from storage.database import reading, writing
from storage.people import link
from storage.rules import WHOLE, Episode, Rule
from storage.schema import cursor, episode, letter, rule, source
from storage.workspaces import ensure_workspace
from tests.laws.plants import patched

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
STEPS = 25
STATES = ("ok", "pending", "firing", "recovering", "no_data", "stale", "paused")


class Life:
    def __init__(self, engine: Engine, generator: np.random.Generator) -> None:
        self.generator, self.engine = generator, engine
        self.id = uuid.uuid4().hex
        self.clock = FixedClock(START)
        self.context = Context(
            engine=engine,
            clock=self.clock,
            slack=None,  # type: ignore[arg-type]
            settings=Settings(_env_file=None),  # type: ignore[call-arg]
        )
        self.values: dict[date, tuple[int, int]] = {}
        self.value = (20, 40)
        self.late = self.paused = False
        self.complete_at = START
        ensure_workspace(engine, self.id, now=START, time_zone="Europe/Paris", currency="EUR", language="en")
        with writing(engine) as connection:
            link(
                connection,
                workspace_id=self.id,
                slack_user_id="U1",
                person_id=None,
                actor="U1",
                now=START,
                role="admin",
            )
            connection.execute(
                sa.insert(source).values(
                    workspace_id=self.id, source="toy", options="{}", secrets="", account="", state="ready",
                    state_since=START, due_at=START, failures=0, created_at=START,
                )
            )  # fmt: skip
            connection.execute(
                sa.insert(cursor).values(
                    workspace_id=self.id, source="toy", object="deal", position="{}", complete_at=START
                )
            )
            self.rule = rules.add(
                connection,
                workspace_id=self.id,
                metric="win_rate",
                reading="closed",
                channel_id="C1",
                owner="U1",
                language="en",
                threshold=Decimal(25),
                recovery=Decimal(30),
                direction="below",
                hold=int(generator.integers(1, 4)),
                time_zone="Europe/Paris",
                remind_hours=int(generator.choice([2, 30])),
                now=START,
            )

    def look(self, connection: Connection, watched: Rule, scope: Scope, today: date, days: list[date]) -> list[Seen]:
        """What the engine would answer, of the one number of this life."""
        query: KpiQuery = question(connection, watched, scope, today)
        found = []
        for day in days:
            measured = rate(*self.values.get(day, self.value), subset=True)
            result = KpiResult(query=query, unit=Unit.PERCENT, currency="EUR", measured=measured)
            found.append(Seen(day, result, (Watched(WHOLE, measured, ()),)))
        return found

    def standing(self) -> Episode | None:
        with reading(self.engine) as connection:
            return rules.standings(connection, self.rule).get(WHOLE)

    def said(self) -> dict[str, set[str]]:
        """The ids of what was put, by kind: new messages, notes in their threads, and edits, which are silent."""
        found: dict[str, set[str]] = {"message": set(), "note": set(), "edit": set()}
        with reading(self.engine) as connection:
            mine = sa.select(letter.c.id, letter.c.edits, letter.c.thread).where(letter.c.workspace_id == self.id)
            for row in connection.execute(mine):
                found["edit" if row.edits else "note" if row.thread else "message"].add(row.id)
        return found

    def step(self) -> None:
        chance = self.generator
        act = chance.random()
        before = self.standing()
        if act < 0.55:
            self.clock.move(timedelta(days=int(chance.choice([1, 1, 1, 1, 2, 4]))))
        else:
            self.clock.move(timedelta(hours=int(chance.integers(1, 6))))
        if chance.random() < 0.4:
            closed = int(chance.choice([2, 40, 60]))
            self.value = (int(closed * chance.choice([0.05, 0.05, 0.27, 0.5, 0.5])), closed)
        if 0.55 < act < 0.6:
            self.values.clear()  # somebody corrects the past
        self.late = chance.random() < (0.6 if self.late else 0.15)
        with writing(self.engine) as connection:
            if not self.late:
                today = self.clock.now().date()
                self.values[today] = self.value
                self.complete_at = self.clock.now()
                mine = sa.update(cursor).where(cursor.c.workspace_id == self.id)
                connection.execute(mine.values(complete_at=self.complete_at))
            if chance.random() < 0.12:
                self.paused = not self.paused
                change = rules.pause if self.paused else rules.resume
                change(connection, self.id, self.rule.id, self.clock.now())
            if before is not None and before.letter_id is not None and before.open:
                if 0.6 < act < 0.7:
                    rules.acknowledge(connection, self.id, before.letter_id, "U1", self.clock.now())
                if 0.7 < act < 0.8:
                    until = self.clock.now() + timedelta(hours=int(chance.choice([3, 60])))
                    rules.snooze(connection, self.id, before.letter_id, until)
            connection.execute(sa.update(letter).where(letter.c.workspace_id == self.id).values(state="sent", ts="1"))

    def work(self) -> None:
        with patched(judging, "look", self.look), patched(reminders, "look", self.look):
            for job in (alerts.JOB, reminders.JOB):
                job.run(self.context, Event())

    def forget(self) -> None:
        with writing(self.engine) as connection:
            for table in (episode, rule, source, cursor):
                connection.execute(sa.delete(table).where(table.c.workspace_id == self.id))


def live(engine: Engine, generator: np.random.Generator) -> None:
    """Raises `AssertionError` where anything is said that should not be, or told twice."""
    life = Life(engine, generator)
    fired = recovered = 0
    try:
        for _ in range(STEPS):
            life.step()
            before, said = life.standing(), life.said()
            life.work()
            after, now = life.standing(), life.said()
            new = {kind: len(now[kind] - said[kind]) for kind in now}
            about = f"{before} became {after}, and {new} were put"
            assert after is None or after.state in STATES, about
            loud = new["message"] + new["note"]
            started = after is not None and after.number - (0 if before is None else before.number)
            ended = before is not None and after is not None and before.open and (not after.open or bool(started))
            fired, recovered = fired + int(started or 0), recovered + ended
            assert new["message"] == int(started or 0) <= 1, about
            assert recovered <= fired, about
            late = life.clock.now() - life.complete_at > life.context.settings.late_after
            if life.paused or late or (after is not None and after.state in {"stale", "paused"}):
                assert loud == new["edit"] == 0, f"something was said of a frozen rule: {about}"
            if before is not None and before.snoozed_until is not None and before.snoozed_until > life.clock.now():
                assert loud == int(started or 0), f"something was said in a snooze: {about}"
            life.work()
            assert life.said() == now, f"looking again said something: {about}"
        assert len(life.said()["message"]) == fired, "an episode is one message"
    finally:
        life.forget()
