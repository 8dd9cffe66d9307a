"""`vigie check --live`: each assumption is tried, what fails says what follows, and the channel is left as it was."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.__main__ import command_line
from bot.cli.findings import Finding
from bot.cli.live import Trial
from bot.i18n import language
from bot.playground.person import shown
from bot.settings import Settings
from tests.bot.conftest import Stage, both_databases

Try = Callable[..., list[Finding]]


@pytest.fixture
def attempt(vigie: Stage) -> Try:
    def trying(place: str = "#sales", code: str = "en") -> list[Finding]:
        def pause(_: float) -> None:
            # As long as it takes until something happens, or nothing does.
            with vigie.playground.world.condition:
                vigie.playground.world.condition.wait(0.02)

        trial = Trial(vigie.context.slack, vigie.engine, vigie.clock, language(code), pause)
        return list(trial.run(place))

    return trying


def wrong(found: list[Finding]) -> list[str]:
    return [finding.sentence for finding in found if not finding.ok]


def left(stage: Stage) -> list[str]:
    return [shown(message) for message in stage.as_user("anna").messages("sales")]


@both_databases
def test_on_a_slack_that_does_as_it_says_everything_is_so_and_nothing_is_left(vigie: Stage, attempt: Try) -> None:
    found = attempt()
    assert wrong(found) == []
    told = "\n".join(finding.sentence for finding in found)
    for sentence in (
        "a picture uploaded into no channel is shown by a message",
        "the same picture is shown by several messages",
        "conversations.history shows a message's metadata after 0.0 s",
        "conversations.replies shows a message's metadata after 0.0 s",
        "a message is edited in place",
        "Slack says a message back to Vigie after",
        "a channel's members are listed, with their e-mail addresses",
        "not tried, since it takes a click",
    ):
        assert sentence in told, told
    assert left(vigie) == []


def test_what_is_not_so_is_told_with_what_follows(vigie: Stage, attempt: Try) -> None:
    world = vigie.playground.world
    world.metadata_subscriptions = set()
    for scope in ("channels:history", "channels:read", "files:write"):
        world.scopes.discard(scope)
    world.faults.add("chat.update", "error", error="cant_update_message")
    told = "\n".join(wrong(attempt()))
    for sentence in (
        "Slack shows no picture that was uploaded into no channel",
        "conversations.history does not show a message's metadata (missing_scope)",
        "conversations.replies does not show a message's metadata (missing_scope)",
        "Slack does not edit a message",
        "the echo of a message is not heard",
        "Slack does not say who reads a channel (missing_scope)",
    ):
        assert sentence in told, told
    assert left(vigie) == []


def test_what_could_not_be_deleted_is_said(vigie: Stage, attempt: Try) -> None:
    vigie.playground.world.faults.add("chat.delete", "error", error="cant_delete_message")
    assert wrong(attempt()) == ["1 test messages could not be deleted: delete them by hand"]
    assert len(left(vigie)) == 1


def test_a_channel_without_the_bot_is_one_sentence(vigie: Stage, attempt: Try) -> None:
    (only,) = attempt("#quiet", "fr")
    assert not only.ok
    assert "Je ne suis pas dans ce canal" in only.sentence


def test_the_command_tries_it_after_everything_else_is_in_order(
    vigie: Stage, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN", settings.bot_token)
    monkeypatch.setenv("SLACK_APP_TOKEN", vigie.playground.app_token)
    monkeypatch.setenv("VIGIE_SLACK_API_URL", settings.slack_api_url)
    monkeypatch.setenv("VIGIE_DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("VIGIE_ADMIN", "ada@example.com")
    ended = CliRunner().invoke(command_line(), ["check", "--live", "#sales", "--lang", "en"])
    assert ended.exit_code == 0, ended.output
    assert "✓ a message is edited in place" in ended.output
    assert "Everything is in order" in ended.output
    assert left(vigie) == []
