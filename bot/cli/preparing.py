"""The numbers being prepared after a sync, or anew: what a person sees of the buckets."""

from collections import Counter
from collections.abc import Callable

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from bot import keeping
from bot.cli.starting import say
from bot.clock import Clock
from bot.i18n import Language
from bot.views.status import unprepared
from storage.workspaces import SINGLE

_AT_ONCE = 500
"""Fewer rows than these are done before a bar could be read."""


def prepare(
    engine: Engine, clock: Clock, console: Console, words: Language, *, stop: Callable[[], bool] | None = None
) -> bool:
    """Settle what a sync has left over, with a line that moves where that takes a while; whether answers are quick
    now."""
    _, done = words._, Counter[str]()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.fields[rows]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        task = bars.add_task(_("Preparing the numbers"), total=None, rows="", visible=False)

        def progress(_what: str, rows: int) -> None:
            done["rows"] += rows
            bars.update(
                task, visible=done["rows"] >= _AT_ONCE, rows=words.n("{count} row", "{count} rows", done["rows"])
            )

        ready = keeping.settle(engine, SINGLE, clock, stop=stop, progress=progress)
    if not ready:
        say(console, unprepared(words), "yellow")
    return ready
