"""Formulas of an .xlsx workbook that failed or were never computed: their cells are not empty, they say so."""

import re
from collections.abc import Iterator
from io import BytesIO
from zipfile import BadZipFile, ZipFile

_SHEET = re.compile(r"<sheet\b[^>]*>")
_RELATION = re.compile(r"<Relationship\b[^>]*>")
_CELL = re.compile(r"<c\b([^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')
_FORMULA = re.compile(r"<f\b")
_RESULT = re.compile(r"<v\b[^>]*>([^<]+)</v>|<is>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}

UNCOMPUTED = "#CALC!"

Place = tuple[int, int]
"""Row and column, from 0."""


def unanswered(raw: bytes) -> dict[str, dict[Place, str]]:
    """What stands in such cells, by sheet: the error (`#DIV/0!`), or `#CALC!` for a formula that has no result.

    The readers of workbooks give such cells as empty, and an amount that failed is not an amount that is missing.
    Empty for a workbook of another format.
    """
    try:
        with ZipFile(BytesIO(raw)) as book:
            names = set(book.namelist())
            return {
                name: found
                for name, path in _sheets(book, names)
                if path in names and (found := dict(_cells(book.read(path))))
            }
    except (BadZipFile, UnicodeDecodeError):
        return {}


def _sheets(book: ZipFile, names: set[str]) -> Iterator[tuple[str, str]]:
    """Each sheet's name and where it stands in the archive."""
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return
    targets = {}
    for relation in _RELATION.findall(book.read("xl/_rels/workbook.xml.rels").decode("utf-8")):
        told = dict(_ATTRIBUTE.findall(relation))
        targets[told.get("Id")] = told.get("Target", "")
    for sheet in _SHEET.findall(book.read("xl/workbook.xml").decode("utf-8")):
        told = dict(_ATTRIBUTE.findall(sheet))
        target = targets.get(told.get("r:id"), "")
        yield _plain(told.get("name", "")), target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _cells(sheet: bytes) -> Iterator[tuple[Place, str]]:
    if b't="e"' not in sheet and b"<f" not in sheet:
        return
    for attributes, body in _CELL.findall(sheet.decode("utf-8")):
        told = dict(_ATTRIBUTE.findall(attributes))
        result, formula = _RESULT.search(body), _FORMULA.search(body)
        if told.get("t") == "e" and result is not None and result[1]:
            yield _place(told.get("r", "")), _plain(result[1])
        elif formula is not None and result is None and told.get("t") != "str":
            yield _place(told.get("r", "")), UNCOMPUTED


def _place(reference: str) -> Place:
    """`C2` is (1, 2); a cell that does not say where it stands is nowhere."""
    found = re.fullmatch(r"([A-Z]{1,3})(\d{1,7})", reference)
    if found is None:
        return -1, -1
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]) - 1, column - 1


def _plain(text: str) -> str:
    return re.sub(r"&(?:lt|gt|quot|apos|amp);", lambda found: _ENTITIES[found[0]], text)
