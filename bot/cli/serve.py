"""`vigie serve`: connect to Slack and answer, until told to stop."""

import gc
import logging
import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.i18n import Language

log = logging.getLogger(__name__)

DRAIN_SECONDS = 25
SWITCH_SECONDS = 0.0005
"""For so long at most, a thread that computes goes on while another one waits for the interpreter."""


def serve(
    port: Annotated[int | None, typer.Option(help="Port of /slack/events and /healthz; instead of VIGIE_PORT.")] = None,
) -> None:
    """Connect to Slack (Socket Mode with SLACK_APP_TOKEN, else signed HTTP) and answer until told to stop."""
    import uvicorn

    from bot.app import open_vigie
    from bot.logs import configure_logs
    from bot.settings import SettingsError, read_settings
    from bot.slack import SlackError

    configure_logs()
    try:
        settings = read_settings() if port is None else read_settings(port=port)
        settings.for_slack()
        door = _open_door(settings.host, settings.port)
        vigie = open_vigie(settings)
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except SlackError as error:
        typer.echo(slack_sentence(error.code), err=True)
        raise typer.Exit(2) from None
    # The event loop gives the interpreter away at every read and write, and waits for each thread that computes to get
    # it back: with Python's 5 ms a turn, acknowledgements took ten times as long while answers were worked out.
    sys.setswitchinterval(SWITCH_SECONDS)
    # What is loaded by now stays: looking all of it over for garbage again and again kept everything waiting each time.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(vigie.asgi, log_config=None, access_log=False, timeout_graceful_shutdown=DRAIN_SECONDS)
    server = uvicorn.Server(config)
    server.run(sockets=[door])
    if not server.started:
        raise typer.Exit(3)


def _open_door(host: str, port: int) -> socket.socket:
    """The socket of /slack/events and /healthz, bound before anything starts. Raises `SettingsError`."""
    from bot.settings import SettingsError

    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SettingsError(
            f"Vigie cannot listen on {host}:{port} ({error.strerror}): give VIGIE_PORT a port that is free "
            "(0 = any), and VIGIE_HOST an address of this machine"
        ) from None


def slack_sentence(code: str, words: "Language | None" = None) -> str:
    """Why Slack did not take the token, and what to do about it; in English where no language is given."""
    from bot.i18n import language

    _ = (words or language("en"))._
    if code in {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}:
        return _(
            "Slack does not accept SLACK_BOT_TOKEN ({code}): copy it again from OAuth & Permissions, after installing "
            "the app",
            code=code,
        )
    return _("Slack could not be reached ({code}): check the network and VIGIE_SLACK_API_URL", code=code)
