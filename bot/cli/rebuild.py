"""`vigie rebuild`: the sums that answers come from, made anew from the rows.

Exit codes: 0 they are ready; 1 another Vigie is at it, or they differ from the rows.
"""

from typing import Annotated

import typer

UNFINISHED = 1


def rebuild(
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
) -> None:
    """Add up the numbers anew from the rows that were read, and compare. Answers stay exact meanwhile, only slower."""
    from time import perf_counter

    from babel.numbers import format_decimal

    from bot import keeping
    from bot.cli.preparing import prepare
    from bot.cli.starting import say, start
    from kpi import buckets
    from storage.workspaces import SINGLE

    started = start(lang)
    console, engine, words, began = started.console, started.engine, started.words, perf_counter()
    try:
        buckets.rebuild(engine, SINGLE)
        ready = prepare(engine, started.clock, console, words)
        checked = keeping.check(engine, SINGLE, started.clock) if ready else None
    finally:
        engine.dispose()
    if checked is None:
        raise typer.Exit(UNFINISHED)
    if not checked.right:
        say(console, words._("The numbers still differ from the rows: please report it, with the log."), "red")
        raise typer.Exit(UNFINISHED)
    said = words._("The numbers are ready; of a sample, each agrees with the rows.")
    say(console, said, "green")
    seconds = format_decimal(round(perf_counter() - began, 1), locale=words.locale)
    say(console, words._("Done in {seconds} s.", seconds=seconds), "dim")
