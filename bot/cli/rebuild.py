"""`vigie rebuild`: the sums that answers come from, made anew from the rows.

Exit codes: 0 they are ready; 1 another Vigie is at it.
"""

from typing import Annotated

import typer

UNFINISHED = 1


def rebuild(
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
) -> None:
    """Add up the numbers anew from the rows that were read. Answers stay exact meanwhile, only slower."""
    from time import perf_counter

    from babel.numbers import format_decimal

    from bot.cli.preparing import prepare
    from bot.cli.starting import say, start
    from kpi import buckets
    from storage.workspaces import SINGLE

    started = start(lang)
    console, engine, words, began = started.console, started.engine, started.words, perf_counter()
    try:
        buckets.rebuild(engine, SINGLE)
        ready = prepare(engine, started.clock, console, words)
    finally:
        engine.dispose()
    if not ready:
        raise typer.Exit(UNFINISHED)
    say(console, words._("The numbers are ready."), "green")
    seconds = format_decimal(round(perf_counter() - began, 1), locale=words.locale)
    say(console, words._("Done in {seconds} s.", seconds=seconds), "dim")
