"""Data that is late says so on every answer, lets no alert rest on it, and is announced once an episode."""

from datetime import datetime, timedelta
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from bot.jobs import alerts, digests, postman, sync
from bot.playground.person import User, shown
from bot.playground.server import Playground
from bot.settings import Settings
from kpi.standing import as_of, is_late
from storage import rules, sources
from storage.connectors.http import UnavailableError
from storage.database import reading, writing
from storage.schema import cursor, letter, schedule
from storage.workspaces import SINGLE
from tests.bot.company import NOW
from tests.bot.conftest import Stage, _common, both_databases, read_settings
from tests.bot.toycrm import KEY, ToyCrm, connect, declare

HOUR = timedelta(hours=1)
OLDER = "The data is older than expected"


@pytest.fixture
def settings(playground: Playground, company_url: str) -> Settings:
    values = _common(playground, company_url)
    return read_settings(None, slack_app_token=playground.app_token, keys=KEY, **values)


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> ToyCrm:
    """A CRM that knows one deal, lost in November."""
    found = ToyCrm()
    found.sell("d1", NOW, status="lost", closed=NOW)
    declare(monkeypatch, toy=found)
    return found


def fail() -> None:
    raise UnavailableError("GET /deals: 503")


def work(stage: Stage) -> None:
    for job in (sync, digests, alerts, postman):
        job.run(stage.context, Event())


def pass_hours(stage: Stage, hours: int) -> None:
    """The sample was loaded by hand once; what is connected is synced as time goes by."""
    for _ in range(hours):
        stage.clock.move(HOUR)
        work(stage)


def ask(user: User, text: str) -> str:
    answers: list[dict[str, Any]] = []
    known = {message["ts"] for message in user.messages("sales")}
    user.command(text, "sales")
    user.wait_for("sales", lambda message: message["ts"] not in known and not answers.append(message))
    return shown(answers[-1])


def told(user: User) -> list[str]:
    """What Vigie wrote to a person directly."""
    return [shown(message) for message in user.messages()]


@both_databases
def test_every_answer_says_that_its_data_is_late_until_it_is_complete_again(vigie: Stage, crm: ToyCrm) -> None:
    ada = vigie.confirm("ada", None, "admin")
    connect(vigie.context)
    work(vigie)
    assert OLDER not in ask(ada, "/kpi win rate")
    crm.between = fail
    pass_hours(vigie, 2)
    for text in ("/kpi win rate", "/kpi revenue by team", "/kpi sales cycle this month"):
        assert OLDER in ask(ada, text)
    ada.open_home()
    assert OLDER in shown(ada.wait_for_home(lambda home: OLDER in shown(home)))
    crm.between = lambda: None
    pass_hours(vigie, 2)
    assert OLDER not in ask(ada, "/kpi win rate")


def test_a_digest_says_it_too(vigie: Stage, crm: ToyCrm) -> None:
    ada = vigie.confirm("ada", None, "admin")
    connect(vigie.context)
    work(vigie)
    crm.between = fail
    ada.command("/kpi digest add Tuesday 9:00", "sales")
    ada.wait_for("sales", lambda message: "A digest is set up." in shown(message))
    with reading(vigie.engine) as connection:
        due = connection.execute(sa.select(schedule.c.next_at)).scalar_one()
    vigie.clock.move(due - vigie.clock.now())
    digests.run(vigie.context, Event())
    with reading(vigie.engine) as connection:
        written = connection.execute(sa.select(letter.c.payload).where(letter.c.kind == "digest")).scalar_one()
    assert OLDER in written


def with_rule(stage: Stage, **values: Any) -> None:
    ada = stage.confirm("ada", None, "admin")
    rule: dict[str, Any] = {
        "metric": "win_rate",
        "reading": "closed",
        "threshold": Decimal(90),
        "recovery": Decimal(95),
        "direction": "below",
        "language": "en",
        "hold": 1,
    }
    with writing(stage.engine) as connection:
        rules.add(
            connection,
            workspace_id=SINGLE,
            channel_id=stage.playground.world.find_channel("sales").id,
            owner=ada.id,
            now=stage.clock.now(),
            **(rule | values),
        )


def alerts_posted(stage: Stage) -> int:
    with reading(stage.engine) as connection:
        counted = sa.select(sa.func.count()).where(letter.c.kind == "alert")
        return connection.execute(counted).scalar_one()


def test_no_alert_rests_on_late_data_and_it_goes_on_by_itself(vigie: Stage, crm: ToyCrm) -> None:
    connect(vigie.context)
    work(vigie)
    crm.between = fail
    pass_hours(vigie, 2)
    with_rule(vigie)
    pass_hours(vigie, 2)
    assert alerts_posted(vigie) == 0
    crm.between = lambda: None
    pass_hours(vigie, 1)
    assert alerts_posted(vigie) == 1


def test_late_data_is_announced_once_to_the_admins_and_once_to_each_channel_that_waits(
    vigie: Stage, crm: ToyCrm
) -> None:
    with_rule(vigie)
    with_rule(
        vigie, metric="sales_cycle", reading="mean", direction="above", threshold=Decimal(900), recovery=Decimal(800)
    )
    ada = vigie.as_user("ada")
    connect(vigie.context)
    work(vigie)
    before = len(ada.messages("sales"))
    crm.between = fail
    pass_hours(vigie, 6)
    (direct,) = told(ada)
    assert direct.startswith("The data of Toy CRM is as of 23 Nov 2026 at 10:30, older than expected.")
    (channel,) = [shown(message) for message in ada.messages("sales")[before:]]
    assert channel.startswith("The alerts of this channel are paused: the data is as of 23 Nov 2026 at 10:30")


def test_what_was_loaded_by_hand_is_never_late(vigie: Stage) -> None:
    pass_hours(vigie, 200)
    with reading(vigie.engine) as connection:
        assert as_of(connection, SINGLE, "win_rate") == NOW
        assert not is_late(connection, SINGLE, "win_rate", vigie.clock.now())


@both_databases
def test_a_stopped_source_is_waited_for_no_longer(vigie: Stage, crm: ToyCrm) -> None:
    connect(vigie.context)
    work(vigie)
    later = NOW + 3 * HOUR
    engine = vigie.engine

    def fresh() -> datetime | None:
        with reading(engine) as connection:
            return as_of(connection, SINGLE, "win_rate")

    with writing(engine) as connection:
        # The sample is loaded again by hand, later than the CRM was last complete.
        connection.execute(sa.update(cursor).where(cursor.c.source == "sample").values(complete_at=later))
    assert fresh() == NOW
    with writing(engine) as connection:
        assert is_late(connection, SINGLE, "win_rate", later)
        sources.stop(connection, SINGLE, "toy", later)
    assert fresh() == later
    with writing(engine) as connection:
        assert not is_late(connection, SINGLE, "win_rate", later)
        connection.execute(sa.delete(cursor).where(cursor.c.source == "sample"))
    assert fresh() == NOW, "nothing else tells deals: they are as of when the source was stopped"
