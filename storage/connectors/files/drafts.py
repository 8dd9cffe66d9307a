"""A data row as typed values, with every problem it has, before it becomes a record."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from storage.connectors.files import amounts, dates
from storage.connectors.files.amounts import Amount, AmountStyle, currency_code
from storage.connectors.files.cells import Bad, as_flag, as_text
from storage.connectors.files.dates import DateStyle
from storage.connectors.files.fields import OBJECTS
from storage.connectors.files.mapping import MappingProblemError
from storage.connectors.files.reading import Cell
from storage.connectors.files.understand import Understanding
from storage.problems import Reason
from storage.records import Mention, Problem, Record, When


@dataclass(slots=True)
class Draft:
    """One data row on its way to a record."""

    table: Understanding
    index: int
    """Its number among the table's data rows, from 0."""
    values: dict[str, Any]
    """Field to value; cells that could not be read are absent, and named in `problems`."""
    zone: ZoneInfo
    record: Record | None = None
    mentions: list[Mention] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    aside: bool = False

    @property
    def object(self) -> str:
        return self.table.object or ""

    @property
    def row(self) -> int:
        """The row's number in the sheet, from 1."""
        return self.table.table.rows[self.index][0]

    @property
    def slipped(self) -> bool:
        """Whether the row has more cells than the table has columns."""
        return any(problem.reason == Reason.ROW_TOO_LONG for problem in self.problems)

    @property
    def place(self) -> str:
        return f"{self.table.place}, row {self.row}"

    def text(self, name: str) -> str | None:
        return self.values.get(name)

    def flag(self, name: str) -> bool | None:
        return self.values.get(name)

    def when(self, name: str) -> When | None:
        return self.values.get(name)

    def day(self, name: str) -> date | None:
        """The local day of a date or a moment."""
        return local_day(self.values.get(name), self.zone)

    def amount(self) -> Amount | None:
        return self.values.get("amount")

    def set_aside(self, reason: Reason, name: str | None = None, **details: str) -> None:
        self.aside = True
        self._note(reason, name, details, kept=False)

    def flag_kept(self, reason: Reason, name: str | None = None, **details: str) -> None:
        self._note(reason, name, details, kept=True)

    def settle(self, ext_id: str | None) -> None:
        """Give the problems their row's id; a row that is set aside keeps no record."""
        if self.aside:
            self.record = None
            self.mentions = []
        if not self.problems:
            return
        payload = _payload(self.table, self.index)
        self.problems = [
            Problem(
                object=problem.object,
                place=problem.place,
                reason=problem.reason,
                field=problem.field,
                ext_id=ext_id,
                details=problem.details,
                payload=payload,
                kept=problem.kept and not self.aside,
            )
            for problem in self.problems
        ]

    def content_id(self, occurrences: Counter[str], *, without: Sequence[str] = ()) -> str:
        """An id made of what the row says and how many rows before it said the same."""
        said = [(name, _stable(value)) for name, value in sorted(self.values.items()) if name not in without]
        digest = hashlib.blake2b(repr((self.object, said)).encode(), digest_size=12).hexdigest()
        occurrences[digest] += 1
        return f"row-{digest}-{occurrences[digest]}"

    def _note(self, reason: Reason, name: str | None, details: dict[str, str], *, kept: bool) -> None:
        # What a sentence needs to say the place in any language.
        where = {"file": self.table.sheet.file, "row": str(self.row)}
        if self.table.sheet.name:
            where["sheet"] = self.table.sheet.name
        self.problems.append(
            Problem(
                object=self.object,
                place=self.place,
                reason=reason.value,
                field=name,
                details=where | details,
                kept=kept,
            )
        )


def local_day(when: When | None, zone: ZoneInfo) -> date | None:
    return when.astimezone(zone).date() if isinstance(when, datetime) else when


def drafts(one: Understanding, zone: ZoneInfo) -> Iterator[Draft]:
    """The data rows of a table. A cell that cannot be read sets its row aside."""
    if one.object is None:
        return
    columns = {
        column.match.field.name: _convert(column.cells, _reader(column.match.field.kind, column.style, one, zone))
        for column in one.columns
    }
    headers = {column.match.field.name: column.match.header for column in one.columns}
    constants = _constants(one, zone)
    width = max(one.table.width, len(one.table.headers))
    for index, (_number, row) in enumerate(one.table.rows):
        values: dict[str, Any] = dict(constants)
        draft = Draft(one, index, values, zone)
        if len(row) > width and any(as_text(cell) for cell in row[width:]):
            # Its cells have slipped out of their columns: nothing else that it says can be trusted.
            draft.set_aside(Reason.ROW_TOO_LONG, None, cells=str(len(row)), headers=str(width))
            yield draft
            continue
        for name, cells in columns.items():
            value = cells[index]
            if value is None:
                continue
            if isinstance(value, Bad):
                # No number rests on the moment of modification.
                told = draft.flag_kept if name == "modified" else draft.set_aside
                told(value.reason, name, said=value.said[:100], column=headers[name])
            else:
                values[name] = value
        yield draft


def _payload(one: Understanding, index: int) -> dict[str, str]:
    row = one.table.rows[index][1]
    headers = [header or f"#{number}" for number, header in enumerate(one.table.headers, start=1)]
    headers += [f"#{number}" for number in range(len(headers) + 1, len(row) + 1)]
    return {header: text[:200] for header, cell in zip(headers, row, strict=False) if (text := as_text(cell))}


def _convert(cells: Sequence[Cell], read: Callable[[Cell], Any]) -> list[Any]:
    """Every cell read; the same text is read once."""
    seen: dict[tuple[type, Cell], Any] = {}
    values = []
    for cell in cells:
        key = (type(cell), cell)
        if key not in seen:
            seen[key] = read(cell)
        values.append(seen[key])
    return values


def _reader(
    kind: str, style: AmountStyle | DateStyle | None, one: Understanding, zone: ZoneInfo
) -> Callable[[Cell], Any]:
    if kind == "amount":
        amount_style = style if isinstance(style, AmountStyle) else AmountStyle(one.declared.decimal)
        return lambda cell: amounts.read(cell, amount_style, one.currency)
    if kind in ("date", "month"):
        date_style = style if isinstance(style, DateStyle) else DateStyle(one.declared.date_order)
        read = dates.read if kind == "date" else dates.read_month
        return lambda cell: read(cell, date_style, zone)
    if kind == "rate":
        return amounts.read_rate
    if kind == "flag":
        return as_flag
    return _currency if kind == "currency" else as_text


def _currency(cell: Cell) -> str | Bad | None:
    said = as_text(cell)
    return None if said is None else currency_code(said) or Bad(Reason.CURRENCY_UNKNOWN, said)


def check_constants(one: Understanding, zone: ZoneInfo) -> None:
    """Raise `MappingProblemError` for a constant of the mapping that its field cannot be."""
    if one.object is not None:
        _constants(one, zone)


def _constants(one: Understanding, zone: ZoneInfo) -> dict[str, Any]:
    kinds = {item.name: item.kind for item in OBJECTS[one.object or ""]}
    values: dict[str, Any] = {}
    for name, said in one.declared.constants.items():
        value = _reader(kinds[name], None, one, zone)(said)
        if isinstance(value, Bad):
            raise MappingProblemError("mapping_constant", place=one.place, field=name, said=said)
        if value is not None:
            values[name] = value
    return values


def _stable(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else repr(value)
