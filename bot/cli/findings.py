"""What is in order and what is not, a sentence a thing: the settings, the database, what Slack says of the token."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.i18n import Language
    from bot.settings import Settings
    from bot.slack import Slack

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
    """False: it needs a person."""
    sentence: str
    remark: bool = False
    """Nothing stops Vigie, but somebody will miss it."""

    @property
    def mark(self) -> str:
        return "✗" if not self.ok else "!" if self.remark else "✓"


def of_settings(settings: "Settings", words: "Language") -> Iterator[Finding]:
    """Whether they are enough to talk to Slack, and who the first administrator is."""
    from bot.settings import SettingsError

    _ = words._
    try:
        settings.for_slack()
    except SettingsError as error:
        yield Finding(False, str(error))
        return
    mode = "Socket Mode"
    if not settings.socket_mode:
        mode = _("HTTP on port {port}, at /slack/events", port=settings.port)
    yield Finding(
        True,
        _(
            "the settings are complete: {mode}, {zone}, {currency}",
            mode=mode,
            zone=settings.timezone,
            currency=settings.currency,
        ),
    )
    if settings.admin is None:
        said = _(
            "VIGIE_ADMIN is not set, so nobody can link people or see everything from Slack: give the e-mail address, "
            "as Slack knows it, of the first administrator"
        )
        yield Finding(True, said, remark=True)


def of_database(settings: "Settings", words: "Language") -> Iterator[Finding]:
    """Whether it answers, and what is in it."""
    import sqlalchemy as sa

    from storage.database import open_engine, reading
    from storage.status import read_status
    from storage.workspaces import SINGLE

    _ = words._
    url = sa.make_url(settings.database_url.get_secret_value())
    shown = url.render_as_string(hide_password=True)
    if not is_made(settings):
        folder = Path(url.database or "").absolute().parent
        if not folder.exists():
            said = _("the folder {folder} does not exist: make it, or check VIGIE_DATABASE_URL", folder=folder)
            yield Finding(False, said)
        elif not os.access(folder, os.W_OK):
            said = _("the folder {folder} cannot be written: make it so, or check VIGIE_DATABASE_URL", folder=folder)
            yield Finding(False, said)
        else:
            said = _("the database {url} does not exist yet: it is made at the first start or sync", url=shown)
            yield Finding(True, said)
        return
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        with reading(engine) as connection:
            status = read_status(connection, SINGLE)
    except sa.exc.SQLAlchemyError as error:
        said = _(
            "the database {url} does not answer ({reason}): check VIGIE_DATABASE_URL",
            url=shown,
            reason=type(error).__name__,
        )
        yield Finding(False, said)
        return
    finally:
        engine.dispose()
    deals = status.rows.get("deal", 0)
    yield Finding(
        True,
        _(
            "the database {url} answers: {deals} deals, {set_aside} rows in quarantine",
            url=shown,
            deals=deals,
            set_aside=status.set_aside,
        ),
    )
    if not deals:
        said = _("there are no deals yet: run “vigie connect” for a CRM, or “vigie sync files PATH…”")
        yield Finding(True, said, remark=True)


def is_made(settings: "Settings") -> bool:
    """Whether the database is there, where that can be seen without asking it: SQLite would make the file."""
    import sqlalchemy as sa

    url = sa.make_url(settings.database_url.get_secret_value())
    return url.get_backend_name() != "sqlite" or not url.database or Path(url.database).exists()


def of_slack(settings: "Settings", slack: "Slack", words: "Language") -> Iterator[Finding]:
    """Whether Slack knows the token, what it grants, and whether it opens a connection."""
    from bot.cli.serve import slack_sentence
    from bot.outcome import Sent
    from bot.slack import Slack, SlackError

    _ = words._
    try:
        identity = slack.identity()
        known = _("Slack knows the bot: {bot} in {team}", bot=identity.get("user"), team=identity.get("team"))
        yield Finding(True, known)
        granted = slack.scopes()
    except SlackError as error:
        yield Finding(False, slack_sentence(error.code, words))
        return
    missing = ", ".join(scope for scope in SCOPES if scope not in granted)
    if missing:
        said = _("the token lacks {scopes}: install the app again from manifest.yml, then copy it", scopes=missing)
        yield Finding(False, said)
    else:
        yield Finding(True, _("the token has every scope of manifest.yml"))
    if settings.slack_app_token is None:
        return
    sockets = Slack(settings.slack_app_token.get_secret_value(), settings.slack_api_url)
    outcome = sockets.call("apps.connections.open")
    sockets.close()
    if isinstance(outcome, Sent):
        yield Finding(True, _("Socket Mode is open to SLACK_APP_TOKEN"))
        return
    said = _(
        "Slack does not open a Socket Mode connection: check SLACK_APP_TOKEN, its scope connections:write, and that "
        "Socket Mode is on"
    )
    yield Finding(False, said)
