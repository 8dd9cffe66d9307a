"""`vigie check`: is everything in order? Says it without starting, one line a thing."""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:write",
    "metadata.message:read",
    "users:read",
    "users:read.email",
)
"""What `manifest.yml` asks for."""


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    sentence: str
    remark: bool = False
    """Nothing stops Vigie, but somebody will miss it."""

    @property
    def mark(self) -> str:
        return "✗" if not self.ok else "!" if self.remark else "✓"


def check() -> None:
    """Check the settings, the database, the token, its scopes and the connection, without starting."""
    from bot.settings import SettingsError, read_settings

    # What a refused call logs, a line below says as a sentence.
    logging.getLogger("bot").addHandler(logging.NullHandler())
    try:
        settings = read_settings()
    except SettingsError as error:
        typer.echo(f"✗ {error}")
        raise typer.Exit(1) from None
    bad = False
    for finding in findings(settings):
        typer.echo(f"{finding.mark} {finding.sentence}")
        bad = bad or not finding.ok
    typer.echo("Something is not in order." if bad else "Everything is in order: run “vigie serve”.")
    if bad:
        raise typer.Exit(1)


def findings(settings: "Settings") -> Iterator[Finding]:
    """What is in order and what is not, in the order in which it must be mended."""
    steps: tuple[Callable[[Settings], Iterator[Finding]], ...] = (_settings, _database, _slack)
    for step in steps:
        for finding in step(settings):
            yield finding
            if not finding.ok and step is _settings:
                return


def _settings(settings: "Settings") -> Iterator[Finding]:
    from bot.settings import WHERE, SettingsError

    try:
        settings.for_slack()
    except SettingsError as error:
        yield Finding(False, str(error))
        return
    mode = "Socket Mode" if settings.socket_mode else f"HTTP on port {settings.port}, at /slack/events"
    yield Finding(True, f"the settings are complete: {mode}, {settings.timezone}, {settings.currency}")
    if settings.admin is None:
        yield Finding(
            True,
            f"VIGIE_ADMIN is not set, so nobody can link people or see everything from Slack: {WHERE['VIGIE_ADMIN']}",
            remark=True,
        )


def _database(settings: "Settings") -> Iterator[Finding]:
    import sqlalchemy as sa

    from storage.database import open_engine, reading
    from storage.status import read_status
    from storage.workspaces import SINGLE

    url = sa.make_url(settings.database_url.get_secret_value())
    shown = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        folder = Path(url.database).absolute().parent
        if not os.access(folder, os.W_OK):
            wrong = "cannot be written" if folder.exists() else "does not exist"
            yield Finding(False, f"the folder {folder} {wrong}: make it, or check VIGIE_DATABASE_URL")
            return
        yield Finding(True, f"the database {shown} does not exist yet: it is made at the first start or sync")
        return
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        with reading(engine) as connection:
            status = read_status(connection, SINGLE)
    except sa.exc.SQLAlchemyError as error:
        yield Finding(False, f"the database {shown} does not answer ({type(error).__name__}): check VIGIE_DATABASE_URL")
        return
    finally:
        engine.dispose()
    deals = status.rows.get("deal", 0)
    yield Finding(True, f"the database {shown} answers: {deals} deals, {status.set_aside} rows in quarantine")
    if not deals:
        yield Finding(
            True, "there are no deals yet: run “vigie connect” for a CRM, or “vigie sync files PATH…”", remark=True
        )


def _slack(settings: "Settings") -> Iterator[Finding]:
    from bot.cli.serve import slack_sentence
    from bot.outcome import Sent
    from bot.slack import Slack, SlackError

    slack = Slack(settings.bot_token, settings.slack_api_url)
    try:
        identity = slack.identity()
        yield Finding(True, f"Slack knows the bot: {identity.get('user')} in {identity.get('team')}")
        missing = [scope for scope in SCOPES if scope not in slack.scopes()]
        if missing:
            yield Finding(
                False, f"the token lacks {', '.join(missing)}: install the app again from manifest.yml, then copy it"
            )
        else:
            yield Finding(True, "the token has every scope of manifest.yml")
    except SlackError as error:
        yield Finding(False, slack_sentence(error.code))
        return
    finally:
        slack.close()
    if settings.slack_app_token is not None:
        sockets = Slack(settings.slack_app_token.get_secret_value(), settings.slack_api_url)
        outcome = sockets.call("apps.connections.open")
        sockets.close()
        if isinstance(outcome, Sent):
            yield Finding(True, "Socket Mode is open to SLACK_APP_TOKEN")
        else:
            yield Finding(
                False,
                "Slack does not open a Socket Mode connection: check SLACK_APP_TOKEN, its scope connections:write, "
                "and that Socket Mode is on",
            )
