"""`vigie check` and `vigie serve`: sentences that say what is not in order."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bot.__main__ import command_line
from bot.cli.check import findings
from bot.i18n import language
from bot.playground.server import Playground
from bot.settings import Settings, read_settings

NAMES = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "VIGIE_DATABASE_URL", "VIGIE_SLACK_API_URL")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> pytest.MonkeyPatch:
    """An environment in which nothing is set, and a folder without a .env."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(str(tmp_path))
    return monkeypatch


def sentences(settings: Settings) -> list[str]:
    return [f"{'ok' if finding.ok else 'no'}: {finding.sentence}" for finding in findings(settings, language("en"))]


def test_when_everything_is_in_order_every_line_is_good(settings: Settings) -> None:
    said = sentences(settings)
    assert all(line.startswith("ok: ") for line in said)
    assert any("Socket Mode is open" in line for line in said)
    assert any("81 deals" in line for line in said)
    assert any("every scope" in line for line in said)


def test_a_missing_scope_is_named(settings: Settings, playground: Playground) -> None:
    playground.world.scopes.discard("files:write")
    assert any(line.startswith("no: ") and "files:write" in line for line in sentences(settings))


def test_a_token_that_slack_does_not_take_is_named(settings: Settings, playground: Playground) -> None:
    playground.world.revoked = True
    assert any(line.startswith("no: ") and "SLACK_BOT_TOKEN" in line for line in sentences(settings))


def test_a_wrong_app_token_is_named(settings: Settings) -> None:
    wrong = settings.model_copy(update={"slack_app_token": SecretStr("xapp-wrong")})
    assert any(line.startswith("no: ") and "SLACK_APP_TOKEN" in line for line in sentences(wrong))


def test_an_unreachable_slack_and_a_silent_database_are_two_sentences() -> None:
    settings = read_settings(
        None,
        slack_bot_token="xoxb-1",
        slack_signing_secret="x",
        slack_api_url="http://127.0.0.1:9/api/",
        database_url="postgresql://vigie:hunter2@127.0.0.1:9/vigie?connect_timeout=1",
    )
    said = sentences(settings)
    assert any(line.startswith("no: ") and "VIGIE_DATABASE_URL" in line for line in said)
    assert any(line.startswith("no: ") and "VIGIE_SLACK_API_URL" in line for line in said)
    assert "hunter2" not in "".join(said)


@pytest.mark.parametrize("command", ["check", "serve"])
def test_without_settings_one_sentence_says_which_is_missing(bare: pytest.MonkeyPatch, command: str) -> None:
    result = CliRunner().invoke(command_line(), [command])
    assert result.exit_code != 0
    assert "SLACK_BOT_TOKEN is missing" in result.output
    assert "Traceback" not in result.output


def test_check_ends_well_when_everything_is_in_order(
    bare: pytest.MonkeyPatch, playground: Playground, company_url: str
) -> None:
    bare.setenv("SLACK_BOT_TOKEN", playground.bot_token)
    bare.setenv("SLACK_APP_TOKEN", playground.app_token)
    bare.setenv("VIGIE_SLACK_API_URL", playground.api_url)
    bare.setenv("VIGIE_DATABASE_URL", company_url)
    result = CliRunner().invoke(command_line(), ["check"])
    assert result.exit_code == 0, result.output
    assert "Everything is in order" in result.output


def test_a_folder_that_is_not_there_is_named_before_the_database_is_made(settings: Settings, tmp_path: Path) -> None:
    elsewhere = settings.model_copy(update={"database_url": SecretStr(f"sqlite:///{tmp_path}/none/vigie.sqlite3")})
    assert any(line.startswith("no: ") and f"{tmp_path}/none does not exist" in line for line in sentences(elsewhere))


def test_a_missing_administrator_is_a_remark_that_says_what_to_give(settings: Settings) -> None:
    found = list(findings(settings.model_copy(update={"admin": None}), language("en")))
    [remark] = [finding for finding in found if finding.remark]
    assert "VIGIE_ADMIN is not set" in remark.sentence
    assert "e-mail address" in remark.sentence
    assert (remark.ok, remark.mark) == (True, "!")
