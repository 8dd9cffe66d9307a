"""`vigie connect SOURCE`: give Vigie what it needs to read a CRM or files; try it, look at it, then store it.

Secrets are typed hidden, or named: `--set token=env:HUBSPOT_TOKEN` reads a variable, `--set token=-` a line of the
input. They never stand on a command line, where the shell's history and the list of processes would keep them.

Exit codes: 0 stored (or listed), 1 not confirmed, 2 something given cannot be used; nothing is stored then.
"""

from typing import Annotated

import typer

NOT_CONFIRMED = 1


def connect(
    source: Annotated[str | None, typer.Argument(help="hubspot, pipedrive, salesforce, koban or files.")] = None,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="An option of the source; a secret as NAME=env:VARIABLE, or NAME=- for a line of the input.",
        ),
    ] = None,
    stages: Annotated[
        list[str] | None,
        typer.Option("--stage", metavar="NAME=MEANING", help="open, won, lost or dormant, for a stage's name or id."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing, and store what works.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="List what is connected.")] = False,
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
) -> None:
    """Connect a CRM or files: try it, see the first deals as understood, say what its stages mean, store it."""
    from bot.cli.connected import list_sources
    from bot.cli.connecting import Connecting, NotConfirmed, Wanted
    from bot.cli.starting import refuse, start

    started = start(lang)
    try:
        if listed or source is None:
            list_sources(started)
        else:
            Connecting(started, Wanted(source, tuple(options or ()), tuple(stages or ()), yes)).run()
    except NotConfirmed:
        raise typer.Exit(NOT_CONFIRMED) from None
    except typer.Abort:
        typer.echo()
        _ = started.words._
        refuse(
            started.console, _("Nothing was stored. Where nobody can answer, give every option with --set, and --yes.")
        )
    finally:
        started.engine.dispose()


def disconnect(
    source: Annotated[str, typer.Argument(help="A source of “vigie connect --list”.")],
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
) -> None:
    """Stop syncing a source. What it told stays and is counted; connecting again goes on from there."""
    from bot.cli.connected import disconnect_source
    from bot.cli.starting import start

    started = start(lang)
    try:
        disconnect_source(started, source)
    finally:
        started.engine.dispose()
