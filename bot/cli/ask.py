"""`vigie ask "win rate 2017-Q4 by team"`: the same answers as in Slack, in a terminal or as JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy import Connection

    from bot.i18n import Language
    from kpi.engine import Answer
    from kpi.scope import Scope
    from storage.workspaces import Workspace

REFUSED = 2
"""Exit code: the question was not understood or may not be asked, or a setting is wrong."""


def ask(
    question: Annotated[list[str], typer.Argument(metavar="QUESTION…", help="In French or English, in any order.")],
    email: Annotated[
        str | None, typer.Option("--as", metavar="E-MAIL", help="Answer as this person of the CRM would see it.")
    ] = None,
    today: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day it is asked on; moves the calendar only.")
    ] = None,
    known: Annotated[
        str | None,
        typer.Option(
            "--as-known",
            metavar="YYYY-MM-DD[THH:MM]",
            help="Hide what was learned after that local day or moment; moves no calendar.",
        ),
    ] = None,
    lang: Annotated[str | None, typer.Option(help="fr or en; else VIGIE_LANGUAGE.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, see docs/json.md.")] = False,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the groups or the series into a picture.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say how it was computed: from the buckets or the facts, and why.")
    ] = False,
) -> None:
    """Answer a question: the number, what it is made of, what it is compared with, what was left out."""
    import json
    import secrets

    from rich.console import Console

    from bot.cli.answered import draw_chart, show_answer
    from bot.clock import SystemClock
    from bot.database import open_database
    from bot.i18n import LANGUAGES, language
    from bot.logs import configure_logs
    from bot.settings import SettingsError, read_settings
    from bot.views.contract import contract
    from bot.views.misread import misread
    from bot.views.plan import plan_words
    from kpi.refusals import RefusedError
    from storage.replica import Replica, read_for_question
    from storage.workspaces import SINGLE, read_workspace

    errors = Console(stderr=True, soft_wrap=True)
    try:
        settings = read_settings()
    except SettingsError as error:
        errors.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(REFUSED) from None
    words = language(lang or settings.language)
    _ = words._
    clock = SystemClock()
    if lang is not None and lang.lower() not in LANGUAGES:
        errors.print(_("I do not speak “{language}”: say fr or en.", language=lang), markup=False, highlight=False)
        raise typer.Exit(REFUSED)
    moved = None if today is None else _day(today)
    if today is not None and moved is None:
        sentence = _("There is no such day: {day}. Write it like 2026-11-23.", day=today)
        errors.print(sentence, markup=False, highlight=False)
        raise typer.Exit(REFUSED)
    try:
        engine = open_database(settings, clock)
        url = settings.read_database_url
        replica = None if url is None else Replica(url.get_secret_value())

        def read(connection: "Connection") -> "tuple[Workspace, tuple[Answer, int]]":
            workspace = read_workspace(connection, SINGLE)
            day = moved or clock.now().astimezone(workspace.zone).date()
            late_before = clock.now() - settings.late_after
            moment = None if known is None else _moment(known, workspace.zone, clock.now())
            asked = " ".join(question)
            return workspace, _answer(connection, asked, email, day, moment, workspace, words, late_before)

        workspace, (answer, statements) = read_for_question(engine, replica, read)
        result = answer.result
        if replica is not None:
            replica.close()
        engine.dispose()
        if as_json:
            typer.echo(json.dumps(contract(result, workspace, words), ensure_ascii=False, indent=2))
        else:
            show_answer(Console(soft_wrap=True), result, workspace, words)
        if explain:
            errors.print(plan_words(answer, statements, words), style="dim", markup=False, highlight=False)
        if chart is not None:
            drawn = draw_chart(result, chart, words, workspace.fiscal_start_month)
            errors.print(drawn, markup=False, highlight=False)
    except SettingsError as error:
        errors.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(REFUSED) from None
    except RefusedError as error:
        errors.print(misread(error, words), markup=False, highlight=False)
        raise typer.Exit(REFUSED) from None
    except _NobodyError as error:
        errors.print(words._("Nobody in the CRM has the e-mail address {email}, or two people do.", email=error),
                     markup=False, highlight=False)  # fmt: skip
        raise typer.Exit(REFUSED) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        errors.print(
            words._("The picture could not be written: {reason}.", reason=reason), markup=False, highlight=False
        )
        raise typer.Exit(REFUSED) from None
    except Exception:
        import logging

        configure_logs()
        reference = secrets.token_hex(4)
        logging.getLogger(__name__).exception("unexpected_error reference=%s", reference)
        errors.print(
            words._("Something went wrong, and it is not your fault. Reference: {reference}", reference=reference)
        )
        raise typer.Exit(1) from None


def _day(text: str) -> "date | None":
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _moment(text: str, zone: "ZoneInfo", now: "datetime") -> "datetime":
    """As when the data was known. Raises `BadPeriodError` for no such moment, and for one still to come."""
    from kpi.words.errors import BadPeriodError, Wrong
    from kpi.words.known import end_of, moment_of

    moment = moment_of(text, zone)
    if moment is None:
        raise BadPeriodError(text, Wrong.NO_SUCH_DATE)
    whole_day = moment == end_of(moment.date(), zone)
    if moment > (end_of(now.astimezone(zone).date(), zone) if whole_day else now):
        raise BadPeriodError(text, Wrong.TO_COME)
    return moment


class _NobodyError(Exception):
    """No one person of the CRM has that e-mail address."""


def _answer(
    connection: "Connection",
    text: str,
    email: str | None,
    today: "date",
    moment: "datetime | None",
    workspace: "Workspace",
    words: "Language",
    late_before: "datetime",
) -> "tuple[Answer, int]":
    """The answer, and how many statements it took."""
    from dataclasses import replace

    from kpi.engine import explained
    from kpi.vocabulary import read_vocabulary
    from kpi.words import understand
    from storage.database import counting

    scope, asker = _scope(connection, email, today, workspace, late_before)
    query = understand(
        text,
        read_vocabulary(connection, scope, today=today, asker=asker),
        today=today,
        scope=scope,
        language=words.code,
        fiscal_start_month=workspace.fiscal_start_month,
        zone=workspace.zone,
    )
    with counting(connection) as statements:
        (answer,) = explained(connection, [query if moment is None else replace(query, as_known=moment)])
    return answer, len(statements)


def _scope(
    connection: "Connection", email: str | None, today: "date", workspace: "Workspace", late_before: "datetime"
) -> "tuple[Scope, str | None]":
    """What that person may see, and who they are; everything without an e-mail address."""
    from kpi.scope import Scope, scope_of
    from storage import people

    if email is None:
        return Scope(workspace.id, everything=True, late_before=late_before), None
    person = people.match(connection, workspace.id, email)
    if person is None:
        raise _NobodyError(email)
    admin = any(link.person_id == person.id for link in people.admins(connection, workspace.id))
    link = people.Link(workspace.id, "", person.id, "admin" if admin else "rep")
    scope = scope_of(connection, link, visibility=workspace.visibility, today=today, late_before=late_before)
    return scope, person.id
