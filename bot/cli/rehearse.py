"""`vigie rehearse "win rate < 25 by team"`: when a rule would have fired over the past 12 months.

Exit codes: 0 it was rehearsed; 2 the words were not understood, or a setting is wrong.
"""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Connection

    from bot.drafting import Drafted
    from bot.i18n import Language
    from bot.people import Viewer
    from kpi.query import KpiResult
    from kpi.rehearsal import Rehearsal
    from storage.rules import Rule
    from storage.workspaces import Workspace


def rehearse(
    rule: Annotated[list[str], typer.Argument(metavar="RULE…", help="As after /kpi alert add, in French or English.")],
    today: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day on which the 12 months end; else today.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
) -> None:
    """Say when an alert rule would have fired over the past 12 months, and how many messages a month that means."""
    from datetime import date

    from bot.cli.starting import refuse, start
    from bot.conversation import Refusal
    from bot.people import Viewer
    from bot.views.misread import misread
    from kpi.refusals import RefusedError
    from kpi.scope import Scope
    from storage.database import reading
    from storage.workspaces import SINGLE, read_workspace

    started = start(lang)
    console, engine, words = started.console, started.engine, started.words
    moved = None
    if today is not None:
        try:
            moved = date.fromisoformat(today)
        except ValueError:
            refuse(console, words._("There is no such day: {day}. Write it like 2026-11-23.", day=today))
    try:
        with reading(engine) as connection:
            workspace = read_workspace(connection, SINGLE)
            day = moved or started.clock.now().astimezone(workspace.zone).date()
            viewer = Viewer(workspace, "", None, "admin", Scope(SINGLE, everything=True), day, words)
            drafted = _drafted(connection, viewer, " ".join(rule))
            if drafted.rule is None:
                refuse(console, words._("Which threshold? Add “< 25” or “> 60” to the words."))
            result, rehearsal = _rehearsed(connection, drafted.rule, viewer, console)
    except Refusal as refusal:
        refuse(console, refusal.sentence)
    except RefusedError as error:
        refuse(console, misread(error, words))
    finally:
        engine.dispose()
    _show(console, drafted, result, rehearsal, workspace, words)


def _drafted(connection: "Connection", viewer: "Viewer", text: str) -> "Drafted":
    from bot.conversation import Asker
    from bot.drafting import read_rule
    from bot.phrases import cut_channel, cut_language, cut_zone

    asker = Asker(workspace_id=viewer.workspace.id, user_id="", language=viewer.language)
    channel_id, rest = cut_channel(text)
    spoken, rest = cut_language(rest)
    zone, rest = cut_zone(rest)
    return read_rule(
        connection,
        asker,
        viewer,
        rest,
        zone=zone or viewer.workspace.time_zone,
        channel_id=channel_id or "",
        language=spoken or viewer.language.code,
    )


def _rehearsed(
    connection: "Connection", rule: "Rule", viewer: "Viewer", console: "Console"
) -> "tuple[KpiResult, Rehearsal]":
    from rich.progress import BarColumn, Progress, TextColumn

    from kpi.engine import answer
    from kpi.rehearsal import rehearse as over_the_year
    from kpi.watch import question

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(viewer.language._("Rehearsal"), total=None)

        def progress(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        result = answer(connection, question(connection, rule, viewer.scope, viewer.today))
        return result, over_the_year(connection, rule, viewer.scope, viewer.today, progress)


def _show(
    console: "Console",
    drafted: "Drafted",
    result: "KpiResult",
    rehearsal: "Rehearsal",
    workspace: "Workspace",
    words: "Language",
) -> None:
    from rich.table import Table
    from rich.text import Text

    from bot.cli.starting import say
    from bot.views import rehearsed
    from bot.views.rule import rule_sentence, settings_sentence

    assert drafted.rule is not None  # noqa: S101 - refused before
    say(console, rule_sentence(drafted.rule, drafted.query.filters, workspace.currency, words), "bold")
    say(console, settings_sentence(drafted.rule, words), "dim")
    for sentence in rehearsed.summary(rehearsal, words):
        say(console, sentence)
    if not rehearsal.episodes:
        return
    head, rows = rehearsed.table(rehearsal, result, words)
    shown = Table(*head)
    for row in rows:
        shown.add_row(*map(Text, row))
    console.print(shown)
