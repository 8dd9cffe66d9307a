"""`vigie doctor`: how a Vigie that runs is doing: what waits, what is in doubt, who must do something. Changes nothing.

Exit codes: 0 nothing needs a person; 1 something does; it is marked ✗.
"""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.findings import Finding, is_made, of_database, of_settings, of_slack

if TYPE_CHECKING:
    from bot.clock import Clock
    from bot.i18n import Language
    from bot.settings import Settings


def doctor(lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None) -> None:
    """Say how a running Vigie is doing: messages, commands, syncs, jobs, channels, clocks and the database."""
    from rich.console import Console

    from bot.cli.check import say
    from bot.cli.starting import read
    from bot.clock import SystemClock

    # What a refused call logs, a line below says as a sentence.
    logging.getLogger("bot").addHandler(logging.NullHandler())
    settings, words = read(Console(stderr=True), lang)
    bad = say(examine(settings, SystemClock(), words))
    _ = words._
    typer.echo(_("Something needs a person: the lines marked ✗.") if bad else _("Nothing needs a person."))
    if bad:
        raise typer.Exit(1)


def examine(settings: "Settings", clock: "Clock", words: "Language") -> Iterator[Finding]:
    """Every finding, as it is found; what a missing database or setting keeps from being looked at is left out."""
    from bot.cli import examined
    from bot.conversation import Context
    from bot.slack import Slack
    from storage.database import open_engine

    enough = True
    for finding in (*of_settings(settings, words), *of_database(settings, words)):
        yield finding
        enough = enough and finding.ok
    if not enough:
        return
    slack = Slack(settings.bot_token, settings.slack_api_url)
    engine = open_engine(settings.database_url.get_secret_value())
    context = Context(engine=engine, clock=clock, slack=slack, settings=settings)
    try:
        yield from of_slack(settings, slack, words)
        yield from examined.of_clock(context, words)
        if is_made(settings):
            yield from examined.of_tables(context, words)
    finally:
        slack.close()
        engine.dispose()
