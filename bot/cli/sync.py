"""`vigie sync`: read every connected source, again and again; `vigie sync files PATH…`: load files by hand.

Exit codes of `vigie sync`: 0 every source was read to its end, or it was told to stop; 1 a source could not be read, or
waits, and the others were read; 2 nothing was done, because something given cannot be used or nothing is connected.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console
    from sqlalchemy import Engine

    from bot.i18n import Language
    from storage.connectors.files.connector import FilesConnector
    from storage.sync import Report

sync = typer.Typer(help="Read what is new in every connected source; or load files by hand.")

REFUSED = 2
"""Exit code: nothing was loaded, because a file, the mapping or a setting cannot be used."""
HELD = 1
"""Exit code: a table waits for a person's word, a file cannot be read, or there is no table; the rest was loaded."""


@sync.callback(invoke_without_command=True)
def connected(
    context: typer.Context,
    source: Annotated[
        list[str] | None, typer.Option("--source", metavar="SOURCE", help="Only this one; may be given again.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="List everything and compare, instead of what changed.")] = False,
    accept_deletes: Annotated[
        bool,
        typer.Option("--accept-deletes", help="Compare like --full, and believe that what is not listed is gone."),
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="End after one round, instead of going on.")] = False,
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
) -> None:
    """Read what is new in every connected source, every VIGIE_SYNC_MINUTES until Ctrl-C; or load files by hand."""
    if context.invoked_subcommand is not None:
        return
    from bot.cli.starting import start
    from bot.cli.syncing import Syncing

    started = start(lang)
    try:
        fine = Syncing(started, tuple(source or ()), full=full, accepts_deletes=accept_deletes).run(once=once)
    finally:
        started.engine.dispose()
    if not fine:
        raise typer.Exit(HELD)


@sync.command()
def files(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="CSV or Excel files, folders, or patterns.")],
    mapping: Annotated[Path | None, typer.Option(help="TOML file that says what the headers do not.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say how each column is understood; write nothing.")
    ] = False,
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
) -> None:
    """Load CSV and Excel files. Loading the same files again changes nothing."""
    from rich.console import Console

    from bot.cli.preparing import prepare
    from bot.cli.report import show_report
    from bot.cli.understood import show_understanding
    from bot.clock import SystemClock
    from bot.database import open_database
    from bot.i18n import language
    from bot.settings import SettingsError, read_settings
    from bot.views.files import failure_sentence
    from storage.connectors.files.connector import open_files
    from storage.connectors.files.mapping import MappingProblemError, read_mapping
    from storage.connectors.files.reading import FileProblemError
    from storage.workspaces import SINGLE

    console = Console()
    clock = SystemClock()
    try:
        settings = read_settings()
        engine = open_database(settings, clock)
    except SettingsError as error:
        _refuse(console, str(error))
    words = language(lang or settings.language)
    try:
        declared = None if mapping is None else read_mapping(mapping)
        with console.status(words._("Reading the files")):
            now = clock.now()
            connector = open_files(engine, SINGLE, _expand(paths), today=now.date(), mapping=declared)
    except (FileProblemError, MappingProblemError) as failure:
        _refuse(console, failure_sentence(failure, words))
    if explain:
        show_understanding(console, connector, words)
    else:
        report = _load(console, connector, words, engine, now)
        show_report(console, connector, report, words)
        prepare(engine, clock, console, words)
    engine.dispose()
    if connector.unread or any(one.held for one in connector.tables) or not connector.totals():
        raise typer.Exit(HELD)


def _load(
    console: "Console", connector: "FilesConnector", words: "Language", engine: "Engine", now: "datetime"
) -> "Report":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from bot.clock import SystemClock
    from bot.keeping import keeper
    from bot.views.files import object_name
    from storage.sync import load
    from storage.workspaces import SINGLE

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks = {name: bars.add_task(object_name(name, words), total=rows) for name, rows in connector.totals().items()}

        def progress(name: str, rows: int) -> None:
            if name in tasks:
                bars.update(tasks[name], advance=rows)

        keep, clock = keeper(engine, SINGLE, SystemClock()), SystemClock().now
        report = load(engine, SINGLE, connector, now=now, clock=clock, on_page=keep, progress=progress)
        for name, rows in connector.totals().items():
            # Rows that repeat another settle no record of their own.
            bars.update(tasks[name], completed=rows)
    return report


def _expand(paths: list[str]) -> list[Path]:
    """Patterns that the shell left alone; one without a match is kept, so that its absence is said."""
    found: list[Path] = []
    for path in paths:
        pattern = Path(path)
        plain = pattern.exists() or not any(sign in path for sign in "*?[")
        found += (
            [pattern]
            if plain
            else sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))) or [pattern]
        )
    return found


def _refuse(console: "Console", sentence: str) -> NoReturn:
    console.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(REFUSED)
