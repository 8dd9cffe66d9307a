"""Settings: one sentence when something is missing or wrong."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import SettingsError, read_settings

KEY = base64.urlsafe_b64encode(bytes(32)).decode()
GOOD = {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1"}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "VIGIE_PORT", "VIGIE_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)


def test_settings_come_from_the_environment_and_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("SLACK_BOT_TOKEN=xoxb-file\nVIGIE_PORT=4000\nVIGIE_LANGUAGE=fr\nOTHER=1\n")
    monkeypatch.setenv("VIGIE_PORT", "5000")
    settings = read_settings(file)
    assert (settings.bot_token, settings.port, settings.language) == ("xoxb-file", 5000, "fr")


def test_the_first_key_is_the_one_that_encrypts() -> None:
    other = base64.urlsafe_b64encode(bytes(range(32))).decode()
    assert read_settings(None, keys=f" {KEY} ,{other},").vault_keys == (KEY, other)
    assert read_settings(None).vault_keys == ()


def test_a_secret_never_shows() -> None:
    assert KEY not in repr(read_settings(None, keys=KEY))
    assert "xoxb-1" not in repr(read_settings(None, **GOOD))
    assert "xapp-1" not in str(read_settings(None, **GOOD).model_dump())


@pytest.mark.parametrize(
    ("given", "name", "where"),
    [
        ({}, "SLACK_BOT_TOKEN is missing", "OAuth & Permissions"),
        ({"slack_bot_token": "xoxb-1"}, "SLACK_APP_TOKEN is missing", "SLACK_SIGNING_SECRET"),
        ({"slack_bot_token": "xoxp-1"}, "SLACK_BOT_TOKEN is wrong", "xoxb-"),
        ({**GOOD, "slack_app_token": "xoxb-1"}, "SLACK_APP_TOKEN is wrong", "connections:write"),
        ({"slack_bot_token": "xoxb-…"}, "SLACK_BOT_TOKEN is wrong", "OAuth & Permissions"),
        ({**GOOD, "slack_app_token": "xapp-…"}, "SLACK_APP_TOKEN is wrong", "connections:write"),
        ({**GOOD, "slack_signing_secret": "a b"}, "SLACK_SIGNING_SECRET is wrong", "App Credentials"),
        ({**GOOD, "admin": "you"}, "VIGIE_ADMIN is wrong", "e-mail address"),
        ({**GOOD, "timezone": "Paris"}, "VIGIE_TIMEZONE is wrong", "Europe/Paris"),
        ({**GOOD, "currency": "EURO"}, "VIGIE_CURRENCY is wrong", "EUR"),
        ({**GOOD, "language": "de"}, "VIGIE_LANGUAGE is wrong", "fr or en"),
        ({**GOOD, "port": "x"}, "VIGIE_PORT is wrong", "3000"),
        ({**GOOD, "database_url": "mysql://x"}, "VIGIE_DATABASE_URL is wrong", "sqlite:///"),
        ({**GOOD, "database_url": "postgresql://vigie@host:port/x"}, "VIGIE_DATABASE_URL is wrong", "postgresql://"),
        ({**GOOD, "slack_api_url": "http://evil.example/api/"}, "VIGIE_SLACK_API_URL is wrong", "/api/"),
        ({**GOOD, "fiscal_start_month": 13}, "VIGIE_FISCAL_START_MONTH is wrong", "1 to 12"),
        ({**GOOD, "keys": "abc"}, "VIGIE_KEYS is wrong", "vigie connect"),
        ({**GOOD, "keys": f"{KEY},é"}, "VIGIE_KEYS is wrong", "separated by commas"),
        ({**GOOD, "sync_minutes": 0}, "VIGIE_SYNC_MINUTES is wrong", "1 to 1440"),
        ({**GOOD, "public_url": "vigie.example.com"}, "VIGIE_PUBLIC_URL is wrong", "https://vigie.example.com"),
        ({**GOOD, "visibility": "all"}, "VIGIE_VISIBILITY is wrong", "team"),
    ],
)
def test_a_missing_or_wrong_setting_is_one_sentence_with_its_name_and_where_to_get_it(
    given: dict[str, object], name: str, where: str
) -> None:
    with pytest.raises(SettingsError) as told:
        read_settings(None, **given).for_slack()
    assert name in str(told.value)
    assert where in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "words",
    [["serve"], ["ask", "win rate"], ["quarantine"], ["sync", "files", "deals.csv"]],
    ids=lambda words: words[0],
)
def test_a_database_that_does_not_answer_is_one_sentence_without_its_password(words: list[str], tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_SIGNING_SECRET": "secret",
        "VIGIE_DATABASE_URL": "postgresql://vigie:hidden@127.0.0.1:1/vigie",
    }
    command = [sys.executable, "-m", "bot", *words]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 2
    assert said.startswith("The database postgresql+psycopg://vigie:***@127.0.0.1:1/vigie does not answer (")
    assert said.endswith("check VIGIE_DATABASE_URL, and that it is running")
    assert said.count("\n") == 0
    assert "hidden" not in said
