"""`vigie sync files --explain`: each table, what it is taken for, and how each column is read."""

from collections import Counter
from typing import TYPE_CHECKING

from babel.numbers import format_decimal
from rich.table import Table
from rich.text import Text

from bot.i18n import Language
from bot.views.files import (
    column_note,
    failure_sentence,
    field_name,
    held_sentence,
    left_alone_sentence,
    object_name,
    row_kind,
)
from storage.connectors.files.understand import Understanding

if TYPE_CHECKING:
    from rich.console import Console

    from storage.connectors.files.connector import FilesConnector


def show_understanding(console: "Console", connector: "FilesConnector", language: Language) -> None:
    _ = language._
    for one in connector.tables:
        _show(console, one, language)
        _show_unknown_words(console, one, connector, language)
    for problem in connector.unread:
        _say(console, failure_sentence(problem, language), "red")
    for name in connector.mapping.unused([one.place for one in connector.tables]):
        _say(console, _("The mapping speaks of “{name}”, but no such file was given.", name=name), "yellow")
    _say(console, _("Nothing was written."), "dim")


def _show(console: "Console", one: Understanding, language: Language) -> None:
    _ = language._
    console.rule(Text(one.place, style="bold"), align="left")
    if one.object is None:
        _say(console, left_alone_sentence(one, language), "yellow")
        return
    rows = len(one.table.rows)
    said = language.n(
        "{object}: {count} row",
        "{object}: {count} rows",
        rows,
        count=format_decimal(rows, locale=language.locale),
        object=object_name(one.object, language),
    )
    if one.sheet.encoding is not None:
        delimiter = {"\t": _("tab")}.get(one.sheet.delimiter or "", one.sheet.delimiter or "")
        said += " · " + _("{encoding}, separated by {delimiter}", encoding=one.sheet.encoding, delimiter=delimiter)
    if one.column("amount") is not None:
        said += " · " + _("amounts in {currency} unless they say otherwise", currency=one.currency)
    _say(console, said)
    grid = Table(_("Column"), _("Read as"), _("How"), _("Examples"), box=None, padding=(0, 2, 0, 0))
    for column in one.columns:
        grid.add_row(
            Text(column.match.header),
            field_name(column.match.field.name, language),
            Text(column_note(column, language)),
            Text(" · ".join(column.examples), style="dim", overflow="ellipsis", no_wrap=True),
        )
    for field, said in one.declared.constants.items():
        grid.add_row("", field_name(field, language), Text(_("always “{said}”, by the mapping", said=said)), "")
    console.print(grid)
    if one.unused:
        _say(console, _("Not used: {headers}", headers=", ".join(one.unused)), "dim")
    kinds = Counter(kind for _number, kind, _said in one.table.others if kind not in ("header", "blank"))
    if kinds:
        counted = ", ".join(f"{row_kind(kind, language)} × {count}" for kind, count in kinds.items())
        _say(console, _("Rows that are not data: {kinds}", kinds=counted), "dim")
    if one.object == "deal" and one.column("id") is None:
        _say(
            console,
            _("No column identifies the deals: a deal that is edited later will look like a new one."),
            "yellow",
        )
    if one.object == "deal" and not any(one.column(name) for name in ("closed", "won_on", "lost_on")):
        _say(
            console,
            _("No column says when the deals closed: none counts in a period by closing date (revenue, average deal)."),
            "yellow",
        )
    if one.held is not None:
        _say(console, held_sentence(one, language), "red")


def _show_unknown_words(
    console: "Console", one: Understanding, connector: "FilesConnector", language: Language
) -> None:
    unknown = connector.unknown_statuses(one)
    column = one.column("status") or one.column("stage")
    if not unknown or column is None:
        return
    words = ", ".join(
        f"{word[:60]} × {format_decimal(rows, locale=language.locale)}" for word, rows in unknown.most_common(20)
    )
    _say(
        console,
        language._(
            "In “{column}”, nothing is known of: {words}. Say in a mapping file, under [statuses], whether each is "
            "open, won, lost or dormant; till then these rows are set aside.",
            column=column.match.header,
            words=words,
        ),
        "yellow",
    )


def _say(console: "Console", sentence: str, style: str = "") -> None:
    console.print(sentence, style=style, markup=False, highlight=False)
