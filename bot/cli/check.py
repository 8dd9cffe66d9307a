"""`vigie check`: is everything in order? Says it without starting; with `--live`, tries it on Slack."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.findings import Finding, of_database, of_settings, of_slack

if TYPE_CHECKING:
    from bot.i18n import Language
    from bot.settings import Settings


def check(
    live: Annotated[
        str | None, typer.Option(metavar="CHANNEL", help="Try what rests on Slack's word alone, in this channel.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
) -> None:
    """Check the settings, the database, the token, its scopes and the connection, without starting."""
    from bot.i18n import language
    from bot.settings import SettingsError, read_settings

    # What a refused call logs, a line below says as a sentence.
    logging.getLogger("bot").addHandler(logging.NullHandler())
    try:
        settings = read_settings()
    except SettingsError as error:
        typer.echo(f"✗ {error}")
        raise typer.Exit(1) from None
    words = language(lang or settings.language)
    bad = say(findings(settings, words))
    if live is not None and not bad:
        from bot.cli.live import try_out

        bad = say(try_out(settings, live, words))
    _ = words._
    typer.echo(_("Something is not in order.") if bad else _("Everything is in order: run “vigie serve”."))
    if bad:
        raise typer.Exit(1)


def say(found: Iterator[Finding]) -> bool:
    """A line for each as it comes; whether one of them needs a person."""
    bad = False
    for finding in found:
        typer.echo(f"{finding.mark} {finding.sentence}")
        bad = bad or not finding.ok
    return bad


def findings(settings: "Settings", words: "Language") -> Iterator[Finding]:
    """What is in order and what is not, in the order in which it must be mended."""
    from bot.slack import Slack

    enough = True
    for finding in of_settings(settings, words):
        yield finding
        enough = enough and finding.ok
    if not enough:
        return
    yield from of_database(settings, words)
    slack = Slack(settings.bot_token, settings.slack_api_url)
    try:
        yield from of_slack(settings, slack, words)
    finally:
        slack.close()
