"""Questions are read from a replica, and from the primary while it is down. A second database stands in for it."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from typer.testing import CliRunner

from bot.__main__ import command_line
from bot.app import open_vigie
from bot.clock import FixedClock
from bot.commands.ask import answer
from bot.conversation import Asker, Context
from bot.i18n import language
from bot.playground.server import Playground
from bot.settings import Settings, SettingsError, read_settings
from storage import records
from storage.database import open_engine, reading
from storage.people import read_link
from storage.replica import Replica, read_for_question
from storage.sync import load
from storage.workspaces import SINGLE
from tests.bot.company import NOW, Company

POSTGRES = "postgresql://vigie:hidden@primary/vigie"
WHERE = "give postgresql://user:password@host/database of a replica, or leave it out"


@pytest.mark.parametrize(
    ("primary", "replica", "reason"),
    [
        (POSTGRES, "sqlite:///copy.sqlite3", "it is not a PostgreSQL address"),
        (POSTGRES, "postgresql://vigie@host:port/x", "it is not a PostgreSQL address"),
        (POSTGRES, "not an address", "it is not a PostgreSQL address"),
        (
            "sqlite:///vigie.sqlite3",
            "postgresql://vigie@replica/vigie",
            "only a PostgreSQL has replicas, and VIGIE_DATABASE_URL is none",
        ),
    ],
)
def test_an_address_that_can_be_no_replica_is_one_sentence(primary: str, replica: str, reason: str) -> None:
    with pytest.raises(SettingsError) as told:
        read_settings(None, database_url=primary, read_database_url=replica)
    assert str(told.value) == f"VIGIE_READ_DATABASE_URL is wrong ({reason}): {WHERE}"


def test_a_replica_of_a_postgresql_is_taken() -> None:
    settings = read_settings(None, database_url=POSTGRES, read_database_url="postgres://vigie@replica/vigie")
    assert settings.read_database_url is not None


@pytest.fixture
def copy_url(company_url: str) -> Iterator[str]:
    """The company's database as it was a moment ago: what a replica that lags holds."""
    base = sa.make_url(company_url)
    name = f"{base.database}_copy"
    admin = sa.create_engine(
        base.set(drivername="postgresql+psycopg", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {base.database}"))
    yield base.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.mark.parametrize("company_url", ["postgresql"], indirect=True)
def test_a_question_is_read_from_the_replica_with_its_own_as_of_and_from_the_primary_while_it_is_down(
    playground: Playground,
    settings: Settings,
    copy_url: str,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FixedClock(NOW + timedelta(minutes=20))
    vigie = open_vigie(settings.model_copy(update={"read_database_url": SecretStr(copy_url)}), clock, jobs=False)
    context, asker = vigie.context, _asker(playground)
    load(context.engine, SINGLE, Doubled(), now=clock.now())

    said = answer(asker, "revenue October 2026", context).text
    assert "€11,500.00" in said
    assert "as of 23 Nov 2026 at 10:30" in said
    with reading(context.engine) as connection:
        # Who may see what is read, and written, on the primary.
        assert read_link(connection, SINGLE, asker.user_id) is not None

    with caplog.at_level(logging.INFO, logger="storage.replica"):
        down = replace(context, replica=Replica(_closed(copy_url), pause=3600))
        for _ in range(2):
            said = answer(asker, "revenue October 2026", down).text
            assert "€23,000.00" in said
            assert "as of 23 Nov 2026 at 10:50" in said
    assert [record.getMessage().split()[0] for record in caplog.records] == ["replica_down"]

    for name, value in {"DATABASE_URL": _url(settings), "READ_DATABASE_URL": copy_url}.items():
        monkeypatch.setenv(f"VIGIE_{name}", value)
    monkeypatch.chdir(tmp_path)
    asked = CliRunner().invoke(command_line(), ["ask", "revenue October 2026"])
    assert "€11,500.00" in asked.stdout, asked.output
    _close(context)


def test_a_replica_that_comes_back_is_asked_again_and_nothing_is_ever_written_to_it(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    primary = open_engine(postgres_url)
    replica = Replica(postgres_url, pause=0)
    down = sa.exc.OperationalError("SELECT 1", {}, OSError())
    asked: list[str] = []

    def work(connection: sa.Connection) -> str:
        asked.append(connection.scalar(sa.text("SHOW transaction_read_only")))
        if len(asked) == 1:
            raise down
        return asked[-1]

    with caplog.at_level(logging.INFO, logger="storage.replica"):
        assert read_for_question(primary, replica, work) == "off"
        assert read_for_question(primary, replica, work) == "on"
        assert read_for_question(primary, None, work) == "off"
    assert asked == ["on", "off", "on", "off"]
    assert [record.getMessage().split()[0] for record in caplog.records] == ["replica_down", "replica_back"]
    with pytest.raises(LookupError):
        # What the question itself is refused for is no fault of the replica.
        replica.read(primary, lambda _: _refuse())
    replica.close()
    primary.dispose()


class Doubled(Company):
    """The company a little later: every deal is worth twice as much."""

    def _deals(self) -> Iterator[records.Deal]:
        for each in super()._deals():
            yield replace(each, amount_minor=2 * (each.amount_minor or 0))


def _asker(playground: Playground) -> Asker:
    return Asker(workspace_id=SINGLE, user_id=playground.as_user("ada").id, language=language("en"))


def _closed(url: str) -> str:
    return sa.make_url(url).update_query_dict({"host": "/nowhere"}).render_as_string(hide_password=False)


def _url(settings: Settings) -> str:
    return settings.database_url.get_secret_value()


def _close(context: Context) -> None:
    context.slack.close()
    if context.replica is not None:
        context.replica.close()
    context.engine.dispose()


def _refuse() -> None:
    raise LookupError("no such thing")
