"""What Vigie makes of each sheet before anything is written: its object, its columns, what it could not decide."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import process

from storage.connectors.files import amounts, dates
from storage.connectors.files.amounts import AmountStyle, currency_code
from storage.connectors.files.cells import as_text
from storage.connectors.files.dates import DateStyle
from storage.connectors.files.headers import Match, fold, match
from storage.connectors.files.mapping import MappingProblemError, TableMapping
from storage.connectors.files.reading import Cell, Sheet
from storage.connectors.files.signs import NEEDS
from storage.connectors.files.tables import Table, cut

Held = Literal["date_order", "decimal", "object_unclear", "status_absent", "spend_kind", "needs"]
"""Why a table waits for a person: nothing of it is loaded until then."""

_EXAMPLES = 3
_MARGIN = 0.5
"""Two objects whose scores are closer than this cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Column:
    match: Match
    cells: Sequence[Cell]
    style: AmountStyle | DateStyle | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Understanding:
    """One sheet as understood. `object` is None where the sheet holds nothing that Vigie loads."""

    place: str
    sheet: Sheet
    table: Table
    object: str | None
    columns: tuple[Column, ...]
    unused: tuple[str, ...]
    """Headers of columns that are not loaded."""
    declared: TableMapping
    currency: str
    """Of the amounts that name none."""
    held: Held | None = None
    about: tuple[str, ...] = ()
    """What `held` is about: headers, a sample, the objects in question."""

    def column(self, field: str) -> Column | None:
        return next((column for column in self.columns if column.match.field.name == field), None)


def understand(sheet: Sheet, declared: TableMapping, currency: str) -> Understanding:
    """Understand one sheet. Raises `MappingProblemError` where the mapping names a header that is not there."""
    table = cut(sheet, declared.header_row)
    currency = declared.currency or currency
    nothing = Understanding(sheet.place, sheet, table, None, (), tuple(filter(None, table.headers)), declared, currency)
    if declared.header_row is not None and declared.header_row > len(sheet.rows):
        raise MappingProblemError(
            "mapping_header_row", place=sheet.place, said=str(declared.header_row), rows=str(len(sheet.rows))
        )
    if declared.object == "none" or table.header_row is None or (sheet.hidden and declared.object is None):
        return nothing
    given = _given(sheet.place, table.headers, declared)
    object_ = declared.object or (table.guesses[0].object if table.guesses else None)
    if object_ is None:
        return nothing
    matches = match(object_, table.headers, given, _empty(table))
    # `""` in the mapping: the field has no column, whatever the headers look like; a constant stands for its column.
    matches = tuple(
        item
        for item in matches
        if declared.columns.get(item.field.name) != "" and item.field.name not in declared.constants
    )
    columns = _columns(table, matches, declared)
    used = {item.index for item in matches}
    unused = tuple(header for index, header in enumerate(table.headers) if header and index not in used)
    amount = next((column for column in columns if column.match.field.kind == "amount"), None)
    if amount is not None and declared.currency is None:
        currency = _header_currency(amount.match.header) or currency
    held, about = _held(object_, table, columns, declared)
    return Understanding(sheet.place, sheet, table, object_, columns, unused, declared, currency, held, about)


def _empty(table: Table) -> set[int]:
    """The columns in which no row says anything."""
    return {
        index
        for index in range(len(table.headers))
        if not any(index < len(row) and as_text(row[index]) for _, row in table.rows)
    }


def _given(place: str, headers: Sequence[str], declared: TableMapping) -> dict[str, int]:
    given: dict[str, int] = {}
    folded = [fold(header) for header in headers]
    for field, header in declared.columns.items():
        if header == "":
            continue
        if fold(header) not in folded:
            nearest = process.extractOne(header, [known for known in headers if known], score_cutoff=50)
            raise MappingProblemError(
                "mapping_column",
                place=place,
                field=field,
                said=header,
                nearest=nearest[0] if nearest else "",
                known=", ".join(filter(None, headers)),
            )
        given[field] = headers.index(header) if header in headers else folded.index(fold(header))
    return given


def _columns(table: Table, matches: Sequence[Match], declared: TableMapping) -> tuple[Column, ...]:
    columns = []
    for item in matches:
        cells = [row[item.index] if item.index < len(row) else "" for _, row in table.rows]
        examples = tuple(dict.fromkeys(text for cell in cells[:200] if (text := as_text(cell))))[:_EXAMPLES]
        style: AmountStyle | DateStyle | None = None
        if item.field.kind == "amount":
            style = amounts.decide(cells, declared.decimal)
        elif item.field.kind in ("date", "month"):
            style = dates.decide(cells, declared.date_order)
        columns.append(Column(item, cells, style, examples))
    dated = [column for column in columns if isinstance(column.style, DateStyle)]
    settled = iter(dates.settle([(column.match.header, column.style) for column in dated]))  # type: ignore[misc]
    return tuple(
        Column(column.match, column.cells, next(settled), column.examples)
        if isinstance(column.style, DateStyle)
        else column
        for column in columns
    )


def _held(
    object_: str, table: Table, columns: Sequence[Column], declared: TableMapping
) -> tuple[Held | None, tuple[str, ...]]:
    names = {column.match.field.name for column in columns} | set(declared.constants)
    guesses = table.guesses
    if declared.object is None and len(guesses) > 1 and guesses[0].score - guesses[1].score < _MARGIN:
        return "object_unclear", (guesses[0].object, guesses[1].object)
    missing = next((sorted(any_of) for any_of in NEEDS[object_] if not names & any_of), None)
    if missing is not None and declared.object is None:
        return "needs", tuple(missing)
    for column in columns:
        if isinstance(column.style, DateStyle) and column.style.unsure:
            return "date_order", (column.match.header, column.style.sample or "")
        if isinstance(column.style, AmountStyle) and column.style.unsure:
            return "decimal", (column.match.header, column.style.sample or "")
    if object_ == "deal" and not names & {"status", "stage", "won_on", "lost_on"}:
        return "status_absent", ()
    return None, ()


def _header_currency(header: str) -> str | None:
    """`Montant (€)`, `Amount USD`."""
    found = re.search(r"[€£¥]|US\$|\b[A-Z]{3}\b(?=\W*$)", header)
    return currency_code(found[0]) if found else None
