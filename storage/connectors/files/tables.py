"""A sheet as a table: where the headers are, which rows are data, and which are titles, totals and footers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from storage.connectors.files.cells import as_text, is_failed
from storage.connectors.files.headers import Guess, fold, guess_object
from storage.connectors.files.reading import Cell, Sheet

NonRow = Literal["blank", "title", "header", "repeated_header", "total", "footer"]

_HEADER_SEARCH = 30
_TOTAL = re.compile(
    r"(grand |sous |sub)?(total|totaux|totals|subtotal|somme|sum|moyenne|average|mean)( general| generaux)?( ht| ttc)?"
    r"( \d+ (lignes|rows|records|enregistrements))?"
)
_WORDY = re.compile(r"[^\W\d_]{2}")
_FOOTER = re.compile(
    r"export(e|ed)?\b|copyright|confidenti|gener(e|ated)\b|page \d|source\b|filtre|filter|report\b|rapport\b|"
    r"edite le|printed|extrait le|as of|au \d|\d+ (lignes|rows|records|enregistrements|resultats|results)"
)


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet cut into headers, data rows and the rest. Row numbers are those of a spreadsheet: the first is 1."""

    headers: tuple[str, ...]
    header_row: int | None
    """None: no row of headers was recognised."""
    rows: tuple[tuple[int, Sequence[Cell]], ...]
    """Data rows with their numbers."""
    others: tuple[tuple[int, NonRow, str], ...]
    """Every other row: number, what it is, what it says."""
    guesses: tuple[Guess, ...]
    width: int = 0
    """Cells of the row of headers, those without a header too."""


def cut(sheet: Sheet, header_row: int | None = None) -> Table:
    """Cut a sheet into a table; `header_row` is what a person declared."""
    found = header_row or _find_header(sheet)
    if found is None or found > len(sheet.rows):
        return Table((), None, (), (), ())
    headers = tuple((as_text(cell) or "") if cell != "" else "" for cell in sheet.rows[found - 1])
    while headers and not headers[-1]:
        headers = headers[:-1]
    others: list[tuple[int, NonRow, str]] = [(found, "header", _said(sheet.rows[found - 1]))]
    for number in range(1, found):
        row = sheet.rows[number - 1]
        others.append((number, "blank" if _filled(row) == [] else "title", _said(row)))
    rows: list[tuple[int, Sequence[Cell]]] = []
    folded = [fold(header) for header in headers]
    for number in range(found + 1, len(sheet.rows) + 1):
        row = sheet.rows[number - 1]
        kind = _kind(row, folded)
        if kind is None:
            rows.append((number, row))
        else:
            others.append((number, kind, _said(row)))
    footers = _footers(rows, {number for number, kind, _ in others if kind in ("blank", "total")}, len(headers))
    others += [(number, "footer", _said(row)) for number, row in rows if number in footers]
    kept = tuple((number, row) for number, row in rows if number not in footers)
    guesses = tuple(guess_object(headers, f"{sheet.file.rpartition('.')[0]} {sheet.name or ''}"))
    return Table(headers, found, kept, tuple(sorted(others)), guesses, len(sheet.rows[found - 1]))


def _find_header(sheet: Sheet) -> int | None:
    """The row, among the first, that reads best as headers; without any, the first that is filled.

    Above the headers stand titles: rows with fewer cells. A row as wide as one before it is data.
    """
    best, best_score = None, 0.0
    first, widest = None, 0
    for number, row in enumerate(sheet.rows[:_HEADER_SEARCH], start=1):
        filled = _filled(row)
        if not filled:
            continue
        first = first or number
        if len(filled) > widest and all(isinstance(cell, str) for cell in filled):
            guesses = guess_object([as_text(cell) or "" for cell in row], "")
            if guesses and guesses[0].score > best_score:
                best, best_score = number, guesses[0].score
        widest = max(widest, len(filled))
    return best or first


def _kind(row: Sequence[Cell], folded: Sequence[str]) -> NonRow | None:
    filled = _filled(row)
    if not filled:
        return "blank"
    first, *rest = filled
    if not isinstance(first, str) or not _WORDY.search(first):
        return None
    if _TOTAL.fullmatch(fold(first)) and all(_is_sum(cell) for cell in rest):
        return "total"
    # Folding every cell of every row is what would cost; most rows differ from the headers in their first cell.
    headers = [text for text in folded if text]
    if headers and fold(first) == headers[0]:
        texts = [fold(as_text(cell) or "") for cell in row[: len(folded)]]
        if [text for text in texts if text] == headers:
            return "repeated_header"
    return None


def _footers(rows: Sequence[tuple[int, Sequence[Cell]]], gaps: set[int], width: int) -> set[int]:
    """The rows at the end with a single filled cell that follow a gap, or that say what footers say."""
    if width < 2:
        return set()
    tail: list[tuple[int, str]] = []
    for number, row in reversed(rows):
        filled = _filled(row)
        if len(filled) != 1 or _is_number(filled[0]):
            break
        tail.append((number, as_text(filled[0]) or ""))
    if not tail:
        return set()
    start = tail[-1][0]
    if start - 1 in gaps:
        return {number for number, _ in tail}
    footers: set[int] = set()
    for number, text in tail:
        if not _FOOTER.search(fold(text)):
            break
        footers.add(number)
    return footers


def _filled(row: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in row if cell != "" and not (isinstance(cell, str) and cell.isspace())]


def _is_sum(cell: Cell) -> bool:
    """A number, a sum that failed, or a count of things: `2 deals`. A day is none: a customer may be called Total."""
    if isinstance(cell, date):
        return False
    if isinstance(cell, str) and is_failed(cell):
        return True
    return _is_number(cell) or (isinstance(cell, str) and bool(re.fullmatch(r"\s*\d+\s+[^\W\d]+\s*", cell)))


def _is_number(cell: Cell) -> bool:
    return not isinstance(cell, str) or bool(
        re.fullmatch(r"[^\w]*[\d\s.,'’\u00a0\u202f]+[^\w]*(eur|usd)?", cell, re.IGNORECASE)
    )


def _said(row: Sequence[Cell]) -> str:
    return " | ".join(as_text(cell) or "" for cell in _filled(row))[:200]
