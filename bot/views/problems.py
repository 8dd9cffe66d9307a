"""Why a row was set aside, or kept with a flag, as a sales manager understands it; one sentence a reason."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal

from bot.i18n import Language
from bot.views.sources import source_name
from storage.problems import Reason
from storage.quarantine import Line

Details = Mapping[str, str]

_RANGES = 12


def told_by_crm(line: Line) -> bool:
    """Whether the row stands in a CRM, by its id, and not in a file."""
    return line.ext_id is not None and line.place == f"{line.object} {line.ext_id}"


def place(line: Line, language: Language) -> str:
    """Where a person finds the row: `deals.csv, row 12`, « deals.csv, ligne 12 », `HubSpot 5003`."""
    details = line.details
    if told_by_crm(line):
        return f"{source_name(line.source, language)} {line.ext_id}"
    if "row" not in details:
        return line.place
    if "sheet" in details:
        return language._(
            "{file}, sheet “{sheet}”, row {row}", file=details["file"], sheet=details["sheet"], row=details["row"]
        )
    return language._("{file}, row {row}", file=details.get("file", ""), row=details["row"])


def sentence(reason: str, details: Details, language: Language) -> str:
    """What is wrong with the row, and what it means for the numbers where it was kept."""
    known = _SENTENCES.get(reason)
    return known(language, _Told(details, language)) if known else language._("Reason: {code}", code=reason)


def other_rows(lines: Sequence[Line], language: Language) -> str:
    """How many rows these are, and which: `and 18 more rows: 5–21, 30`."""
    rows = sorted({int(line.details["row"]) for line in lines if line.details.get("row", "").isdigit()})
    ranges: list[list[int]] = []
    for row in rows:
        if ranges and row == ranges[-1][-1] + 1:
            ranges[-1][1:] = [row]
        else:
            ranges.append([row])
    ids = ["–".join(str(row) for row in found) for found in ranges]
    ids += [line.ext_id for line in lines if line.ext_id is not None and told_by_crm(line)]
    told = ", ".join(ids[:_RANGES])
    count = format_decimal(len(lines), locale=language.locale)
    return language.n(
        "and {count} more row: {rows}",
        "and {count} more rows: {rows}",
        len(lines),
        count=count,
        rows=told + (" …" if len(ids) > _RANGES else ""),
    )


class _Told(dict[str, str]):
    """The details a sentence may use; a date is written as the reader writes it."""

    def __init__(self, details: Details, language: Language) -> None:
        super().__init__(details)
        for name in ("created", "closed", "starts", "ends"):
            if name in details:
                day = date.fromisoformat(details[name])
                # Short English dates read in two ways.
                short = day.year > 1999 and language.locale.language != "en"
                self[name] = format_date(day, "short" if short else "medium", locale=language.locale)

    def __missing__(self, key: str) -> str:
        return "?"


def _status_unknown(language: Language, told: _Told) -> str:
    return language._(
        "The word “{said}” in the column “{column}” does not say whether the deal is open, won, lost or dormant: say "
        "it in a mapping file, under [statuses].",
        said=told["said"],
        column=told["column"],
    )


def _date_out_of_range(language: Language, told: _Told) -> str:
    if "open_end" in told:
        return language._(
            "“{said}” in the column “{column}” is taken as no end: the contract goes on.",
            said=told["said"],
            column=told["column"],
        )
    return language._(
        "“{said}” in the column “{column}” is too far in the past or in the future to be true.",
        said=told["said"],
        column=told["column"],
    )


def _closed_missing(language: Language, told: _Told) -> str:
    if told["status"] == "won":
        return language._(
            "The deal is won, but has no closing date: it counts in no period by closing date (revenue, average deal)."
        )
    return language._("The deal is lost, but has no closing date: it counts in no period by closing date.")


_SENTENCES: dict[str, Callable[[Language, _Told], str]] = {
    Reason.AMOUNT_UNREADABLE: lambda language, told: language._(
        "“{said}” in the column “{column}” is not an amount.", said=told["said"], column=told["column"]
    ),
    Reason.AMOUNT_NOT_FINITE: lambda language, told: language._(
        "The amount says “{said}”, which is no number: it often comes from a formula that failed.", said=told["said"]
    ),
    Reason.AMOUNT_TOO_LARGE: lambda language, told: language._(
        "The amount “{said}” is beyond anything a deal can be worth: probably a typing mistake.", said=told["said"]
    ),
    Reason.AMOUNT_ROUNDED: lambda language, _told: language._(
        "The amount has more decimals than its currency: it was rounded."
    ),
    Reason.AMOUNT_NEGATIVE: lambda language, _told: language._(
        "The amount is negative: it was kept as it is, and lowers the totals."
    ),
    Reason.CURRENCY_UNKNOWN: lambda language, told: language._(
        "“{said}” in the column “{column}” names no currency that is known.", said=told["said"], column=told["column"]
    ),
    Reason.DATE_UNREADABLE: lambda language, told: language._(
        "“{said}” in the column “{column}” is not a date.", said=told["said"], column=told["column"]
    ),
    Reason.DATE_IMPOSSIBLE: lambda language, told: language._(
        "“{said}” in the column “{column}” is a day or a time that does not exist.",
        said=told["said"],
        column=told["column"],
    ),
    Reason.DATE_OUT_OF_RANGE: _date_out_of_range,
    Reason.FLAG_UNREADABLE: lambda language, told: language._(
        "“{said}” in the column “{column}” says neither yes nor no.", said=told["said"], column=told["column"]
    ),
    Reason.STATUS_UNKNOWN: _status_unknown,
    Reason.STATUS_MISSING: lambda language, told: language._(
        "The column “{column}” is empty: nobody can tell whether the deal is open, won or lost.", column=told["column"]
    ),
    Reason.KIND_UNKNOWN: lambda language, told: language._(
        "“{said}” does not say whether the spend is marketing or sales.", said=told["said"]
    ),
    Reason.ID_MISSING: lambda language, _told: language._(
        "The row has no identifier: it was loaded under one made from what it says, so a corrected row will look new."
    ),
    Reason.ID_DUPLICATE: lambda language, told: language._(
        "Another row has the same identifier “{id}” and says something else: the one kept is {winner}.",
        id=told["id"],
        winner=_winner(told, language),
    ),
    Reason.NAME_MISSING: lambda language, told: language._(
        "The row has no name: it is shown as “{id}”.", id=told["id"]
    ),
    Reason.VALUE_MISSING: lambda language, told: language._(
        "The column “{column}” is empty, and the row means nothing without it.", column=told["column"]
    ),
    Reason.VALUE_UNREADABLE: lambda language, told: language._(
        "“{said}” in the field “{column}” cannot be read.", said=told["said"], column=told["column"]
    ),
    Reason.REFERENCE_AMBIGUOUS: lambda language, told: language._(
        "Several known rows are called “{said}”: the row was loaded without that link.", said=told["said"]
    ),
    Reason.CLOSED_BEFORE_CREATED: lambda language, told: language._(
        "The deal closed on {closed}, before it was created on {created}: it counts everywhere but in the sales cycle.",
        closed=told["closed"],
        created=told["created"],
    ),
    Reason.CLOSED_MISSING: _closed_missing,
    Reason.CLOSED_IN_FUTURE: lambda language, told: language._(
        "The deal is said to have closed on {closed}, which has not come yet.", closed=told["closed"]
    ),
    Reason.ENDS_BEFORE_START: lambda language, told: language._(
        "It ends on {ends}, before it starts on {starts}.", ends=told["ends"], starts=told["starts"]
    ),
    Reason.ROW_TOO_LONG: lambda language, told: language._(
        "The row has {cells} cells for {headers} columns: probably a separator inside a text without quotation marks.",
        cells=told["cells"],
        headers=told["headers"],
    ),
}


def _winner(told: _Told, language: Language) -> str:
    """`deals.csv, row 9` in the reader's language."""
    head, separator, row = told["winner"].rpartition(", row ")
    return language._("{file}, row {row}", file=head, row=row) if separator else told["winner"]
