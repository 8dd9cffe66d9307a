"""What backing up and restoring have in common: the bar, and why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from babel.numbers import format_decimal
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bot.i18n import Language
from storage.backup import BackupProblemError
from storage.backup import Progress as Told


@contextmanager
def bar(console: Console, title: str) -> Iterator[Told]:
    """A bar for pages of the database; restoring fills it twice: beside the database, then in its place."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(title, total=None)
        yield lambda total, done: bars.update(task, total=total, completed=done)


def size_text(size: int, words: Language) -> str:
    """Bytes as megabytes, to a tenth."""
    number = format_decimal(max(Decimal("0.1"), Decimal(size) / 1_000_000), format="#,##0.0", locale=words.locale)
    return words._("{number} MB", number=number)


def problem_sentence(problem: BackupProblemError, words: Language) -> str:
    """Why nothing was written or changed, and what would do."""
    _, path, cause = words._, problem.details.get("path", ""), problem.details.get("cause", "")
    match problem.code:
        case "not_embedded":
            return _(
                "The database is PostgreSQL: back it up with “pg_dump --format=custom --file=FILE DATABASE”, and put "
                "it back with “pg_restore --clean --if-exists --dbname=DATABASE FILE”."
            )
        case "absent":
            return _("There is no file {path}.", path=path)
        case "exists":
            return _("{path} exists already: give another name, or say --replace.", path=path)
        case "same":
            return _("{path} is the database itself: give another file.", path=path)
        case "not_database":
            return _("{path} is no database. Nothing was changed.", path=path)
        case "not_vigie":
            return _("{path} is a database, but not one of Vigie's. Nothing was changed.", path=path)
        case "damaged":
            return _("{path} is damaged or cut short. Nothing was changed.", path=path)
        case "newer":
            return _(
                "{path} was made by a newer version of Vigie: install that version first. Nothing was changed.",
                path=path,
            )
        case "in_use":
            return _(
                "{path} is in use, by a running Vigie or another program: what it writes meanwhile would be lost. Stop "
                "it, restore, and start it again. Nothing was changed.",
                path=path,
            )
        case "unreadable":
            return _("{path} cannot be read ({cause}). Nothing was changed.", path=path, cause=cause)
        case _:
            return _("{path} cannot be written ({cause}). Nothing was changed.", path=path, cause=cause)
