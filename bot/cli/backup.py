"""`vigie backup FILE`: the embedded database into one file, while Vigie runs.

Exit codes: 0 written and checked; 2 nothing was written, and why.
"""

from pathlib import Path
from typing import Annotated

import typer


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the backup.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file of that name.")] = False,
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
) -> None:
    """Back up the embedded database into one file, checked, while Vigie runs."""
    from rich.console import Console

    from bot.cli.copying import bar, problem_sentence, size_text
    from bot.cli.starting import read, refuse, say
    from storage.backup import BackupProblemError
    from storage.backup import backup as back_up

    console = Console()
    settings, words = read(console, lang)
    try:
        with bar(console, words._("Backing up")) as progress:
            size = back_up(settings.database_url.get_secret_value(), file, replace=replace, progress=progress)
    except BackupProblemError as problem:
        refuse(console, problem_sentence(problem, words))
    told = words._(
        "{path} holds the whole database, and has been checked: {size}.", path=file, size=size_text(size, words)
    )
    say(console, told, "bold green")
    say(
        console,
        words._(
            "It holds everything that the database does: keep it where only you can read it. The keys of VIGIE_KEYS "
            "are not in it: keep them elsewhere."
        ),
        "dim",
    )
