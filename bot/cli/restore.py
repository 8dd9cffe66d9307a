"""`vigie restore FILE`: a backup in the place of the embedded database.

Exit codes: 0 restored; 1 not confirmed; 2 nothing was changed, and why.
"""

from pathlib import Path
from typing import Annotated

import typer

NOT_CONFIRMED = 1


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup made by “vigie backup”.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
) -> None:
    """Put a backup in the place of the embedded database; what was there is kept beside it. Stop Vigie first."""
    from rich.console import Console

    from bot.cli.copying import bar, problem_sentence
    from bot.cli.starting import agreed, read, refuse, say
    from bot.clock import SystemClock
    from storage.backup import BackupProblemError, check, database_file
    from storage.backup import restore as put_back

    console = Console()
    settings, words = read(console, lang)
    _, url = words._, settings.database_url.get_secret_value()
    try:
        with console.status(_("Checking the backup")):
            database_file(url)
            check(file)
        say(console, _("{path} is whole and sound.", path=file))
        if not yes and not agreed(_("Put it in the place of the database?"), words):
            say(console, _("Nothing was changed."))
            raise typer.Exit(NOT_CONFIRMED)
        with bar(console, _("Restoring")) as progress:
            restored = put_back(url, file, now=SystemClock().now(), progress=progress)
    except BackupProblemError as problem:
        refuse(console, problem_sentence(problem, words))
    except typer.Abort:
        typer.echo()
        refuse(console, _("Nothing was changed. Where nobody can answer, say --yes."))
    say(console, _("The database is that of {path} again.", path=file), "bold green")
    if restored.kept is not None:
        say(console, _("What was there before is kept in {path}.", path=restored.kept))
