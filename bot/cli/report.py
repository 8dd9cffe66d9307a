"""What a sync did, after it: rows by object, what was set aside, what waits, what might be one thing."""

from typing import TYPE_CHECKING

from babel.numbers import format_decimal
from rich.table import Table
from rich.text import Text

from bot.i18n import Language
from bot.views.files import failure_sentence, held_sentence, left_alone_sentence, object_name, row_kind

if TYPE_CHECKING:
    from rich.console import Console

    from storage.connectors.files.connector import FilesConnector
    from storage.sync import Report


_MOST_WORDS = 8


def show_report(console: "Console", connector: "FilesConnector", report: "Report", language: Language) -> None:
    _show_counts(console, report, language)
    _show_tables(console, connector, language)
    _ = language._
    for found in report.suggestions:
        _say(
            console,
            language.n(
                "{object}: is “{said}” ({count} row) the same as “{known}”? If so, say it in a mapping file, under "
                "[aliases.{table}].",
                "{object}: is “{said}” ({count} rows) the same as “{known}”? If so, say it in a mapping file, under "
                "[aliases.{table}].",
                found.rows,
                count=_number(found.rows, language),
                object=object_name(found.object, language),
                said=found.said,
                known=found.known,
                table=found.object,
            ),
            "yellow",
        )
    if report.cleared:
        count = report.cleared
        _say(console, language.n("{count} row left the quarantine.", "{count} rows left the quarantine.", count))
    total = report.total
    if total.quarantined or total.kept:
        _say(
            console,
            _(
                "{aside} set aside, {kept} loaded with a remark: “vigie quarantine” lists them with the reasons.",
                aside=_number(total.quarantined, language),
                kept=_number(total.kept, language),
            ),
            "yellow",
        )
    if total.new == total.changed == 0 and total.unchanged:
        _say(console, _("Nothing has changed since the last sync."))
    seconds = format_decimal(round(report.took, 1), locale=language.locale)
    _say(console, _("Done in {seconds} s.", seconds=seconds), "dim")


def _show_counts(console: "Console", report: "Report", language: Language) -> None:
    _ = language._
    grid = Table(box=None, padding=(0, 2, 0, 0))
    grid.add_column("")
    for title in (
        _("rows read"),
        _("new rows"),
        _("changed rows"),
        _("unchanged rows"),
        _("rows set aside"),
        _("rows with a remark"),
    ):
        grid.add_column(title, justify="right")
    for name, counts in report.objects.items():
        read = counts.seen + counts.quarantined
        numbers = (read, counts.new, counts.changed, counts.unchanged + counts.older, counts.quarantined, counts.kept)
        grid.add_row(object_name(name, language), *(_number(number, language) for number in numbers))
    console.print(grid)


def _show_tables(console: "Console", connector: "FilesConnector", language: Language) -> None:
    _ = language._
    for one in connector.tables:
        if one.object is None:
            sentence = _("{place}: {why}", place=one.place, why=left_alone_sentence(one, language))
            _say(console, sentence, "yellow")
        elif one.held is not None:
            sentence = _("{place} waits: {why}", place=one.place, why=held_sentence(one, language))
            _say(console, sentence, "red")
        for number, kind, said in one.table.others if one.object is not None else ():
            if kind not in ("header", "blank"):
                line = _("{place}, row {row}: {kind} (“{said}”), not data.", place=one.place, row=number,
                         kind=row_kind(kind, language), said=said[:60])  # fmt: skip
                _say(console, line, "dim")
        rows = connector.rows[one.place]
        if rows.repeated:
            _say(
                console,
                language.n(
                    "{place}: {count} row repeats another word for word.",
                    "{place}: {count} rows repeat others word for word.",
                    rows.repeated,
                    count=_number(rows.repeated, language),
                    place=one.place,
                ),
                "dim",
            )
        if rows.planned:
            _say(
                console,
                language.n(
                    "{place}: the closing date of {count} open deal is a plan, and was not used.",
                    "{place}: the closing dates of {count} open deals are plans, and were not used.",
                    rows.planned,
                    count=_number(rows.planned, language),
                    place=one.place,
                ),
                "dim",
            )
        if rows.unknown_kinds:
            sentence = _(
                "{place}: these words say neither new, upsell, cross-sell nor additional business, and were left out: "
                "{words}.",
                place=one.place,
                words=", ".join(rows.unknown_kinds[:_MOST_WORDS])
                + (", …" if len(rows.unknown_kinds) > _MOST_WORDS else ""),
            )
            _say(console, sentence, "dim")
    for problem in connector.unread:
        _say(console, failure_sentence(problem, language), "red")
    for name in connector.mapping.unused([one.place for one in connector.tables]):
        _say(console, _("The mapping speaks of “{name}”, but no such file was given.", name=name), "yellow")


def _number(number: int, language: Language) -> str:
    return format_decimal(number, locale=language.locale)


def _say(console: "Console", sentence: str, style: str = "") -> None:
    console.print(Text(sentence, style=style))
