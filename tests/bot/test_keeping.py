"""The buckets kept up by whoever runs Vigie: exact at every moment, ready after the next tick, whatever was killed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from typer.testing import CliRunner

from bot import keeping
from bot.__main__ import command_line
from bot.clock import FixedClock
from bot.conversation import Context
from bot.jobs import buckets as job
from bot.jobs import sync
from bot.settings import read_settings
from bot.slack import Slack
from kpi import buckets
from kpi.engine import explained
from kpi.period import Grain, containing
from kpi.query import KpiQuery
from kpi.scope import Scope
from storage import leases
from storage.database import moment, reading, writing
from storage.schema import lease
from storage.workspaces import SINGLE, ensure_workspace
from tests.bot.company import NOW
from tests.bot.toycrm import KEY, ToyCrm, connect, declare

TODAY = NOW.date()
SETTINGS = {"now": NOW, "time_zone": "Europe/Paris", "language": "en"}

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what rests on no statement that another test does not run on both."""


@pytest.fixture
def context(database: Engine) -> Iterator[Context]:
    ensure_workspace(database, currency="EUR", **SETTINGS)  # type: ignore[arg-type]
    slack = Slack("xoxb-none", "http://127.0.0.1:9/api/")
    yield Context(database, FixedClock(NOW), slack, read_settings(None, keys=KEY, slack_bot_token="xoxb-none"))
    slack.close()


@pytest.fixture
def crm(context: Context, monkeypatch: pytest.MonkeyPatch) -> ToyCrm:
    """With eight deals, half of them won today, and connected."""
    found = ToyCrm()
    declare(monkeypatch, toy=found)
    for number in range(8):
        won = {"status": "won", "closed": NOW} if number % 2 else {}
        found.sell(f"d{number}", NOW, **won)
    connect(context)
    return found


class Killed(BaseException):
    """What no handler may take for a failure of the work."""


def asked(engine: Engine) -> tuple[int, str]:
    """How many deals were won this month, and which way the answer came."""
    query = KpiQuery("win_rate", "closed", containing(Grain.MONTH, TODAY), Scope(SINGLE, everything=True), TODAY)
    with reading(engine) as connection:
        (answer,) = explained(connection, [query])
    return int(answer.result.measured.numerator or 0), answer.plan.kind


def dying(engine: Engine, number: int) -> None:
    """Die before the write transaction of this number, counted from now, is committed."""
    left = [number]

    @sa.event.listens_for(engine, "commit")
    def _die(connection: Connection) -> None:
        if connection.get_execution_options().get("vigie_writing"):
            left[0] -= 1
            if left[0] == -1:
                raise Killed


def test_after_a_sync_answers_are_quick_and_stay_so(context: Context, crm: ToyCrm) -> None:
    assert asked(context.engine) == (0, "facts")
    sync.run(context, Event())
    assert asked(context.engine) == (4, "buckets")
    crm.sell("d8", NOW + timedelta(minutes=6), status="won", closed=NOW)
    assert isinstance(context.clock, FixedClock)
    context.clock.move(timedelta(minutes=6))
    sync.run(context, Event())
    assert asked(context.engine) == (5, "buckets"), "what changed was folded with its page"


def test_killed_anywhere_while_it_settles_answers_are_exact_and_ready_after_the_next_tick(
    context: Context, crm: ToyCrm
) -> None:
    sync.run(context, Event())
    kills = 0
    # Every transaction would be hundreds: the first ones, then ever fewer.
    for at in (0, 1, 2, 4, 7, 12, 20, 33, 55):
        buckets.rebuild(context.engine, SINGLE)
        dying(context.engine, at)
        try:
            # None of its own left to do: as after a kill between the last page and the end of the run.
            job.run(context, Event())
        except Killed:
            kills += 1
        assert asked(context.engine)[0] == 4, at
        free(context.engine)
        job.run(context, Event())
        assert asked(context.engine) == (4, "buckets"), at
    assert kills > 4, "the kill was meant to find many places"


def free(engine: Engine) -> None:
    """The time of whoever was killed is up."""
    with writing(engine) as connection:
        connection.execute(lease.update().values(until=moment(-1)))


def test_another_currency_is_never_answered_from_sums_of_the_old_one(context: Context, crm: ToyCrm) -> None:
    sync.run(context, Event())
    job.run(context, Event())
    ensure_workspace(context.engine, currency="USD", on_currency=buckets.forget, **SETTINGS)  # type: ignore[arg-type]
    assert not keeping.are_ready(context.engine, SINGLE, context.clock)
    job.run(context, Event())
    assert asked(context.engine) == (4, "buckets")


@one_database
def test_once_a_night_a_sample_is_compared_and_what_is_wrong_is_mended(
    context: Context, crm: ToyCrm, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    sync.run(context, Event())
    assert isinstance(context.clock, FixedClock)
    job.run(context, Event())
    assert "buckets_checked" not in caplog.text, "it is day"
    context.clock.move(timedelta(hours=17))
    with writing(context.engine) as connection:
        connection.execute(sa.text("UPDATE deal_tally SET team = 'nobody'"))
    for _ in range(3):
        job.run(context, Event())
    assert [record.message.split()[0] for record in caplog.records if "buckets_" in record.message] == [
        "buckets_repaired"
    ], "once a night"
    free(context.engine)
    job.run(context, Event())
    assert "buckets_checked" in caplog.text


@one_database
def test_two_do_not_settle_at_once(context: Context, crm: ToyCrm) -> None:
    leases.take(context.engine, SINGLE, keeping.LEASE, "another", 60)
    sync.run(context, Event())
    assert not keeping.settle(context.engine, SINGLE, context.clock)
    assert asked(context.engine) == (4, "facts")


@one_database
def test_a_tick_that_is_told_to_stop_leaves_the_rest_to_the_next(context: Context, crm: ToyCrm) -> None:
    sync.run(context, Event())
    buckets.rebuild(context.engine, SINGLE)
    assert not keeping.settle(context.engine, SINGLE, context.clock, stop=lambda: True)
    job.run(context, Event())
    assert keeping.are_ready(context.engine, SINGLE, context.clock)


@pytest.mark.parametrize(("code", "said"), [("en", "The numbers are ready; of"), ("fr", "un échantillon")])
def test_a_person_has_the_numbers_added_up_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIGIE_DATABASE_URL", "sqlite:///vigie.sqlite3")
    (tmp_path / "deals.csv").write_text("Deal ID,Status,Created\n1,won,2026-01-03\n2,open,2026-01-04\n", "utf-8")
    assert CliRunner().invoke(command_line(), ["sync", "files", "deals.csv"]).exit_code == 0
    result = CliRunner().invoke(command_line(), ["rebuild", "--lang", code])
    assert (result.exit_code, said in result.output) == (0, True), result.output
