"""Files as rows of cells: CSV of any delimiter and encoding, Excel with its numbers and dates as they are."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path

import charset_normalizer
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from storage.connectors.files.formulas import unanswered

Cell = str | int | float | bool | date | datetime | time | timedelta

CSV_ENDINGS = (".csv", ".tsv", ".txt")
EXCEL_ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How Excel and OpenDocument workbooks begin, whatever their name."""

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 60
_ENCODINGS = ["cp1252", "mac_roman", "cp850", "utf_16_le", "utf_16_be"]
"""What Western spreadsheets write when it is not UTF-8."""


class FileProblemError(Exception):
    """A file that cannot be read at all; `reason` is a stable code, `details` what its sentence needs."""

    def __init__(self, reason: str, **details: str) -> None:
        super().__init__(f"{reason}: {details}")
        self.reason = reason
        self.details = details


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file, or one sheet of a workbook, as read."""

    place: str
    """How a person calls it: `deals.csv`, `sales.xlsx [Deals]`."""
    file: str
    name: str | None
    """The sheet's name in a workbook; None for a text file."""
    rows: Sequence[Sequence[Cell]]
    encoding: str | None = None
    delimiter: str | None = None
    hidden: bool = False
    """A sheet that its workbook does not show."""


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The table files behind these paths, directories searched (not their hidden files), in a stable order.

    Raises `FileProblemError` for a path that does not exist, one of another kind, or a directory without any table.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [
                file
                for file in sorted(path.rglob("*"))
                if file.is_file() and _is_table(file) and not _is_hidden(file.relative_to(path))
            ]
            if not inside:
                raise FileProblemError("directory_empty", path=str(path))
            found += inside
        elif not path.exists():
            raise FileProblemError("file_absent", path=str(path))
        elif not _is_table(path):
            raise FileProblemError("file_kind", path=str(path), known=", ".join((*CSV_ENDINGS, *EXCEL_ENDINGS)))
        else:
            found.append(path)
    return list(dict.fromkeys(found))


def read_files(files: Sequence[Path]) -> tuple[list[Sheet], list[FileProblemError]]:
    """Every sheet of every file, and the files that cannot be read. Raises the first problem if nothing can."""
    names = Counter(file.name for file in files)
    sheets: list[Sheet] = []
    problems: list[FileProblemError] = []
    for file in files:
        label = file.name if names[file.name] == 1 else f"{file.parent.name}/{file.name}"
        try:
            sheets += _read(file, label)
        except FileProblemError as problem:
            problems.append(problem)
    if problems and not sheets:
        raise problems[0]
    taken: Counter[str] = Counter()
    for index, sheet in enumerate(sheets):
        taken[sheet.place] += 1
        if taken[sheet.place] > 1:
            # Two folders of the same name: the place must still tell them apart.
            sheets[index] = replace(sheet, place=f"{sheet.place} ({taken[sheet.place]})")
    return sheets, problems


def _is_hidden(inside: Path) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in inside.parts)


def _is_table(file: Path) -> bool:
    return file.suffix.lower() in (*CSV_ENDINGS, *EXCEL_ENDINGS) and not file.name.startswith((".", "~$"))


def _read(file: Path, label: str) -> list[Sheet]:
    """A workbook or a text, by what the file is: many programs name a text `.xls`."""
    try:
        raw = file.read_bytes()
    except OSError as failure:
        raise FileProblemError("file_unreadable", path=label, cause=failure.strerror or "") from failure
    if raw.startswith(_WORKBOOKS):
        return _read_excel(raw, label)
    if re.match(rb"\s*(<!doctype html|<html|<table|<\?xml)", raw[:200], re.IGNORECASE):
        raise FileProblemError("file_html", path=label)
    return [_read_csv(raw, label)]


def _read_excel(raw: bytes, label: str) -> list[Sheet]:
    try:
        workbook = CalamineWorkbook.from_filelike(BytesIO(raw))
        found = [
            (about, workbook.get_sheet_by_name(about.name).to_python(skip_empty_area=False))
            for about in workbook.sheets_metadata
            if about.typ == SheetTypeEnum.WorkSheet
        ]
    except (CalamineError, OSError) as failure:
        raise FileProblemError("file_unreadable", path=label, cause=str(failure)) from failure
    faults = unanswered(raw)
    for about, rows in found:
        for (row, column), said in faults.get(about.name, {}).items():
            if 0 <= row < len(rows) and 0 <= column < len(rows[row]):
                rows[row][column] = said
    return [
        Sheet(f"{label} [{about.name}]", label, about.name, rows, hidden=about.visible != SheetVisibleEnum.Visible)
        for about, rows in found
    ]


def _read_csv(raw: bytes, label: str) -> Sheet:
    text, encoding = _decode(raw, label)
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        # A word to Excel, which does not show it: row numbers are those that Excel shows.
        delimiter, text = first.strip()[4], rest
    else:
        delimiter = _delimiter(text)
    try:
        rows = _rows(text, delimiter)
    except csv.Error as failure:
        raise FileProblemError("file_unreadable", path=label, cause=str(failure)) from failure
    return Sheet(label, label, None, rows, encoding, delimiter)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """The rows; a quotation mark that nothing closes well is a sign like any other, and swallows no row after it."""
    lines = list(StringIO(text, newline=""))
    rows: list[list[str]] = []
    done = 0
    while True:
        reader = csv.reader(islice(lines, done, None), delimiter=delimiter)
        begun = done
        for row in reader:
            taken = lines[begun : done + reader.line_num]
            # Of rows that are one line, as most are, only the last can be left open.
            alone = len(taken) == 1 and (begun + 1 < len(lines) or taken[0].count('"') % 2 == 0)
            if not alone and not _is_quoted_well(taken, delimiter):
                rows.append(next(csv.reader(taken[:1], delimiter=delimiter, quoting=csv.QUOTE_NONE)))
                done = begun + 1
                break
            rows.append(row)
            begun += len(taken)
        else:
            return rows


def _is_quoted_well(lines: Sequence[str], delimiter: str) -> bool:
    try:
        return len(list(csv.reader(lines, delimiter=delimiter, strict=True))) == 1
    except csv.Error:
        return False


def _decode(raw: bytes, label: str) -> tuple[str, str]:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), encoding
            except UnicodeDecodeError as failure:
                raise FileProblemError("file_unreadable", path=label, cause=str(failure)) from failure
    if b"\0" in raw and raw.count(b"\0") * 20 < len(raw) and not re.search(rb"[\x01-\x08\x0e-\x19]", raw):
        # A few stray NULs in a text; a picture holds other signs besides.
        raw = raw.replace(b"\0", b"")
    try:
        text = raw.decode("utf-8")
        if "\0" not in text:
            return text, "utf-8"
    except UnicodeDecodeError:
        pass
    best = charset_normalizer.from_bytes(raw, cp_isolation=_ENCODINGS).best()
    if best is None or "\0" in str(best):
        raise FileProblemError("file_not_text", path=label)
    return str(best), best.encoding


def _delimiter(text: str) -> str:
    """The delimiter by which most of the first lines have the same number of cells, and more than one."""
    sample = list(islice(StringIO(text, newline=""), _SAMPLE_LINES))
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        try:
            widths = Counter(len(row) for row in csv.reader(sample, delimiter=delimiter) if len(row) > 1)
        except csv.Error:
            continue
        if not widths:
            continue
        width, rows = max(widths.items(), key=lambda item: (item[1] * (item[0] - 1), item[0]))
        score = rows * (1 + min(width, 40) / 100) * (rows / sum(widths.values()))
        if score > best_score:
            best, best_score = delimiter, score
    return best
