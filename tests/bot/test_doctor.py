"""`vigie doctor`: what needs a person is marked, in both languages; nothing is changed by looking."""

import re
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from typer.testing import CliRunner

from bot.__main__ import command_line
from bot.cli.doctor import examine
from bot.cli.findings import Finding
from bot.i18n import language
from bot.jobs import jobs, postman
from bot.playground.person import shown
from bot.settings import Settings
from storage import beats, inbox, outbox
from storage.database import reading, writing
from storage.schema import letter
from storage.workspaces import SINGLE
from tests.bot.conftest import Stage, both_databases

Look = Callable[..., list[Finding]]


@pytest.fixture
def look(vigie: Stage) -> Look:
    def looking(code: str = "en", **other: Any) -> list[Finding]:
        settings = vigie.context.settings.model_copy(update=other)
        return list(examine(settings, vigie.clock, language(code)))

    return looking


def alive(stage: Stage, *without: str) -> None:
    """As if somewhere a Vigie ran."""
    with writing(stage.engine) as connection:
        for job in jobs():
            if job.name not in without:
                beats.beat(connection, SINGLE, job.name, "elsewhere", 60)


def put(stage: Stage, name: str, where: str = "sales", **more: Any) -> str:
    with writing(stage.engine) as connection:
        return outbox.put(
            connection,
            workspace_id=SINGLE,
            dedupe=name,
            kind=more.pop("kind", "notice"),
            channel_id=stage.playground.world.find_channel(where).id,
            payload={"text": name, "blocks": []},
            now=stage.clock.now(),
            **more,
        )


def wrong(found: list[Finding]) -> list[str]:
    return [finding.sentence for finding in found if not finding.ok]


def said(found: list[Finding]) -> str:
    return "\n".join(f"{finding.mark} {finding.sentence}" for finding in found)


@pytest.fixture
def right_time(vigie: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack's and the database's clocks show what the test's does; they are the machine's."""
    from datetime import UTC, datetime

    vigie.clock.move(datetime.now(UTC) - vigie.clock.now())


@pytest.mark.usefixtures("right_time")
@both_databases
def test_where_all_is_well_nothing_needs_a_person(vigie: Stage, look: Look) -> None:
    ada = vigie.as_user("ada")
    ada.command("/kpi digest add Tuesday 9:00", "sales")
    ada.wait_for("sales", lambda message: "A digest is set up." in shown(message))
    alive(vigie)
    with writing(vigie.engine) as connection:
        before = connection.execute(sa.select(sa.func.count()).select_from(letter)).scalar_one()
    found = look()
    assert wrong(found) == []
    told = said(found)
    kind = "SQLite" if vigie.engine.dialect.name == "sqlite" else "PostgreSQL"
    assert f"✓ {kind} " in told
    for sentence in (
        "the token has every scope of manifest.yml",
        "Slack's clock and this machine's agree",
        "the database's clock and this machine's agree",
        "every job is being done: ",
        "no message waits to be posted",
        "no command, click or event waits",
        "Vigie is in 1 channel of digests and alerts",
        "Sample",
    ):
        assert sentence.casefold() in told.casefold(), told
    with writing(vigie.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(letter)).scalar_one() == before


def test_letters_are_told_with_their_age_and_reason(vigie: Stage, look: Look) -> None:
    world = vigie.playground.world
    world.metadata_subscriptions = set()
    put(vigie, "dead")
    world.faults.add("chat.postMessage", "error", error="is_archived")
    postman.run(vigie.context, Event())
    put(vigie, "late", "visitors", kind="alert", state="skipped", error="late")
    vigie.clock.move(timedelta(hours=3))
    put(vigie, "doubt", "partners", due_at=vigie.clock.now() - timedelta(hours=1))
    put(vigie, "tomorrow", due_at=vigie.clock.now() + timedelta(days=1))
    put(vigie, "now", "visitors", due_at=vigie.clock.now() - timedelta(minutes=3))
    told = said(look())
    assert "✗ #sales: 1 message refused. The channel is archived." in told
    assert "The oldest is from 3 hours ago." in told
    assert "! 1 message was left out in the last 7 days (late)" in told
    assert "1 message in doubt. It is looked for in the channel before anything is posted." in told
    assert "! 1 message waits to be posted, for 3 minutes" in told
    assert "✓ 1 message is for later" in told
    vigie.clock.move(timedelta(minutes=10))
    assert "✗ 1 message waits to be posted, for 13 minutes" in said(look())


def test_a_refused_token_is_told_by_what_waits_too(vigie: Stage, look: Look) -> None:
    put(vigie, "waits")
    vigie.playground.world.revoked = True
    postman.run(vigie.context, Event())
    told = wrong(look())
    assert any("Slack does not accept SLACK_BOT_TOKEN" in sentence for sentence in told)
    assert any("Slack takes none (account_inactive)" in sentence for sentence in told)
    assert not any("/invite" in sentence for sentence in told)


def test_jobs_that_nobody_does_are_named(vigie: Stage, look: Look) -> None:
    assert "nothing is running: start “vigie serve”" in wrong(look())
    alive(vigie, "postman", "digests")
    (silent,) = [sentence for sentence in wrong(look()) if "no sign of life" in sentence]
    assert "digests, postman;" in silent


@both_databases
def test_what_slack_said_and_nobody_did_is_counted(vigie: Stage, look: Look) -> None:
    with writing(vigie.engine) as connection:
        inbox.put(connection, [inbox.Said(SINGLE, each, "event", "sealed") for each in ("E1", "E2", "E3")], "dead")
        inbox.settle(connection, [(SINGLE, "E3")], "dead", "unreadable")
    told = said(look())
    assert re.search(r"2 commands, clicks and events wait, for \d seconds? at most", told)
    assert "! 1 command, click or event could not be done" in told


def test_a_channel_without_the_bot_is_named(vigie: Stage, look: Look) -> None:
    ada = vigie.as_user("ada")
    ada.command("/kpi digest add Tuesday 9:00", "sales")
    ada.wait_for("sales", lambda message: "A digest is set up." in shown(message))
    world = vigie.playground.world
    world.find_channel("sales").members.remove(world.bot_user)
    (absent,) = [sentence for sentence in wrong(look()) if "/invite" in sentence]
    assert absent.startswith("#sales: 1 digest or alert goes there, but Slack says not_in_channel")


def test_clocks_that_differ_are_told(vigie: Stage, look: Look) -> None:
    vigie.clock.move(timedelta(days=400))
    told = wrong(look())
    assert any(sentence.startswith("Slack's clock and this machine's differ by -") for sentence in told)
    assert any(sentence.startswith("the database's clock and this machine's differ by -") for sentence in told)


def test_a_database_of_another_version_is_looked_at_no_further(vigie: Stage, look: Look) -> None:
    with writing(vigie.engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    told = said(look())
    assert "tables of revision 0001; this version wants" in told
    assert "every job" not in told


def test_it_is_said_in_french(vigie: Stage, look: Look) -> None:
    told = said(look("fr"))
    assert "aucun message n'attend d'être publié" in told
    assert "rien ne tourne\N{NO-BREAK SPACE}: lancez" in told
    assert "les sommes d'où viennent les réponses" in told


def test_a_database_that_is_not_made_yet_is_not_made_by_looking(vigie: Stage, look: Look, tmp_path: Any) -> None:
    path = tmp_path / "none.sqlite3"
    found = look(database_url=SecretStr(f"sqlite:///{path}"))
    assert "does not exist yet" in said(found)
    assert not path.exists()


def test_the_command_ends_with_one_where_a_person_is_needed(
    vigie: Stage, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN", settings.bot_token)
    monkeypatch.setenv("SLACK_APP_TOKEN", vigie.playground.app_token)
    monkeypatch.setenv("VIGIE_SLACK_API_URL", settings.slack_api_url)
    monkeypatch.setenv("VIGIE_DATABASE_URL", settings.database_url.get_secret_value())
    ended = CliRunner().invoke(command_line(), ["doctor", "--lang", "en"])
    assert ended.exit_code == 1, ended.output
    assert "✗ nothing is running" in ended.output
    assert "Something needs a person" in ended.output
    alive(vigie)
    ended = CliRunner().invoke(command_line(), ["doctor", "--lang", "fr"])
    assert ended.exit_code == 0, ended.output
    assert "Rien ne demande d'intervention." in ended.output
    with reading(vigie.engine) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(letter)).scalar_one() == 0
