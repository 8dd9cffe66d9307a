"""Digests from their due time to the outbox: who gets them, what they tell, what is skipped, and what is corrected."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from bot.clock import FixedClock
from bot.conversation import Context
from bot.jobs import digests, restated
from bot.settings import Settings
from bot.slack import Refused, SlackError, SlackUser
from storage import outbox, records, schedules
from storage.database import reading, writing
from storage.people import link
from storage.schema import audit, letter
from storage.sync import load
from storage.workspaces import SINGLE, ensure_workspace
from tests.bot.company import NOW, Company

TUESDAY = datetime(2026, 11, 24, 9, tzinfo=UTC)
MANAGERS = {"audience": "managers", "channel_id": "U1", "language": None}


class Edited(Company):
    """The company, in which some deals say something else."""

    def __init__(self, **edits: dict[str, Any]) -> None:
        super().__init__()
        self._edits = edits

    def _deals(self) -> Iterator[records.Deal]:
        for deal in super()._deals():
            yield replace(deal, **self._edits.get(deal.ext_id, {}))


class People:
    """A Slack in which everybody is there, but for those who left."""

    def __init__(self) -> None:
        self.left: set[str] = set()

    def user(self, user_id: str) -> SlackUser:
        if user_id == "U_unknown":
            raise SlackError("users.info", Refused("user_not_found"))
        return SlackUser(user_id, "T1", user_id, None, "en-GB", None, member=user_id not in self.left)


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def world(database: Engine, people: People) -> Context:
    """The small company, loaded: Ada is its admin, Marion leads Paris, Anna sells there."""
    ensure_workspace(database, now=NOW, time_zone="Europe/Paris", currency="EUR", language="en")
    load(database, SINGLE, Company(), now=NOW)
    known(database, "U1", None, "admin")
    known(database, "UM", "marion", "manager")
    known(database, "UA", "anna", "rep")
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    return Context(engine=database, clock=FixedClock(TUESDAY), slack=people, settings=settings)  # type: ignore[arg-type]


def known(engine: Engine, user_id: str, person: str | None, role: str, now: datetime = NOW) -> None:
    person_id = None if person is None else f"sample:{person}"
    with writing(engine) as connection:
        link(
            connection,
            workspace_id=SINGLE,
            slack_user_id=user_id,
            person_id=person_id,
            role=role,
            actor=user_id,
            now=now,
        )


def add(world: Context, **other: Any) -> schedules.Schedule:
    """A daily digest at 9:00 UTC, due now."""
    values: dict[str, Any] = {
        "channel_id": "C1",
        "owner": "U1",
        "cadence": "daily",
        "at": time(9),
        "time_zone": "UTC",
        "language": "en",
        "first_on": TUESDAY.date(),
    }
    with writing(world.engine) as connection:
        return schedules.add(connection, workspace_id=SINGLE, now=TUESDAY, **(values | other))


def tick(world: Context, now: datetime | None = None) -> None:
    if now is not None:
        world.clock.move(now - world.clock.now())  # type: ignore[attr-defined]
    digests.JOB.run(world, Event())
    restated.JOB.run(world, Event())


def letters(world: Context, kind: str = "digest") -> list[Any]:
    with reading(world.engine) as connection:
        rows = connection.execute(sa.select(letter).where(letter.c.kind == kind).order_by(letter.c.due_at, letter.c.id))
        return list(rows)


def text(row: Any) -> str:
    return str(json.loads(row.payload)["text"]).replace("\u00a0", " ")


def the_only(world: Context) -> schedules.Schedule:
    with reading(world.engine) as connection:
        (row,) = schedules.running(connection, SINGLE)
    return row


def sent(world: Context) -> None:
    """The postman has been."""
    with writing(world.engine) as connection:
        connection.execute(sa.update(letter).where(letter.c.state == "pending").values(state="sent", ts="1.1"))


def sync(world: Context, company: Company) -> None:
    world.clock.move(timedelta(minutes=10))  # type: ignore[attr-defined]
    load(world.engine, SINGLE, company, now=world.clock.now())


def test_a_digest_tells_the_chosen_kpis_in_their_order(world: Context) -> None:
    add(world, kpis=json.dumps([["average_deal", "mean"], ["win_rate", "closed"], ["sales_cycle", "median"]]))
    tick(world)
    (row,) = letters(world)
    said = text(row)
    assert said.startswith("Sales digest · 23 November 2026\nAverage deal ")
    assert said.index("Average deal") < said.index("Win rate 42.9%") < said.index("Sales cycle")
    assert "Revenue won" not in said
    assert "Win rate" in row.chart


def test_a_monthly_digest_tells_of_the_month_that_is_over(world: Context) -> None:
    add(world, cadence="monthly", month_day=24, kpis=json.dumps([["revenue_won", "sum"]]))
    tick(world)
    said = text(letters(world)[0])
    assert "Sales digest · October 2026" in said
    assert "Revenue won €11.5K" in said
    assert "Over October 2026, compared with the month before" in said


def test_each_manager_gets_their_own_team_and_one_failure_keeps_nobody_waiting(
    world: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(world.engine, "UC", "chloe", "manager")
    add(world, **MANAGERS)
    written = digests._written  # noqa: SLF001

    def fails_for_chloe(context: Any, schedule: Any, reader: Any, *rest: Any) -> Any:
        if reader.channel_id == "UC":
            raise OSError
        return written(context, schedule, reader, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(digests, "_written", fails_for_chloe)
        tick(world)
    assert {(row.channel_id, row.state, row.error) for row in letters(world)} == {
        ("UM", "pending", None),
        ("UC", "skipped", "failed"),
    }
    tick(world, TUESDAY + timedelta(days=1))
    said = {row.channel_id: text(row) for row in letters(world) if row.state == "pending"}
    assert "n = 12" in said["UM"]
    assert "n = 9" in said["UC"]


def test_a_digest_whose_figures_are_the_same_as_the_last_ones_is_skipped_where_that_is_wanted(world: Context) -> None:
    add(world, skip_unchanged=True, kpis=json.dumps([["win_rate", "closed"]]))
    tick(world)
    tick(world, TUESDAY + timedelta(days=1))
    sync(world, Edited(**{"2026-11-bruno-0": {"status": "lost"}}))
    tick(world, TUESDAY + timedelta(days=2))
    assert [(row.state, row.error) for row in letters(world)] == [
        ("pending", None),
        ("skipped", "unchanged"),
        ("pending", None),
    ]


def test_every_date_of_the_last_day_is_posted_once_and_older_ones_are_skipped_and_told(world: Context) -> None:
    add(world)
    tick(world, TUESDAY + timedelta(days=3, hours=2))
    found = [(row.due_at.day, row.state, row.error) for row in letters(world)]
    assert found[:3] == [(24, "skipped", "late"), (25, "skipped", "late"), (26, "skipped", "late")]
    assert [day for day, _, error in found if error is None] == [27]
    (told,) = letters(world, "notice")
    assert told.channel_id == "U1"
    assert "3 of its dates, from 24 November 2026 to 26 November 2026" in text(told)


def test_a_digest_whose_owner_has_left_goes_on_as_it_was_with_an_admins_rights(world: Context, people: People) -> None:
    known(world.engine, "U0", None, "admin", NOW + timedelta(minutes=1))
    add(world, owner="UM")
    people.left.add("UM")
    tick(world)
    row = the_only(world)
    assert (row.owner, row.dimension, row.key, row.paused_at) == ("U1", "team", "sample:paris", None)
    assert "n = 12" in text(letters(world)[0])
    (told,) = letters(world, "notice")
    assert told.channel_id == "U1"
    assert "it is yours now. It goes on as it was" in text(told)


def test_where_it_would_tell_more_than_before_it_waits_until_the_admin_has_looked_at_it(world: Context) -> None:
    add(world, owner="U_unknown")
    tick(world)
    row = the_only(world)
    assert (row.owner, row.paused_at) == ("U1", TUESDAY)
    assert letters(world) == []
    assert "so it is paused" in text(letters(world, "notice")[0])


@pytest.mark.parametrize("audience", ["channel", "person"])
def test_without_anybody_to_own_or_read_it_a_digest_ends(world: Context, people: People, audience: str) -> None:
    add(world, owner="UA", audience=audience)
    people.left |= {"UA", "U1"}
    tick(world)
    assert (letters(world), letters(world, "notice")) == ([], [])
    with reading(world.engine) as connection:
        running = schedules.running(connection, SINGLE)
        done = connection.execute(sa.select(audit.c.action).where(audit.c.action.like("digest.%"))).scalars().all()
    assert [row.paused_at for row in running] == ([TUESDAY] if audience == "channel" else [])
    assert done == ["digest.pause" if audience == "channel" else "digest.stop"]


def test_who_slack_says_nothing_of_is_not_taken_to_have_left(world: Context, people: People) -> None:
    def silent(_user_id: str) -> SlackUser:
        raise SlackError("users.info", Refused("ratelimited"))

    people.user = silent  # type: ignore[method-assign]
    add(world, owner="UM")
    tick(world)
    assert the_only(world).owner == "UM"
    assert "n = 12" in text(letters(world)[0])


def test_a_figure_that_was_edited_after_it_was_told_is_corrected_in_the_digests_thread(world: Context) -> None:
    add(world, kpis=json.dumps([["win_rate", "closed"], ["revenue_won", "sum"]]))
    tick(world)
    sent(world)
    edited = {"2026-11-bruno-0": {"status": "lost", "name": "Étoile <SARL>"}, "2026-11-anna-4": {"name": "Renamed"}}
    sync(world, Edited(**edited))
    tick(world)
    tick(world)
    (posted,), (note,) = letters(world), letters(world, "notice")
    assert (note.thread, note.edits, note.channel_id) == (posted.id, None, "C1")
    said = text(note)
    assert "Win rate: told 42.9%, now 38.1%" in said
    assert "Revenue won: told €11,500.00, now €9,500.00" in said
    assert "Étoile &lt;SARL&gt;: won, €2,000.00, 20 Nov 2026, now lost, €2,000.00, 20 Nov 2026" in said
    assert "Renamed" not in said
    sent(world)
    sync(world, Company())
    tick(world)
    first, again = sorted(letters(world, "notice"), key=lambda row: row.created_at)
    assert (again.edits, again.thread) == (first.id, None)
    assert "hold again as they were told" in text(again)


def test_what_ripens_or_moves_within_its_tolerance_is_no_correction(world: Context) -> None:
    chosen = [["win_rate", "closed"], ["win_rate", "cohort"], ["revenue_won", "sum"], ["open_pipeline", "sum"]]
    add(world, kpis=json.dumps(chosen))
    tick(world)
    sent(world)
    won = {"status": "won", "closed": date(2026, 11, 24)}
    sync(
        world,
        Edited(**{"2026-11-anna-4": won, "2026-11-bruno-9": won, "2026-11-chloe-0": {"amount_minor": 60_000}}),
    )
    tick(world)
    assert letters(world, "notice") == []


def test_a_digest_of_one_team_does_not_name_the_deals_of_another(world: Context) -> None:
    add(world, owner="UM", kpis=json.dumps([["revenue_won", "sum"]]))
    tick(world)
    sent(world)
    lost = {"status": "lost"}
    sync(world, Edited(**{"2026-11-bruno-0": lost, "2026-11-chloe-0": lost | {"name": "Secret of Lyon"}}))
    tick(world)
    (note,) = letters(world, "notice")
    assert "Revenue won: told €10,000.00, now €8,000.00" in text(note)
    assert "Secret of Lyon" not in note.payload


def test_two_replicas_that_correct_the_same_put_one_note(world: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second has computed everything before the first commits."""
    add(world, kpis=json.dumps([["revenue_won", "sum"]]))
    tick(world)
    sent(world)
    sync(world, Edited(**{"2026-11-bruno-0": {"status": "lost"}}))
    writes = restated.write_restated

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(restated, "write_restated", writes)
        restated.JOB.run(world, Event())
        return writes(*args)

    monkeypatch.setattr(restated, "write_restated", overtaken)
    restated.JOB.run(world, Event())
    assert len(letters(world, "notice")) == 1


def test_the_letters_of_a_date_are_the_same_however_often_they_are_put(world: Context) -> None:
    add(world)
    with writing(world.engine) as connection:
        (due,) = schedules.claim(connection, TUESDAY, "one", 5)
    digests.plan(world, due, TUESDAY, {})
    digests.plan(world, due, TUESDAY, {})
    (row,) = letters(world)
    assert row.id == outbox.letter_id(SINGLE, f"digest:{due.id}:2026-11-24")
