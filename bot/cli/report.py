"""What a sync did, after it: rows by object, what was set aside, what waits, what might be one thing."""

from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING

from babel.numbers import format_decimal
from rich.cells import cell_len
from rich.table import Table

from bot.cli.starting import say
from bot.i18n import Language
from bot.views.files import failure_sentence, held_sentence, left_alone_sentence, object_name, row_kind
from bot.views.sources import month_sentence, resume_sentence, source_name, trouble_sentence
from storage.connectors.files.watched import Watched

if TYPE_CHECKING:
    from rich.console import Console

    from storage.connectors.base import Connector
    from storage.connectors.files.connector import FilesConnector
    from storage.sync import Counts, Report


_GAP = 2
_MOST_WORDS = 8
_MOST_MONTHS = 12

Column = tuple[str, Callable[["Counts"], int]]


def show_report(console: "Console", connector: "FilesConnector", report: "Report", language: Language) -> None:
    """Of files loaded by hand: every table that was found, and what became of its rows."""
    _ = language._
    columns: list[Column] = [
        (_("rows read"), lambda counts: counts.seen + counts.quarantined),
        (_("new rows"), lambda counts: counts.new),
        (_("changed rows"), lambda counts: counts.changed),
        (_("unchanged rows"), lambda counts: counts.unchanged + counts.older),
        (_("rows set aside"), lambda counts: counts.quarantined),
        (_("rows with a remark"), lambda counts: counts.kept),
    ]
    _show_counts(console, report, columns, language)
    _show_tables(console, connector, language)
    if report.total.new == report.total.changed == 0 and report.total.unchanged:
        say(console, _("Nothing has changed since the last sync."))
    _show_rest(console, report, language)


def show_run(console: "Console", connector: "Connector", report: "Report", zone: tzinfo, language: Language) -> None:
    """Of a connected source: what came, what went, what waits and until when, what differs."""
    _, total, name = language._, report.total, source_name(connector.source, language)
    columns: list[Column] = [
        (_("rows read"), lambda counts: counts.seen + counts.quarantined),
        (_("new rows"), lambda counts: counts.new),
        (_("changed rows"), lambda counts: counts.changed),
        (_("deleted rows"), lambda counts: counts.deleted),
        (_("rows set aside"), lambda counts: counts.quarantined),
    ]
    if total.kept:
        columns.append((_("rows with a remark"), lambda counts: counts.kept))
    if any(number(total) for _title, number in columns[1:]):
        _show_counts(console, report, columns, language)
    elif not report.troubles and report.outcome == "ok":
        say(console, _("Nothing has changed since the last sync."))
    if isinstance(connector, Watched) and connector.files is not None:
        _show_tables(console, connector.files, language)
    for trouble in report.troubles:
        say(console, trouble_sentence(trouble.object, trouble.code, trouble.values, language), "red")
    if report.absent:
        told = ", ".join(object_name(each, language) for each in report.absent)
        say(
            console,
            _("{source} has none of these, or this account may not read them: {objects}.", source=name, objects=told),
            "dim",
        )
    for month in report.months[:_MOST_MONTHS]:
        say(console, month_sentence(month, name, language), "red")
    if len(report.months) > _MOST_MONTHS:
        more = len(report.months) - _MOST_MONTHS
        say(console, language.n("and {count} more month", "and {count} more months", more), "red")
    if report.full and report.outcome == "ok" and not report.months and not report.troubles:
        say(
            console,
            _("Compared with {source}: the same deals, the same amounts, month by month.", source=name),
            "green",
        )
    if report.resume_at is not None or (report.outcome == "partial" and not report.troubles):
        say(console, resume_sentence(report.resume_at, name, zone, language), "yellow")
    _show_rest(console, report, language)


def _show_rest(console: "Console", report: "Report", language: Language) -> None:
    """What holds for every sync: spellings, the quarantine, how long it took."""
    _ = language._
    for found in report.suggestions:
        say(
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
        say(console, language.n("{count} row left the quarantine.", "{count} rows left the quarantine.", count))
    total = report.total
    if total.quarantined or total.kept:
        say(
            console,
            _(
                "{aside} set aside, {kept} loaded with a remark: “vigie quarantine” lists them with the reasons.",
                aside=_number(total.quarantined, language),
                kept=_number(total.kept, language),
            ),
            "yellow",
        )
    seconds = format_decimal(round(report.took, 1), locale=language.locale)
    done = _("Done in {seconds} s.", seconds=seconds)
    if report.requests:
        done += " " + language.n("{count} request sent.", "{count} requests sent.", report.requests)
    say(console, done, "dim")


def _show_counts(console: "Console", report: "Report", columns: list[Column], language: Language) -> None:
    told = {
        object_name(name, language): [_number(number(counts), language) for _title, number in columns]
        for name, counts in report.objects.items()
        if any(number(counts) for _title, number in columns)
    }
    titles = [title for title, _number_of in columns]
    taken = sum(_GAP + max(cell_len(text) for text in column) for column in zip(titles, *told.values(), strict=True))
    # Titles that do not fit side by side stand in two lines each; numbers are never cut.
    narrow = max(map(cell_len, told), default=0) + taken > console.width
    grid = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
    grid.add_column("", no_wrap=True)
    for title, *numbers in zip(titles, *told.values(), strict=True):
        least = max(_in_two_lines(title), *map(cell_len, numbers))
        grid.add_column(title, justify="right", width=least if narrow else None, min_width=least)
    for name, row in told.items():
        grid.add_row(name, *row)
    console.print(grid)


def _in_two_lines(title: str) -> int:
    """How wide the words of a title stand in two lines."""
    words = title.split()
    breaks = range(1, max(2, len(words)))
    return min(max(cell_len(" ".join(words[:at])), cell_len(" ".join(words[at:]))) for at in breaks)


def _show_tables(console: "Console", connector: "FilesConnector", language: Language) -> None:
    _ = language._
    for one in connector.tables:
        if one.object is None:
            sentence = _("{place}: {why}", place=one.place, why=left_alone_sentence(one, language))
            say(console, sentence, "yellow")
        elif one.held is not None:
            sentence = _("{place} waits: {why}", place=one.place, why=held_sentence(one, language))
            say(console, sentence, "red")
        for number, kind, said in one.table.others if one.object is not None else ():
            if kind not in ("header", "blank"):
                line = _("{place}, row {row}: {kind} (“{said}”), not data.", place=one.place, row=number,
                         kind=row_kind(kind, language), said=said[:60])  # fmt: skip
                say(console, line, "dim")
        rows = connector.rows[one.place]
        if rows.repeated:
            say(
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
            say(
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
            say(console, sentence, "dim")
    for problem in connector.unread:
        say(console, failure_sentence(problem, language), "red")
    for name in connector.mapping.unused([one.place for one in connector.tables]):
        say(console, _("The mapping speaks of “{name}”, but no such file was given.", name=name), "yellow")


def _number(number: int, language: Language) -> str:
    return format_decimal(number, locale=language.locale)
