"""The sync job: who is due is read, fairly; a turn that ends badly pauses, is told once, and starves nobody."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from sqlalchemy import Engine

from bot.clock import FixedClock
from bot.conversation import Context
from bot.jobs import refusals, sync, turn
from bot.settings import read_settings
from bot.slack import Slack
from storage import hints, leases, people, schema, sources
from storage.connectors.base import DriftError, Hint
from storage.connectors.http import BudgetError, CrmError, RefusedError, UnavailableError, UnexpectedError
from storage.database import reading, writing
from storage.sources import Due, Source
from storage.workspaces import SINGLE, ensure_workspace
from tests.bot.company import NOW
from tests.bot.toycrm import KEY, ToyCrm, connect, declare

HOUR = timedelta(hours=1)

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what rests on no statement that another test does not run on both."""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def context(database: Engine, clock: FixedClock) -> Iterator[Context]:
    """A workspace with two administrators, one of whom speaks French; nothing here talks to Slack."""
    for workspace_id in (SINGLE, "other"):
        ensure_workspace(database, workspace_id, now=NOW, time_zone="Europe/Paris", currency="EUR", language="en")
    with writing(database) as connection:
        for user, language in (("U1", None), ("U2", "fr")):
            people.link(
                connection, workspace_id=SINGLE, slack_user_id=user, person_id=None, role="admin", actor=user, now=NOW
            )
            table = schema.link
            connection.execute(sa.update(table).where(table.c.slack_user_id == user).values(language=language))
    slack = Slack("xoxb-none", "http://127.0.0.1:9/api/")
    yield Context(database, clock, slack, read_settings(None, keys=KEY, slack_bot_token="xoxb-none"))
    slack.close()


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> ToyCrm:
    found = ToyCrm()
    declare(monkeypatch, toy=found)
    return found


def tick(context: Context) -> None:
    sync.run(context, Event())


def state(context: Context, name: str = "toy", workspace_id: str = SINGLE) -> Source:
    with reading(context.engine) as connection:
        found = sources.read(connection, workspace_id, name)
    assert found is not None
    return found


def deals(context: Context, workspace_id: str = SINGLE) -> dict[str, str]:
    """Ext id to status of the deals that live."""
    table = schema.deal
    with reading(context.engine) as connection:
        rows = connection.execute(
            sa.select(table.c.id, table.c.status).where(
                table.c.workspace_id == workspace_id, table.c.deleted_at.is_(None)
            )
        )
        return {row.id.partition(":")[2]: row.status for row in rows}


def letters(context: Context) -> dict[str, list[str]]:
    """What each person or channel was told."""
    table = schema.letter
    told: dict[str, list[str]] = {}
    with reading(context.engine) as connection:
        for row in connection.execute(sa.select(table).order_by(table.c.created_at, table.c.id)):
            told.setdefault(row.channel_id, []).append(row.payload)
    return told


def raising(error: Exception) -> Any:
    def between() -> None:
        raise error

    return between


def test_a_due_source_is_synced_and_due_again_after_the_interval(context: Context, crm: ToyCrm) -> None:
    for number in range(5):
        crm.sell(f"d{number}", NOW)
    connect(context)
    tick(context)
    assert len(deals(context)) == 5
    assert crm.asked == ["list"] * 3
    assert state(context).due_at == NOW + timedelta(minutes=5)
    tick(context)
    assert crm.asked == ["list"] * 3, "nothing is asked before it is due"


def test_the_next_run_reads_what_changed(context: Context, crm: ToyCrm, clock: FixedClock) -> None:
    crm.sell("d1", NOW)
    connect(context)
    tick(context)
    clock.move(timedelta(minutes=5))
    crm.sell("d1", clock.now(), status="won", closed=clock.now())
    tick(context)
    assert deals(context) == {"d1": "won"}
    assert crm.asked == ["list", "changes"]


def test_a_turn_that_is_over_goes_to_the_back_of_the_queue_and_on_where_it_was(
    context: Context, crm: ToyCrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        crm.sell(f"d{number}", NOW)
    moments = iter(range(0, 10_000, 50))
    monkeypatch.setattr(turn, "monotonic", lambda: next(moments))
    connect(context)
    tick(context)
    assert len(deals(context)) == 6
    assert crm.asked == ["list"] * 3, "no page is read twice"
    assert len(crm.opened) > 1
    with reading(context.engine) as connection:
        outcomes = list(connection.scalars(sa.select(schema.run.c.outcome).order_by(schema.run.c.outcome)))
    assert outcomes == ["ok", *["partial"] * (len(crm.opened) - 1)]


@one_database
def test_a_slow_crm_and_a_broken_one_starve_no_other(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast one of another workspace is synced while all that are slow still hang."""
    done = threading.Event()
    quick = ToyCrm()
    slow = {f"slow{number}": ToyCrm(between=lambda: _wait(done)) for number in range(3)}
    broken = ToyCrm(between=raising(UnavailableError("GET /deals: 503")))
    declare(monkeypatch, quick=quick, broken=broken, **slow)
    for name in (*slow, "broken"):
        connect(context, name)
    quick.sell("d1", NOW)
    quick.between = done.set
    connect(context, "quick", "other")
    tick(context)
    assert deals(context, "other") == {"d1": "open"}
    assert all(state(context, name).failures == 0 for name in slow)
    assert state(context, "broken").failures == 1


def _wait(done: threading.Event) -> None:
    if not done.wait(20):
        raise UnavailableError("starved: the quick one had no turn")


@one_database
def test_sources_that_failed_last_time_never_take_all_threads(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["down1", "down2", "down3", "well"]
    declare(monkeypatch, **{name: ToyCrm() for name in names})
    for name in names:
        source = connect(context, name)
        with writing(context.engine) as connection:
            sources.mark(connection, source, due_at=NOW, failures=0 if name == "well" else 3)
    begun: list[Due] = []
    while (due := sync.next_turn(context, begun)) is not None:
        begun.append(due)
    assert [due.source for due in begun] == ["down1", "down2", "well"]
    assert sync.next_turn(context, begun[1:]) == Due(SINGLE, "down1", 3)


@one_database
def test_the_workspace_with_the_fewest_turns_under_way_comes_first(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a", "b", "c"]
    declare(monkeypatch, **{name: ToyCrm() for name in names})
    for name in names:
        connect(context, name)
    assert isinstance(context.clock, FixedClock)
    context.clock.move(timedelta(seconds=1))
    connect(context, "a", "other")
    begun: list[Due] = []
    while (due := sync.next_turn(context, begun)) is not None:
        begun.append(due)
    assert [(due.workspace_id, due.source) for due in begun] == [
        (SINGLE, "a"),
        ("other", "a"),
        (SINGLE, "b"),
        (SINGLE, "c"),
    ]


@one_database
def test_pauses_grow_with_failures_up_to_an_hour(context: Context, crm: ToyCrm, clock: FixedClock) -> None:
    crm.between = raising(UnavailableError("GET /deals: ReadTimeout"))
    connect(context)
    pauses = []
    for _ in range(8):
        tick(context)
        pauses.append(state(context).due_at - clock.now())
        clock.move(pauses[-1])
    assert state(context).failures == 8
    for number, pause in enumerate(pauses):
        whole = min(timedelta(minutes=5 * 2**number), HOUR)
        assert whole / 2 <= pause <= whole
    crm.between = lambda: None
    tick(context)
    assert state(context).failures == 0
    assert state(context).due_at == clock.now() + timedelta(minutes=5)


@one_database
def test_out_of_budget_it_goes_on_when_the_crm_said(context: Context, crm: ToyCrm) -> None:
    crm.between = raising(BudgetError("GET /deals: 80% of the budget is spent", NOW + 7 * HOUR))
    connect(context)
    tick(context)
    assert (state(context).due_at, state(context).failures) == (NOW + 7 * HOUR, 0)


def test_refused_credentials_stop_the_source_and_the_admins_are_told_once_in_their_words(
    context: Context, crm: ToyCrm, clock: FixedClock
) -> None:
    crm.between = raising(RefusedError("GET /deals: 401"))
    connect(context)
    for _ in range(3):
        tick(context)
        clock.move(24 * HOUR)
    assert state(context).state == "refused"
    assert crm.asked == ["list"]
    told = letters(context)
    assert {user: len(said) for user, said in told.items()} == {"U1": 1, "U2": 1}
    assert "Toy CRM refuses the credentials" in told["U1"][0]
    assert "vigie connect toy" in told["U2"][0]
    assert told["U1"] != told["U2"]
    crm.between = lambda: None
    connect(context)
    tick(context)
    assert state(context).state == "ready"
    crm.between = raising(RefusedError("GET /deals: 403"))
    clock.move(HOUR)
    tick(context)
    assert len(letters(context)["U1"]) == 2, "another episode is told again"


@one_database
def test_who_becomes_an_administrator_after_a_refusal_is_told_of_it_once(
    context: Context, crm: ToyCrm, clock: FixedClock
) -> None:
    with writing(context.engine) as connection:
        connection.execute(sa.delete(schema.link))
    crm.between = raising(RefusedError("GET /deals: 401"))
    connect(context)
    tick(context)
    refusals.run(context, Event())
    assert letters(context) == {}
    clock.move(24 * HOUR)
    with writing(context.engine) as connection:
        people.link(
            connection,
            workspace_id=SINGLE,
            slack_user_id="U9",
            person_id=None,
            role="admin",
            actor="U9",
            now=clock.now(),
        )
    for _ in range(3):
        refusals.run(context, Event())
        clock.move(HOUR)
    assert {user: len(said) for user, said in letters(context).items()} == {"U9": 1}
    assert "Toy CRM refuses the credentials" in letters(context)["U9"][0]


@one_database
def test_administrators_of_before_are_not_told_again(context: Context, crm: ToyCrm, clock: FixedClock) -> None:
    crm.between = raising(RefusedError("GET /deals: 401"))
    clock.move(HOUR)
    connect(context)
    tick(context)
    before = letters(context)
    clock.move(HOUR)
    with writing(context.engine) as connection:
        # Confirmed anew, for whatever reason.
        connection.execute(sa.update(schema.link).values(confirmed_at=clock.now()))
    refusals.run(context, Event())
    assert letters(context) == before


@one_database
def test_an_object_that_waits_is_told_once_until_it_is_well_again(
    context: Context, crm: ToyCrm, clock: FixedClock
) -> None:
    crm.sell("d1", NOW)
    connect(context)
    tick(context)
    crm.between = raising(DriftError("deal", "amount"))
    for _ in range(4):
        clock.move(HOUR)
        tick(context)
    assert len(letters(context)["U1"]) == 1
    assert "amount" in letters(context)["U1"][0]
    crm.between = lambda: None
    clock.move(HOUR)
    tick(context)
    crm.between = raising(DriftError("deal", "amount"))
    clock.move(HOUR)
    tick(context)
    assert len(letters(context)["U1"]) == 2


def test_late_data_is_told_once_an_episode_and_not_before_it_is_late(
    context: Context, crm: ToyCrm, clock: FixedClock
) -> None:
    crm.sell("d1", NOW)
    connect(context)
    tick(context)
    crm.between = raising(UnavailableError("GET /deals: 503"))
    clock.move(timedelta(minutes=30))
    tick(context)
    assert letters(context) == {}
    for _ in range(5):
        clock.move(HOUR)
        tick(context)
    (said,) = letters(context)["U1"]
    assert "The data of Toy CRM is as of 23 Nov 2026 at 10:30, older than expected." in said
    crm.between = lambda: None
    clock.move(HOUR)
    tick(context)
    crm.between = raising(UnavailableError("GET /deals: 503"))
    clock.move(2 * HOUR)
    tick(context)
    assert len(letters(context)["U1"]) == 2


def test_hints_are_settled_first_and_rows_read_again(context: Context, crm: ToyCrm, clock: FixedClock) -> None:
    crm.sell("d1", NOW)
    crm.sell("d2", NOW)
    connect(context)
    tick(context)
    clock.move(timedelta(minutes=1))
    crm.sell("d1", clock.now(), status="won", closed=clock.now())
    del crm.deals["d2"]
    with writing(context.engine) as connection:
        told = [Hint("e1", "deal", "d1"), Hint("e2", "deal", "d2")]
        assert hints.put(connection, SINGLE, "toy", told, clock.now()) == 2
        assert hints.put(connection, SINGLE, "toy", told, clock.now()) == 0
    tick(context)
    assert crm.asked == ["list", "read d1 d2"], "only what was knocked about, until its time has come"
    assert state(context).due_at == NOW + timedelta(minutes=5)
    assert deals(context) == {"d1": "won"}
    clock.move(timedelta(minutes=5))
    tick(context)
    assert sum(asked.startswith("read") for asked in crm.asked) == 1
    clock.move(timedelta(days=8))
    with writing(context.engine) as connection:
        hints.put(connection, SINGLE, "toy", [Hint("e3", "deal", "d1")], clock.now())
    tick(context)
    with reading(context.engine) as connection:
        assert list(connection.scalars(sa.select(schema.hint.c.event_id))) == ["e3"]


@one_database
@pytest.mark.parametrize(
    "error", [UnavailableError("GET /deals/d1: 500"), UnexpectedError("GET /deals/d1: 422", 422, "")]
)
def test_a_row_that_cannot_be_read_again_does_not_hold_up_the_others(
    context: Context, crm: ToyCrm, clock: FixedClock, error: CrmError
) -> None:
    def fail() -> None:
        if crm.asked[-1].startswith("read"):
            raise error

    crm.sell("d1", NOW)
    connect(context)
    tick(context)
    crm.between = fail
    clock.move(timedelta(minutes=6))
    crm.sell("d2", clock.now())
    with writing(context.engine) as connection:
        hints.put(connection, SINGLE, "toy", [Hint("e1", "deal", "d1")], clock.now())
    tick(context)
    assert deals(context) == {"d1": "open", "d2": "open"}
    assert state(context).failures == 0
    with reading(context.engine) as connection:
        assert hints.waiting(connection, SINGLE, "toy") == [Hint("e1", "deal", "d1")]


@one_database
def test_everything_is_listed_once_a_night_at_the_sources_own_moment(
    context: Context, crm: ToyCrm, clock: FixedClock
) -> None:
    crm.sell("d1", NOW)
    source = connect(context)
    listings = []
    for _ in range(36):
        before = crm.asked.count("list")
        tick(context)
        if crm.asked.count("list") > before:
            listings.append(clock.now())
        clock.move(2 * HOUR)
    first, *nights = listings
    assert first == NOW
    assert [night.date().day for night in nights] == [24, 25, 26]
    hours = {night.astimezone(ZoneInfo("Europe/Paris")).hour for night in nights}
    assert len(hours) == 1
    assert hours <= set(range(1, 7))
    with reading(context.engine) as connection:
        workspace = sources.read_workspace(connection, SINGLE)
    own = turn.night(source, workspace, clock.now())
    assert own <= clock.now() < own + timedelta(days=1)


def test_another_run_under_way_is_left_alone(context: Context, crm: ToyCrm, clock: FixedClock) -> None:
    connect(context)
    leases.take(context.engine, SINGLE, "sync:toy", "a person at the command line", 300)
    tick(context)
    assert crm.asked == []
    assert (state(context).due_at, state(context).failures) == (NOW, 0)
    with writing(context.engine) as connection:
        leases.release(connection, SINGLE, "sync:toy", "a person at the command line")
    tick(context)
    assert crm.asked == ["list"]


def test_a_decision_in_the_middle_of_a_run_wins(context: Context, crm: ToyCrm) -> None:
    for number in range(6):
        crm.sell(f"d{number}", NOW)
    decided: list[bool] = []

    def decide() -> None:
        if len(crm.asked) == 2:
            with writing(context.engine) as connection:
                decided.append(sources.decide_stage(connection, SINGLE, "toy", "s1", "won", NOW))

    crm.between = decide
    connect(context)
    tick(context)
    assert decided == [True]
    assert crm.opened[-1].stages == {"s1": "won"}
    assert crm.asked == ["list"] * 5, "two pages with the old meaning, the second of them lost; then everything again"
    assert len(deals(context)) == 6


@one_database
def test_without_its_key_a_source_fails_and_the_admins_are_told_once(context: Context, crm: ToyCrm) -> None:
    connect(context)
    other = read_settings(None, keys=Fernet.generate_key().decode(), slack_bot_token="xoxb-none")
    blind = Context(context.engine, context.clock, context.slack, other)
    clock = context.clock
    assert isinstance(clock, FixedClock)
    for _ in range(3):
        tick(blind)
        clock.move(2 * HOUR)
    assert crm.opened == []
    (said,) = letters(context)["U1"]
    assert "VIGIE_KEYS" in said
    tick(context)
    assert state(context).failures == 0


@one_database
def test_while_vigie_stops_nothing_new_is_begun(context: Context, crm: ToyCrm) -> None:
    connect(context)
    stopping = Event()
    stopping.set()
    sync.run(context, stopping)
    assert crm.asked == []
    assert state(context).due_at == NOW


@one_database
def test_a_run_ends_between_two_pages_when_vigie_stops(context: Context, crm: ToyCrm) -> None:
    for number in range(6):
        crm.sell(f"d{number}", NOW)
    stopping = Event()
    crm.between = stopping.set
    connect(context)
    sync.run(context, stopping)
    assert crm.asked == ["list"]
    assert state(context).due_at == NOW
    tick(context)
    assert crm.asked == ["list"] * 3
    assert len(deals(context)) == 6
